"""The mix of strategies on which networks are compared.

Clips of maximum consensus are the easiest and those on which classifiers disagree the hardest, so a test on whatever
was chosen most says little. HACS v3 mixes consensus, random and disagreement in validation and testing. Here each
category and split has as many labels of one of them as of another; the others are released beside them. A label that
was in the mix of an earlier release stays in it (ours).
"""

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.model import Split, Strategy, unit_hash
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.tables import Datasets

MIXED = (Strategy.CONSENSUS, Strategy.RANDOM, Strategy.DISAGREEMENT)
"""In equal shares."""

_OF_MIX = ("category", "clip_id", "benchmark")


def benchmark(rows: pa.Table, before: Collection[str]) -> pa.Array:
    """Return which labels of one category are in the mix; null in training.

    Args:
        rows: with the columns clip_id, split and strategy.
        before: clip_ids that were in the mix of the release before.

    """
    clips: list[str] = rows["clip_id"].to_pylist()
    splits, strategies = (np.array(rows[name].to_pylist(), object) for name in ("split", "strategy"))
    chosen = np.zeros(len(clips), dtype=bool)
    for split in (Split.VALIDATION, Split.TESTING):
        of = {one: np.flatnonzero((splits == split) & (strategies == one)) for one in MIXED}
        stay = {one: [place for place in places if clips[place] in before] for one, places in of.items()}
        size = max(min(map(len, of.values())), *map(len, stay.values()))
        for one, places in of.items():
            others = sorted(set(places) - set(stay[one]), key=lambda place: unit_hash("benchmark", clips[place]))
            chosen[[*stay[one], *others[: size - len(stay[one])]]] = True
    return pa.array(chosen, pa.bool_(), mask=splits == Split.TRAINING)


def mix_of(datasets: Datasets, release: str | None) -> dict[str, set[str]]:
    """Return the clip_ids that are in the mix of a release, by category; none where there is no release."""
    found: dict[str, set[str]] = {}
    for table in datasets.tables(datasets.need(RELEASES, release=release), _OF_MIX) if release else ():
        mixed = table.filter(pc.fill_null(table["benchmark"], False))
        for category, clip in zip(mixed["category"].to_pylist(), mixed["clip_id"].to_pylist(), strict=True):
            found.setdefault(category, set()).add(clip)
    return found
