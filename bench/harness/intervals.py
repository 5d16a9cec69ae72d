"""How sure a mean is that was measured a few times."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from scipy.special import stdtrit

Interval: TypeAlias = tuple[float, float | None, float | None]
"""Mean, lower and upper end."""
Measured: TypeAlias = Interval | tuple[None, None, None]
"""The same, or that nothing was measured."""
UNKNOWN: Measured = (None, None, None)


def interval(values: Sequence[float]) -> Interval:
    """Return (mean, low, high) by Student's t, 95 %; of the spread of one value nothing is known."""
    mean, count = float(np.mean(values)), len(values)
    if count == 1:
        return mean, None, None
    reach = float(stdtrit(count - 1, 0.975) * np.std(values, ddof=1) / count**0.5)
    return mean, mean - reach, mean + reach


def with_ends(name: str, value: Measured) -> dict[str, float | None]:
    """Return a figure with its lower and upper end."""
    return {f"{name}{end}": each for end, each in zip(("", "_low", "_high"), value, strict=True)}
