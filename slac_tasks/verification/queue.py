"""The review queue's row of a chosen clip."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from slac_tasks.model import Split, Strategy, unit_hash
from slac_tasks.storage.datasets.scoring import HardClipRow
from slac_tasks.verification.ballots import Floats
from slac_tasks.verification.sets import named
from slac_tasks.verification.settings import Review

CONTROLS = frozenset({Strategy.RANDOM, Strategy.COMPANION})
"""Strategies whose clips are drawn by lot: their answers say what labels are worth."""

_LEAD_OF_AN_ANSWER = 0.8
"""By how much an answer brings the right side forward, with people who are right nine times in ten."""


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
    lead: int
    """By how many answers one side must lead before nobody more is asked; 0: none has to."""
    audit_share: float
    """Which share of the chosen clips was audited when it was queued: the chance of its lot, if it was chosen."""
    alike: str | None
    """Clips with the same name may be asked together; None: it is asked alone."""
    queued_at: str | None
    """When, where that is not now."""


def is_audited(clip_id: str, category: str, share: float) -> bool:
    """Return whether a chosen clip belongs to the audit: its lot is cast by its name, whatever it was chosen for."""
    return unit_hash("audit", clip_id, category) < share


def lots(audit_share: Floats, review: Review) -> Floats:
    """Return the chance with which each chosen clip was audited: the share that held when it was queued.

    The setting of today says nothing of a lot that was cast before it. It stands where nobody kept the share.

    Args:
        audit_share: of each clip, as the queue has it; NaN: unknown.
        review: the settings of today.

    """
    return np.where(np.isnan(audit_share), review.audit_share, audit_share)


def first_votes(review: Review, training: bool) -> int:
    """Return how many answers a chosen clip is asked at first."""
    return review.votes_wanted if training else max(review.votes_wanted, review.votes_judging)


def answers_per_clip(review: Review, control: float, judging: float = 0.0) -> float:
    """Return how many answers a clip of a round is asked at first, on average.

    Args:
        review: how people are asked.
        control: share of the round that is drawn by lot.
        judging: share of the clips that are for validation or testing.

    """
    first = judging * first_votes(review, False) + (1 - judging) * first_votes(review, True)
    most = max(review.control_votes, first, review.control_lead / _LEAD_OF_AN_ANSWER)
    return control * most + (1 - control) * (first + review.audit_share * (most - first))


def queued_clips(
    hard_clips: Iterable[HardClipRow], *, category: str, round: str, review: Review, queued_at: str | None = None
) -> list[QueuedClip]:
    """Return the rows of the queue that ask about these clips, from `queued_at` or from now on.

    The control and the audit are asked more often, and alone; others that look alike may be asked together.
    """
    clips = list(hard_clips)

    def judges(clip: HardClipRow) -> bool:
        return clip.strategy in CONTROLS or is_audited(clip.clip_id, category, review.audit_share)

    def asked(clip: HardClipRow) -> dict[str, int]:
        first = first_votes(review, clip.split == Split.TRAINING)
        if judges(clip):
            return {"votes_wanted": max(review.control_votes, first), "lead": review.control_lead}
        return {"votes_wanted": first, "lead": 0}

    sets = named([None if judges(clip) else _group(clip, review) for clip in clips], category, round)
    return [
        QueuedClip(
            clip_id=clip.clip_id, category=category, video_id=clip.video_id, round=round, strategy=clip.strategy,
            start_sec=clip.start_sec, end_sec=clip.end_sec, split=clip.split, proxy_256=clip.proxy_256,
            audit_share=review.audit_share, alike=alike, queued_at=queued_at, **asked(clip),
        )
        for clip, alike in zip(clips, sets, strict=True)
    ]  # fmt: skip


def _group(clip: HardClipRow, review: Review) -> Hashable | None:
    """Return what a clip has in common with those that may be asked with it; None: nothing is known."""
    if review.sets == "never":
        return None
    # The clips of a segment are one question, whatever makes sets of the others.
    if clip.cluster is not None and (review.sets == "clusters" or clip.strategy == Strategy.SEGMENT):
        return clip.cluster
    return None if clip.shot is None else f"{clip.video_id} {clip.shot}"
