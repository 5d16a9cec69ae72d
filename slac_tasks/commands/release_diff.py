"""Say what differs between two releases: labels added, changed, withdrawn and corrected, by category.

slac release diff r0001 r0002                       a table
slac release diff r0001 r0002 --clips               each label that differs, one line of JSON each
slac release diff r0001 r0002 --json                the table as JSON

A changed label has another sign; a corrected one has the same, and differs in another column. Reads the store alone.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict

from slac_tasks import config
from slac_tasks.release.changes import KINDS, Changes, count, differences
from slac_tasks.release.finished import need_release
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("before", help="the older release, e.g. r0001")
    parser.add_argument("now", help="the newer release, e.g. r0002")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--clips", action="store_true", help="print each label that differs")
    form.add_argument("--json", action="store_true", help="print the table as JSON")


def main(arguments: argparse.Namespace) -> None:
    """Print what differs."""
    datasets = Datasets(open_store(config.load().store_url))
    (old, before), (new, now) = (need_release(datasets, name) for name in (arguments.before, arguments.now))
    counts: dict[str, Changes] = {}
    for category, table in differences(datasets, before, now):
        counts[category] = count(table)
        if arguments.clips:
            for row in table.to_pylist():
                print(json.dumps({"category": category, **row}))
    total = sum(counts.values(), Changes())
    if arguments.json:
        by_category = {category: asdict(found) for category, found in counts.items()}
        versions = {arguments.before: old.version, arguments.now: new.version}
        print(json.dumps({"versions": versions, "total": asdict(total), "categories": by_category}, indent=1))
    elif not arguments.clips:
        print(f"{arguments.before} ({old.version}) to {arguments.now} ({new.version})")
        # With a blank it is the key of no category.
        print(render({**counts, "all categories": total}))


def render(counts: Mapping[str, Changes]) -> str:
    """Return a table with a line for each category and a column for each kind of change; equal categories are left out.

    The last line, of all categories together, always stands.
    """
    shown = [(name, found) for name, found in counts.items() if found != Changes() or name == list(counts)[-1]]
    lines = [f"{'category':<32}" + "".join(f"{kind:>12}" for kind in KINDS)]
    lines += [f"{name:<32}" + "".join(f"{getattr(found, kind):>12,}" for kind in KINDS) for name, found in shown]
    return "\n".join(lines)
