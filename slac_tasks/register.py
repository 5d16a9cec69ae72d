"""Register categories in the ledger: a fixed key and a display name each. Safe to run again.

slac register --category "Clean and jerk" --category Archery --guideline "The bar leaves the floor ..."
slac register --from-sources       every category that a source offers
"""

import argparse

from slac_tasks import config, database, sources
from slac_tasks.errors import WrongArguments
from slac_tasks.model import slug


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `slac register`."""
    parser.add_argument("--category", action="append", default=[], metavar="NAME", help="display name; may be repeated")
    parser.add_argument("--guideline", help="what people are told counts as the action; a change raises its version")
    parser.add_argument("--from-sources", action="store_true", help="every category that the sources offer")


def main(arguments: argparse.Namespace) -> None:
    """Upsert the categories and say which are registered."""
    names = list(arguments.category)
    if arguments.from_sources:
        names += sources.categories(config.load().collect.sources)
    if not names:
        raise WrongArguments("register: no category, want --category NAME or --from-sources")
    keys = {slug(name): name for name in names}
    ledger = database.connect()
    ledger.run_many(
        "register_category",
        [{"category": key, "name": name, "guideline": arguments.guideline} for key, name in sorted(keys.items())],
    )
    print(f"register: {len(keys)} categories: {', '.join(sorted(keys))}")
