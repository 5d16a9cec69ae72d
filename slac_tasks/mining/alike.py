"""Clusters of chosen clips that look alike, small enough to be asked together.

Ward's method (Ward 1963) joins the two clusters whose union is the tightest; the largest clusters that fit are taken.
The work is that of the round and not of the pool, and the same clips give the same clusters.
"""

import numpy as np
from scipy.cluster.hierarchy import linkage

from slac_tasks.mining.coverage import Space
from slac_tasks.mining.measures import Ints

_AT_ONCE = 2048
"""Clips that are clustered at once, since time and memory grow with their square: 16 MiB of distances."""


def clusters(points: Space, most: int) -> list[int]:
    """Return the cluster of each point, numbered from 0.

    Args:
        points: where clips lie in the space of their features, (clips, numbers).
        most: points of a cluster.

    """
    found = np.zeros(len(points), dtype=np.int64)
    number = 0
    for rows in _parts(points, np.arange(len(points))):
        for part in _cut(points, rows, most):
            found[part] = number
            number += 1
    return [int(cluster) for cluster in found]


def _parts(points: Space, rows: Ints) -> list[Ints]:
    """Return the rows in parts that can be clustered at once, cut along the direction in which they differ most."""
    if len(rows) <= _AT_ONCE:
        return [rows]
    centred = points[rows] - points[rows].mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    order = rows[np.argsort(centred @ axes[:, -1], kind="stable")]
    middle = len(order) // 2
    return [*_parts(points, np.sort(order[:middle])), *_parts(points, np.sort(order[middle:]))]


def _cut(points: Space, rows: Ints, most: int) -> list[Ints]:
    """Return the largest clusters of these rows of at most so many."""
    if len(rows) < 2:
        return [rows]
    joined: list[list[int]] = [[row] for row in range(len(rows))]
    fits = [True] * len(rows)
    done: list[list[int]] = []
    for left, right, _, size in linkage(points[rows].astype(np.float64), "ward"):
        pair = int(left), int(right)
        whole = size <= most
        if not whole:
            done += [joined[one] for one in pair if fits[one]]
        joined.append([*joined[pair[0]], *joined[pair[1]]] if whole else [])
        fits.append(whole)
    if fits[-1]:
        done.append(joined[-1])
    return [rows[np.sort(part)] for part in done]
