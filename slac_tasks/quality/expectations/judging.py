"""Judge hand-overs: run the measures of a dataset's expectations, and have Great Expectations judge what they found."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from slac_tasks.quality.expectations import engine
from slac_tasks.quality.expectations.entries import Expectation, Finding, Handover, Severity
from slac_tasks.quality.settings import Expectations
from slac_tasks.storage.datasets.judging import ExpectationRow

MET, FAILED, UNCHECKED = "met", "failed", "unchecked"

Measured = Sequence[tuple[Expectation, Finding]]
"""What the expectations of one hand-over found."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is said of some hand-overs of one dataset."""

    rows: Sequence[Sequence[ExpectationRow]]
    """For each hand-over, in order."""
    result: Any
    """The result of Great Expectations; None: there was nothing to judge."""


def measured(handover: Handover, expectations: Iterable[Expectation]) -> Measured:
    """Run the measures of a hand-over. Its rows are not needed any more afterwards."""
    return [(each, finding) for each in expectations for finding in each.findings(handover)]


def judged(name: str, found: Sequence[Measured], knobs: Expectations) -> Judged:
    """Judge what was found of hand-overs of one dataset; what it costs does not grow with their rows.

    Args:
        name: of the dataset.
        found: of each hand-over.
        knobs: what is accepted.

    """
    columns: dict[str, tuple[Expectation, list[float | None]]] = {}
    places = []
    for each in found:
        for expectation, finding in each:
            _, values = columns.setdefault(expectation.name, (expectation, []))
            places.append(len(values))
            values.append(_nearest(finding, *expectation.wanted.range(knobs)))
    verdicts = engine.judge(
        name,
        {
            each: engine.Column(
                values=values,
                low=expectation.wanted.range(knobs)[0],
                high=expectation.wanted.range(knobs)[1],
                severity=expectation.severity,
                sentence=expectation.sentence,
            )
            for each, (expectation, values) in columns.items()
        },
    )
    place = iter(places)
    return Judged(
        rows=[
            [_row(one, finding, knobs, next(place) in verdicts.failed.get(one.name, ())) for one, finding in each]
            for each in found
        ],
        result=verdicts.result,
    )


def judge(handover: Handover, expectations: Sequence[Expectation]) -> Sequence[ExpectationRow]:
    """Judge one hand-over."""
    return judged(handover.dataset.name, [measured(handover, expectations)], handover.knobs).rows[0]


def failures(rows: Iterable[ExpectationRow], severity: Severity) -> list[str]:
    """Return what failed with this severity, one line each: what was expected, found and wanted."""
    return [line(row) for row in rows if row.verdict == FAILED and row.severity == severity]


def line(row: ExpectationRow) -> str:
    """Return one row in words."""
    of = f" ({row.subject})" if row.subject else ""
    ends = [None if end is None else f"{end:g}" for end in (row.wanted_low, row.wanted_high)]
    wanted = " and ".join(
        f"{word} {end}" for word, end in zip(("at least", "at most"), ends, strict=True) if end is not None
    )
    between = "" if row.low is None or row.high is None else f", 95 % interval {row.low:.3f} to {row.high:.3f}"
    value = "nothing" if row.value is None else f"{row.value:g}" if between == "" else f"{row.value:.3f}"
    named = f", e.g. {', '.join(row.examples)}" if row.examples else ""
    return f"{row.name}{of}: {row.sentence} Found {value}{between} of {row.count:,}, want {wanted}{named}"


def _nearest(finding: Finding, low: float, high: float) -> float | None:
    """Return the value of an interval that is nearest to what is wanted: an estimate fails only as a whole."""
    if finding.value is None or finding.surely is None:
        return finding.value
    lowest, highest = finding.surely
    return min(max(finding.value, min(low, highest)), max(high, lowest))


def _row(expectation: Expectation, finding: Finding, knobs: Expectations, is_outside: bool) -> ExpectationRow:
    low, high = expectation.wanted.range(knobs)
    verdict = UNCHECKED if finding.value is None else FAILED if is_outside else MET
    return ExpectationRow(
        name=expectation.name,
        subject=finding.subject,
        sentence=expectation.sentence,
        severity=expectation.severity,
        value=finding.value,
        low=finding.low,
        high=finding.high,
        wanted_low=None if math.isinf(low) else low,
        wanted_high=None if math.isinf(high) else high,
        verdict=verdict,
        count=finding.count,
        examples=finding.examples,
    )
