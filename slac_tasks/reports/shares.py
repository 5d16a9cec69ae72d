"""Shares with their intervals: the positive share of each strategy is computed here and nowhere else."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slac_tasks.intervals import wilson, worth
from slac_tasks.model import Strategy


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of a count, with its 95 % Wilson interval."""

    name: str
    part: int
    whole: int
    size: float
    """As how many independent items they count: the clips of one video resemble each other."""
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share, 0 to 1."""
        return self.part / self.whole

    @classmethod
    def of(cls, name: str, part: int, whole: int, size: float | None = None) -> "Share":
        """Return the share `part` of `whole`, which is more than 0; without a size each item is independent."""
        size = float(whole) if size is None else size
        low, high = wilson(part, whole, size=size)
        return cls(name=name, part=part, whole=whole, size=size, low=low, high=high)

    @classmethod
    def of_clips(cls, name: str, holds: NDArray[np.bool_], videos: pd.Series) -> "Share":
        """Return the share of clips of which something holds, one or more; both have shape (clips,)."""
        video, _ = pd.factorize(videos)
        part, whole = np.bincount(video, holds).tolist(), np.bincount(video).tolist()
        return cls.of(name, int(holds.sum()), len(holds), worth(part, whole))


def positive_by_strategy(settled: pd.DataFrame) -> list[Share]:
    """Return the positive share of each strategy that has a settled label, in the order of `Strategy`.

    Args:
        settled: settled labels, columns strategy, label (+1, -1) and video_id.

    """
    order = {strategy.value: place for place, strategy in enumerate(Strategy)}
    found = [
        Share.of_clips(str(name), (own["label"] > 0).to_numpy(bool), own["video_id"])
        for name, own in settled.groupby("strategy")
    ]
    return sorted(found, key=lambda share: (order.get(share.name, len(order)), share.name))
