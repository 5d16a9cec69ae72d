"""Dense labels of all segments that people answered, and how good each person's answers are."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from slac_tasks.intervals import wilson
from slac_tasks.model import SegmentAnswer, Status
from slac_tasks.storage.datasets.segmenting import SegmentLabelRow, SegmentPersonRow
from slac_tasks.verification.segments.deciding import METHOD, Decision, Ends, SegmentVote, tiou
from slac_tasks.verification.settings import Segments

PEOPLE = "people"
"""Kind of a label that rests on people's answers."""


@dataclass(frozen=True, kw_only=True)
class AskedSegment:
    """A segment that people answered; the columns of sql/queries/segments_voted_on.sql."""

    segment_id: str
    category: str
    video_id: str
    split: str
    start_sec: float
    end_sec: float
    score: float
    origin: str
    round: str
    votes_wanted: int
    state: str
    is_gold: bool
    gold_start_sec: float | None
    """Known start; None: the action is not there, or the segment is no gold."""
    gold_end_sec: float | None

    @property
    def proposed(self) -> Ends:
        """Ends of the proposal."""
        return self.start_sec, self.end_sec

    @property
    def gold(self) -> Ends | None:
        """Known ends; None: the action is not there, or the segment is no gold."""
        if self.gold_start_sec is None or self.gold_end_sec is None:
            return None
        return self.gold_start_sec, self.gold_end_sec


def label_row(segment: AskedSegment, votes: Sequence[SegmentVote], decision: Decision) -> SegmentLabelRow:
    """Return the label of a segment."""
    start, end = decision.ends or (None, None)
    count = [vote.answer for vote in votes].count
    return SegmentLabelRow(
        segment_id=segment.segment_id, category=segment.category, video_id=segment.video_id, split=segment.split,
        start_sec=segment.start_sec, end_sec=segment.end_sec, score=segment.score, origin=segment.origin,
        round=segment.round, kind=PEOPLE, status=decision.status, present=decision.present, label_start_sec=start,
        label_end_sec=end, tiou=decision.tiou, method=METHOD, right=count(SegmentAnswer.RIGHT),
        moved=count(SegmentAnswer.MOVED), absent=count(SegmentAnswer.ABSENT), unsure=count(SegmentAnswer.UNSURE),
        votes=tuple(vote.vote_id for vote in votes),
    )  # fmt: skip


def settled(segment: AskedSegment, decision: Decision) -> dict[str, object]:
    """Return what the queue is to say of a segment, as sql/queries/settle_segment.sql takes it."""
    state = "open" if decision.status == Status.OPEN else "finished"
    return {"segment_id": segment.segment_id, "votes_wanted": decision.votes_wanted, "state": state}


@dataclass(kw_only=True)
class _Tally:
    """What is counted of one person."""

    seconds: list[float]
    shared: int = 0
    agree: int = 0
    overlaps: list[float]
    gold: int = 0
    gold_right: int = 0
    gold_overlaps: list[float]


def person_rows(
    segments: Iterable[AskedSegment], votes: Mapping[str, Sequence[SegmentVote]], settings: Segments
) -> Iterator[SegmentPersonRow]:
    """Yield how good each person's answers are: over all categories, then in each of them.

    Args:
        segments: that people answered.
        votes: that count, by segment.
        settings: what overlap is enough.

    """
    tallies: dict[tuple[str, str | None], _Tally] = defaultdict(
        lambda: _Tally(seconds=[], overlaps=[], gold_overlaps=[])
    )
    for segment in segments:
        own = votes.get(segment.segment_id, ())
        for vote in own:
            for category in (None, segment.category):
                _count(tallies[vote.annotator, category], segment, vote, own, settings)
    for (name, category), tally in sorted(tallies.items(), key=lambda one: (one[0][0], one[0][1] or "")):
        low, high = wilson(tally.gold_right, tally.gold) if tally.gold else (None, None)
        yield SegmentPersonRow(
            annotator=name, category=category, answers=len(tally.seconds), seconds=median(tally.seconds),
            shared=tally.shared, agree=tally.agree, tiou=_mean(tally.overlaps), gold=tally.gold,
            gold_right=tally.gold_right, gold_low=low, gold_high=high, gold_tiou=_mean(tally.gold_overlaps),
        )  # fmt: skip


def _count(
    tally: _Tally, segment: AskedSegment, vote: SegmentVote, votes: Sequence[SegmentVote], settings: Segments
) -> None:
    """Add one answer to what is counted of a person."""
    tally.seconds.append(vote.seconds)
    if vote.answer == SegmentAnswer.UNSURE:
        return
    ends = vote.ends(segment.proposed)
    for other in votes:
        if other is vote or other.answer == SegmentAnswer.UNSURE:
            continue
        theirs = other.ends(segment.proposed)
        tally.shared += 1
        tally.agree += (ends is None) == (theirs is None)
        if ends is not None and theirs is not None:
            tally.overlaps.append(tiou(ends, theirs))
    if segment.is_gold:
        tally.gold += 1
        known = segment.gold
        if ends is None or known is None:
            tally.gold_right += ends is known
        else:
            tally.gold_overlaps.append(tiou(ends, known))
            tally.gold_right += tally.gold_overlaps[-1] >= settings.tiou_least


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
