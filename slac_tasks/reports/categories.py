"""What the gate says of each category, and the measure that decides it: for the dashboard and for the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slac_tasks.reports.measures import Judged

_STATES = ("outside", "unclear", "met", "shown")
"""From the worst to the one that decides nothing."""
_STANDINGS = ("undecided", "rejected", "approved", "pending", "accepted")
"""From the one that holds most up."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The newest verdict on a category with a person's decision; the columns of sql/queries/web_quality.sql."""

    category: str
    name: str
    labels: str | None
    """Version of the labels; None, and what follows too: it was never judged."""
    verdict: str | None
    reasons: Sequence[str] | None
    judged_at: datetime | None
    standing: str | None
    decision: str | None
    """None, and what follows too: nobody decided."""
    decision_reason: str | None
    person: str | None
    decided_at: datetime | None
    decided_labels: str | None
    stands: bool | None
    """The reasons of the refusal are still those that the person saw."""


@dataclass(frozen=True, kw_only=True)
class Category:
    """One line of the dashboard."""

    standing: Standing
    measures: Sequence[Judged]

    @property
    def deciding(self) -> Judged | None:
        """The measure that decides the verdict: the worst state, and of these the one with the least room.

        None: the category was never measured.
        """
        return min(self.measures, key=lambda row: (_STATES.index(row.state), row.room), default=None)

    @property
    def order(self) -> tuple[int, int, float, str]:
        """Worst first: what holds most up, then the worst measure, then the one with the least room."""
        standing, row = self.standing.standing, self.deciding
        place = _STANDINGS.index(standing) if standing in _STANDINGS else len(_STANDINGS)
        state, room = (_STATES.index(row.state), row.room) if row else (len(_STATES), 0.0)
        return place, state, room, self.standing.name

    def measure(self, name: str, kind: str | None = None) -> Judged | None:
        """Return one of its measures; None: it has no such measure."""
        found = (row for row in self.measures if row.measure == name and kind in (None, row.kind))
        return next(found, None)


def categories(standings: Sequence[Standing], measures: Mapping[str, Sequence[Judged]]) -> list[Category]:
    """Return the lines of the dashboard, worst first.

    Args:
        standings: of all registered categories.
        measures: of each category that was measured.

    """
    found = [Category(standing=one, measures=measures.get(one.category, ())) for one in standings]
    return sorted(found, key=lambda one: one.order)


def verdicts(found: Sequence[Category]) -> Mapping[str, int]:
    """Return how many categories stand how, worst first; those that were never judged last."""
    names = [one.standing.standing or "not judged" for one in found]
    return {name: names.count(name) for name in (*_STANDINGS, "not judged") if name in names}
