"""What is expected of a batch of votes about segments. Beside it: `categories`."""

import numpy as np

from slac_tasks.model import SegmentAnswer
from slac_tasks.quality.expectations.clip_rows import CATEGORY_REGISTERED
from slac_tasks.quality.expectations.declared import declared
from slac_tasks.quality.expectations.entries import CRITICAL, Bools, Expectation, Handover
from slac_tasks.quality.expectations.measures import not_among, outside, wrong_rows
from slac_tasks.quality.expectations.segment_rows import ENDS_IN_ORDER
from slac_tasks.storage.datasets import SEGMENT_VOTES
from slac_tasks.verification.answers import LONGEST_SEC


def _strange_ends(handover: Handover) -> Bools:
    """Return which votes give ends and do not say `moved`, or say it and give none, shape (rows,)."""
    is_moved = handover.equals("answer", SegmentAnswer.MOVED)
    return np.asarray((is_moved != handover.known("start_sec")) | (is_moved != handover.known("end_sec")))


EXPECTATIONS: tuple[Expectation, ...] = (
    *declared(SEGMENT_VOTES),
    CATEGORY_REGISTERED,
    ENDS_IN_ORDER,
    Expectation(
        name="answer_registered", severity=CRITICAL, reads=("answer",),
        measure=not_among("answer", [answer.value for answer in SegmentAnswer]),
        sentence="Every answer is right, moved, absent or unsure.",
    ),
    Expectation(
        name="ends_where_moved", severity=CRITICAL, reads=("answer", "start_sec", "end_sec"),
        measure=wrong_rows(_strange_ends), sentence="Who moves a segment gives both ends, and nobody else gives any.",
    ),
    Expectation(
        name="seconds_in_range", severity=CRITICAL, reads=("seconds",), measure=outside("seconds", 0.0, LONGEST_SEC),
        sentence="An answer takes between no time and a day.",
    ),
)  # fmt: skip
