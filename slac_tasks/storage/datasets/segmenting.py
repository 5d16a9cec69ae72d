"""Segments of videos: what a network finds, what people are asked about, what they say, and what it adds up to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from slac_tasks.storage.columns import Int32
from slac_tasks.storage.declarations import Dataset


@dataclass(frozen=True, kw_only=True, slots=True)
class DetectionRow:
    """A segment that the network of a release found in a video of the category."""

    video_id: Annotated[str, "16 hex digits of the media's SHA-256"]
    source_id: Annotated[str, "the source's own name of the video"]
    window: Annotated[str, "week in which the video was collected"]
    split: Annotated[str, "training, validation or testing; fixed for the group of the video"]
    start_sec: Annotated[float, "where the action begins, seconds on the rendition's clock"]
    end_sec: Annotated[float, "where it ends"]
    score: Annotated[float, "0 to 1; of two segments of one category the higher is surer"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentColumns:
    """What names a segment, and where it lies."""

    segment_id: Annotated[str, "16 hex digits that name category, video and proposed ends"]
    category: Annotated[str, "hypothesised action"]
    video_id: Annotated[str, "16 hex digits of the media's SHA-256"]
    split: Annotated[str, "training, validation or testing; fixed for the group of the video"]
    start_sec: Annotated[float, "proposed start, seconds on the rendition's clock"]
    end_sec: Annotated[float, "proposed end, seconds on the rendition's clock"]
    score: Annotated[float, "how sure the network is of it, as its file says"]
    origin: Annotated[str, "who proposed it"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentRow(SegmentColumns):
    """A proposed segment that people are asked about."""

    proxy_256: Annotated[str, "object name of the rendition that people see"]
    fps: Annotated[float, "frames per second of the rendition"]
    duration_sec: Annotated[float, "length of the video in seconds"]
    votes_wanted: Annotated[Int32, "answers wanted at first"]
    place: Annotated[str, "where its line stands in the file, for people"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentVoteRow:
    """One person's answer about one segment."""

    vote_id: Annotated[str, "UUID made by the client"]
    segment_id: Annotated[str, "the segment that was asked"]
    category: Annotated[str, "hypothesised action"]
    round: Annotated[str, "round in which the segment was asked"]
    annotator: Annotated[str, "who answered"]
    answer: Annotated[str, "right, moved, absent (no action here) or unsure"]
    start_sec: Annotated[float | None, "start that the person gave, seconds; null unless moved"] = None
    end_sec: Annotated[float | None, "end that the person gave, seconds; null unless moved"] = None
    seconds: Annotated[float, "from the segment's first frame to the answer"]
    guideline_version: Annotated[Int32, "version of the guideline that the person saw"]
    cast_at: Annotated[datetime, "when the answer was stored"]
    supersedes: Annotated[str | None, "vote that this one corrects"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentLabelRow(SegmentColumns):
    """What people's votes on one segment add up to: a dense label, where they agree."""

    round: Annotated[str, "round in which the segment was asked"]
    kind: Annotated[str, "who says so: people"]
    status: Annotated[str, "settled, open (more votes wanted) or unsettled (no agreement)"]
    present: Annotated[bool | None, "whether the action is there; null unless settled"]
    label_start_sec: Annotated[float | None, "start of the action, seconds; null unless settled and present"]
    label_end_sec: Annotated[float | None, "end of the action, seconds; null unless settled and present"]
    tiou: Annotated[float | None, "mean tIoU of the ends of each two people; null: fewer than two gave ends"]
    method: Annotated[str, "how votes were aggregated, with its version"]
    right: Annotated[Int32, "votes right"]
    moved: Annotated[Int32, "votes moved"]
    absent: Annotated[Int32, "votes absent"]
    unsure: Annotated[Int32, "votes unsure"]
    votes: Annotated[tuple[str, ...], "vote_id of every vote counted, in the order cast"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SegmentPersonRow:
    """How good one person's answers about segments are, in one category or over all."""

    annotator: Annotated[str, "who answered"]
    category: Annotated[str | None, "category answered; null: all together"]
    answers: Annotated[int, "answers that stand"]
    seconds: Annotated[float, "median seconds of an answer"]
    shared: Annotated[int, "answers of others, present or absent, to the segments that this person answered so"]
    agree: Annotated[int, "those that say the same of whether the action is there"]
    tiou: Annotated[float | None, "mean tIoU with the ends that others gave to the same segments; null: nobody did"]
    gold: Annotated[int, "answers to segments whose ends are known, unsure left out"]
    gold_right: Annotated[int, "those that are right: absent where it is, or ends that overlap enough"]
    gold_low: Annotated[float | None, "lower end of the 95 % interval of the share of right ones; null: no gold"]
    gold_high: Annotated[float | None, "upper end of it"]
    gold_tiou: Annotated[float | None, "mean tIoU with known ends where the person gave some; null: never"]


DETECTIONS = Dataset(
    name="detections", version=1, keys=("category", "release"), unique=("video_id", "start_sec", "end_sec"),
    row=DetectionRow,
    meaning="Where a release's network finds a category's action in its newest videos; nobody has looked at it.",
)  # fmt: skip
SEGMENTS = Dataset(
    name="segments", version=1, keys=("round",), unique=("segment_id",), row=SegmentRow,
    meaning="Proposed segments that people are asked about; what is not asked is set aside with its reason.",
)  # fmt: skip
SEGMENT_VOTES = Dataset(
    name="segment_votes", version=1, keys=("batch",), unique=("vote_id",), row=SegmentVoteRow,
    meaning="People's answers about segments, as they were given; each vote is in one batch.",
)  # fmt: skip
SEGMENT_LABELS = Dataset(
    name="segment_labels", version=1, keys=("batch",), unique=("segment_id",), row=SegmentLabelRow,
    meaning="What people's votes on segments add up to, up to a batch of them: dense labels with their agreement.",
)  # fmt: skip
SEGMENT_PEOPLE = Dataset(
    name="segment_people", version=1, keys=("batch",), unique=("annotator", "category"), row=SegmentPersonRow,
    meaning="How good each person's answers about segments are, beside others and beside gold.",
)  # fmt: skip
