"""What is expected of the labels of segments. Beside them: `categories`."""

import numpy as np
import pyarrow.compute as pc

from slac_tasks.model import Status
from slac_tasks.quality.expectations.clip_rows import CATEGORY_REGISTERED
from slac_tasks.quality.expectations.declared import declared
from slac_tasks.quality.expectations.entries import CRITICAL, Bools, Expectation, Handover
from slac_tasks.quality.expectations.measures import not_among, outside, wrong_rows
from slac_tasks.quality.expectations.segment_rows import ENDS_IN_ORDER, backwards
from slac_tasks.storage.datasets import SEGMENT_LABELS

_COUNTS = ("right", "moved", "absent", "unsure")


def _undecided(handover: Handover) -> Bools:
    """Return which labels are settled and say nothing, or are not and say something, shape (rows,)."""
    return np.asarray(handover.equals("status", Status.SETTLED) != handover.known("present"))


def _strange_ends(handover: Handover) -> Bools:
    """Return which labels with the action have no ends, or others some, or ends that are no stretch, shape (rows,)."""
    there = handover.numbers("present") == 1
    ends = handover.known("label_start_sec") & handover.known("label_end_sec")
    return np.asarray((there != ends) | backwards(handover, "label_start_sec", "label_end_sec"))


def _miscounted(handover: Handover) -> Bools:
    votes = pc.list_value_length(handover.column("votes")).fill_null(0).to_numpy(zero_copy_only=False)
    return np.asarray(sum(handover.numbers(name) for name in _COUNTS) != votes)


EXPECTATIONS: tuple[Expectation, ...] = (
    *declared(SEGMENT_LABELS),
    CATEGORY_REGISTERED,
    ENDS_IN_ORDER,
    Expectation(
        name="status_registered", severity=CRITICAL, reads=("status",),
        measure=not_among("status", [Status.OPEN.value, Status.SETTLED.value, Status.UNSETTLED.value]),
        sentence="Every label is settled, open or unsettled.",
    ),
    Expectation(
        name="settled_says_something", severity=CRITICAL, reads=("status", "present"), measure=wrong_rows(_undecided),
        sentence="A settled label says whether the action is there, and no other label does.",
    ),
    Expectation(
        name="ends_of_what_is_there", severity=CRITICAL, reads=("present", "label_start_sec", "label_end_sec"),
        measure=wrong_rows(_strange_ends), sentence="An action that is there has two ends in order, no other has.",
    ),
    Expectation(
        name="agreement_in_range", severity=CRITICAL, reads=("tiou",), measure=outside("tiou", 0.0, 1.0),
        sentence="The mean tIoU of people lies between 0 and 1.",
    ),
    Expectation(
        name="votes_counted", severity=CRITICAL, reads=(*_COUNTS, "votes"), measure=wrong_rows(_miscounted),
        sentence="The answers that are counted are as many as the votes that are named.",
    ),
)  # fmt: skip
