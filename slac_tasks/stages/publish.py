"""Publish chosen clips: put the hard clips of a round into the review queue.

Reads: hard_clips of (category, round).
Writes: the ledger's queue; a record of the hard clips.
Safe to run again: a round that is in the queue is left alone. A clip is asked once per category. Clips of older rounds
of the same window that nobody was asked are withdrawn; clips with a vote stay.
"""

from typing import Any

from slac_tasks.job import Job, say
from slac_tasks.storage.datasets import HARD_CLIPS


def entries(hard_clips: list[dict[str, Any]], *, category: str, round: str, votes_wanted: int) -> list[dict[str, Any]]:
    """Return the rows of the queue that ask for these clips."""
    kept = ("clip_id", "video_id", "start_sec", "end_sec", "split", "proxy_256", "strategy")
    return [
        {**{name: clip[name] for name in kept}, "category": category, "round": round, "votes_wanted": votes_wanted}
        for clip in hard_clips
    ]


def run(job: Job) -> None:
    """Publish the round for every category of the job."""
    job.each_category(lambda category: _publish(job, category))


def _publish(job: Job, category: str) -> None:
    keys = {"category": category, "round": job.key("round")}
    made = job.datasets.need(HARD_CLIPS, **keys)
    queued = job.ledger.one("queued_clips", **keys)
    if queued and queued["clips"] and not job.remake:
        counts = f"{queued['clips']} clips, {queued['waiting']} waiting"
        say(f"publish: {category} {keys['round']} finished already, {counts}")
        return
    clips = job.datasets.read(HARD_CLIPS, **keys).to_pylist()
    with job.ledger.transaction():
        job.ledger.run_many("queue_clip", entries(clips, **keys, votes_wanted=job.config.review.votes_wanted))
        withdrawn = job.ledger.run("withdraw_unasked", **keys)
        job.record(made)
        queued = job.ledger.one("queued_clips", **keys)
    say(
        f"publish: {category} {keys['round']}: {queued['clips'] if queued else 0} of {len(clips)} clips queued, "
        f"{withdrawn} of older rounds withdrawn"
    )
