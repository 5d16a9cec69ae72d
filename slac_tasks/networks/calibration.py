"""How a logit becomes a probability: Platt's slope and offset, learned from clips that were drawn at random.

Few clips are answered at first, so both have a prior (ours): ln(slope) is normal about 0 with deviation 2, the offset
about 0 with deviation 4. Without an answer the most likely values are the prior's, slope 1 and offset 0: the logit as
the network gives it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LN_SLOPE_DEVIATION, _OFFSET_DEVIATION = 2.0, 4.0
_FARTHEST = 30.0
"""A probability of float32 that is 0 or 1 stands for a logit of this size."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """probability = sigmoid(slope x logit + offset)."""

    slope: float = 1.0
    """Above 0: no calibration turns an order round."""
    offset: float = 0.0
    answers: int = 0
    """How many clips of the random control it was learned from."""

    @classmethod
    def learned(cls, logits: NDArray[np.float64], shows: NDArray[np.bool_]) -> "Calibration":
        """Return the most likely calibration of these clips, logits and answers (clips,)."""
        if not len(logits):
            return cls()
        from scipy.optimize import minimize

        sign = np.where(shows, -1.0, 1.0)

        def cost(point: NDArray[np.float64]) -> float:
            ln_slope, offset = point
            prior = (ln_slope / _LN_SLOPE_DEVIATION) ** 2 / 2 + (offset / _OFFSET_DEVIATION) ** 2 / 2
            return float(np.logaddexp(0, sign * (np.exp(ln_slope) * logits + offset)).sum() + prior)

        ln_slope, offset = minimize(cost, np.zeros(2), method="L-BFGS-B", bounds=((-8, 8), (-50, 50))).x
        return cls(slope=float(np.exp(ln_slope)), offset=float(offset), answers=len(logits))

    def undone(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the logits of which this calibration made these probabilities."""
        with np.errstate(divide="ignore"):
            logits = np.clip(np.log(scores) - np.log1p(-scores), -_FARTHEST, _FARTHEST)
        found: NDArray[np.float64] = (logits - self.offset) / self.slope
        return found
