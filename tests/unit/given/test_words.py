"""What strangers' words look like where they are shown."""

from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.given.words import fault_of, printable, wanted

ANY_TEXT = st.text(st.characters(blacklist_categories=()), max_size=20)
"""Lone surrogates too, as Python reads file names that are not UTF-8."""


@given(ANY_TEXT)
def test_what_is_printed_is_one_line_of_utf8(text: str) -> None:
    line = printable(text)
    assert fault_of(line) == ""
    assert len(f"-{line}-".splitlines()) == 1


def test_bytes_of_another_encoding_can_be_recognised() -> None:
    assert printable(b"caf\xe9.mp4".decode("utf-8", "surrogateescape")) == "caf\\xe9.mp4"


def test_an_unknown_word_is_answered_with_what_is_close_to_it_or_with_all() -> None:
    assert wanted("High kick", ["high_kick", "judo"]) == "did you mean high_kick?"
    assert wanted("x", ["high_kick", "judo"]) == "want one of high_kick, judo"
