"""From votes about a segment to a dense label.

A person who says `right` gives the proposed ends, one who says `moved` gives other ends. People mean the same segment
where their ends overlap enough. The label's ends are the medians of the largest group of people who do, so that one
slip of the hand moves nothing (ours; HACS v3 keeps what two of three say).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median

from slac_tasks.model import SegmentAnswer, Status
from slac_tasks.verification.settings import Segments

METHOD = "two_agree.1"
"""Name and version of the way in which votes become a label; every label keeps it."""

Ends = tuple[float, float]
"""Start and end in seconds."""


@dataclass(frozen=True, kw_only=True)
class SegmentVote:
    """A vote that counts; the columns of sql/queries/segment_votes_until.sql."""

    vote_id: str
    segment_id: str
    annotator: str
    answer: str
    start_sec: float | None
    end_sec: float | None
    seconds: float

    def ends(self, proposed: Ends) -> Ends | None:
        """Return the ends that the person gives; None: none, since the action is absent or the person is unsure."""
        if self.answer == SegmentAnswer.RIGHT:
            return proposed
        if self.start_sec is None or self.end_sec is None:
            return None
        return self.start_sec, self.end_sec


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the votes on one segment add up to."""

    status: Status
    present: bool | None
    """Whether the action is there; None unless settled."""
    ends: Ends | None
    """Ends of the action; None unless settled and present."""
    tiou: float | None
    """Mean tIoU of the ends of each two people; None: fewer than two gave ends."""
    votes_wanted: int
    """Answers that the segment wants now."""


def tiou(one: Ends, other: Ends) -> float:
    """Return the temporal intersection over union of two segments, 0 to 1."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    if shared <= 0:
        return 0.0
    return shared / (max(one[1], other[1]) - min(one[0], other[0]))


def decide(votes: Sequence[SegmentVote], proposed: Ends, settings: Segments) -> Decision:
    """Return what the votes on one segment add up to. It does not depend on their order, nor on people's names.

    Args:
        votes: one of each person at most.
        proposed: ends of the proposal.
        settings: how many answers are wanted, and what overlap is enough.

    """
    given = sorted(ends for vote in votes if (ends := vote.ends(proposed)) is not None)
    absent = sum(vote.answer == SegmentAnswer.ABSENT for vote in votes)
    enough = min(2, settings.votes_wanted)
    same = _agreeing(given, settings.tiou_least)
    status, present, ends = Status.OPEN, None, None
    if len(votes) >= settings.votes_wanted and len(same) >= enough and len(same) > absent:
        status, present = Status.SETTLED, True
        ends = (median(start for start, _ in same), median(end for _, end in same))
    elif len(votes) >= settings.votes_wanted and absent >= enough and absent > len(given):
        status, present = Status.SETTLED, False
    elif len(votes) >= settings.votes_most:
        status = Status.UNSETTLED
    overlaps = [tiou(one, other) for one, other in combinations(given, 2)]
    return Decision(
        status=status, present=present, ends=ends, tiou=fmean(overlaps) if overlaps else None,
        votes_wanted=max(settings.votes_wanted, len(votes) + (status == Status.OPEN)),
    )  # fmt: skip


def _agreeing(given: Sequence[Ends], least: float) -> Sequence[Ends]:
    """Return the largest group of ends each two of which overlap enough; of equal ones that which overlaps most.

    Groups are tried from the largest on. A segment has nine votes at most, so there are few.
    """
    for size in range(len(given), 0, -1):
        groups = [
            (fmean(overlaps) if (overlaps := [tiou(*pair) for pair in combinations(group, 2)]) else 1.0, group)
            for group in combinations(given, size)
            if all(tiou(*pair) >= least for pair in combinations(group, 2))
        ]
        if groups:
            return max(groups, key=lambda one: one[0])[1]
    return ()
