"""What a category was judged by, version after version: a chart for each measure."""

from collections.abc import Sequence
from dataclasses import dataclass

from slac_tasks.reports.charts import Chart, Line, Point
from slac_tasks.reports.measures import Measure


@dataclass(frozen=True, kw_only=True)
class Measured(Measure):
    """A measure at any version; the columns of sql/queries/web_history.sql."""

    day: str
    """Day of the verdict; empty: that version has none."""
    place: int


def charts(rows: Sequence[Measured]) -> list[Chart]:
    """Return a chart of each measure, in the order in which the gate reads them.

    Args:
        rows: of one category, the oldest version first.

    """
    days = {row.labels: row.day or row.labels for row in rows}
    # Several versions of a day go by their numbers.
    ticks = tuple(days.values()) if len(set(days.values())) == len(days) else tuple(days)
    places = {version: at for at, version in enumerate(days)}
    of: dict[tuple[str, str | None], list[Measured]] = {}
    for row in rows:
        of.setdefault((row.measure, row.kind), []).append(row)
    # The newest version says in which order they stand.
    order = sorted(of, key=lambda name: of[name][-1].place)
    return [_chart(of[name], ticks, places) for name in order]


def _chart(rows: Sequence[Measured], ticks: tuple[str, ...], places: dict[str, int]) -> Chart:
    newest = rows[-1]
    points = tuple(
        Point(at=places[row.labels], value=row.value, low=row.low, high=row.high, count=row.clip_count)
        for row in rows
        if row.value is not None
    )
    return Chart(
        title=newest.name, about="", ticks=ticks, lines=(Line(name=newest.words, points=points),),
        is_share=newest.is_share, least=newest.least_end, most=newest.most_end,
    )  # fmt: skip
