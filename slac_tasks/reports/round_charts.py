"""The rounds of mining as lines over time, and the committee's scores: charts of the rows of the dataset `rounds`."""

from collections.abc import Sequence

from slac_tasks.evaluation.measures import BINS
from slac_tasks.model import parse_round_key
from slac_tasks.reports.charts import Chart, Line, Point
from slac_tasks.reports.trends import Found
from slac_tasks.storage.datasets.labelling import RoundRow

SHOWN = 100
"""Newest rounds in a chart; the dataset holds all of them."""
_OVER_ROUNDS = (
    ("positive_share", "Positive share", "Of the settled labels of each strategy; random is the base rate.", True),
    ("positives_per_minute", "Positives a minute", "For a minute of people's time, by strategy.", False),
    ("lift_over_random", "Lift over random", "Positives a minute, as a multiple of those of the control.", False),
    ("calibration_error", "Calibration error", "Mean distance between score and share of yes, on the control.", True),
    ("kappa", "Agreement of members", "Cohen's kappa of two members' verdicts on the control.", False),
)
_WHOLE = ("positive_share", "positives_per_minute", "lift_over_random", "agreement", "kappa")


def rounds_of(rows: Sequence[RoundRow]) -> list[str]:
    """Return the rounds in their order."""
    return sorted({row.round for row in rows if row.round is not None})


def over_rounds(rows: Sequence[RoundRow]) -> list[Chart]:
    """Return a chart for each measure, with a line for each strategy, member or pair of members."""
    shown = rounds_of(rows)[-SHOWN:]
    places = {name: at for at, name in enumerate(shown)}
    ticks = tuple(str(parse_round_key(name)[0]) for name in shown)
    of_round = [row for row in rows if row.round in places]
    return [
        Chart(title=title, about=about, ticks=ticks, lines=_lines(of_round, measure, places), is_share=is_share)
        for measure, title, about, is_share in _OVER_ROUNDS
    ]


def _lines(rows: Sequence[RoundRow], measure: str, places: dict[str, int]) -> tuple[Line, ...]:
    found: dict[str, list[Point]] = {}
    for row in rows:
        if row.measure == measure and row.round is not None and row.value is not None:
            point = Point(at=places[row.round], value=row.value, low=row.low, high=row.high, count=row.count)
            found.setdefault(_name(row), []).append(point)
    return tuple(
        Line(name=name, points=tuple(sorted(points, key=lambda point: point.at))) for name, points in found.items()
    )


def _name(row: RoundRow) -> str:
    if row.member is None:
        return row.strategy
    return row.member if row.other is None else f"{row.member} and {row.other}"


def of_members(rows: Sequence[RoundRow]) -> list[Chart]:
    """Return, of all rounds together, the share of yes by score, and how each member's scores are spread."""
    whole = [row for row in rows if row.round is None and row.category is None]
    ticks = tuple(f"{place / BINS:g} to {(place + 1) / BINS:g}" for place in range(BINS))
    trust = Chart(
        title="Share of yes by score", about="On the dashed line a score is a probability.", ticks=ticks,
        lines=_by_bin([row for row in whole if row.measure == "reliability"]), is_share=True, is_square=True,
    )  # fmt: skip
    members = sorted({row.member for row in whole if row.measure == "scores" and row.member is not None})
    return [
        trust,
        *(
            Chart(
                title=f"Scores of {member}", about="Share of each strategy's clips, by score.", ticks=ticks,
                lines=_by_bin([row for row in whole if row.measure == "scores" and row.member == member]),
                is_share=True,
            )
            for member in members
        ),
    ]  # fmt: skip


def _by_bin(rows: Sequence[RoundRow]) -> tuple[Line, ...]:
    found: dict[str, list[Point]] = {}
    for row in rows:
        if row.bin is not None and row.value is not None:
            name = str(row.member) if row.measure == "reliability" else row.strategy
            point = Point(at=round(row.bin * BINS), value=row.value, low=row.low, high=row.high, count=row.count)
            found.setdefault(name, []).append(point)
    return tuple(Line(name=name, points=tuple(points)) for name, points in sorted(found.items()))


def found(rows: Sequence[RoundRow]) -> list[Found]:
    """Return what was measured over all rounds together, by strategy, by pair of members and by category."""
    return [
        Found(
            measure=row.measure, category=row.category, strategy=row.strategy, member=row.member, other=row.other,
            count=row.count, value=row.value, low=row.low, high=row.high,
        )
        for row in rows
        if row.round is None and row.measure in _WHOLE
    ]  # fmt: skip
