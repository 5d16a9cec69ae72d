"""What is expected of the segments that a release's network finds. Beside them: `admitted` (video_id).

A category in which it finds nothing is no failure.
"""

from slac_tasks.model import Split
from slac_tasks.quality.expectations.declared import declared
from slac_tasks.quality.expectations.entries import CRITICAL, Expectation
from slac_tasks.quality.expectations.measures import not_among, not_in, outside
from slac_tasks.quality.expectations.segment_rows import ENDS_IN_ORDER
from slac_tasks.storage.datasets import DETECTIONS

EXPECTATIONS: tuple[Expectation, ...] = (
    *(one for one in declared(DETECTIONS) if one.name != "not_empty"),
    ENDS_IN_ORDER,
    Expectation(
        name="score_in_range", severity=CRITICAL, reads=("score",), measure=outside("score", 0.0, 1.0),
        sentence="Every score lies between 0 and 1.",
    ),
    Expectation(
        name="split_registered", severity=CRITICAL, reads=("split",),
        measure=not_among("split", [split.value for split in Split]),
        sentence="Every split is training, validation or testing.",
    ),
    Expectation(
        name="video_admitted", severity=CRITICAL, reads=("video_id",), needs=("admitted",),
        measure=not_in("video_id", "admitted"), sentence="Every segment lies in an admitted video.",
    ),
)  # fmt: skip
