"""What the runbook names exists: commands with their flags, objects of the chart, exit codes, pages."""

import argparse
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from slac_tasks import cli, streams
from slac_tasks.errors import SlacError
from slac_tasks.procedure import STAGES

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "docs" / "runbook"
PAGES = sorted(RUNBOOK.glob("*.md"))
CHART = "\n".join(path.read_text() for path in (ROOT / "docker" / "chart").rglob("*.yaml"))


def commands(program: str) -> Iterator[tuple[str, list[str]]]:
    """Yield (page, words) of each command of a program: lines of blocks, and words in a line between backticks."""
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        for line in [*re.findall(r"^ {4,}(.+)$", text, re.M), *re.findall(r"`([^`\n]+)`", text)]:
            for part in re.split(r" \| | > | -- ", line):
                start, _, rest = part.strip().partition(f"{program} ")
                if rest and re.fullmatch(r"(\w+=\S+ )*", start):
                    yield page.name, shlex.split(rest)


SLAC = sorted({(page, *words) for page, words in commands("slac")})


@pytest.mark.parametrize("command", SLAC, ids=" ".join)
def test_every_command_of_the_runbook_is_one(command: tuple[str, ...]) -> None:
    _, *words = command
    if words == ["--version"]:
        return
    if words[0] in STAGES:
        cli.parser().parse_args(words)
        return
    name = next((one for one in (" ".join(words[:2]), words[0]) if one in cli.COMMANDS), None)
    assert name, f"slac {words[0]} does not exist"
    parser = argparse.ArgumentParser(prog=f"slac {name}")
    importlib.import_module(f"slac_tasks.commands.{cli.COMMANDS[name].module}").add_arguments(parser)
    parser.parse_args(words[len(name.split()) :])


def test_the_runbook_has_commands_and_every_page_is_found() -> None:
    assert len(SLAC) > 10
    index = (RUNBOOK / "index.md").read_text()
    for page in PAGES:
        assert page.name == "index.md" or f"({page.name})" in index
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            assert (RUNBOOK / target).exists(), f"{page.name} leads to {target}"


def test_what_it_names_of_the_cluster_is_made_by_the_chart() -> None:
    own = set()
    for page, words in commands("kubectl"):
        for kind, name in re.findall(r"\b(deploy|deployment|service|cronjob|job)/?\s?(slac-[\w-]+)", " ".join(words)):
            own.add(name)
            made = name.removeprefix("slac-")
            assert re.search(rf"name: {name}\b", CHART) or f'"name" "{made}"' in chart_jobs(), f"{page}: {kind} {name}"
    assert {"slac-web", "slac-backup", "slac-migrate"} <= own


def chart_jobs() -> str:
    return (ROOT / "docker" / "chart" / "templates" / "jobs.yaml").read_text()


def test_each_exit_code_has_a_section() -> None:
    sections = set(re.findall(r"^## (.+)$", (RUNBOOK / "exit-codes.md").read_text(), re.M))
    codes = {"0", "1", str(streams.UNREAD_EXIT_CODE)} | {
        str(kind.exit_code) for kind in (SlacError, *SlacError.__subclasses__())
    }
    assert codes <= set(re.findall(r"\d+", " ".join(sections)))


def test_values_of_the_chart_that_it_names_exist() -> None:
    values = (ROOT / "docker" / "chart" / "values.yaml").read_text()
    for page in PAGES:
        named = re.findall(
            r"`(?:web|jobs|backup|stages|gpu|image|monitoring|externalSecrets)\.(\w+)`", page.read_text()
        )
        for name in named:
            assert re.search(rf"\b{name}:", values), f"{page.name}: {name}"
