"""What the pages show of rounds and of people over time: small, and made by `report`, since they read no dataset.

reports/v1/trends.json holds it, of the newest report.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.reports.charts import Chart
from slac_tasks.storage.store import Store

NAME = "reports/v1/trends.json"


@dataclass(frozen=True, kw_only=True)
class Found:
    """One measure of all rounds together: a row of the dataset `rounds` without the columns that it does not need."""

    measure: str
    category: str | None
    strategy: str
    member: str | None
    other: str | None
    count: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What people's time bought with one strategy in one category, and what share it got next."""

    category: str
    strategy: str
    seconds: float
    labels: int
    carried: int
    errors: int
    """Labels that contradict the committee, of `labels`; and the 95 % interval of their share."""
    errors_low: float | None
    errors_high: float | None
    worth: float | None
    low: float | None
    """Ends of the 95 % interval of its worth."""
    high: float | None
    share: float | None
    """Of the clips of the category's newest round; None before there is one."""

    @property
    def value(self) -> float | None:
        """Share of the labels that contradict the committee; None without labels."""
        return self.errors / self.labels if self.labels else None


@dataclass(frozen=True, kw_only=True)
class Pace:
    """One person over the days on which she answered, the oldest first."""

    person: str
    answers: Sequence[int]
    """A day."""
    seconds: Sequence[float]
    """An answer."""
    gold: Sequence[float]
    """Share of the day's answers to gold that were right; days without such answers are left out."""


@dataclass(frozen=True, kw_only=True)
class Trends:
    """All of it."""

    version: str
    """Version of the labels."""
    rounds: int
    """Rounds so far."""
    over_rounds: Sequence[Chart]
    """Measures round after round."""
    of_members: Sequence[Chart]
    """How far the scores of the committee are to be trusted, all rounds together."""
    found: Sequence[Found]
    spent: Sequence[Spent]
    over_days: Sequence[Chart]
    """All people together, day after day."""
    paces: Sequence[Pace]

    def of(self, measure: str) -> Sequence[Found]:
        """Return the rows of one measure over all categories."""
        return [row for row in self.found if row.measure == measure and row.category is None]

    def matching(self, measure: str, row: Found) -> Found | None:
        """Return another measure of the same strategy and members; None: it is unknown."""
        same = (row.strategy, row.member, row.other)
        return next((one for one in self.of(measure) if (one.strategy, one.member, one.other) == same), None)

    @property
    def shares(self) -> Sequence[Found]:
        """Positive share of each strategy in each category."""
        return [row for row in self.found if row.measure == "positive_share" and row.category is not None]

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        return json.dumps(asdict(self)).encode()


def decode(data: bytes) -> Trends:
    """Read the bytes of the file.

    Raises:
        BrokenContract: they are no trends.

    """
    try:
        found = json.loads(data)
        for name in ("over_rounds", "of_members", "over_days"):
            found[name] = [Chart.of(one) for one in found[name]]
        for name, kind in (("found", Found), ("spent", Spent), ("paces", Pace)):
            found[name] = [kind(**one) for one in found[name]]
        return Trends(**found)
    except (ValueError, TypeError, KeyError) as error:
        raise BrokenContract(f"{NAME}: is no trends ({error}); delete it, `slac report` writes it again") from error


def read(store: Store) -> Trends | None:
    """Return the trends of the newest report; None: there is none yet."""
    try:
        return decode(store.get(NAME))
    except NotMade:
        return None
