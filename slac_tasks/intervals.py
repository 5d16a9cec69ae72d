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


def ratio(part: int, whole: int, other_part: int, other_whole: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of the ratio of two independent shares, neither of which is 0.

    Each end lies as far from the ratio as those of the two Wilson intervals together make it (MOVER-R, Donner and Zou
    2012; recommended by Fagerland et al. 2015). So it has a width where both shares are 1, whose logarithms have none
    (Katz et al. 1978).
    """
    share, other = part / whole, other_part / other_whole
    lower, upper = (end * (2 * share - end) for end in wilson(part, whole))
    other_lower, other_upper = (end * (2 * other - end) for end in wilson(other_part, other_whole))
    both = share * other
    # What `other_upper` would divide may be 0 as it is: the lower end is written without it.
    low = lower / (both + sqrt(max(0.0, both**2 - lower * other_upper)))
    return low, (both + sqrt(max(0.0, both**2 - upper * other_lower))) / other_lower
