"""The rounds of mining as a page of its own. Its numbers are the rows of the datasets `rounds` and `accounts`."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from slac_tasks.reports.accounts import Entry
from slac_tasks.reports.html import document
from slac_tasks.reports.rounds import BINS
from slac_tasks.storage.datasets.labelling import RoundRow

SHOWN = 12
"""Newest rounds shown; the dataset holds all of them."""

WIDTH, HEIGHT = 160, 90
"""Of a small figure, in its own units."""


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """What one strategy found, and what a minute of people's time bought with it."""

    share: RoundRow
    rate: RoundRow | None
    lift: RoundRow | None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """How often two members say the same, and how much of that is beyond chance."""

    agreement: RoundRow
    kappa: RoundRow | None


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle of a figure."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A share in a figure, with its interval."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A small drawing: boxes from below, or dots around the diagonal."""

    title: str
    boxes: tuple[Box, ...] = ()
    dots: tuple[Dot, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Section:
    """What the page says of one round, or of all together."""

    title: str
    strategies: tuple[Strategy, ...]
    pairs: tuple[Pair, ...]
    calibration: tuple[Figure, ...]
    scores: tuple[Figure, ...]


def page(version: str, rows: Sequence[RoundRow], accounts: Sequence[tuple[str, Sequence[Entry]]] = ()) -> str:
    """Return the page on the rows of `rounds` of one version of the labels, and on each category's account."""
    rounds = sorted({row.round for row in rows if row.round is not None}, reverse=True)
    whole = [row for row in rows if row.round is None and row.category is None]
    sections = [_section("All rounds", whole)]
    sections += [_section(f"Round {name}", [row for row in rows if row.round == name]) for name in rounds[:SHOWN]]
    by_category = sorted(
        (row for row in rows if row.category is not None and row.measure == "positive_share"),
        key=lambda row: str(row.category),
    )
    return document(
        "rounds.html",
        version=version,
        count=len(rounds),
        shown=SHOWN,
        sections=sections,
        accounts=accounts,
        categories=[(name, list(part)) for name, part in groupby(by_category, key=lambda row: row.category)],
        width=WIDTH,
        height=HEIGHT,
    )


def _section(title: str, rows: Sequence[RoundRow]) -> Section:
    of_strategy = {(row.measure, row.strategy): row for row in rows if row.member is None}
    of_pair = {(row.measure, row.member, row.other): row for row in rows}
    return Section(
        title=title,
        strategies=tuple(
            Strategy(
                share=row,
                rate=of_strategy.get(("positives_per_minute", name)),
                lift=of_strategy.get(("lift_over_random", name)),
            )
            for (measure, name), row in of_strategy.items()
            if measure == "positive_share"
        ),
        pairs=tuple(
            Pair(agreement=row, kappa=of_pair.get(("kappa", row.member, row.other)))
            for row in rows
            if row.measure == "agreement"
        ),
        calibration=tuple(_calibration(row, rows) for row in rows if row.measure == "calibration_error"),
        scores=_scores(rows),
    )


def _calibration(error: RoundRow, rows: Sequence[RoundRow]) -> Figure:
    """The share of yes in each tenth of a member's score; on the diagonal the score is a probability."""
    dots = tuple(
        Dot(
            x=((row.bin or 0.0) + 0.5 / BINS) * WIDTH, y=HEIGHT * (1 - (row.value or 0.0)),
            low=HEIGHT * (1 - (row.low or 0.0)), high=HEIGHT * (1 - (row.high or 0.0)),
        )
        for row in rows
        if row.measure == "reliability" and row.member == error.member
    )  # fmt: skip
    return Figure(title=f"{error.member}: calibration error {error.value:.3f} of {error.count:,} clips", dots=dots)


def _scores(rows: Sequence[RoundRow]) -> tuple[Figure, ...]:
    """How the scores of each member are spread over the clips of each strategy."""
    found: dict[tuple[str | None, str], list[RoundRow]] = {}
    for row in rows:
        if row.measure == "scores":
            found.setdefault((row.member, row.strategy), []).append(row)
    figures = []
    for (member, strategy), part in sorted(found.items(), key=lambda item: (str(item[0][0]), item[0][1])):
        top = max(1e-9, *(row.value or 0.0 for row in part))
        heights = [(row, HEIGHT * (row.value or 0.0) / top) for row in part]
        boxes = tuple(
            Box(x=(row.bin or 0.0) * WIDTH + 1, y=HEIGHT - height, width=WIDTH / BINS - 2, height=height)
            for row, height in heights
        )
        title = f"{member}, {strategy}: {sum(row.count for row in part):,} clips"
        figures.append(Figure(title=title, boxes=boxes))
    return tuple(figures)
