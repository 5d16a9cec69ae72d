"""The gate: what makes the labels of a category worth training on (thresholds ours, see `settings.py`).

A measure outside its range refuses that category alone, until a person says otherwise. What the table as such must be
is in `rules.py`.
"""

import math
from dataclasses import dataclass

import pandas as pd

from slac_tasks.quality.settings import Quality
from slac_tasks.storage.datasets.labelling import QualityRow


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number of a category and the range that it must lie in."""

    name: str
    value: float | None
    low: float
    high: float = math.inf

    @property
    def reason(self) -> str:
        """Why the category is refused when this measure fails."""
        found = (
            "unknown"
            if self.value is None
            else f"{self.value:g}"
            if isinstance(self.value, int)
            else f"{self.value:.3f}"
        )
        wanted = f"at least {self.low:g}" if self.high == math.inf else f"{self.low:g} to {self.high:g}"
        return f"{self.name} is {found}, want {wanted}"

    @property
    def is_outside(self) -> bool:
        """Whether the value is outside the range, or unknown."""
        return self.value is None or not self.low <= self.value <= self.high

    @property
    def shortfall(self) -> float | None:
        """How far the value lies outside the range, in its own unit; None where it is unknown."""
        return None if self.value is None else max(self.low - self.value, self.value - self.high)


def measures(rows: pd.DataFrame, knobs: Quality) -> list[Measure]:
    """Return the numbers by which a category is judged, from its labels."""
    settled = rows[rows["status"] == "settled"]
    twice = rows["first_two_agree"].dropna()
    finished = int((rows["status"] != "open").sum())
    positive, unsettled = int((settled["label"] == 1).sum()), int((rows["status"] == "unsettled").sum())
    return [
        Measure(name="agreement", value=_share(int(twice.sum()), len(twice)), low=knobs.min_agreement, high=1.0),
        Measure(
            name="positive_share",
            value=_share(positive, len(settled)),
            low=knobs.min_positive_share,
            high=knobs.max_positive_share,
        ),
        Measure(name="unsettled_share", value=_share(unsettled, finished), low=0.0, high=knobs.max_unsettled_share),
    ]


def judge(labels: pd.DataFrame, knobs: Quality) -> list[QualityRow]:
    """Return the verdict on every category of the table, in order of their keys."""
    return [_verdict(str(category), rows, knobs) for category, rows in labels.groupby("category", sort=True)]


def _verdict(category: str, rows: pd.DataFrame, knobs: Quality) -> QualityRow:
    """Return the verdict on one category, from its labels."""
    settled = int((rows["status"] == "settled").sum())
    found = measures(rows, knobs)
    if settled < knobs.min_labels:
        verdict, wrong = "pending", [Measure(name="settled", value=settled, low=knobs.min_labels)]
    else:
        wrong = [measure for measure in found if measure.is_outside]
        verdict = "refused" if wrong else "accepted"
    return QualityRow(
        category=category,
        verdict=verdict,
        reasons=tuple(measure.reason for measure in wrong),
        failed=tuple(measure.name for measure in wrong),
        shortfalls=tuple(measure.shortfall for measure in wrong),
        settled=settled,
        positive=int((rows["label"] == 1).sum()),
        agreement=found[0].value,
        unsettled=int((rows["status"] == "unsettled").sum()),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
