"""What a category was judged by, version after version: a chart for each measure."""

from collections.abc import Sequence
from dataclasses import dataclass

from slac_tasks.reports.charts import Chart, Line, Point


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One measure of a category at one version of the labels; the columns of sql/queries/web_history.sql."""

    labels: str
    day: str
    """Day of the verdict; empty: that version has none."""
    place: int
    measure: str
    kind: str | None
    value: float | None
    low: float | None
    high: float | None
    clip_count: int
    least: float | None
    most: float | None


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
    is_share = any(row.high is not None for row in rows)
    name = newest.measure.replace("_", " ")
    points = tuple(
        Point(at=places[row.labels], value=row.value, low=row.low, high=row.high, count=row.clip_count)
        for row in rows
        if row.value is not None
    )
    return Chart(
        title=name if newest.kind is None else f"{name}, {newest.kind}",
        about="", ticks=ticks, lines=(Line(name=name, points=points),), is_share=is_share,
        least=newest.least if newest.least else None,
        most=None if newest.most is None or (is_share and newest.most >= 1) else newest.most,
    )  # fmt: skip
