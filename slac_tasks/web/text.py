"""Text from strangers: the one rule that says what may be a name or an id."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

MALFORMED = frozenset({"value_error", "json_invalid", "finite_number", "uuid_parsing"})
"""Kinds of pydantic's errors that mean: this is no text, JSON, number or id. Any other means a value out of range."""

NAME_MOST = 64
"""Most characters of a person's name, as `slac annotator add` takes it."""

ANYBODY_MOST = 320
"""Most characters of a name in answers from elsewhere: `people.MOST_LETTERS`, and the system's name before."""

_REPLACED = "\ufffd"
"""What a decoder writes for bytes that are no UTF-8."""


def is_plain(text: str) -> bool:
    """Return whether this may be a name or an id: no control character, no half of a surrogate pair, no lost byte."""
    return not any(unicodedata.category(letter) in ("Cc", "Cs") or letter == _REPLACED for letter in text)


def plain(text: str) -> str:
    """Return the text, or have pydantic refuse it with the kind `value_error`."""
    if not is_plain(text):
        raise ValueError("it holds a character that no name or id has")
    return text


def plain_lines(text: str) -> str:
    """Return a text of several lines, or have pydantic refuse it with the kind `value_error`."""
    plain(text.replace("\n", ""))
    return text


ClipId = Annotated[str, Field(max_length=64), AfterValidator(plain)]
"""A clip's id, or what somebody sends as one."""

SegmentId = Annotated[str, Field(max_length=32), AfterValidator(plain)]
"""A segment's id, or what somebody sends as one."""

CategoryKey = Annotated[str, Field(max_length=80), AfterValidator(plain)]
"""A category's key, or what somebody sends as one."""
