"""Publish chosen clips: put the hard clips of a round into the review queue.

Reads: hard_clips of (category, round).
Writes: the ledger's queue, and its list of clips for the pages; a record of the hard clips.
Safe to run again: a round that is in the queue is left alone. A clip is asked once per category. Clips of older rounds
of the same window that nobody was asked are withdrawn; clips with a vote stay.
"""

from dataclasses import asdict

from slac_tasks.job import Job
from slac_tasks.progress import counted, print_line
from slac_tasks.storage.datasets import HARD_CLIPS
from slac_tasks.verification.outcome import list_asked
from slac_tasks.verification.queue import queued_clips


def run(job: Job) -> None:
    """Publish the round for every category of the job."""
    job.each_category(lambda category: _publish(job, category))


def _publish(job: Job, category: str) -> None:
    keys = {"category": category, "round": job.key("round")}
    made = job.datasets.need(HARD_CLIPS, **keys)
    queued = job.ledger.one("queued_clips", **keys)
    if not job.is_remade(keys) and queued and queued["clips"]:
        counts = f"{counted(queued['clips'], 'clip')}, {queued['waiting']} waiting"
        print_line(f"publish: {category} {keys['round']} finished already, {counts}")
        return
    hard_clips = list(job.datasets.rows_of(HARD_CLIPS, made))
    clips = queued_clips(hard_clips, **keys, review=job.config.review)
    with job.ledger.transaction():
        # In the order of all who take several clips: one that was withdrawn comes back.
        job.ledger.run_many("queue_clip", map(asdict, sorted(clips, key=lambda clip: clip.clip_id)))
        withdrawn = job.ledger.run("withdraw_unasked", **keys)
        list_asked(job.ledger, hard_clips, category=category)
        queued = job.ledger.one("queued_clips", **keys)
    print_line(
        f"publish: {category} {keys['round']}: {queued['clips'] if queued else 0} of {counted(len(clips), 'clip')} "
        f"queued, {withdrawn} of older rounds withdrawn"
    )
