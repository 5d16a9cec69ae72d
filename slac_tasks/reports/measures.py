"""What each category is judged by: value, interval, range wanted and trend, for pages, the terminal and a csv."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from slac_tasks.progress import counted
from slac_tasks.reports.drawing import Spark, spark


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure of one category at one version of the labels."""

    category: str
    labels: str
    """The version."""
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

    @property
    def words(self) -> str:
        """What is measured, whatever the kind of label."""
        return self.measure.replace("_", " ")

    @property
    def name(self) -> str:
        """What is measured, in words."""
        return self.words if self.kind is None else f"{self.words}, {self.kind}"

    @property
    def is_share(self) -> bool:
        """Whether it is a share with an interval, and no count."""
        return self.high is not None

    @property
    def least_end(self) -> float | None:
        """Lower end of the range; None: it is open, as no share is under 0."""
        return self.least if self.least is not None and self.least > 0 else None

    @property
    def most_end(self) -> float | None:
        """Upper end of the range; None: it is open, as no share is over 1."""
        return None if self.most is None or (self.is_share and self.most >= 1) else self.most


@dataclass(frozen=True, kw_only=True)
class Judged(Measure):
    """A measure at the newest version at which the category was measured: its labels are still those.

    The columns of sql/queries/web_measures.sql.
    """

    state: str
    """`met`, `outside`, `unclear` (too little is known) or `shown` (nothing is demanded of it)."""
    needed: int | None
    """Answers more, at least, after which it could be met."""
    trend: Sequence[float]
    """Its values at the last versions at which the category was measured, this one last."""

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
        least, most = self.least_end, self.most_end
        words = [format(least or 0.0, form), "or more" if most is None else f"to {format(most, form)}"]
        return "nothing" if least is None and most is None else " ".join(words).replace("%", " %")

    @property
    def line(self) -> str:
        """The measure in one line of text."""
        more = f"; {counted(self.needed, 'answer')} more, at least" if self.needed else ""
        return (
            f"{self.name}: {self.found} of {counted(self.clip_count, 'clip')}, want {self.wanted}: {self.state}{more}"
        )

    @property
    def judged_value(self) -> float | None:
        """What must lie in the range: of precision the lower end of the interval, of the others the value."""
        return self.low if self.measure == "precision" else self.value

    @property
    def room(self) -> float:
        """How far inside the range it lies, as a share: negative outside of it, -1 where it is unknown."""
        value = self.judged_value
        if value is None:
            return -1.0
        whole = 1.0 if self.is_share else max(abs(value), abs(self.least or 0.0), 1.0)
        ends = [value - self.least_end] if self.least_end is not None else []
        ends += [self.most_end - value] if self.most_end is not None else []
        return min(ends, default=whole) / whole

    @property
    def spark(self) -> Spark | None:
        """The trend as a small line; None: it was measured once, or it is a count."""
        if not self.is_share or len(self.trend) < 2:
            return None
        return spark(self.trend, self.least_end, self.most_end)


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
