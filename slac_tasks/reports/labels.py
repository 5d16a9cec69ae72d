"""The data-quality report on a version of the labels, as a page and as a table of text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd

from slac_tasks.reports.html import document
from slac_tasks.reports.kinds import Worth
from slac_tasks.reports.measures import Judged, by_category
from slac_tasks.reports.shares import Share, positive_by_strategy
from slac_tasks.storage.datasets.labelling import AgreementRow, PersonRow, QualityRow


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The newest decision of a person on a category; the columns of sql/queries/decisions.sql."""

    category: str
    labels: str
    decision: str
    reason: str
    person: str
    decided_at: datetime
    stands: bool
    """The reasons of the refusal are still those that the person saw."""


@dataclass(frozen=True, kw_only=True)
class Queued:
    """What became of the clips of a category in the review queue; the columns of sql/queries/queue_totals.sql."""

    category: str
    queued: int
    waiting: int
    finished: int
    withdrawn: int
    votes: int
    seconds: float
    people: int


@dataclass(frozen=True, kw_only=True)
class Category:
    """What the report says of one category."""

    name: str
    verdict: QualityRow
    strategies: tuple[Share, ...]
    decision: Decision | None
    measures: Sequence[Judged]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that the report shows."""

    version: str
    categories: Sequence[Category]
    queue: Sequence[Queued]
    labels: pd.DataFrame
    people: Sequence[PersonRow]
    agreement: Sequence[AgreementRow]
    worths: Sequence[Worth]
    """Of the newest certificates, which may be older than the version."""


def summarised(
    labels: pd.DataFrame,
    verdicts: Sequence[QualityRow],
    names: Mapping[str, str],
    decisions: Sequence[Decision],
    measures: Sequence[Judged],
) -> list[Category]:
    """Return what the report says of each judged category; `labels` are those of all."""
    settled = labels[labels["status"] == "settled"]
    decided = {decision.category: decision for decision in decisions}
    judged = by_category(measures)
    return [
        Category(
            name=names.get(verdict.category, verdict.category),
            verdict=verdict,
            strategies=tuple(positive_by_strategy(settled[settled["category"] == verdict.category])),
            decision=decided.get(verdict.category),
            measures=judged.get(verdict.category, ()),
        )
        for verdict in verdicts
    ]


def page(report: Report) -> str:
    """Return the report as a page of its own."""
    votes, seconds = sum(row.votes for row in report.queue), sum(row.seconds for row in report.queue)
    statuses = report.labels["status"].value_counts().to_dict()
    figures = {
        "clips queued": f"{sum(row.queued for row in report.queue):,}",
        "waiting": f"{sum(row.waiting for row in report.queue):,}",
        "answers": f"{votes:,}",
        "seconds an answer": f"{seconds / votes:.1f}" if votes else "unknown",
        **{name: f"{statuses.get(name, 0):,}" for name in ("settled", "unsettled", "broken")},
    }
    names = {category.verdict.category: category.name for category in report.categories}
    overall = [row for row in report.people if row.category is None]
    verdicts = [category.verdict.verdict for category in report.categories]
    return document(
        "labels.html",
        report=report,
        figures=figures,
        overall=positive_by_strategy(report.labels[report.labels["status"] == "settled"]),
        counts={word: verdicts.count(word) for word in ("accepted", "refused", "pending")},
        people=sorted(overall, key=lambda row: (not row.flags, row.annotator)),
        worths=report.worths,
        agreement=[replace(row, category=names.get(row.category, row.category)) for row in report.agreement],
    )


def text(categories: Sequence[Category]) -> str:
    """Return the verdicts as a table of text."""
    width = max([8, *(len(each.verdict.category) for each in categories)])
    lines = [f"{'category':<{width}}  {'verdict':<8}  settled  positive  agreement  reasons"]
    for row in (each.verdict for each in categories):
        agreement = "unknown" if row.agreement is None else f"{row.agreement:.0%}"
        numbers = f"{row.settled:>7}  {row.positive:>8}  {agreement:>9}"
        lines.append(f"{row.category:<{width}}  {row.verdict:<8}  {numbers}  {'; '.join(row.reasons)}".rstrip())
    return "\n".join(lines)
