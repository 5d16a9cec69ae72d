"""Answers that were given elsewhere enter the ledger as votes, each once; what is no vote is set aside there by name.

An answer's id is a function of where it comes from: (source, its name there, when it was last changed). What is new is
found by comparing ids, never by a date up to which everything is thought to be known, so an answer that commits late is
found late and not lost. A changed answer has another id and supersedes the one before; nothing is ever overwritten.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

from slac_tasks.model import Answer
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.answers import GivenAnswer, Rejection, vote_id
from slac_tasks.verification.people import likeness

CHUNK = 10_000
"""Answers compared with the ledger at a time."""

_STORED_AT_ONCE = 200
"""Answers of one transaction. Whoever answers one of their clips on the review page waits for it."""

_REFUSALS: Mapping[str | None, str] = {
    # reason of import_vote.sql: in words
    "not asked": "clip {clip_id} of {category} is not asked, want one of the queue",
    "withdrawn": "clip {clip_id} of {category} was withdrawn",
    "closed account": "{annotator} answers no more; `slac annotator add` opens the account again",
    "not a reviewer": "{annotator} is in no group that reviews {category}; `slac annotator add` names groups",
    "older": "{annotator} has answered clip {clip_id} of {category} later than {cast_at}",
    None: "{annotator} has answered clip {clip_id} of {category} at the same moment; the next reading tries again",
}


@dataclass(kw_only=True)
class Imported:
    """What became of the answers of a source."""

    stored: int = 0
    known: int = 0
    rejected: list[Rejection] = field(default_factory=list)

    def __str__(self) -> str:
        reasons = Counter(rejection.reason for rejection in self.rejected)
        why = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        counts = {"stored": self.stored, "known": self.known, f"set aside ({why})": len(self.rejected)}
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "no answers"


def import_answers(ledger: Ledger, source: str, answers: Iterable[GivenAnswer | Rejection]) -> Imported:
    """Store what the ledger does not hold, and set aside what is no vote.

    What was set aside by the reading before and is not now is forgotten. An answer that is set aside is read again with
    the next reading.

    Args:
        ledger: where votes are.
        source: whose answers they are.
        answers: all that the source holds, the oldest first.

    """
    began = datetime.now(UTC)
    imported = Imported()
    rest = iter(answers)
    while chunk := list(islice(rest, CHUNK)):
        rejected = [answer for answer in chunk if isinstance(answer, Rejection)]
        given = [answer for answer in chunk if isinstance(answer, GivenAnswer)]
        given = _without(given, rejected, _contradictions(given))
        known = _known(ledger, source, given)
        given = _without(given, rejected, _changed(known, given))
        new = list({answer.vote_id: answer for answer in given if answer.vote_id not in known}.values())
        imported.known += len(given) - len(new)
        new = _without(new, rejected, _alike(ledger, new))
        for annotator in sorted({answer.annotator for answer in new}):
            ledger.run("ensure_annotator", annotator=annotator)
        refused = _store(ledger, source, new)
        imported.stored += len(new) - len(refused)
        # Another reading of the same answers may have stored some of them since.
        meanwhile = _known(ledger, source, refused)
        found = {answer for answer in refused if meanwhile.get(answer.vote_id) == answer.answer}
        imported.known += len(found)
        rejected += [refusal for answer, refusal in refused.items() if answer not in found]
        aside = [{"source": source, "read_at": began, **vars(rejection)} for rejection in rejected]
        ledger.run_many("add_rejected_vote", aside)
        imported.rejected += rejected
    ledger.run("clear_rejected_votes", source=source, read_at=began)
    return imported


def withdraw(ledger: Ledger, source: str, items: Collection[str]) -> int:
    """Supersede each vote of a source whose item is gone there with `unsure`; return how many.

    Args:
        ledger: where votes are.
        source: whose answers they are.
        items: all that the source holds now.

    """
    now = datetime.now(UTC)
    gone = [
        GivenAnswer(
            item=row["item"], vote_id=vote_id(source, f"{row['vote_id']} deleted", row["cast_at"]),
            clip_id=row["clip_id"], category=row["category"], annotator=row["annotator"], answer=Answer.UNSURE,
            seconds=0.0, cast_at=now,
        )
        for row in ledger.rows("last_votes_of_source", source=source)
        if row["item"] not in items
    ]  # fmt: skip
    return len(gone) - len(_store(ledger, source, gone))


def _store(ledger: Ledger, source: str, answers: Iterable[GivenAnswer]) -> dict[GivenAnswer, Rejection]:
    """Store answers as votes, some at a time; return those that are none, each with the reason."""
    refused = {}
    # In the order in which the review page votes too, so that no two transactions wait for each other.
    ordered = iter(sorted(answers, key=lambda answer: (answer.category, answer.clip_id, answer.cast_at)))
    while batch := list(islice(ordered, _STORED_AT_ONCE)):
        with ledger.transaction():
            ledger.rows("lock_annotators", annotators=[answer.annotator for answer in batch])
            for answer in batch:
                found = ledger.one("import_vote", source=source, **vars(answer)) or {"vote_id": None, "reason": None}
                if not found["vote_id"]:
                    detail = _REFUSALS[found["reason"]].format(**vars(answer))
                    refused[answer] = Rejection(
                        item=answer.item, reason=found["reason"] or "same moment", detail=detail
                    )
    return refused


def _without(
    answers: Sequence[GivenAnswer], rejected: list[Rejection], wrong: Mapping[GivenAnswer, tuple[str, str]]
) -> list[GivenAnswer]:
    """Move the wrong ones of the answers, each with its reason and detail, to the rejected; return the others."""
    rejected += [Rejection(item=one.item, reason=reason, detail=detail) for one, (reason, detail) in wrong.items()]
    return [answer for answer in answers if answer not in wrong]


def _contradictions(answers: Iterable[GivenAnswer]) -> dict[GivenAnswer, tuple[str, str]]:
    """Return answers by one person to one clip at one moment that are not the same answer."""
    said: dict[str, list[GivenAnswer]] = defaultdict(list)
    for answer in answers:
        said[answer.vote_id].append(answer)
    return {
        one: ("contradiction", f"{those[0].item} and {those[-1].item} are one vote, and differ")
        for those in said.values()
        if len({(one.clip_id, one.category, one.annotator, one.answer) for one in those}) > 1
        for one in those
    }


def _known(ledger: Ledger, source: str, answers: Iterable[GivenAnswer]) -> dict[str, str]:
    """Return what the ledger holds of these answers, by vote; note where a vote of an older version comes from."""
    items = {answer.vote_id: answer.item for answer in answers}
    rows = ledger.rows("known_votes", vote_ids=list(items))
    origins = [
        {"vote_id": row["vote_id"], "source": source, "item": items[row["vote_id"]]}
        for row in rows
        if not row["has_origin"]
    ]
    ledger.run_many("add_vote_origin", origins)
    return {row["vote_id"]: row["answer"] for row in rows}


def _changed(known: Mapping[str, str], answers: Iterable[GivenAnswer]) -> dict[GivenAnswer, tuple[str, str]]:
    """Return answers that the ledger holds otherwise: a vote does not change, and the later answer would be lost."""
    return {
        answer: (
            "changed",
            f"is known as '{known[answer.vote_id]}' and is '{answer.answer}' now, want another time for another answer",
        )
        for answer in answers
        if known.get(answer.vote_id, answer.answer) != answer.answer
    }


def _alike(ledger: Ledger, answers: Sequence[GivenAnswer]) -> dict[GivenAnswer, tuple[str, str]]:
    """Return answers of people who are not known, and whose name may be another spelling of a known or new one."""
    known = {row["annotator"] for row in ledger.rows("accounts")}
    strangers = {answer.annotator for answer in answers} - known
    spellings: dict[str, set[str]] = defaultdict(set)
    for name in known | strangers:
        spellings[likeness(name)].add(name)
    found = {}
    for answer in answers:
        if answer.annotator in strangers and len(spellings[likeness(answer.annotator)]) > 1:
            names = " and ".join(f"'{name}'" for name in sorted(spellings[likeness(answer.annotator)]))
            detail = f"{names} may be one person or several; `slac annotator add` makes each known who is one"
            found[answer] = ("two spellings", detail)
    return found
