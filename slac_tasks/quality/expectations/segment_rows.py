"""What is expected of rows about segments, whichever dataset holds them."""

import numpy as np

from slac_tasks.quality.expectations.entries import CRITICAL, Bools, Expectation, Handover
from slac_tasks.quality.expectations.measures import wrong_rows


def backwards(handover: Handover, start: str, end: str) -> Bools:
    """Return which rows have ends that are no stretch of a video; rows without ends are left out, shape (rows,)."""
    first, last = handover.numbers(start), handover.numbers(end)
    return np.asarray(handover.known(start) & handover.known(end) & ~((first >= 0) & (last > first)))


ENDS_IN_ORDER = Expectation(
    name="ends_in_order", severity=CRITICAL, reads=("start_sec", "end_sec"),
    measure=wrong_rows(lambda handover: backwards(handover, "start_sec", "end_sec")),
    sentence="Every segment begins at 0 or later, and ends after its start.",
)  # fmt: skip
