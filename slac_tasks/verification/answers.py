"""The one parser of answers that were given elsewhere: what another system holds becomes an answer, or a rejection.

Nothing of a `RawAnswer` is trusted: Label Studio stores what any client sends, and a file holds what a person typed.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from slac_tasks.given import cells
from slac_tasks.given.words import fault_of, printable
from slac_tasks.model import Answer
from slac_tasks.verification.people import name_of

LONGEST_SEC = 86_400.0
"""Nobody looks at a clip for longer than a day."""
HASTY_SEC = 0.3
"""Nobody presses a key sooner than this for what a picture shows (ours): such an answer was given to no clip."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""An answer before it, or of the future, was given by a clock that is wrong. One of the future would fail the batch of
votes that it comes with at every inspection; it is read again, and taken when its time has come."""
_NAMESPACE = uuid.UUID("6f0b0a52-6c1c-5b7e-9d50-5a1c7f1d0c11")
_MOST_LETTERS = 200
"""Of a clip's identity and of a category's key."""


@dataclass(frozen=True, kw_only=True)
class RawAnswer:
    """One person's answer to one clip, as another system holds it. Each field may be anything."""

    item: str
    """What the system calls it, for people: an annotation, or a line of a file."""
    name: str
    """What the system calls it, for its identity; see `vote_id`."""
    clip_id: Any
    category: Any
    annotator: Any
    answer: Any
    seconds: Any
    """From the first frame to the answer."""
    cast_at: Any
    """When it was given, or last changed."""
    vote_id: Any = None
    """Its id here, where the system holds one: an export does."""
    prefix: str = ""
    """Stands before the names of the system's people."""


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """One person's answer to one clip, checked."""

    item: str
    vote_id: str
    """UUID; see `vote_id`."""
    clip_id: str
    category: str
    annotator: str
    answer: Answer
    seconds: float
    cast_at: datetime


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """An answer that is no vote, and why."""

    item: str
    reason: str
    """A few words, the same for all answers that are rejected for it."""
    detail: str
    """What was found and what was wanted."""

    def __str__(self) -> str:
        return f"{self.item}: {self.reason}: {self.detail}"


class Source(Protocol):
    """Somewhere else where people answer."""

    name: str

    def answers(self) -> Iterator[GivenAnswer | Rejection]:
        """Yield every answer that there is, the oldest first."""


class _Wrong(ValueError):
    """A field that is none of its kind."""

    def __init__(self, reason: str, detail: object) -> None:
        super().__init__(str(detail))
        self.reason = reason


def vote_id(source: str, name: str, changed_at: datetime) -> str:
    """Return the id of the vote that an answer becomes, the same every time."""
    return str(uuid.uuid5(_NAMESPACE, f"{source}\n{name}\n{changed_at.astimezone(UTC).isoformat()}"))


def parse(source: str, raw: RawAnswer) -> GivenAnswer | Rejection:
    """Return the answer of another system, or why it is none."""
    try:
        cast_at = _moment(raw.cast_at)
        annotator = _person(raw)
        # Before its identity, which is a hash of words that can be stored.
        clip_id, category = _key("clip", raw.clip_id), _key("category", raw.category)
        return GivenAnswer(
            item=raw.item,
            vote_id=_uuid(raw.vote_id) or vote_id(source, raw.name, cast_at),
            clip_id=clip_id,
            category=category,
            annotator=annotator,
            answer=_answer(raw.answer),
            seconds=_seconds(raw.seconds),
            cast_at=cast_at,
        )
    except _Wrong as wrong:
        return Rejection(item=raw.item, reason=wrong.reason, detail=printable(str(wrong))[:300])


def _text(what: str, value: Any) -> str:
    """Return a cell that must hold a text."""
    try:
        found = cells.text(value)
    except cells.Unclear as error:
        raise _Wrong(what, f"{what} {error}") from error
    if found is None or not found.strip():
        raise _Wrong(what, f"{what} is missing or blank")
    if fault := fault_of(found):
        raise _Wrong(what, f"{what} '{found[:60]}' {fault}")
    return found.strip()


def _key(what: str, value: Any) -> str:
    found = _text(what, value)
    if len(found) > _MOST_LETTERS:
        raise _Wrong(what, f"{what} '{found[:60]}...' has {len(found)} letters, want {_MOST_LETTERS} at most")
    return found


def _person(raw: RawAnswer) -> str:
    try:
        return raw.prefix + name_of(_text("person", raw.annotator))
    except _Wrong:
        raise
    except ValueError as error:
        raise _Wrong("person", f"person {error}") from error


def _answer(value: Any) -> Answer:
    found = _text("label", value)
    try:
        return Answer(found.casefold())
    except ValueError as error:
        raise _Wrong("label", f"label {found[:60]!r}, want one of {', '.join(Answer)}") from error


def _seconds(value: Any) -> float:
    try:
        found = cells.number(value)
    except cells.Unclear as error:
        raise _Wrong("seconds", f"seconds {error}") from error
    if found is None:
        raise _Wrong("seconds", "seconds are missing, want a number")
    if not 0 <= found <= LONGEST_SEC:
        raise _Wrong("seconds", f"seconds {found}, want 0 to {LONGEST_SEC:.0f}, a day")
    return found


def _moment(value: Any) -> datetime:
    try:
        found = cells.moment(value, zone=True)
    except cells.Unclear as error:
        raise _Wrong("time", f"time {error}") from error
    if found is None:
        raise _Wrong("time", "time is missing, want ISO 8601 with a time zone")
    if not EARLIEST <= found <= datetime.now(UTC):
        raise _Wrong("time", f"time {found.isoformat()}, want one from {EARLIEST.year} to now")
    return found


def _uuid(value: Any) -> str:
    """Return an id that the system holds, in its one spelling; empty where it holds none."""
    if cells.is_missing(value) or (isinstance(value, str) and not value.strip()):
        return ""
    found = _text("vote_id", value)
    try:
        return str(uuid.UUID(found))
    except ValueError as error:
        raise _Wrong("vote_id", f"vote_id {found[:60]!r}, want a UUID") from error
