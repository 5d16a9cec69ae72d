"""Stop what `slac demo` left running. What it made stays, and `slac demo` goes on from there.

  slac down
  slac down --remove              start from nothing the next time

Safe to run again. With --remove everything that the demos made is deleted too.
"""

import argparse
import shutil

from slac_tasks.launcher.airflow import COMPONENTS
from slac_tasks.launcher.processes import Daemon, stop_all
from slac_tasks.launcher.state import found, root


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `slac down`."""
    parser.add_argument("--remove", action="store_true", help="also delete everything that the demos made")


def main(arguments: argparse.Namespace) -> None:
    """Stop Airflow, the simulated people and Postgres of every demo."""
    stopped: list[str] = []
    for demo in found():
        parts = [Daemon(name=name, folder=demo.home / "logs") for name in COMPONENTS]
        stopped += stop_all([demo.reviewers, *parts])
        if demo.postgres.running:
            stopped.append("Postgres")
        if arguments.remove:
            demo.postgres.remove()
        else:
            demo.postgres.stop()
    print(f"down: stopped {', '.join(stopped)}" if stopped else "down: nothing was running")
    if arguments.remove and root().exists():
        shutil.rmtree(root())
        print(f"down: deleted {root()}")
