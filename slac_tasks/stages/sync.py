"""Collect new votes into a batch: every vote is in exactly one.

Reads: the ledger's outbox of votes; before that Label Studio's annotations, where one is set up.
Writes: votes (batch); the ledger's batches, votes for what people answered elsewhere, and the counts of the pages.
Safe to run again: an unfinished batch is written first; without new votes there is no new batch. One transaction
empties the outbox and records batch N, then the rows are written; a vote that commits late is in the outbox later.
"""

from slac_tasks.job import Job
from slac_tasks.progress import print_line
from slac_tasks.storage.datasets import VOTES
from slac_tasks.verification import label_studio
from slac_tasks.verification.imports import bring


def run(job: Job) -> None:
    """Write the batches that may not be in the store yet, then take and write a new one."""
    _import(job)
    job.ledger.run("fold_counts")
    for row in job.ledger.rows("unstored_batches"):
        _write(job, row["batch"])
    with job.ledger.transaction():
        job.ledger.rows("lock_batches")
        taken = job.ledger.one("take_batch", newest_stored=_newest_stored(job))
    if taken is None:
        print_line("sync: finished already, no new votes")
        return
    _write(job, taken["batch"])


def _newest_stored(job: Job) -> int:
    """Return the newest batch of the ledger or, where a restored ledger has lost some, of the store.

    Batches are numbered without gaps, so nothing is listed.
    """
    last = job.ledger.one("last_batch")
    newest = int(last["batch"]) if last else 0
    while job.datasets.manifest(VOTES, batch=f"{newest + 1:06d}") is not None:
        newest += 1
    return newest


def _import(job: Job) -> None:
    """Let answers that were given elsewhere become votes."""
    source = label_studio.connect(job.environ)
    if source is None:
        return
    try:
        found = bring(job.ledger, source.answers())
    finally:
        source.ledger.close()
    print_line(
        f"sync: {source.name}: " + (", ".join(f"{count} {what}" for what, count in found.items()) or "no answers")
    )


def _write(job: Job, batch: int) -> None:
    """Write the votes of a batch, unless the store holds them."""
    with job.partition(VOTES, {"batch": f"{batch:06d}"}) as made:
        if not made.finished:
            made.write_tables(map(VOTES.from_records, job.ledger.stream("batch_votes", batch=batch)))
    job.ledger.run("batch_stored", batch=batch)
