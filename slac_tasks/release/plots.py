"""Plots of a data sheet: bars and intervals, described once and written as SVG and as PNG.

The SVG needs no script, no font and no library of whoever reads it. The PNG is for papers, slides and pages that show
no SVG. It is drawn by Pillow, a single package that the lock holds in any case: matplotlib would add eight more, and
would draw the plot a second time in its own way. Pillow's own font has the Latin letters alone: a name in another
script is boxes in the PNG, and right in the SVG.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

COLOURS = (
    "#2f6fb2", "#c9ced6", "#d98a2b", "#5a9e6f", "#8b6bb1", "#b0563f", "#6b7a8f", "#d4b93c", "#57b5b8", "#d17fa8",
    "#7c8c2f",
)  # fmt: skip
_INK, _PAPER = "#000000", "#ffffff"
_ROW, _NAME, _BAR, _EDGE, _HEAD = 20, 190, 420, 100, 50
_WIDTH, _LINE = _NAME + _BAR + _EDGE, 16
"""Of the picture, and from one line of the legend to the next."""
_LETTERS = 28
"""Letters of a name that have room."""
_SCALE = 2
"""Pixels of the PNG for each unit of the SVG: sharp in print."""
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, kw_only=True)
class Word:
    """A text; `y` is its base line."""

    x: float
    y: float
    text: str
    size: int = 12
    anchor: Literal["start", "middle", "end"] = "start"


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A picture, in units of its own."""

    title: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    words: tuple[Word, ...]


def stacked(title: str, parts: Sequence[str], rows: Mapping[str, Sequence[int]]) -> Plot:
    """Return bars, one below the other, each made of parts.

    Args:
        title: what stands above them.
        parts: names of the parts, in their order; at most as many as there are colours.
        rows: by name of the bar, the size of each part.

    """
    longest = max((sum(sizes) for sizes in rows.values()), default=0) or 1
    boxes, words, head = _legend(parts)
    for sizes, top in zip(rows.values(), _tops(head, len(rows)), strict=True):
        x = float(_NAME)
        for size, colour in zip(sizes, COLOURS[: len(parts)], strict=True):
            wide = _BAR * size / longest
            boxes.append(Box(x=x, y=top, width=wide, height=14, colour=colour))
            x += wide
        words.append(Word(x=x + 5, y=top + 11, text=f"{sum(sizes):,}"))
    return _plot(title, list(rows), boxes, words, head)


def _legend(parts: Sequence[str]) -> tuple[list[Box], list[Word], int]:
    """Return the names of the parts with their colours, in as many lines as they need, and where the rows begin."""
    boxes, words = [], []
    left, top = 8, 28
    for name, colour in zip(parts, COLOURS[: len(parts)], strict=True):
        wide = 26 + 7 * len(name)
        if left > 8 and left + wide > _WIDTH:
            left, top = 8, top + _LINE
        boxes.append(Box(x=left, y=top, width=10, height=10, colour=colour))
        words.append(Word(x=left + 14, y=top + 9, text=name))
        left += wide
    return boxes, words, _HEAD + top - 28


def intervals(title: str, rows: Mapping[str, tuple[float, float | None, float | None]]) -> Plot:
    """Return values between 0 and 1, one below the other, with their intervals; what lies below 0 is drawn at 0.

    Args:
        title: what stands above them.
        rows: by name, (value, low, high); without an interval there are no ends.

    """
    boxes, words = [], []
    bottom = _HEAD + _ROW * len(rows)
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        boxes.append(Box(x=_NAME + part * _BAR, y=42, width=1, height=bottom - 42, colour=COLOURS[1]))
        words.append(Word(x=_NAME + part * _BAR, y=37, text=f"{part:g}", anchor="middle"))
    for (value, low, high), top in zip(rows.values(), _tops(_HEAD, len(rows)), strict=True):
        if low is not None and high is not None:
            left, right = (_NAME + _BAR * max(0.0, end) for end in (low, high))
            boxes.append(Box(x=left, y=top + 5, width=max(1.0, right - left), height=4, colour=COLOURS[0]))
        boxes.append(Box(x=_NAME + _BAR * max(0.0, value) - 2, y=top + 1, width=4, height=12, colour=COLOURS[0]))
        words.append(Word(x=_NAME + _BAR + 8, y=top + 11, text=f"{value:.2f}"))
    return _plot(title, list(rows), boxes, words, _HEAD)


def _plot(title: str, names: Sequence[str], boxes: Sequence[Box], words: Sequence[Word], head: int) -> Plot:
    heads = [
        Word(x=_NAME - 8, y=top + 11, text=name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…", anchor="end")
        for name, top in zip(names, _tops(head, len(names)), strict=True)
    ]
    return Plot(
        title=title, width=_WIDTH, height=head + 6 + _ROW * len(names), boxes=tuple(boxes),
        words=(Word(x=8, y=18, text=title, size=14), *heads, *words),
    )  # fmt: skip


def _tops(head: int, rows: int) -> Iterator[int]:
    """Yield where each row begins."""
    return (head + place * _ROW for place in range(rows))


def svg(plot: Plot) -> bytes:
    """Return the plot as SVG."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {plot.width} {plot.height}" width="{plot.width}" '
        f'height="{plot.height}" font-family="sans-serif" role="img" aria-label="{escape(plot.title)}">',
        f'<rect width="{plot.width}" height="{plot.height}" fill="{_PAPER}"/>',
    ]
    lines += [
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" fill="{box.colour}"/>'
        for box in plot.boxes
    ]
    lines += [
        f'<text x="{word.x:.1f}" y="{word.y:.1f}" font-size="{word.size}" text-anchor="{word.anchor}">'
        f"{escape(word.text)}</text>"
        for word in plot.words
    ]
    return "\n".join([*lines, "</svg>\n"]).encode()


def png(plot: Plot) -> bytes:
    """Return the plot as PNG, with two pixels for each unit."""
    image = Image.new("RGB", (plot.width * _SCALE, plot.height * _SCALE), _PAPER)
    draw = ImageDraw.Draw(image)
    for box in plot.boxes:
        # Pillow draws the last pixel too.
        left, top = round(box.x * _SCALE), round(box.y * _SCALE)
        right, bottom = round((box.x + box.width) * _SCALE) - 1, round((box.y + box.height) * _SCALE) - 1
        if right >= left and bottom >= top:
            draw.rectangle((left, top, right, bottom), fill=box.colour)
    for word in plot.words:
        font = ImageFont.load_default(size=word.size * _SCALE)
        place = (word.x * _SCALE, word.y * _SCALE)
        draw.text(place, word.text, fill=_INK, font=font, anchor=_ANCHORS[word.anchor])
    held = BytesIO()
    image.save(held, format="PNG", optimize=True)
    return held.getvalue()
