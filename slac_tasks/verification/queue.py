"""The review queue's row of a chosen clip."""

from collections.abc import Iterable
from dataclasses import dataclass

from slac_tasks.storage.datasets.scoring import HardClipRow


@dataclass(frozen=True, kw_only=True)
class QueuedClip:
    """One clip that people are asked about, as sql/queries/queue_clip.sql takes it."""

    clip_id: str
    category: str
    video_id: str
    round: str
    strategy: str
    start_sec: float
    end_sec: float
    split: str
    proxy_256: str
    votes_wanted: int


def queued_clips(
    hard_clips: Iterable[HardClipRow], *, category: str, round: str, votes_wanted: int
) -> list[QueuedClip]:
    """Return the rows of the queue that ask about these clips."""
    return [
        QueuedClip(
            clip_id=clip.clip_id, category=category, video_id=clip.video_id, round=round, strategy=clip.strategy,
            start_sec=clip.start_sec, end_sec=clip.end_sec, split=clip.split, proxy_256=clip.proxy_256,
            votes_wanted=votes_wanted,
        )
        for clip in hard_clips
    ]  # fmt: skip
