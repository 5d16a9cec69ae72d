"""What strangers' words look like where they are shown."""

from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.given.words import fault_of, printable

ANY_TEXT = st.text(st.characters(blacklist_categories=()), max_size=20)
"""Lone surrogates too, as Python reads file names that are not UTF-8."""


@given(ANY_TEXT)
def test_what_is_printed_is_one_line_of_utf8(text: str) -> None:
    line = printable(text)
    assert fault_of(line) == ""
    assert len(f"-{line}-".splitlines()) == 1


def test_bytes_of_another_encoding_can_be_recognised() -> None:
    assert printable(b"caf\xe9.mp4".decode("utf-8", "surrogateescape")) == "caf\\xe9.mp4"
