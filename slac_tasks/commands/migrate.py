"""Bring the ledger to this code's version.

  slac migrate

All missing migrations are applied, or none. Safe to run by many at once: one applies, the others find it done.

Answers wait meanwhile. Most migrations take no time; the slowest, 0039 and 0041, take 20 s together for a million
queued clips. Where a backup or a stage uses a table for longer than 10 s, the command ends with 75, and people go on.
"""

import argparse

from slac_tasks.progress import print_line
from slac_tasks.storage.ledger import open_ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none: the ledger's address is SLAC_DATABASE_URL."""


def main(arguments: argparse.Namespace) -> None:
    """Apply missing migrations and say which."""
    ledger = open_ledger(migrated=False)
    applied = ledger.migrate(lambda version: print_line(f"migrate: applies {version:04d}"))
    version = ledger.version()
    if applied:
        print(f"migrate: applied {', '.join(f'{number:04d}' for number in applied)}; ledger is at version {version}")
    else:
        print(f"migrate: finished already, ledger is at version {version}")
