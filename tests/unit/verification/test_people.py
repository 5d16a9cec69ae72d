"""One person has one name, however it is typed; names that may be one person's are known as such."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slac_tasks.given.words import fault_of
from slac_tasks.verification.people import MOST_LETTERS, likeness, name_of

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
BLANKS = st.text(st.sampled_from(" \t\n\u00a0\u2028\u200b\ufeff\u3000"), max_size=4)


@given(ANY_TEXT, BLANKS, BLANKS)
@example("bob", "\ufeff ", "\u200b ")
@example("\u200b", "", "")
@example("a\x00n", "", "")
@example("Jose\u0301", "", "")
def test_a_name_is_one_word_however_it_is_spaced_and_composed_or_is_refused(name: str, before: str, after: str) -> None:
    try:
        found = name_of(name)
    except ValueError:
        return
    for form in ("NFC", "NFD"):
        assert name_of(before + unicodedata.normalize(form, name) + after) == found
    assert name_of(found) == found == found.strip()
    assert found.isprintable() or unicodedata.normalize("NFC", found) == found
    assert fault_of(found) == ""
    assert 0 < len(found) <= MOST_LETTERS
    assert likeness(found) == likeness(name_of(found))


@pytest.mark.parametrize("name", ["", " ", "\u3000", "\u200b", "a\x00n", "a\x07n", "x" * 301, "caf\udce9"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="want"):
        name_of(name)


@pytest.mark.parametrize("other", ["Bob", "BOB", "bo\u200bb", "\uff42ob"])
def test_names_that_look_alike_are_alike(other: str) -> None:
    assert name_of(other) != "bob"
    assert likeness(name_of(other)) == likeness("bob")


def test_other_names_are_not() -> None:
    names = ["bob", "bob1", "bob 1", "b ob", "rob", "böb"]
    assert len({likeness(name) for name in names}) == len(names)
