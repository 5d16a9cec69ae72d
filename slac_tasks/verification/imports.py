"""Answers that were given elsewhere: in a file, or in Label Studio. They enter the ledger as votes, each once.

An answer's id is a function of where it comes from: (source, its name there, when it was last changed). What is new is
found by comparing ids, never by a date up to which everything is thought to be known, so an answer that commits late is
found late and not lost. A changed answer has another id and supersedes the one before; nothing is ever overwritten.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Protocol

from slac_tasks.errors import BrokenContract
from slac_tasks.model import Answer
from slac_tasks.storage.ledger import Ledger

_NAMESPACE = uuid.UUID("6f0b0a52-6c1c-5b7e-9d50-5a1c7f1d0c11")
CHUNK = 10_000
"""Answers compared with the ledger at a time."""


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """One person's answer to one clip, as another system holds it."""

    vote_id: str
    """UUID; see `vote_id`."""
    clip_id: str
    category: str
    annotator: str
    answer: Answer
    seconds: float
    """From the first frame to the answer."""
    cast_at: datetime
    """When it was given, or last changed."""

    def __post_init__(self) -> None:
        try:
            uuid.UUID(self.vote_id)
        except ValueError as error:
            raise BrokenContract(f"vote_id {self.vote_id!r}: want a UUID") from error
        if self.cast_at.tzinfo is None:
            raise BrokenContract(f"time {self.cast_at.isoformat()}: has no time zone, want one")
        if not 0 <= self.seconds < float("inf"):
            raise BrokenContract(f"seconds {self.seconds}: want 0 or more")
        if not self.annotator or not self.clip_id or not self.category:
            raise BrokenContract("an answer without person, clip or category; want all three")


class Source(Protocol):
    """Somewhere else where people answer."""

    name: str

    def answers(self) -> Iterator[GivenAnswer | str]:
        """Yield every answer that there is, the oldest first; for one that makes no sense, what is wrong with it."""


def vote_id(source: str, name: str, changed_at: datetime) -> str:
    """Return the id of the vote that an answer becomes, the same every time."""
    return str(uuid.uuid5(_NAMESPACE, f"{source}\n{name}\n{changed_at.astimezone(UTC).isoformat()}"))


def bring(ledger: Ledger, answers: Iterable[GivenAnswer | str]) -> Counter[str]:
    """Store what the ledger does not hold; return how many answers were stored, known, refused or malformed.

    Refused are answers about clips that are not asked (any more) and by people whom the category does not admit. They
    are looked at again next time.
    """
    found: Counter[str] = Counter()
    rest = iter(answers)
    while chunk := list(islice(rest, CHUNK)):
        whole = [answer for answer in chunk if isinstance(answer, GivenAnswer)]
        found["malformed"] += len(chunk) - len(whole)
        known = {row["vote_id"] for row in ledger.rows("known_votes", vote_ids=[answer.vote_id for answer in whole])}
        new = [answer for answer in whole if answer.vote_id not in known]
        found["known"] += len(whole) - len(new)
        for annotator in sorted({answer.annotator for answer in new}):
            ledger.run("ensure_annotator", annotator=annotator)
        # In the order in which the review page votes too, so that no two transactions wait for each other.
        for answer in sorted(new, key=lambda answer: (answer.category, answer.clip_id, answer.cast_at)):
            stored = ledger.one("import_vote", **vars(answer))
            found["stored" if stored else "refused"] += 1
    return +found


def parse(
    *, vote_id: str, clip_id: Any, category: Any, annotator: Any, answer: Any, seconds: Any,
    cast_at: datetime,
) -> GivenAnswer:  # fmt: skip
    """Return the answer of plain values.

    Raises:
        BrokenContract: a value is missing or is none that an answer may have; the message says which.

    """
    if answer not in set(Answer):
        raise BrokenContract(f"label {answer!r}: want one of {', '.join(Answer)}")
    try:
        took = float(seconds)
    except (TypeError, ValueError) as error:
        raise BrokenContract(f"seconds {seconds!r}: want a number") from error
    return GivenAnswer(
        vote_id=vote_id, clip_id=str(clip_id or ""), category=str(category or ""), annotator=str(annotator or ""),
        answer=Answer(answer), seconds=took, cast_at=cast_at,
    )  # fmt: skip
