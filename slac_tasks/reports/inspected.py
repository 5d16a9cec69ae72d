"""Bring the docs of the data in line with an inspection, and draw their pages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from slac_tasks.quality.expectations.judging import FAILED, line
from slac_tasks.reports.data_docs import Docs, Failing, Line
from slac_tasks.reports.html import document
from slac_tasks.storage.datasets.judging import ExpectationRow

MOST_FAILING = 500
"""Hand-overs that fail and stand in the docs of one dataset; the dataset `expectations` has all."""
MOST_LINES = 20
"""Failures of one hand-over that stand there."""


def after(
    docs: Docs, found: Mapping[str, Sequence[ExpectationRow]], inspected_at: str, *, goes_on: bool = False
) -> Docs:
    """Return the docs after an inspection, or after a part of it.

    Args:
        docs: as they were.
        found: what was found of hand-overs, by partition; it replaces what was said of them.
        inspected_at: moment of the inspection.
        goes_on: the docs hold earlier parts of the same inspection, which count too.

    """
    now = [_failing(partition, rows) for partition, rows in found.items()]
    stays = [one for one in docs.failing if one.partition not in found]
    failing = [one for one in now if one.critical or one.warnings] + stays
    every = [row for rows in found.values() for row in rows]
    return replace(
        docs,
        inspected_at=inspected_at,
        judged=len(found) + (docs.judged if goes_on else 0),
        lines=tuple(_lines(every, docs.lines if goes_on else ())),
        failing=tuple(failing[:MOST_FAILING]),
    )


def page(docs: Docs) -> str:
    """Return the page of one dataset."""
    return document("dataset.html", docs=docs)


def index(every: Sequence[Docs]) -> str:
    """Return the page of all datasets."""
    return document("datasets.html", every=every)


def _failing(partition: str, rows: Iterable[ExpectationRow]) -> Failing:
    failed = [row for row in rows if row.verdict == FAILED]
    critical, warnings = ([line(row) for row in failed if row.severity == of] for of in ("critical", "warning"))
    return Failing(partition=partition, critical=tuple(critical[:MOST_LINES]), warnings=tuple(warnings[:MOST_LINES]))


def _lines(rows: Iterable[ExpectationRow], before: Iterable[Line]) -> Iterable[Line]:
    """Return a line for each expectation, in the order of the list; what failed first of all."""
    found = {one.name: one for one in before}
    for row in rows:
        one = found.get(row.name) or Line(
            name=row.name, sentence=row.sentence, severity=row.severity, met=0, failed=0, unchecked=0
        )
        found[row.name] = replace(one, **{row.verdict: getattr(one, row.verdict) + 1})
    return sorted(found.values(), key=lambda one: (one.failed == 0, one.severity != "critical"))
