"""The account of the strategies, for people: what their time bought with each, and what share it got next."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from slac_tasks.intervals import Z95
from slac_tasks.reports.shares import Share
from slac_tasks.storage.datasets.labelling import AccountRow
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One strategy in one category."""

    bought: AccountRow
    errors: Share | None
    """Labels that contradict the committee; None without labels."""
    share: float | None
    """Of the clips of the category's newest round; None before there is one."""

    @property
    def low(self) -> float | None:
        """Lower end of the 95 % interval of its worth."""
        return self._end(-Z95)

    @property
    def high(self) -> float | None:
        """Upper end of it."""
        return self._end(Z95)

    def _end(self, errors: float) -> float | None:
        one = self.bought
        return None if one.worth is None or one.worth_error is None else one.worth + errors * one.worth_error


def newest_rounds(datasets: Datasets, rounds: Sequence[Manifest]) -> dict[str, Counter[str]]:
    """Return the clips of each category's newest round, counted by strategy.

    Args:
        datasets: where they are.
        rounds: manifests of `hard_clips`.

    """
    newest: dict[str, Manifest] = {}
    for made in rounds:
        before = newest.get(made.keys["category"])
        if before is None or (before.written_at, before.keys["round"]) < (made.written_at, made.keys["round"]):
            newest[made.keys["category"]] = made
    return {
        category: Counter(
            name for table in datasets.tables(made, ["strategy"]) for name in table["strategy"].to_pylist()
        )
        for category, made in newest.items()
    }


def entries(accounts: Sequence[AccountRow], rounds: Mapping[str, Counter[str]]) -> list[tuple[str, list[Entry]]]:
    """Return the account of each category; a strategy that is new in its newest round has bought nothing yet.

    Args:
        accounts: of one version of the labels.
        rounds: clips of each category's newest round, by strategy.

    """
    rows = sorted(accounts, key=lambda row: row.category)
    found = []
    for category, part in groupby(rows, key=lambda row: row.category):
        own, clips = {row.strategy: row for row in part}, rounds.get(category, Counter())
        names = sorted({*own, *clips})
        found.append((category, [_entry(own.get(name) or _nothing(category, name), clips) for name in names]))
    return found


def _entry(row: AccountRow, clips: Counter[str]) -> Entry:
    return Entry(
        bought=row,
        errors=Share.of(row.strategy, row.errors, row.labels) if row.labels else None,
        share=clips[row.strategy] / clips.total() if clips else None,
    )


def _nothing(category: str, strategy: str) -> AccountRow:
    return AccountRow(
        category=category, strategy=strategy, seconds=0.0, labels=0, carried=0, errors=0, control=0, worth=None,
        worth_error=None,
    )  # fmt: skip


def lines(accounts: Sequence[AccountRow]) -> Iterator[str]:
    """Yield what a terminal shows: over all categories, what people's time bought with each strategy."""
    rows = sorted(accounts, key=lambda row: row.strategy)
    for strategy, part in groupby(rows, key=lambda row: row.strategy):
        own = list(part)
        labels, errors = sum(row.labels for row in own), sum(row.errors for row in own)
        bought = f"{labels:,} labels and {sum(row.carried for row in own):,} carried"
        minutes = sum(row.seconds for row in own) / 60
        yield f"{strategy}: {minutes:.1f} minutes bought {bought}; {errors:,} contradict the committee"
