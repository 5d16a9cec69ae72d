"""Templates and tables in Markdown, of what strangers may have named."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import jinja2

_MARKUP = re.compile(r"[\\|\[\]`*~]")
"""What makes a cell, a link, code or emphasis of text. An underscore inside a word makes nothing."""


def template(folder: Path, name: str) -> jinja2.Template:
    """Return a template of a folder; a value that it names and is not given is an error."""
    engine = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Markdown is not escaped as HTML: `cell` escapes what comes from strangers.
        autoescape=jinja2.select_autoescape(),
    )
    return engine.get_template(name)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    return "\n".join(lines)


def cell(value: object) -> str:
    """Return a value as it may stand in a table: in one line, and nothing in it is taken for Markdown or HTML."""
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(_MARKUP.sub(r"\\\g<0>", text).replace("<", "&lt;").split())
