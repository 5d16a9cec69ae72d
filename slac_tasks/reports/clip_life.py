"""What the store holds of one clip, looked up in the partitions of its video: nothing is listed or scanned.

A partition holds the clips of one category and window, or of one round: it does not grow with the platform.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow.compute as pc

from slac_tasks.storage.columns import from_table
from slac_tasks.storage.datasets import HARD_CLIPS, RELEASES, SCORES, VIDEOS
from slac_tasks.storage.datasets.collecting import VideoRow
from slac_tasks.storage.datasets.releasing import ReleaseRow
from slac_tasks.storage.datasets.scoring import HardClipRow
from slac_tasks.storage.declarations import Dataset, R
from slac_tasks.storage.store import Store
from slac_tasks.storage.tables import Datasets

RELEASED_MOST = 300_000
"""A release of more labels is not searched for one clip: it is no partition of a video."""


@dataclass(frozen=True, kw_only=True)
class Life:
    """What the store holds of a clip. None: it has no such row, or no such partition."""

    video: VideoRow | None
    """Licence, title, and how long it is."""
    chosen: HardClipRow | None
    """Why it was chosen: every score of the round."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """The newest score of each member, by name, where it was scored after it was chosen too."""
    released: ReleaseRow | None
    """Its label in the release."""


def life(
    store: Store,
    *,
    clip_id: str,
    category: str,
    window: str | None,
    round: str,
    weights: Iterable[str],
    release: str | None,
) -> Life:
    """Look a clip up.

    Args:
        store: of the platform.
        clip_id: of the clip.
        category: in which it was asked.
        window: in which its video was found; None: unknown.
        round: in which it was asked.
        weights: hashes of the members that have scored the category's clips of the window, the newest first.
        release: the newest that holds the category and at most RELEASED_MOST labels; None: there is none.

    """
    datasets = Datasets(store)
    video, scores = None, dict[str, float]()
    if window is not None:
        keys = {"category": category, "window": window}
        video = _row(datasets, VIDEOS, keys, video_id=clip_id.partition(":")[0])
        for one in weights:
            if row := _row(datasets, SCORES, {**keys, "weights": one}, clip_id=clip_id):
                scores.setdefault(row.member, row.score)
    of_round, in_release = {"category": category, "round": round}, {"clip_id": clip_id, "category": category}
    return Life(
        video=video,
        chosen=_row(datasets, HARD_CLIPS, of_round, clip_id=clip_id),
        scores=scores,
        released=None if release is None else _row(datasets, RELEASES, {"release": release}, **in_release),
    )


def _row(datasets: Datasets, dataset: Dataset[R], keys: Mapping[str, str], **wanted: Any) -> R | None:
    """Return the first row of a partition with these values; None where there is none, or no partition."""
    manifest = datasets.manifest(dataset, **keys)
    for table in datasets.tables(manifest) if manifest else ():
        for name, value in wanted.items():
            table = table.filter(pc.equal(table[name], value))
        if table.num_rows:
            return next(iter(from_table(table.slice(0, 1), dataset.row)))
    return None
