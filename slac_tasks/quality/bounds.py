"""Upper bounds of the share of wrong items, from a sample that was drawn by known weights and is looked at again.

It is a bet (Waudby-Smith and Ramdas 2024, "diversified Kelly"). Who doubts that the share of wrong items is `error` or
more starts with a capital of 1 and bets on each item that it is right. Were the share so large, the expected capital
would never grow, so by Ville's inequality it would ever reach 1 / alpha with a chance of alpha at most. The bound is
the smallest share against which it has not. A bet that stays the same from item to item makes the capital a function of
counts, so the order of the items is of no consequence; the capital here is spread over several such bets, since nobody
knows the best one before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

Floats = NDArray[np.float64]

_HOPES = np.array([0.0, 0.05, 0.12, 0.22, 0.35, 0.5, 0.65, 0.8, 0.9, 0.96])
"""Bets, each by the share of wrong items for which it is the best one, relative to the share that is doubted."""
_STAKES = np.array([3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]) / 12.0
"""What part of the capital each bet begins with; samples without a fault are those by which most is decided."""
_HALVINGS = 30


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Items drawn at random, counted by weight; several samples at once where counts have more than one axis."""

    weights: Floats
    """Weight of each stratum's items, as a share of the heaviest that an item may have: in (0, 1], shape (strata,)."""
    right: Floats
    """Shape (..., strata)."""
    wrong: Floats
    """Shape (..., strata)."""

    @classmethod
    def plain(cls, wrong: float, count: float) -> "Sample":
        """Return one sample in which every item has the same weight."""
        return cls(weights=np.ones(1), right=np.array([count - wrong]), wrong=np.array([wrong]))

    def log_capital(self, error: float) -> Floats:
        """Return the logarithm of the capital of a bet against a share of `error` or more, shape (...,).

        The share is that of the items' weights. It grows with `error` and with each right item, and falls with each
        wrong one.
        """
        stakes = np.outer(1 - _HOPES, self.weights)
        gains = np.log1p(stakes * (error / (1 - error)))
        logs = self.right @ gains.T + xlogy(self.wrong[..., None, :], 1 - stakes).sum(axis=-1)
        # The largest one is finite: most bets leave something after a wrong item.
        largest = logs.max(axis=-1, keepdims=True)
        return np.asarray(largest[..., 0] + np.log(np.exp(logs - largest) @ _STAKES))

    def bound(self, alpha: float) -> float:
        """Return the upper bound at 1 - `alpha` of one sample, which holds at every look while the sample grows."""
        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if self.log_capital(middle) >= -np.log(alpha) else (middle, high)
        return high
