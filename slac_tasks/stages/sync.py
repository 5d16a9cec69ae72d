"""Collect new votes into a batch: every vote is in exactly one.

Reads: the ledger's outbox of votes; before that Label Studio's annotations, where one is set up.
Writes: votes (batch); the ledger's batches, votes for what people answered elsewhere, and the counts of the pages.
Safe to run again: an unfinished batch is written first; without new votes there is no new batch. One transaction
empties the outbox and records batch N, then the rows are written; a vote that commits late is in the outbox later.
"""

from slac_tasks.errors import Temporary
from slac_tasks.job import Job, say
from slac_tasks.storage.datasets import VOTES
from slac_tasks.verification import label_studio
from slac_tasks.verification.imports import bring


def run(job: Job) -> None:
    """Write the batches that the ledger knows and the store lacks, then take and write a new one."""
    _bring(job)
    job.ledger.run("fold_counts")
    stored = {keys["batch"] for keys in job.datasets.partitions(VOTES)}
    for row in job.ledger.rows("batches"):
        if f"{row['batch']:06d}" not in stored:
            _write(job, row["batch"])
    with job.ledger.transaction():
        job.ledger.rows("lock_batches")
        newest = max((int(keys["batch"]) for keys in job.datasets.partitions(VOTES)), default=0)
        taken = job.ledger.one("take_batch", newest_stored=newest)
    if taken is None:
        say("sync: finished already, no new votes")
        return
    _write(job, taken["batch"])


def _bring(job: Job) -> None:
    """Let answers that were given elsewhere become votes."""
    source = label_studio.connect(job.environ)
    if source is None:
        return
    try:
        found = bring(job.ledger, source.answers())
    finally:
        source.ledger.close()
    say(f"sync: {source.name}: " + (", ".join(f"{count} {what}" for what, count in found.items()) or "no answers"))


def _write(job: Job, batch: int) -> None:
    keys = {"batch": f"{batch:06d}"}
    try:
        manifest = job.finish(VOTES, map(VOTES.from_records, job.ledger.stream("batch_votes", batch=batch)), keys)
    except Temporary:
        # Another call may have seen the same unfinished batch; it wrote the same votes.
        written = job.datasets.manifest(VOTES, **keys)
        if written is None:
            raise
        manifest = written
    job.record(manifest)
