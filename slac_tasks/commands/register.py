"""Register categories in the ledger, by name or as the sources name them.

  slac register --category "Clean and jerk" --guideline "The bar goes from the floor to above the head."
  slac register --from-sources           every category that a source of `collect.sources` offers
  slac register --offered --category judo      only if a source offers it

A name in any script gets a key of its own. With --offered and a name that no source has, nothing is registered, and the
message says what is close to it; without any name it says what the sources offer that is not registered. A source that
can search offers every name.

--from, --to, --videos and --floor say what is wanted of past windows, see `slac category --help`; with --resume what
was paused or cancelled of them goes on also without such a wish.

With --from-sources it also prints how many videos of a folder are too short for a clip, by the headers of up to 200.
Safe to run again: a known category keeps its key; a guideline whose text changes gets the next version.
"""

import argparse
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict

from slac_tasks import config
from slac_tasks.collect import sources
from slac_tasks.collect.names import Categories, spelling
from slac_tasks.collect.settings import Collect
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.given.flags import whole
from slac_tasks.given.words import near, printable
from slac_tasks.planning.backfills import Backfill, backfills, bounds, collected_windows, newest_window
from slac_tasks.progress import counted, print_line
from slac_tasks.storage.ledger import Ledger, Row, open_ledger
from slac_tasks.video.lengths import outside


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--category", action="append", metavar="NAME", help="display name; may be repeated")
    which.add_argument("--from-sources", action="store_true", help="every category of collect.sources")
    parser.add_argument("--offered", action="store_true", help="refuse a name that no source offers")
    parser.add_argument("--guideline", help="what reviewers are told about the category")
    parser.add_argument("--resume", action="store_true", help="go on with past windows that were paused or cancelled")
    add_past(parser)


def main(args: argparse.Namespace) -> int:
    """Write the categories and print which.

    Raises:
        WrongArguments: no name is given, a name cannot be a category's, or, where it has to be, none is offered.
        BrokenContract: the sources have names, and none of them can be a category's.

    """
    if args.from_sources:
        if args.guideline is not None:
            raise WrongArguments("--guideline: goes with --category, not with --from-sources")
        collect = config.load().collect
        opened = sources.open_sources(collect)
        _print_lengths(opened, collect)
        named = Categories.of(name for source in opened for name in source.categories())
        refused = sources.unplaced_lines(opened, named)
    else:
        opened = []
        named = Categories.of(args.category or ())
        refused = named.set_aside()
    ledger = open_ledger()
    known = {row["category"]: row for row in ledger.rows("categories")}
    if args.offered and (named.names or not refused):
        refused += _not_offered(named.names, known)
    elif not args.category and not args.from_sources:
        raise WrongArguments("--category: no name is given, want one, or --from-sources")
    retired = _retired(known, named.names)
    others = taken(known, named.names) | retired
    refused += others.values()
    if refused and not args.from_sources:
        raise WrongArguments(f"--category: {'; '.join(refused)}")
    registered = {key: name for key, name in named.names.items() if key not in others}
    wanted = []
    with ledger.transaction():
        before = backfills(ledger)
        for category, name in registered.items():
            ledger.run("register_category", category=category, name=name, guideline=args.guideline)
            wanted += _write(ledger, asked(category, args), before.get(category), resume=args.resume)
    collected = collected_windows(ledger) if wanted else set()
    ledger.close()
    for line in (*refused, *filter(None, (one.beyond(collected) for one in wanted))):
        print_line(f"register: {line}")
    if not registered and not retired and any(source.categories() for source in opened):
        raise BrokenContract(
            "collect.sources: no category of them could be registered, want names with keys of their own"
        )
    print_line(f"register: {counted(len(registered), 'category')}: {', '.join(registered)}")
    return 0


_MOST_NAMES = 20
"""So many names that the sources offer are told."""


def _not_offered(names: Mapping[str, str], registered: Collection[str]) -> list[str]:
    """Return a line for each name that no source offers; without a name, one that tells what they do offer."""
    settings = config.load()
    opened = sources.open_sources(settings.collect, settings.fetch)
    offered = [source.categories() for source in opened]
    known = Categories.of(name for some in offered for name in some).names
    new = sorted(name for key, name in known.items() if key not in registered)
    more = f" and {len(new) - _MOST_NAMES} more" if len(new) > _MOST_NAMES else ""
    told = f"the sources offer {', '.join(new[:_MOST_NAMES])}{more}" if new else "the sources offer nothing else"
    if not names:
        return [f"no name is given, and {told}, which nobody has registered"]
    if not all(offered):
        return []  # a source that can search offers every name
    return [
        f"no source offers '{printable(name)}', {near(name, known.values()) or told}"
        for key, name in names.items()
        if key not in known
    ]


def add_past(parser: argparse.ArgumentParser) -> None:
    """Declare what can be asked of past windows."""
    parser.add_argument("--from", dest="first", metavar="WINDOW", help="the first past window; none: every one")
    parser.add_argument("--to", dest="last", metavar="WINDOW", help="the last past window; none: the newest")
    parser.add_argument("--videos", type=whole(1), metavar="N", help="begin no further window once N videos are there")
    parser.add_argument("--floor", type=float, metavar="SHARE", help="share of positives that must be right, below 1")


def asked(category: str, arguments: argparse.Namespace) -> Backfill:
    """Return what the flags of `add_past` ask for.

    Raises:
        WrongArguments: they contradict each other, or are out of range.

    """
    first, last = bounds(arguments.first, arguments.last)
    if arguments.floor is not None and not 0 <= arguments.floor < 1:
        raise WrongArguments(f"--floor: is {arguments.floor:g}, want a share of 0 to below 1")
    return Backfill(
        category=category, first_window=first, last_window=last, videos_most=arguments.videos, floor=arguments.floor
    )


def _write(ledger: Ledger, wanted: Backfill, known: Backfill | None, *, resume: bool) -> list[Backfill]:
    """Write down what is wanted of the past windows of a registered category; nothing where nothing is asked.

    Args:
        ledger: of the platform.
        wanted: what is asked now.
        known: what was asked before.
        resume: what was asked before goes on also where nothing else is asked.

    Returns: what is asked once this was written, where anything was.

    Raises:
        WrongArguments: together with what was asked for before it holds no window.

    """
    if wanted == Backfill(category=wanted.category) and not (resume and known):
        return []
    found = wanted.after(known)
    values = {name: value for name, value in asdict(wanted).items() if name != "state"}
    ledger.run("plan_category", newest=newest_window(), **values)
    return [found]


def _retired(known: Mapping[str, Row], names: Mapping[str, str]) -> dict[str, str]:
    """Return the keys of retired categories, each with a line for people: nothing would come of registering them."""
    return {
        key: f"category '{name}' is retired and stays so; `slac retire --category {key} --undo` takes it up again"
        for key, name in names.items()
        if key in known and known[key]["retired_at"] is not None
    }


def taken(known: Mapping[str, Row], names: Mapping[str, str]) -> dict[str, str]:
    """Return the keys that the ledger knows by another name, each with a line for people."""
    called = {key: row["name"] for key, row in known.items()}
    return {
        key: f"category '{name}' would get the key '{key}' of the registered category '{called[key]}'"
        for key, name in names.items()
        # A category that was registered by its key has no other name yet.
        if key in called and called[key] != key and spelling(called[key]) != spelling(name)
    }


def _print_lengths(opened: Sequence[sources.Source], collect: Collect) -> None:
    """Say how many videos of folders `fetch` will set aside as too short or too long, before it does."""
    for source in opened:
        if isinstance(source, sources.FolderSource):
            found = outside(source.files(), collect.min_duration_sec, collect.max_duration_sec)
            for count, words in (
                (found.short, f"shorter than {collect.min_duration_sec} s"),
                (found.long, f"longer than {collect.max_duration_sec} s"),
            ):
                if count:
                    print_line(f"register: {source.root}: {found.share(count)} are {words}: `fetch` will drop them")
