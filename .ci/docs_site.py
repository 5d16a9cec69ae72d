"""What MkDocs is told beside mkdocs.yml: the nav, by folder, and the reference, which is made from the code.

A page is one Markdown file. It stands in the nav under its first heading, in the part of the folder that it lies in; a
new file needs no entry. Pages that are made from the code lie nowhere: they cannot be older than what they describe.
"""

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from slac_tasks import cli, config
from slac_tasks.procedure import STAGES
from slac_tasks.settings import Section, sections_of, settings_of
from slac_tasks.storage.datasets import ALL
from slac_tasks.toml import literal

ORDER = (
    *("index.md", "tutorial", "how-to", "runbook", "explanation", "reference", "glossary.md"),
    *("student", "engineer", "lead", "contributor"),
)
"""Which parts come first; what is not named comes behind them, by its name."""
TITLES = {
    "how-to": "How to", "student": "With a folder of videos", "engineer": "Run the platform", "lead": "Lead reviewers",
    "contributor": "Contribute",
}  # fmt: skip

HELP_COLUMNS = "100"
"""How wide a help is, whatever the terminal in which the pages are made."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code."""
    for name, made in GENERATED.items():
        files.append(File.generated(config, name, content=made()))
    config.nav = nav([file.src_uri for file in files.documentation_pages()])
    return files


def nav(pages: list[str]) -> list[Any]:
    """Return the nav: a page by its path, a folder by its title with what is in it, its own index first."""

    def part(folder: str) -> list[Any]:
        inside = {page.removeprefix(folder).split("/")[0] for page in pages if page.startswith(folder)}
        return [
            f"{folder}{name}" if name.endswith(".md") else {title(name): part(f"{folder}{name}/")}
            for name in sorted(inside, key=place)
        ]

    return part("")


def place(name: str) -> tuple[int, bool, str]:
    """Return where a page or a folder stands among its neighbours."""
    return (ORDER.index(name) if name in ORDER else len(ORDER), name != "index.md", name)


def title(folder: str) -> str:
    """Return what the nav calls a folder."""
    return TITLES.get(folder, folder.replace("-", " ").capitalize())


def table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table; a bar inside a cell does not end it."""
    cells = [heads, ("---",) * len(heads), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in cells]


def datasets() -> str:
    """Return the page of the datasets: what one stage hands to the next."""
    lines = [
        "# Datasets", "",
        "What one stage hands to the next, in the order of the procedure. Rows are Parquet; the address of a partition "
        "follows from the name, the version and the keys. `slac show NAME` lists rows, drops and origin.", "",
    ]  # fmt: skip
    for name, dataset in ALL.items():
        keys = ", ".join(f"`{key}`" for key in dataset.keys)
        lines += [f"## `{name}`", "", f"{dataset.meaning}", "", f"Version {dataset.version}. Keys: {keys}.", ""]
        rows = ((f"`{c.name}`", str(c.dtype), "yes" if c.nullable else "", c.meaning) for c in dataset.columns)
        lines += [*table(("column", "type", "may be unknown", "meaning"), rows), ""]
    return "\n".join(lines)


def settings() -> str:
    """Return the page of the settings."""
    lines = [
        "# Settings", "",
        "One file of TOML, which `SLAC_CONFIG` names. `slac config --template` prints it with every default; `slac "
        "config` prints the settings in force, and where each came from.", "",
    ]  # fmt: skip
    kinds: dict[str, type[Section]] = {"": config.Config, **sections_of(config.Config)}
    for name, kind in kinds.items():
        about = (kind.__doc__ or "").partition("\n")[0]
        lines += [f"## `[{name}]`" if name else "## At the top of the file", "", about, ""]
        rows = (
            (
                f"`{each.name}`", each.wanted, "" if each.default is None else f"`{literal(each.default)}`",
                each.rule.meaning,
            )
            for each in settings_of(kind)
        )  # fmt: skip
        lines += [*table(("setting", "holds", "default", "meaning"), rows), ""]
    return "\n".join(lines)


def commands() -> str:
    """Return the page of the command line: the help of every verb, by the parts of the work."""
    lines = ["# Command line", "", "The help of every verb, as `slac <verb> --help` prints it.", ""]
    lines += ["```text", help_of().rstrip(), "```", ""]
    for verb in (*STAGES, *cli.COMMANDS):
        lines += [f"## `slac {verb}`", "", "```text", help_of(*verb.split()).rstrip(), "```", ""]
    return "\n".join(lines)


def help_of(*verb: str) -> str:
    """Return the help of a verb, or of `slac` itself, as wide as on every other machine."""
    os.environ["COLUMNS"] = HELP_COLUMNS
    said = io.StringIO()
    with redirect_stdout(said), suppress(SystemExit):
        cli.main([*verb, "--help"])
    return said.getvalue()


GENERATED: Mapping[str, Callable[[], str]] = {
    "reference/datasets.md": datasets,
    "reference/settings.md": settings,
    "reference/commands.md": commands,
}
"""Pages by their path below docs/, and what makes each."""

ROOT = Path(__file__).resolve().parents[1]


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put a whole file of the project where a page names it in a line of its own: `{{ CONTRIBUTING.md }}`."""
    return "\n".join(
        (ROOT / line[3:-3]).read_text(encoding="utf-8") if line.startswith("{{ ") and line.endswith(" }}") else line
        for line in markdown.splitlines()
    )
