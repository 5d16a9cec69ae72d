"""Register categories in the ledger, by name or as the sources name them.

Safe to run again: a known category keeps its key; a guideline whose text changes gets the next version.
"""

import argparse
import sys

from slac_tasks import config
from slac_tasks.collect import sources
from slac_tasks.errors import WrongArguments
from slac_tasks.model import slug
from slac_tasks.storage.ledger import open_ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--category", action="append", metavar="NAME", help="display name; may be repeated")
    which.add_argument("--from-sources", action="store_true", help="every category of collect.sources")
    parser.add_argument("--guideline", help="what reviewers are told about the category")


def main(args: argparse.Namespace) -> int:
    """Write the categories and say which."""
    if args.from_sources:
        if args.guideline is not None:
            raise WrongArguments("--guideline: goes with --category, not with --from-sources")
        opened = sources.open_sources(config.load().collect)
        names = [name for source in opened for name in source.categories()]
    else:
        names = args.category
    # Two names with one key are one category; the first name stands.
    named: dict[str, str] = {}
    for name in names:
        named.setdefault(slug(name), name)
    ledger = open_ledger()
    with ledger.transaction():
        for category, name in named.items():
            ledger.run("register_category", category=category, name=name, guideline=args.guideline)
    print(f"register: {len(named)} categories: {', '.join(named)}", file=sys.stderr, flush=True)
    return 0
