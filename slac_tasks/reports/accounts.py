"""The account of the strategies, for people: what their time bought with each, and what share it got next."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from slac_tasks.progress import counted
from slac_tasks.reports.shares import Share
from slac_tasks.reports.trends import Spent
from slac_tasks.storage.datasets.labelling import AccountRow
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

REACH = 2.776445
"""Standard errors from a worth to an end of its 95 % interval: Student's with four degrees of freedom, since the error
is the spread of five measurements, one for each fifth of the videos. Where fewer say something it is too narrow."""


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


def spent(accounts: Sequence[AccountRow], rounds: Mapping[str, Counter[str]]) -> list[Spent]:
    """Return the account of each category; a strategy that is new in its newest round has bought nothing yet.

    Args:
        accounts: of one version of the labels.
        rounds: clips of each category's newest round, by strategy.

    """
    own = {(row.category, row.strategy): row for row in accounts}
    categories = {row.category for row in accounts}
    new = {(category, name) for category, clips in rounds.items() if category in categories for name in clips}
    return [
        _spent(own.get((category, name)) or _nothing(category, name), rounds.get(category, Counter()))
        for category, name in sorted({*own, *new})
    ]


def _spent(row: AccountRow, clips: Counter[str]) -> Spent:
    errors = Share.of(row.strategy, row.errors, row.labels) if row.labels else None
    reach = None if row.worth is None or row.worth_error is None else REACH * row.worth_error
    return Spent(
        category=row.category, strategy=row.strategy, seconds=row.seconds, labels=row.labels, carried=row.carried,
        errors=row.errors, errors_low=errors.low if errors else None, errors_high=errors.high if errors else None,
        worth=row.worth,
        low=None if row.worth is None or reach is None else row.worth - reach,
        high=None if row.worth is None or reach is None else row.worth + reach,
        share=clips[row.strategy] / clips.total() if clips else None,
    )  # fmt: skip


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
        bought = f"{counted(labels, 'label')} and {sum(row.carried for row in own):,} carried"
        minutes = sum(row.seconds for row in own) / 60
        yield f"{strategy}: {minutes:.1f} minutes bought {bought}; {errors:,} contradict the committee"
