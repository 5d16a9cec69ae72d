"""What strangers' words look like where they are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.given.words import fault_of, printable, wanted, without_user

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


@pytest.mark.parametrize("user", ["u:word", "u:wo@rd", "u:wo/rd", "u:wo://rd", "u:wo\nrd", "word"])
def test_no_user_and_no_password_of_an_address_is_quoted(user: str) -> None:
    assert without_user(f"https://{user}@host:9000/a") == "https://...@host:9000/a"
    assert without_user(f"{user}@host:9000") == "...@host:9000"
    for whole in ("s3://bucket/prefix", "/data/me@lab/videos", "~/me@lab", "./me@lab"):
        assert without_user(whole) == whole
