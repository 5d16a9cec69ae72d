"""What each category is judged by: value, interval, range wanted and trend, for pages, the terminal and a csv."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One measure of one category; the columns of sql/queries/web_measures.sql."""

    category: str
    labels: str
    """Version of the labels at which the category was measured: its labels are still those."""
    measure: str
    kind: str | None
    """The kind of label whose precision it is; None: it is another measure."""
    value: float | None
    low: float | None
    """Ends of the 95 % interval; None: a count has none."""
    high: float | None
    clip_count: int
    least: float | None
    most: float | None
    state: str
    """`met`, `outside`, `unclear` (too little is known) or `shown` (nothing is demanded of it)."""
    needed: int | None
    """Answers more, at least, after which it could be met."""
    trend: Sequence[float]
    """Its values at the last versions at which the category was measured, this one last."""

    @property
    def name(self) -> str:
        """What is measured, in words."""
        words = self.measure.replace("_", " ")
        return words if self.kind is None else f"{words}, {self.kind}"

    @property
    def is_share(self) -> bool:
        """Whether it is a share with an interval, and no count."""
        return self.high is not None

    @property
    def found(self) -> str:
        """The value with its interval."""
        if self.value is None:
            return "unknown"
        if self.low is None or self.high is None:
            return f"{self.value:,.0f}"
        return f"{self.value:.1%} [{self.low:.1%}, {self.high:.1%}]".replace("%", " %")

    @property
    def wanted(self) -> str:
        """The range wanted; of precision the lower end of the interval must lie in it."""
        form = ".0%" if self.is_share else ",.0f"
        least = format(self.least or 0.0, form).replace("%", " %")
        if self.most is None:
            return f"{least} or more" if self.least else "nothing"
        return f"{least} to {format(self.most, form)}".replace("%", " %").replace("  ", " ")

    @property
    def line(self) -> str:
        """The measure in one line of text."""
        more = f"; {self.needed:,} answers more, at least" if self.needed else ""
        return f"{self.name}: {self.found} of {self.clip_count:,} clips, want {self.wanted}: {self.state}{more}"

    @property
    def points(self) -> str:
        """The trend as points of a line, 60 wide and 14 high: 0 at the bottom, 1 at the top."""
        step = 60 / max(1, len(self.trend) - 1)
        return " ".join(f"{place * step:.1f},{13 - 12 * value:.1f}" for place, value in enumerate(self.trend))


COLUMNS = tuple(each.name for each in fields(Judged) if each.name != "trend")
"""Columns of the csv."""


def by_category(rows: Iterable[Judged]) -> Mapping[str, Sequence[Judged]]:
    """Return the measures of each category, in their order."""
    found: dict[str, list[Judged]] = {}
    for row in rows:
        found.setdefault(row.category, []).append(row)
    return found


def table(rows: Iterable[Judged]) -> str:
    """Return the measures as a csv; what is unknown is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([getattr(row, name) for name in COLUMNS] for row in rows)
    return text.getvalue()
