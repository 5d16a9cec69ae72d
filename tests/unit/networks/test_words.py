import pytest

from slac_tasks.errors import BrokenContract
from slac_tasks.networks.words import Words, decode_words, encode_words

WORDS = {"judo": Words(name="Judo", synonyms=("throw",), guideline="Two people"), "hop": Words(name="Hop")}


def test_words_come_back_and_equal_words_have_equal_bytes():
    assert decode_words(encode_words(WORDS)) == WORDS
    assert encode_words(WORDS) == encode_words(dict(reversed(WORDS.items())))


def test_a_category_is_read_by_name_synonyms_and_guideline_each_once():
    assert Words(name="hop", synonyms=("hop", "leap"), guideline=" ").texts == ["a video of hop", "a video of leap"]
    assert WORDS["judo"].texts[-1] == "Two people"


@pytest.mark.parametrize("data", [b"", b"[]", b'{"a": {}}', b'{"a": {"name": "a", "synonyms": [], "age": 1}}', b"\xff"])
def test_what_holds_no_words_is_refused(data):
    with pytest.raises(BrokenContract, match="words of categories: cannot be read"):
        decode_words(data)
