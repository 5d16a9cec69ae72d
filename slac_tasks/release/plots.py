"""Plots of a data sheet, as SVG: bars that need no script, no font and no library."""

from collections.abc import Mapping, Sequence
from html import escape

COLOURS = ("#2f6fb2", "#c9ced6", "#d98a2b", "#5a9e6f", "#8b6bb1", "#b0563f", "#6b7a8f")
_ROW, _NAME, _BAR, _EDGE = 20, 190, 420, 90


def stacked(title: str, parts: Sequence[str], rows: Mapping[str, Sequence[int]]) -> str:
    """Return bars, one below the other, each made of parts.

    Args:
        title: what stands above them.
        parts: names of the parts, in their order; at most as many as there are colours.
        rows: by name of the bar, the size of each part.

    """
    longest = max((sum(sizes) for sizes in rows.values()), default=0) or 1
    width, height = _NAME + _BAR + _EDGE, 56 + _ROW * len(rows)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="{escape(title)}">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="8" y="18" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    left = 8
    for name, colour in zip(parts, COLOURS, strict=False):
        lines.append(f'<rect x="{left}" y="28" width="10" height="10" fill="{colour}"/>')
        lines.append(f'<text x="{left + 14}" y="37">{escape(name)}</text>')
        left += 26 + 7 * len(name)
    for place, (name, sizes) in enumerate(rows.items()):
        top = 50 + place * _ROW
        lines.append(f'<text x="{_NAME - 8}" y="{top + 11}" text-anchor="end">{escape(name[:28])}</text>')
        x = float(_NAME)
        for size, colour in zip(sizes, COLOURS, strict=False):
            wide = _BAR * size / longest
            lines.append(f'<rect x="{x:.1f}" y="{top}" width="{wide:.1f}" height="14" fill="{colour}"/>')
            x += wide
        lines.append(f'<text x="{x + 5:.1f}" y="{top + 11}">{sum(sizes):,}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"
