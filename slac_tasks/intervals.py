"""Intervals of shares."""

from math import sqrt

Z95 = 1.959964
"""Standard deviations from the mean of a normal distribution that hold 95 % of it."""


def wilson(part: float, whole: float, z: float = Z95) -> tuple[float, float]:
    """Return the ends of the Wilson score interval of part / whole (Wilson 1927); 95 % for the default `z`.

    Both may be fractions: of clips that hang together, as many as they are worth.
    """
    if whole == 0:
        return 0.0, 1.0
    share, spread = part / whole, z * z / whole
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / whole + spread / (4 * whole))
    return max(0.0, middle - half), min(1.0, middle + half)
