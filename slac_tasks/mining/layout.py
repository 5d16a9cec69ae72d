"""A map of clips: two coordinates for each, so that clips near each other look alike.

Principal components of the features are laid out by t-SNE (van der Maaten and Hinton 2008; Barnes-Hut, van der Maaten
2014), as scikit-learn has it. Neighbours mean something there; how far two groups are apart means little.
"""

import heapq
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from slac_tasks.mining.coverage import Space
from slac_tasks.model import unit_hash

MOST = 3_000
"""Clips of one map. Time grows a little faster than their number."""
_COMPONENTS = 30
_PERPLEXITY = 30.0
"""About so many neighbours each clip is placed by; a third of the clips where they are few."""
_FEWEST = 10
"""Fewer clips than this are placed by their two first principal components alone."""
_STEPS = 500


def drawn(clip_ids: Iterable[str], most: int = MOST) -> list[str]:
    """Return at most `most` of these clips: those of which the hash of the id is smallest, in that order."""
    return heapq.nsmallest(most, set(clip_ids), key=lambda clip: unit_hash("map", clip))


def laid_out(points: Space) -> NDArray[np.float32]:
    """Return where each clip lies on the map, shape (clips, 2), 0 to 1; the same clips give the same map.

    Args:
        points: where clips lie in the space of their features, (clips, numbers).

    """
    if not len(points):
        return np.empty((0, 2), dtype=np.float32)
    # In one thread a sum has one order.
    with threadpool_limits(limits=1):
        found = _placed(points.astype(np.float64))
    found -= found.min(axis=0)
    size = max(float(found.max()), 1e-9)
    return np.asarray(found / size + (1 - found.max(axis=0) / size) / 2, dtype=np.float32)


def _placed(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where each clip lies, shape (clips, 2), in no unit."""
    centred = points - points.mean(axis=0)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    components = (left * lengths)[:, :_COMPONENTS]
    if len(points) < _FEWEST:
        return np.asarray(np.pad(components, ((0, 0), (0, 2)))[:, :2])
    perplexity = min(_PERPLEXITY, (len(points) - 1) / 3)
    return np.asarray(
        TSNE(perplexity=perplexity, max_iter=_STEPS, init="pca", random_state=0).fit_transform(components)
    )
