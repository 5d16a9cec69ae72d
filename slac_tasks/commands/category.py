"""Add a category with past windows, and pause, resume or cancel these windows.

  slac category add judo --guideline "A throw is seen." --from 2025-01-06 --videos 2000 --floor 0.9 --estimate
  slac category pause judo              nothing is begun for its past windows; what runs goes on to its end
  slac category resume judo
  slac category cancel judo             its past windows stay as they are; `add` or `resume` goes on
  slac category show [judo] [--json]    past windows that are wanted, collected and scored

`add` registers the category and writes down what is wanted of its past windows. `add_category` collects them when you
start it by its form, else the weekly run of `collect_videos`. With --estimate it says what they will take, and writes
nothing. Without --to the newest window that has ended is the last: later ones are collected with all other categories.
The floor stands above `quality.floors` and `quality.min_precision`. Safe to run again: what is not given stays.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from slac_tasks import config
from slac_tasks.collect.names import Categories
from slac_tasks.commands import register
from slac_tasks.errors import WrongArguments
from slac_tasks.planning.backfills import Backfill, backfills, collected_windows, newest_window
from slac_tasks.planning.estimates import estimate
from slac_tasks.planning.past import add_category
from slac_tasks.planning.planner import Planner
from slac_tasks.progress import counted, print_json, print_line
from slac_tasks.storage.datasets import CLIPS, SCORES, VIDEOS
from slac_tasks.storage.ledger import Ledger, open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.registered import check_registered
from slac_tasks.storage.tables import Datasets

STATES = {"pause": "paused", "resume": "running", "cancel": "cancelled"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="what", required=True)
    add = verbs.add_parser("add", help="register a category and say what is wanted of past windows")
    add.add_argument("name", help="name or key")
    add.add_argument("--guideline", help="what reviewers are told about the category")
    register.add_past(add)
    add.add_argument("--estimate", action="store_true", help="say what its past windows will take, and write nothing")
    for verb, state in STATES.items():
        verbs.add_parser(verb, help=f"its past windows are {state}").add_argument("name", help="key of the category")
    show = verbs.add_parser("show", help="how far the past windows of categories are")
    show.add_argument("name", nargs="?", help="key of the category; none: all")
    show.add_argument("--json", action="store_true", help="print one JSON object a line")


def main(arguments: argparse.Namespace) -> None:
    """Do what the verb says.

    Raises:
        WrongArguments: a category, a window, a budget or a floor that cannot be.

    """
    ledger = open_ledger()
    match arguments.what:
        case "add":
            _add(ledger, arguments)
        case "show":
            rows = [asdict(row) for row in _progress(_planner(ledger, arguments.name))]
            if arguments.name and not rows:
                print_line(f"category: {arguments.name}: is retired")
            print_json(rows) if arguments.json else _print_table(rows)
        case verb:
            check_registered(ledger, [arguments.name])
            ledger.run("set_category_state", category=arguments.name, state=STATES[verb], newest=newest_window())
            print_line(f"category: {arguments.name}: its past windows are {STATES[verb]}")
    ledger.close()


def _add(ledger: Ledger, arguments: argparse.Namespace) -> None:
    named = Categories.of([arguments.name])
    if wrong := named.set_aside():
        raise WrongArguments(wrong[0])
    (category,) = named.names
    if arguments.estimate:
        wanted = register.asked(category, arguments).after(backfills(ledger).get(category))
        planner = _planner(ledger, asked=wanted)
        lines = [f"estimate: {line}" for line in estimate(planner, "add_category", add_category(planner))]
        for line in filter(None, (wanted.beyond(collected_windows(ledger)), *lines)):
            print_line(f"category: {line}")
        return
    given = {"category": [arguments.name], "from_sources": False, "offered": False, "resume": True}
    register.main(argparse.Namespace(**{**vars(arguments), **given}))
    print_line(f"category: {category}: the next run of add_category or collect_videos collects its past windows")


def _planner(ledger: Ledger, category: str | None = None, asked: Backfill | None = None) -> Planner:
    settings = config.load()
    datasets = Datasets(open_store(settings.store_url))
    return Planner(
        settings=settings, datasets=datasets, ledger=ledger, only=(category,) if category else (), asked=asked
    )


@dataclass(frozen=True, kw_only=True)
class _Progress:
    """How far the past windows of a category are."""

    category: str
    state: str
    windows: int
    """Wanted."""
    collected: int
    videos: int
    videos_most: int | None
    scored: int
    """Windows in which some member has scored the clips, or that hold no clip."""


def _progress(planner: Planner) -> Iterator[_Progress]:
    videos, clips = planner.row_counts(VIDEOS), planner.row_counts(CLIPS)
    scored = {(one.keys["category"], one.keys["window"]) for one in planner.current(SCORES)}
    windows = collected_windows(planner.known)
    for category in planner.categories:
        wanted = planner.backfills.get(category, Backfill(category=category))
        of = [window for window in windows if wanted.holds(window)]
        made = {window: videos[category, window] for window in of if (category, window) in videos}
        yield _Progress(
            category=category, state=wanted.state, windows=len(of), collected=len(made), videos=sum(made.values()),
            videos_most=wanted.videos_most,
            scored=sum(1 for window in made if (category, window) in scored or clips.get((category, window)) == 0),
        )  # fmt: skip


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each category."""
    for row in rows:
        budget = f" of at most {row['videos_most']}" if row["videos_most"] else ""
        print(
            f"{row['category']}: {row['state']}; {row['collected']} of {counted(row['windows'], 'window')} collected, "
            f"{counted(row['videos'], 'video')}{budget}; {row['scored']} scored"
        )
