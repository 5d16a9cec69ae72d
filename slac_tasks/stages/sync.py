"""Collect new votes into batches: every vote is in exactly one. Votes about segments have batches of their own.

Reads: the ledger's outboxes of votes; then Label Studio's annotations, where one is set up.
Writes: votes (batch) and segment_votes (batch); the ledger's batches, the votes and rejected votes of what people
answered elsewhere, and the counts of the pages.
Safe to run again: an unfinished batch is written first; without new votes there is no new batch. One transaction
empties the outbox and records batch N, then the rows are written; a vote that commits late is in the outbox later.
Votes of the review page wait for no other system: they are written before Label Studio is asked.
"""

from dataclasses import dataclass
from typing import Any

from slac_tasks.errors import NotConfigured
from slac_tasks.job import Job
from slac_tasks.progress import print_line, track
from slac_tasks.storage.datasets import SEGMENT_VOTES, VOTES
from slac_tasks.storage.declarations import Dataset
from slac_tasks.verification import label_studio
from slac_tasks.verification.answers import GivenAnswer, Rejection
from slac_tasks.verification.imports import Imported, import_answers, withdraw


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """One kind of votes: its dataset, and the statements that are about its batches."""

    dataset: Dataset[Any]
    last: str
    unstored: str
    take: str
    read: str
    stored: str


_CLIPS = _Kind(
    dataset=VOTES, last="last_batch", unstored="unstored_batches", take="take_batch", read="batch_votes",
    stored="batch_stored",
)  # fmt: skip
_KINDS = (
    _CLIPS,
    _Kind(
        dataset=SEGMENT_VOTES, last="last_segment_batch", unstored="unstored_segment_batches",
        take="take_segment_batch", read="segment_batch_votes", stored="segment_batch_stored",
    ),
)  # fmt: skip

_SHOWN = 10
"""Answers that are set aside and printed; `slac votes rejected` lists all."""


def run(job: Job) -> None:
    """Write the votes that wait; then import what was answered elsewhere, and write that.

    Raises:
        NotConfigured: what is to be read elsewhere is not there. The votes that waited are written.
        Temporary: another system does not answer. The votes that waited are written.

    """
    job.ledger.run("fold_counts")
    for kind in _KINDS:
        for row in job.ledger.rows(kind.unstored):
            _write(job, kind, row["batch"])
    collected = [_collect(job, kind) for kind in _KINDS]
    if _import(job):
        job.ledger.run("fold_counts")
        collected.append(_collect(job, _CLIPS))
    if not any(collected):
        print_line("sync: finished already, no new votes")


def _collect(job: Job, kind: _Kind) -> bool:
    """Take the outbox into a new batch and write it; return whether there was a vote."""
    with job.ledger.transaction():
        job.ledger.rows("lock_batches")
        taken = job.ledger.one(kind.take, newest_stored=_newest_stored(job, kind))
    if taken is not None:
        _write(job, kind, taken["batch"])
    return taken is not None


def _newest_stored(job: Job, kind: _Kind) -> int:
    """Return the newest batch of the ledger or, where a restored ledger has lost some, of the store.

    Batches are numbered without gaps, so nothing is listed.
    """
    last = job.ledger.one(kind.last)
    newest = int(last["batch"]) if last else 0
    while job.datasets.manifest(kind.dataset, batch=f"{newest + 1:06d}") is not None:
        newest += 1
    return newest


def _import(job: Job) -> bool:
    """Let answers that were given elsewhere become votes; return whether there is a new one."""
    source = label_studio.connect(job.environ)
    if source is None:
        return False
    known = {row["item"] for row in job.ledger.rows("rejected_votes") if row["source"] == source.name}
    items: set[str] = set()

    def noted(answer: GivenAnswer | Rejection) -> GivenAnswer | Rejection:
        items.add(answer.item)
        return answer

    try:
        found = import_answers(
            job.ledger, source.name, map(noted, track(source.answers(), None, f"sync: {source.name}"))
        )
    finally:
        source.ledger.close()
    _print(source.name, found, known)
    withdrawn = 0
    if job.config.elsewhere.deleted == "withdrawn":
        if not items and job.ledger.rows("last_votes_of_source", source=source.name):
            raise NotConfigured(
                f"{source.name}: holds no annotation any more, so no vote is withdrawn; want its project"
            )
        withdrawn = withdraw(job.ledger, source.name, items)
        print_line(f"sync: {source.name}: {withdrawn} withdrawn, deleted there")
    return bool(found.stored or withdrawn)


def _print(name: str, found: Imported, known: set[str]) -> None:
    """Print what came of a reading, and the first of what is set aside for the first time."""
    new = [rejection for rejection in found.rejected if rejection.item not in known]
    for rejection in new[:_SHOWN]:
        print_line(f"sync: {name}: set aside {rejection}")
    if len(new) > _SHOWN:
        print_line(f"sync: {name}: and {len(new) - _SHOWN} more; `slac votes rejected` lists them")
    print_line(f"sync: {name}: {found}")


def _write(job: Job, kind: _Kind, batch: int) -> None:
    """Write the votes of a batch, unless the store holds them."""
    with job.partition(kind.dataset, {"batch": f"{batch:06d}"}) as made:
        if not made.finished:
            made.write_tables(map(kind.dataset.from_records, job.ledger.stream(kind.read, batch=batch)))
    job.ledger.run(kind.stored, batch=batch)
