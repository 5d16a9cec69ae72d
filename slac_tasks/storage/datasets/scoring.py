"""What classifiers say: committees, their scores, and the clips that were chosen for people."""

from dataclasses import dataclass
from typing import Annotated

import pyarrow as pa

from slac_tasks.storage.columns import Float32, Int32
from slac_tasks.storage.datasets.collecting import ClipColumns
from slac_tasks.storage.declarations import Dataset, Upgrade

_SCORES = pa.list_(
    pa.struct([pa.field("member", pa.string()), pa.field("weights", pa.string()), pa.field("score", pa.float32())])
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitteeRow:
    """The weights with which one member of a committee scores one category."""

    member: Annotated[str, "name of the member"]
    architecture: Annotated[str, "name in the registry of slac_tasks.networks.registry"]
    category: Annotated[str, "category that this row's weights score"]
    backbone: Annotated[str, "content hash of the backbone: weights/<hash>.pt"]
    head: Annotated[str, "content hash of the head: weights/<hash>.pt"]
    output: Annotated[Int32, "index of the category in the head's outputs"]
    weights: Annotated[str, "hash of (architecture, backbone, head): the key of the scores"]
    origin: Annotated[str, "bootstrap:<window> or release:<version>"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _ScoreRow1:
    clip_id: Annotated[str, "video_id:start_ms"]
    video_id: Annotated[str, "16 hex digits of the media's SHA-256"]
    member: Annotated[str, "name of the member"]
    score: Annotated[Float32, "probability of the hypothesised action, 0 to 1"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoreRow(_ScoreRow1):
    """A clip's score by one member."""

    preprocessing: Annotated[str | None, "what became of the clip before the network, and its precision"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureRow:
    """What one member's backbone makes of a clip."""

    clip_id: Annotated[str, "video_id:start_ms"]
    video_id: Annotated[str, "16 hex digits of the media's SHA-256"]
    features: Annotated[bytes, pa.binary(128), "64 float16, little-endian; see slac_tasks.networks.features"]
    projection: Annotated[str, "hash of the projection: features with another one cannot be compared"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberScore:
    """What one member says of a clip."""

    member: str
    weights: str
    score: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _HardClipRow2(ClipColumns):
    proxy_256: Annotated[str, "object name of the rendition that people see"]
    strategy: Annotated[str, "a name of slac_tasks.model.Strategy"]
    disagreement: Annotated[float, "Jensen-Shannon divergence of the members, in bits, 0 to 1"]
    consensus: Annotated[float, "members' joint score: their mean log-odds as a probability, 0 to 1"]
    scores: Annotated[tuple[MemberScore, ...], _SCORES, "each member's score"]
    vote_entropy: Annotated[float | None, "entropy of the members' votes, in bits; null: unknown"] = None
    spread: Annotated[float | None, "highest minus lowest score; null: unknown"] = None
    entropy: Annotated[float | None, "entropy of one member's score, in bits; null: unknown"] = None
    coherence: Annotated[float | None, "how far the action holds over the clip's neighbours; null without"] = None
    value: Annotated[float | None, "what its strategy ranked the clip by; null where drawn by lot"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HardClipRow(_HardClipRow2):
    """A clip that was chosen for people."""

    shot: Annotated[Int32 | None, "shot of its video, from 0; null: unknown"] = None
    cluster: Annotated[
        Int32 | None, "clips with the same number look alike, or lie in one segment; null: no features, or drawn by lot"
    ] = None  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceRow:
    """Where a clip lies on the map of its category."""

    clip_id: Annotated[str, "video_id:start_ms"]
    x: Annotated[Float32, "place from left to right, 0 to 1"]
    y: Annotated[Float32, "place from the top down, 0 to 1"]


COMMITTEES = Dataset(
    name="committees", version=1, keys=("committee",), unique=("member", "category"), row=CommitteeRow,
    meaning="A frozen set of classifiers: for each member and category, the weights that score it.",
)  # fmt: skip
_SCORES_1 = Dataset(
    name="scores", version=1, keys=("category", "window", "weights"), unique=("clip_id",), row=_ScoreRow1,
    meaning="Each clip's score by one member for the hypothesised action.",
)  # fmt: skip
SCORES = Dataset(
    name="scores", version=2, keys=("category", "window", "weights"), unique=("clip_id",), row=ScoreRow,
    meaning=_SCORES_1.meaning, upgrade=Upgrade(previous=_SCORES_1),
)  # fmt: skip
FEATURES = Dataset(
    name="features", version=1, keys=("category", "window", "weights"), unique=("clip_id",), row=FeatureRow,
    meaning="What one member's backbone makes of each clip, projected to 64 numbers.",
)  # fmt: skip
_HARD_CLIPS_2 = Dataset(
    name="hard_clips", version=2, keys=("category", "round"), unique=("clip_id",), row=_HardClipRow2,
    meaning="Clips chosen for people, with the strategy and every score that chose them.",
)  # fmt: skip
HARD_CLIPS = Dataset(
    name="hard_clips", version=3, keys=("category", "round"), unique=("clip_id",), row=HardClipRow,
    meaning=_HARD_CLIPS_2.meaning, upgrade=Upgrade(previous=_HARD_CLIPS_2),
)  # fmt: skip
MAP = Dataset(
    name="map", version=1, keys=("category",), unique=("clip_id",), row=PlaceRow,
    meaning="Where clips that people are asked about lie in two dimensions: those near each other look alike.",
)  # fmt: skip
