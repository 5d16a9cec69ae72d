"""Lines over time as data: what a chart shows, told apart from how it is drawn (`drawing.py`).

A chart is made where the rows are, and travels to the web pages as json: they read no dataset.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

COLOURS = 7
"""Lines that one chart can tell apart; more of them get a chart each."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One value of a line."""

    at: int
    """Its place on the axis: an index into the ticks of the chart."""
    value: float
    low: float | None = None
    """Ends of the 95 % interval; None: none is known."""
    high: float | None = None
    count: int | None = None
    """What the value rests on."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One value over time."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Lines over one axis."""

    title: str
    about: str
    """What is measured, in a sentence."""
    ticks: tuple[str, ...]
    """Name of each place on the axis, in its order."""
    spread: tuple[float, ...] = ()
    """Where each place stands on the axis, from 0 to 1; empty: as far from one to the next."""
    lines: tuple[Line, ...]
    is_share: bool = False
    """Values are shares: shown as per cent."""
    least: float | None = None
    """The range wanted; None: it is open on this side."""
    most: float | None = None
    is_square: bool = False
    """Both axes go from 0 to 1, and the diagonal is where value and place agree."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(line.points for line in self.lines)

    @classmethod
    def of(cls, found: dict[str, Any]) -> "Chart":
        """Read what json made of a chart; raises KeyError or TypeError where it is none."""
        lines = tuple(
            Line(name=line["name"], points=tuple(Point(**point) for point in line["points"])) for line in found["lines"]
        )
        return cls(**{**found, "lines": lines, "ticks": tuple(found["ticks"]), "spread": tuple(found["spread"])})


def multiples(chart: Chart) -> Sequence[Chart]:
    """Return the chart, or one for each of its lines where they are too many to tell apart."""
    if len(chart.lines) <= COLOURS:
        return [chart]
    return [replace(chart, title=f"{chart.title}: {line.name}", lines=(line,)) for line in chart.lines]
