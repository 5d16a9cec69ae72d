"""Delete what the store holds and nobody needs: superseded generations, old labels, unnamed weights, replaced heads.

slac gc --dry-run            list what would be deleted, and how many bytes that frees
slac gc                      delete what was written more than 7 days ago
slac gc --days 30            leave younger things alone

Never deletes a release or what it names, the newest or the newest judged labels, or a current generation of anything
else. Safe to kill, and to run again. Give it more days than the longest run of a stage takes. Of it, `slac doctor
--reconcile` and `slac annotator forget` one runs at a time; the others end with 75.
"""

import argparse
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from slac_tasks import config, garbage
from slac_tasks.errors import WrongArguments
from slac_tasks.forgetting import names_held
from slac_tasks.progress import print_json, print_line
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets

DAYS = 7
DAYS_MOST = 36_500
"""No store is a hundred years old."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--dry-run", action="store_true", help="delete nothing")
    parser.add_argument("--days", type=float, default=DAYS, help=f"delete what is older than this (default {DAYS})")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def main(arguments: argparse.Namespace) -> None:
    """Print each thing that goes and delete it; then print how much that was."""
    if not 0 <= arguments.days <= DAYS_MOST:
        raise WrongArguments(f"--days {arguments.days:g}: want 0 to {DAYS_MOST:,}")
    before = datetime.now(UTC) - timedelta(days=arguments.days)
    datasets = Datasets(open_store(config.load().store_url))
    ledger = open_ledger()
    count: Counter[str] = Counter()
    size: Counter[str] = Counter()
    with ExitStack() as stack:
        if not arguments.dry_run:
            stack.enter_context(ledger.alone(garbage.DELETING))
            # Who forgets writes the next generation of a partition: its pointer would go with the one that was found.
            stack.enter_context(names_held(ledger))
        for found in garbage.find(datasets, ledger, before):
            if arguments.json:
                print_json([{"why": found.why, "size_bytes": found.size_bytes, "name": found.name}])
            else:
                print(f"{found.why:<22} {found.size_bytes:>15,} bytes  {found.name}")
            if not arguments.dry_run:
                garbage.delete(datasets, ledger, found, before)
            count[found.why] += 1
            size[found.why] += found.size_bytes
    ledger.close()
    what = ", ".join(f"{count[why]:,} x {why} ({size[why]:,} bytes)" for why in count) or "nothing"
    print_line(f"gc: {'would delete' if arguments.dry_run else 'deleted'} {what}")
