"""Figures for people: tables with one head, words to the left and numbers to the right."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

Cell: TypeAlias = str | float | None
"""A word, a number, or nothing that was measured."""


def table(heads: Mapping[str, str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table as text.

    Args:
        heads: the head of each column, and how its numbers are formatted, such as `.2f`.
        rows: the cells of each row; None is shown as `-`.

    """
    formats = list(heads.values())
    body = [[_shown(cell, spec) for cell, spec in zip(row, formats, strict=True)] for row in rows]
    widths = [max(len(line[place]) for line in [list(heads), *body]) for place in range(len(heads))]
    return "\n".join(_line(line, widths) for line in [list(heads), *body])


def listing(figures: Mapping[str, float | None], spec: str = ",.4g") -> str:
    """Return figures as text, one in a line; whole numbers are shown whole."""
    return table({"figure": "", "value": spec}, figures.items())


def _shown(cell: Cell, spec: str) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    return format(cell, "," if isinstance(cell, int) else spec)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in
                      enumerate(zip(cells, widths, strict=True)))  # fmt: skip
    return "  ".join([first, *others]).rstrip()
