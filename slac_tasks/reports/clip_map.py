"""The map of a category as the pages show it: its clips by their places, and those within an outline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from slac_tasks.storage.datasets import MAP
from slac_tasks.storage.store import Store
from slac_tasks.storage.tables import Datasets


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipMap:
    """One generation of a category's map."""

    generation: int
    drawn_at: datetime
    clip_ids: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    """Where each of them lies."""


def read_map(store: Store, category: str, side: int, generation: int | None = None) -> ClipMap | None:
    """Return the map of a category, or one generation of it; None: none was drawn.

    Args:
        store: of the platform.
        category: whose map it is.
        side: length of a side of the map; a place is two whole numbers from 0 to `side` - 1.
        generation: which; None: the one that stands.

    Raises:
        NotMade: there is no such generation, or no more.

    """
    datasets = Datasets(store)
    keys = {"category": category}
    if generation is not None:
        manifest = datasets.generation(MAP, keys, f"g{generation:04d}")
    elif (found := datasets.manifest(MAP, **keys)) is not None:
        manifest = found
    else:
        return None
    rows = datasets.read_all(MAP, [manifest])
    at = np.stack([rows["x"].to_numpy(), rows["y"].to_numpy()], axis=1)
    cells = np.clip(at * side, 0, side - 1).astype(np.int64).tolist()
    return ClipMap(
        generation=manifest.generation,
        drawn_at=datetime.fromisoformat(manifest.written_at),
        clip_ids=tuple(rows["clip_id"].to_pylist()),
        places=tuple((x, y) for x, y in cells),
    )


def within(places: Sequence[tuple[int, int]], outline: Sequence[tuple[int, int]]) -> list[int]:
    """Return which places lie within an outline, those nearest to their middle first.

    A place is within when a ray from it crosses the outline an odd number of times (Shimrat 1962). Places on the left
    and upper edge of a rectangle are within, those on the others are not: outlines side by side share no place.

    Args:
        places: (from the left, from the top) of each clip.
        outline: corners in order; the last one is joined to the first.

    """
    at: NDArray[np.int64] = np.array(places, dtype=np.int64).reshape(-1, 2)
    inside = np.zeros(len(at), dtype=bool)
    x, y = at[:, 0], at[:, 1]
    for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > y) != (y1 > y)
        inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    rows = np.flatnonzero(inside)
    if not len(rows):
        return []
    far = np.square(at[rows] - at[rows].mean(axis=0)).sum(axis=1)
    return [int(row) for row in rows[np.argsort(far, kind="stable")]]
