"""Bring the ledger to this code's version.

  slac migrate

Safe to run by many at once: one applies, the others find it done.
"""

import argparse

from slac_tasks.storage.ledger import open_ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none: the ledger's address is SLAC_DATABASE_URL."""


def main(arguments: argparse.Namespace) -> None:
    """Apply missing migrations and say which."""
    ledger = open_ledger(migrated=False)
    applied = ledger.migrate()
    version = ledger.version()
    if applied:
        print(f"migrate: applied {', '.join(f'{number:04d}' for number in applied)}; ledger is at version {version}")
    else:
        print(f"migrate: finished already, ledger is at version {version}")
