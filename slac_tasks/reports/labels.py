"""The data-quality report on a version of the labels, as a page and as a table of text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from slac_tasks.reports.categories import Category, verdicts
from slac_tasks.reports.funnel import METRICS, Facts
from slac_tasks.reports.html import document
from slac_tasks.reports.kinds import Worth
from slac_tasks.reports.shares import positive_by_strategy
from slac_tasks.reports.trends import Pace
from slac_tasks.storage.datasets.labelling import AgreementRow, PersonRow, QualityRow


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that the report shows."""

    version: str
    categories: Sequence[Category]
    facts: Facts
    labels: pd.DataFrame
    """Of all categories; columns category, video_id, strategy, status and label."""
    people: Sequence[PersonRow]
    agreement: Sequence[AgreementRow]
    paces: Sequence[Pace]
    """Of the people, day by day."""
    worths: Sequence[Worth]
    """Of the newest certificates, which may be older than the version."""


def page(report: Report) -> str:
    """Return the report as a page of its own."""
    statuses = report.labels["status"].value_counts().to_dict()
    settled = report.labels[report.labels["status"] == "settled"]
    names = {category.standing.category: category.standing.name for category in report.categories}
    overall = [row for row in report.people if row.category is None]
    return document(
        "labels.html",
        report=report,
        metrics=METRICS,
        facts=report.facts,
        statuses={name: statuses.get(name, 0) for name in ("settled", "unsettled", "broken")},
        overall=positive_by_strategy(settled),
        strategies={str(name): positive_by_strategy(part) for name, part in settled.groupby("category")},
        counts=verdicts(report.categories),
        people=sorted(overall, key=lambda row: (not row.flags, row.annotator)),
        paces={one.person: one for one in report.paces},
        worths=report.worths,
        agreement=[replace(row, category=names.get(row.category, row.category)) for row in report.agreement],
    )


def text(verdicts: Sequence[QualityRow]) -> str:
    """Return the verdicts as a table of text."""
    width = max([8, *(len(row.category) for row in verdicts)])
    lines = [f"{'category':<{width}}  {'verdict':<8}  settled  positive  agreement  reasons"]
    for row in verdicts:
        agreement = "unknown" if row.agreement is None else f"{row.agreement:.0%}"
        numbers = f"{row.settled:>7}  {row.positive:>8}  {agreement:>9}"
        lines.append(f"{row.category:<{width}}  {row.verdict:<8}  {numbers}  {'; '.join(row.reasons)}".rstrip())
    return "\n".join(lines)
