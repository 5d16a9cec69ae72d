"""What a panel has said of the clips of a category and window: clips, scores and features, row for row."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from slac_tasks.networks.committees import Panel
from slac_tasks.networks.features import Features, unpacked
from slac_tasks.progress import counted
from slac_tasks.storage.datasets import CLIPS, FEATURES, SCORES
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

CLIP = pa.schema([CLIPS.schema.field(name) for name in (
    "clip_id", "video_id", "start_sec", "end_sec", "split", "proxy_256", "shot"
)])  # fmt: skip
"""Columns of the clips."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """Clips that every member of a panel has scored."""

    clips: pa.Table
    """Columns as `CLIP`; row i is row i of the arrays."""
    scores: NDArray[np.float64]
    """Probabilities of the hypothesised action, shape (clips, members)."""

    def without(self, videos: Collection[str]) -> "Scored":
        """Return the same without the clips of these videos."""
        keep = pc.invert(pc.is_in(self.clips["video_id"], value_set=pa.array(sorted(videos), pa.string())))
        return Scored(clips=self.clips.filter(keep), scores=self.scores[keep.to_numpy()])


def score_manifests(datasets: Datasets, panel: Panel, window: str) -> list[Manifest]:
    """Return the manifests of the clips of a window and of each member's scores of them.

    Raises:
        NotMade: one of them does not exist.

    """
    clips = datasets.need(CLIPS, category=panel.category, window=window)
    scores = [
        datasets.need(SCORES, category=panel.category, window=window, weights=seat.weights) for seat in panel.seats
    ]
    return [clips, *scores]


def scored_clips(datasets: Datasets, made: Sequence[Manifest]) -> Scored:
    """Return the clips that every member has scored.

    Args:
        datasets: where they are.
        made: manifests of the clips and of each member's scores, as `score_manifests`.

    """
    clips = pa.concat_tables([CLIP.empty_table(), *datasets.tables(made[0], CLIP.names)])
    scores = np.full((clips.num_rows, len(made) - 1), np.nan)
    for member, manifest in enumerate(made[1:]):
        for table in datasets.tables(manifest, ["clip_id", "score"]):
            place = pc.index_in(table["clip_id"], value_set=clips["clip_id"])
            known = place.is_valid()
            scores[place.filter(known).to_numpy(), member] = table["score"].filter(known).to_numpy()
    whole = ~np.isnan(scores).any(axis=1)
    return Scored(clips=clips.filter(pa.array(whole)), scores=scores[whole])


def kept_features(
    datasets: Datasets, panel: Panel, window: str, clips: pa.Table
) -> tuple[dict[str, Features], list[Manifest], list[str]]:
    """Return what the members' backbones make of clips.

    Args:
        datasets: where features are.
        panel: the members.
        window: of the clips.
        clips: column clip_id.

    Returns:
        (features by member, row for row of the clips; their manifests; which members lack features, in words).

    """
    found: dict[str, Features] = {}
    manifests, missing = [], []
    for seat in panel.seats:
        kept = datasets.manifest(FEATURES, category=panel.category, window=window, weights=seat.weights)
        if kept is None:
            missing.append(f"{seat.member} kept no features")
            continue
        table = datasets.read_all(FEATURES, [kept], ["clip_id", "features"])
        if table["clip_id"].equals(clips["clip_id"]):
            found[seat.member] = unpacked(table["features"])
        else:
            place = pc.index_in(clips["clip_id"], value_set=table["clip_id"].combine_chunks())
            if place.null_count:
                missing.append(f"{seat.member} kept no features of {counted(place.null_count, 'clip')}")
                continue
            found[seat.member] = unpacked(table["features"])[place.to_numpy()]
        manifests.append(kept)
    return found, manifests, missing
