"""How numbers become pages: one template engine and one style sheet, for reports in the store and for the web."""

from datetime import datetime
from functools import cache
from pathlib import Path

import jinja2

from slac_tasks.progress import counted
from slac_tasks.reports import drawing
from slac_tasks.reports.charts import COLOURS, multiples

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
"""Holds the style sheet."""


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _duration(seconds: float) -> str:
    """Write seconds as a person would: 48 s, 12 min, 3.4 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"


def _when(moment: datetime | None) -> str:
    return f"{moment:%-d %b %Y, %H:%M} UTC" if moment else ""


def _percent(share: float | None, places: int = 0) -> str:
    return "unknown" if share is None else f"{share:.{places}%}".replace("%", " %")


def _decimals(value: float | None, places: int = 2) -> str:
    return "" if value is None else f"{value:.{places}f}"


def environment(*folders: Path) -> jinja2.Environment:
    """Return an engine that finds templates in these folders and then in the reports' own."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        count=_count, counted=counted, duration=_duration, when=_when, percent=_percent, decimals=_decimals
    )
    made.filters.update(drawing=drawing.drawing, multiples=multiples, spark=drawing.spark)
    # Templates write what `drawing` placed: its sizes stand there alone.
    made.globals.update(sizes=drawing, colours=COLOURS)
    # Address of the page of clips; a report of its own has none.
    made.globals["clips_at"] = ""
    return made


@cache
def _own() -> jinja2.Environment:
    return environment()


def document(template: str, **values: object) -> str:
    """Return a page of its own: no script, and nothing to load, the style sheet included."""
    style = (STATIC / "slac.css").read_text(encoding="utf-8")
    return _own().get_template(template).render(style=style, **values)
