"""What goes out, and what is learned from it: releases, pretrained networks, and their evaluations."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import pyarrow as pa

from slac_tasks.storage.columns import Int8, Int32
from slac_tasks.storage.datasets.collecting import ClipColumns
from slac_tasks.storage.declarations import Dataset, Upgrade


@dataclass(frozen=True, kw_only=True, slots=True)
class _ReleaseRow2(ClipColumns):
    category: Annotated[str, "hypothesised action"]
    label: Annotated[Int8, "+1 contains the action, -1 does not"]
    confidence: Annotated[float, "people: share of the votes on its side; else the probability that it is right"]
    source: Annotated[str, "where the video was found"]
    source_id: Annotated[str, "the source's own name of the video"]
    duration_sec: Annotated[float, "length of the video in seconds"]
    proxy_128: Annotated[str, "object name of the rendition that 112-pixel models read"]
    proxy_256: Annotated[str, "object name of the rendition that 224-pixel models read"]
    strategy: Annotated[str | None, "why the clip was asked; null: it was not"]
    round: Annotated[str | None, "round in which the clip was asked; null: it was not"]
    kind: Annotated[str, "people (asked), carried (from its neighbours in the shot) or model (from the people's model)"]
    support: Annotated[Int32 | None, "answers that it rests on; null: not known"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseRow(_ReleaseRow2):
    """One released label. It says all that is known of its video, so that an export reads nothing else."""

    certificate: Annotated[
        float | None, "share of wrong labels, at most, among those that were certified with it; null: it was not"
    ]
    benchmark: Annotated[
        bool | None,
        "whether it is of the mix of strategies, in equal shares, that networks are compared on; null in training",
    ]
    name: Annotated[str, "name of the video in every format and every release: its YouTube id, else its video_id"]
    group_id: Annotated[str | None, "look-alikes share it, and its split; null in version 2"]
    title: Annotated[str | None, "title at the source; null: not known"]
    licence: Annotated[str | None, "licence at the source; null: not known"]
    url: Annotated[str | None, "address at the source, for people; null: a file of a machine, or not known"]
    published_at: Annotated[datetime | None, "publication at the source; null: not known"]
    proxy_sha256: Annotated[str | None, "SHA-256 (hex) of proxy_256; null in version 2"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleasedVideoRow:
    """What must never change of a video that was released once."""

    video_id: Annotated[str, "16 hex digits of the media's SHA-256"]
    name: Annotated[str, "its name in every format"]
    group_id: Annotated[str | None, "look-alikes share it, and its split; null: released in version 2"]
    split: Annotated[str, "training, validation or testing"]
    release: Annotated[str, "the release that held it first"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleasedSegmentRow:
    """One released dense label: where an action begins and ends, or that a proposed segment does not show it."""

    segment_id: Annotated[str, "16 hex digits that name category, video and proposed ends"]
    video_id: Annotated[str, "16 hex digits of the media's SHA-256"]
    name: Annotated[str, "name of the video in every format and every release"]
    split: Annotated[str, "training, validation or testing"]
    category: Annotated[str, "hypothesised action"]
    label: Annotated[Int8, "+1 the action fills the segment, -1 it is nowhere in it"]
    start_sec: Annotated[float, "start, seconds on the rendition's clock; of -1: as it was proposed"]
    end_sec: Annotated[float, "end, seconds on the rendition's clock; of -1: as it was proposed"]
    duration_sec: Annotated[float, "length of the video in seconds"]
    kind: Annotated[str, "who says so: people"]
    tiou: Annotated[float | None, "mean tIoU of the ends of each two people; null: fewer than two gave ends"]
    support: Annotated[Int32, "people who say that the action is there, or that it is not"]
    origin: Annotated[str, "who proposed it"]
    method: Annotated[str, "how votes were aggregated, with its version"]
    source: Annotated[str, "where the video was found"]
    source_id: Annotated[str, "the source's own name of the video"]
    licence: Annotated[str | None, "licence at the source; null: not known"]
    url: Annotated[str | None, "address at the source, for people; null: a file of a machine, or not known"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseVersionRow:
    """A finished release: its number, its hash, and how it differs from the one before."""

    version: Annotated[str, "MAJOR.MINOR.PATCH: labels changed or withdrawn, labels added, only other columns differ"]
    content: Annotated[str, "SHA-256 (hex) of the rows, see slac_tasks.release.content"]
    previous: Annotated[str | None, "the release before; null: there is none"]
    labels: Annotated[int, "labels"]
    positive: Annotated[int, "labels +1"]
    videos: Annotated[int, "videos"]
    groups: Annotated[int, "groups of look-alikes"]
    categories: Annotated[tuple[str, ...], "categories, in order"]
    added: Annotated[int, "labels that the release before does not hold"]
    changed: Annotated[int, "labels whose sign differs from the release before"]
    withdrawn: Annotated[int, "labels that the release before holds and this one does not"]
    corrected: Annotated[int, "labels of the same sign of which another column differs"]
    files: Annotated[tuple[str, ...], "what lies beside the rows, by its name below their folder, in order"]
    hashes: Annotated[tuple[str, ...], "SHA-256 (hex) of each file"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _ModelRow1:
    architecture: Annotated[str, "name in the registry of slac_tasks.networks.registry"]
    backbone: Annotated[str, "content hash of the backbone: weights/<hash>.pt"]
    head: Annotated[str, "content hash of the head: weights/<hash>.pt"]
    categories: Annotated[tuple[str, ...], "categories in the order of the head's outputs"]
    steps: Annotated[int, "training steps"]
    clips: Annotated[int, "training clips"]
    loss: Annotated[float, "mean loss of the last tenth of the steps"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRow(_ModelRow1):
    """A network that was pretrained on a release."""

    network: Annotated[
        str | None, "content hash of both as torchvision loads them: weights/<hash>.safetensors; null in version 1"
    ] = None
    card: Annotated[str | None, "content hash of its model card: weights/<hash>.md; null in version 1"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _EvaluationRow1:
    measure: Annotated[str, "what is measured; see slac_tasks.evaluation.judging and .subjects"]
    subject: Annotated[str, "pretrained, scratch, frozen (backbone, with a new head) or guess (the commoner answer)"]
    value: Annotated[float, "mean, 0 to 1; of a gain -1 to 1"]
    low: Annotated[float, "lower end of the 95 % interval"]
    high: Annotated[float, "upper end of the 95 % interval"]
    repeats: Annotated[int, "seeds, or clips where there is one run"]
    budget: Annotated[str, "labels and steps that the subject was given"]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationRow(_EvaluationRow1):
    """One measure of a pretrained network, or of what it is compared with."""

    labels: Annotated[Int32 | None, "labels of a class that the transfer had; null: no transfer, or version 1"] = None
    category: Annotated[str | None, "category or class; null: all together"] = None
    guess: Annotated[str | None, "class that clips of the category were taken for; null: no confusion"] = None
    clips: Annotated[Int32 | None, "clips that were judged; null in version 1"] = None
    videos: Annotated[Int32 | None, "videos of these clips, which the interval resamples; null in version 1"] = None
    rate: Annotated[float | None, "learning rate of the subject; null: none, or version 1"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldJudgeRow(ClipColumns):
    """A clip whose answer an expert knows: it may judge a network, and nobody who reviews may know that it is one."""

    category: Annotated[str, "hypothesised action"]
    label: Annotated[Int8, "the known answer: +1 or -1"]
    window: Annotated[str | None, "week in which its video was collected; null: not known"]
    proxy_128: Annotated[str, "object name of the rendition that 112-pixel models read"]
    proxy_256: Annotated[str, "object name of the rendition that 224-pixel models read"]


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedRow:
    """What the pretrained network says of one clip that judges it, beside what people say."""

    clip_id: Annotated[str, "video_id:start_ms"]
    video_id: Annotated[str, "16 hex digits of the media's SHA-256"]
    category: Annotated[str, "hypothesised action"]
    window: Annotated[str | None, "week in which its video was collected; null: not known"]
    label: Annotated[Int8, "people's answer, or the known one: +1 or -1"]
    score: Annotated[float, "probability of the action, 0 to 1"]
    weight: Annotated[float, "clips of its category and week that it stands for: inverse of its chance to be drawn"]
    control: Annotated[
        bool, "no clip judges that was chosen for people; false: such do too, there is too little control"
    ]


def _named(rows: pa.Table) -> pa.Table:
    """Name the videos of releases that had no names: by what is of one video in any case."""
    return rows.append_column("name", rows["video_id"])


_RELEASES_2 = Dataset(
    name="release", version=2, keys=("release",), unique=("video_id", "category", "start_sec"), row=_ReleaseRow2,
    meaning="Validated sparse labels, ready for training.",
)  # fmt: skip
RELEASES = Dataset(
    name="release", version=3, keys=("release",), unique=("video_id", "category", "start_sec"), row=ReleaseRow,
    meaning=_RELEASES_2.meaning, upgrade=Upgrade(previous=_RELEASES_2, change=_named),
)  # fmt: skip
RELEASED_SEGMENTS = Dataset(
    name="released_segments", version=1, keys=("release",), unique=("segment_id",), row=ReleasedSegmentRow,
    meaning="Dense labels of a release: the segments on which people agree.",
)  # fmt: skip
RELEASED_VIDEOS = Dataset(
    name="released_videos", version=1, keys=("release",), unique=("video_id",), row=ReleasedVideoRow,
    meaning="Every video of this release and all before it: names and splits stay for ever.",
)  # fmt: skip
RELEASE_VERSIONS = Dataset(
    name="release_versions", version=1, keys=("release",), unique=("version",), row=ReleaseVersionRow,
    meaning="What a release is. Written last, when its rows, its formats and its data sheet are there.",
)  # fmt: skip
_MODELS_1 = Dataset(
    name="models", version=1, keys=("release",), unique=("backbone",), row=_ModelRow1,
    meaning="The network pretrained on a release.",
)  # fmt: skip
MODELS = Dataset(
    name="models", version=2, keys=("release",), unique=("backbone",), row=ModelRow, meaning=_MODELS_1.meaning,
    upgrade=Upgrade(previous=_MODELS_1),
)  # fmt: skip
_EVALUATIONS_1 = Dataset(
    name="evaluations", version=1, keys=("release",), unique=("measure", "subject"), row=_EvaluationRow1,
    meaning="What the pretrained network is worth, with 95 % intervals.",
)  # fmt: skip
EVALUATIONS = Dataset(
    name="evaluations", version=2, keys=("release",), unique=("measure", "subject", "labels", "category", "guess"),
    row=EvaluationRow, meaning=_EVALUATIONS_1.meaning, upgrade=Upgrade(previous=_EVALUATIONS_1),
)  # fmt: skip
GOLD_JUDGES = Dataset(
    name="gold_judges", version=1, keys=("labels",), unique=("clip_id", "category"), row=GoldJudgeRow,
    meaning="Clips whose answer is known, which judge networks. Private: on no page, in no report and in no export.",
)  # fmt: skip
JUDGED = Dataset(
    name="judged", version=1, keys=("release",), unique=("clip_id", "category"), row=JudgedRow,
    meaning="What the pretrained network says of the clips that judge it.",
)  # fmt: skip
