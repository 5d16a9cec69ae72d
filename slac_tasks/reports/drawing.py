"""Where the parts of a chart lie: lines, bands of intervals and axes, in the units of the drawing. Pure; no library."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from slac_tasks.reports.charts import Chart, Line, Point

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 10, 24
"""Room around the plot, for the words at its axes."""
SPARK_WIDTH, SPARK_HEIGHT = 88, 22
_DOTS_MOST = 40
"""More points than this are a line without dots."""
_LETTERS_MOST = 40
"""Letters at the horizontal axis, two for each gap; more of them would run into each other."""
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, kw_only=True)
class Word:
    """A name at an axis, and where it stands."""

    at: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, kw_only=True)
class Dot:
    """One value, with the words that say it."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One line of a chart."""

    name: str
    path: str
    band: str
    """Outline of its intervals; empty: there are none."""
    dots: tuple[Dot, ...]


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A chart, ready to be written as SVG."""

    chart: Chart
    lines: tuple[Drawn, ...]
    across: tuple[Word, ...]
    """Along the horizontal axis."""
    up: tuple[Word, ...]
    """Along the vertical axis."""
    wanted: tuple[float, ...]
    """Heights of the ends of the range wanted."""


@dataclass(frozen=True, kw_only=True)
class Spark:
    """A line without axes, as small as a word."""

    points: str
    x: float
    y: float
    """Where the newest value lies."""
    wanted: float | None
    """Height of the end of the range wanted that is nearest; None: nothing is wanted."""


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """Values to heights."""

    low: float
    high: float

    def y(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - inside) / (self.high - self.low)


def drawing(chart: Chart) -> Drawing:
    """Return where everything of a chart lies."""
    scale = _Scale(low=0.0, high=1.0) if chart.is_square else _scale(chart)
    # A single place stands in the middle; the places of a square chart are the middles of equal parts of its axis.
    offset, reach = (0.5, len(chart.ticks)) if chart.is_square or len(chart.ticks) == 1 else (0.0, len(chart.ticks) - 1)

    def x(at: int) -> float:
        if chart.spread:
            return LEFT + (WIDTH - LEFT - RIGHT) * chart.spread[at]
        return LEFT + (WIDTH - LEFT - RIGHT) * (at + offset) / max(1, reach)

    return Drawing(
        chart=chart,
        lines=tuple(_drawn(chart, line, x, scale) for line in chart.lines if line.points),
        across=tuple(_across(chart, x)),
        up=tuple(Word(at=scale.y(value), text=shown(chart, value)) for value in _marks(scale)),
        wanted=tuple(scale.y(end) for end in (chart.least, chart.most) if end is not None),
    )  # fmt: skip


def spark(values: Sequence[float], least: float | None = None, most: float | None = None) -> Spark:
    """Return the line of values beside the end of their range that is nearest; a small change is drawn small."""
    newest = values[-1]
    ends = [end for end in (least, most) if end is not None]
    nearest = min(ends, key=lambda end: abs(end - newest), default=None)
    shown_values = [*values, *([nearest] if nearest is not None else [])]
    low, high = min(shown_values), max(shown_values)
    room = max(0.0, 0.1 * max(1e-6, abs(high)) - (high - low)) / 2
    low, high = low - room, high + room

    def y(value: float) -> float:
        return 3 + (SPARK_HEIGHT - 6) * (high - value) / (high - low)

    step = (SPARK_WIDTH - 6) / max(1, len(values) - 1)
    places = [(3 + place * step, y(value)) for place, value in enumerate(values)]
    return Spark(
        points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places), x=places[-1][0], y=places[-1][1],
        wanted=None if nearest is None else y(nearest),
    )  # fmt: skip


def shown(chart: Chart, value: float) -> str:
    """Return a value as the chart writes it."""
    if chart.is_share:
        return f"{100 * value:.4g} %"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _scale(chart: Chart) -> _Scale:
    """Return a scale that holds every value and interval, and the ends of the range wanted."""
    found = [end for end in (chart.least, chart.most) if end is not None]
    for line in chart.lines:
        for point in line.points:
            found += [end for end in (point.value, point.low, point.high) if end is not None]
    low, high = min(found, default=0.0), max(found, default=1.0)
    if not chart.is_share:
        low = min(low, 0.0)
    # What is equal but for rounding is drawn as equal.
    whole = max(abs(low), abs(high), 1e-6)
    room = 0.06 * (high - low) if high - low > 1e-6 * whole else 0.05 * whole
    low, high = (low - room if low else low), high + room
    return _Scale(low=max(0.0, low), high=min(1.0, high)) if chart.is_share else _Scale(low=low, high=high)


def _marks(scale: _Scale) -> Iterator[float]:
    """Yield round values of the scale, three to six of them."""
    rough = (scale.high - scale.low) / 4
    size = 10.0 ** floor(log10(rough))
    step = next(size * one for one in _STEPS if size * one >= rough * 0.999)
    first = ceil(scale.low / step - 1e-9)
    for place in range(first, floor(scale.high / step + 1e-9) + 1):
        yield place * step


def _across(chart: Chart, x: Callable[[int], float]) -> Iterator[Word]:
    last = len(chart.ticks) - 1
    if last < 0:
        return
    if chart.is_square:
        yield from (Word(at=LEFT + (WIDTH - LEFT - RIGHT) * part, text=f"{part:g}") for part in (0.0, 0.5, 1.0))
        return
    letters = sum(len(tick) + 2 for tick in chart.ticks)
    places = range(last + 1) if letters <= _LETTERS_MOST else sorted({0, last // 2, last})
    for place in places:
        anchor = "middle" if last == 0 else "start" if place == 0 else "end" if place == last else "middle"
        yield Word(at=x(place), text=chart.ticks[place], anchor=anchor)


def _drawn(chart: Chart, line: Line, x: Callable[[int], float], scale: _Scale) -> Drawn:
    known = [point for point in line.points if point.low is not None and point.high is not None]
    upper = [f"{x(point.at):.1f},{scale.y(point.high or 0.0):.1f}" for point in known]
    lower = [f"{x(point.at):.1f},{scale.y(point.low or 0.0):.1f}" for point in reversed(known)]
    dotted = len(line.points) <= _DOTS_MOST
    return Drawn(
        name=line.name,
        path=" ".join(f"{x(point.at):.1f},{scale.y(point.value):.1f}" for point in line.points),
        band=" ".join([*upper, *lower]) if known else "",
        dots=tuple(
            Dot(x=x(point.at), y=scale.y(point.value), text=_words(chart, line, point))
            for point in (line.points if dotted else line.points[-1:])
        ),
    )


def _words(chart: Chart, line: Line, point: Point) -> str:
    reach = ""
    if point.low is not None and point.high is not None:
        reach = f" [{shown(chart, point.low)}, {shown(chart, point.high)}]"
    of = "" if point.count is None else f" of {point.count:,}"
    return f"{line.name}, {chart.ticks[point.at]}: {shown(chart, point.value)}{reach}{of}"
