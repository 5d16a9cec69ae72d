"""What is expected of the candidates of a category and window. Nothing beside them is read."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.model import Window
from slac_tasks.quality.expectations.declared import declared
from slac_tasks.quality.expectations.entries import CRITICAL, WARNING, Bools, Expectation, Finding, Handover, Wanted
from slac_tasks.quality.expectations.measures import not_like, share, wrong_rows
from slac_tasks.storage.datasets import CANDIDATES

HEX_16 = "^[0-9a-f]{16}$"
HEX_64 = "^[0-9a-f]{64}$"


def _outside_window(handover: Handover) -> Bools:
    """Return which candidates were published outside the window; undated ones belong to it."""
    window = Window.parse(handover.keys["window"])
    moment = pa.timestamp("us", tz="UTC")
    published = handover.column("published_at")
    inside = pc.and_(
        pc.greater_equal(published, pa.scalar(window.start, moment)), pc.less(published, pa.scalar(window.end, moment))
    )
    return ~np.asarray(inside.fill_null(True).to_numpy(zero_copy_only=False), dtype=bool)


def _licensed(handover: Handover) -> Iterator[Finding]:
    yield share(int(np.count_nonzero(handover.known("licence"))), handover.rows.num_rows)


def _repeated_titles(handover: Handover) -> Iterator[Finding]:
    """Yield the share of titled candidates whose title another one has too."""
    titles, codes = handover.codes("title")
    counts = np.bincount(codes[codes >= 0], minlength=len(titles))
    yield share(int(counts[counts > 1].sum()), int(counts.sum()))


EXPECTATIONS: tuple[Expectation, ...] = (
    *declared(CANDIDATES),
    Expectation(
        name="id_of_candidate", severity=CRITICAL, reads=("candidate_id",), measure=not_like("candidate_id", HEX_16),
        sentence="Every candidate_id is 16 hex digits.",
    ),
    Expectation(
        name="location_named", severity=CRITICAL, reads=("location",), measure=not_like("location", r"\S"),
        sentence="Every candidate says where its bytes are.",
    ),
    Expectation(
        name="hash_of_bytes", severity=CRITICAL, reads=("sha256",), measure=not_like("sha256", HEX_64),
        sentence="A hash that a source names is 64 hex digits.",
    ),
    Expectation(
        name="published_in_window", severity=CRITICAL, reads=("published_at",), measure=wrong_rows(_outside_window),
        sentence="Every dated candidate was published within its window.",
    ),
    Expectation(
        name="licence_known", severity=WARNING, reads=("licence",), wanted=Wanted(low="min_licensed"),
        measure=_licensed, sentence="The source names a licence for some candidates.",
    ),
    Expectation(
        name="few_repeated_titles", severity=WARNING, reads=("title",), wanted=Wanted(high="max_repeated_titles"),
        measure=_repeated_titles, sentence="Few candidates have the title of another one.",
    ),
)  # fmt: skip
