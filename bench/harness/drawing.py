"""Lines over a logarithmic axis as SVG, without a library."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from slac_tasks.errors import WrongArguments

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 230, 20, 50
COLOURS = ("#555555", "#bbbbbb", "#1f77b4", "#aec7e8", "#d62728", "#ff9896", "#2ca02c", "#98df8a", "#9467bd", "#c5b0d5")

Points = Sequence[tuple[float, float]]


def lines(drawn: Mapping[str, Points], *, across: str, up: str, spec: str = "+.3f") -> str:
    """Return a drawing with a line for each name.

    Args:
        drawn: by name, (x, y) with x above 0.
        across: what x is; the axis is logarithmic, with a mark at each x that occurs.
        up: what y is.
        spec: how a value of y is written.

    Raises:
        WrongArguments: there is no point.

    """
    points = [point for each in drawn.values() for point in each]
    if not points:
        raise WrongArguments("a drawing of no points, want one at least")
    xs, ys = np.array(points).T
    first, last = np.log(xs.min()), max(np.log(xs.max()), np.log(xs.min()) + 0.1)
    low, high = min(ys.min(), 0.0), max(ys.max(), ys.min() + 1e-3)

    def at(x: float, y: float) -> tuple[float, float]:
        right = LEFT + (np.log(x) - first) / (last - first) * (WIDTH - LEFT - RIGHT)
        down = TOP + (high - y) / (high - low) * (HEIGHT - TOP - BOTTOM)
        return round(float(right), 1), round(float(down), 1)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif">']
    # A ground of its own: a page may be dark.
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff"/>')
    for x in sorted(set(xs.tolist())):
        parts.append(_text(at(x, low)[0], HEIGHT - BOTTOM + 18, f"{x:g}", "middle"))
    for y in np.linspace(low, high, 5).tolist():
        down = at(float(xs.min()), y)[1]
        parts.append(f'<path d="M{LEFT} {down}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        parts.append(_text(LEFT - 8, down + 4, f"{y:{spec}}", "end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, across, "middle"))
    parts.append(_text(LEFT, TOP - 6, up, "start"))
    for number, (name, each) in enumerate(drawn.items()):
        colour = COLOURS[number % len(COLOURS)]
        joined = " ".join(f"{right},{down}" for right, down in (at(x, y) for x, y in each))
        parts.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>')
        height = TOP + 14 + 18 * number
        parts.append(f'<path d="M{WIDTH - RIGHT + 12} {height - 4}h18" stroke="{colour}" stroke-width="3"/>')
        parts.append(_text(WIDTH - RIGHT + 36, height, name, "start"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(right: float, down: float, what: str, anchor: str) -> str:
    return f'<text x="{right}" y="{down}" font-size="12" text-anchor="{anchor}">{escape(what)}</text>'
