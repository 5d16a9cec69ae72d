"""Shares with their intervals: the positive share of each strategy is computed here and nowhere else."""

from dataclasses import dataclass

import pandas as pd

from slac_tasks.intervals import wilson
from slac_tasks.model import Strategy


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of a count, with its 95 % Wilson interval."""

    name: str
    part: int
    whole: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share, 0 to 1."""
        return self.part / self.whole

    @classmethod
    def of(cls, name: str, part: int, whole: int) -> "Share":
        """Return the share `part` of `whole`, which is more than 0."""
        low, high = wilson(part, whole)
        return cls(name=name, part=part, whole=whole, low=low, high=high)


def positive_by_strategy(settled: pd.DataFrame) -> list[Share]:
    """Return the positive share of each strategy that has a settled label, in the order of `Strategy`.

    Args:
        settled: settled labels, columns strategy and label (+1, -1).

    """
    order = {strategy.value: place for place, strategy in enumerate(Strategy)}
    counts = (settled["label"] > 0).groupby(settled["strategy"]).agg(["sum", "size"])
    found = [Share.of(str(name), int(row["sum"]), int(row["size"])) for name, row in counts.iterrows()]
    return sorted(found, key=lambda share: (order.get(share.name, len(order)), share.name))
