"""Print the variables that lead to the running demo's settings, store and ledger, for a shell.

  slac env                     what they are; a terminal is not shown the password
  eval "$(slac env)"           set them in this shell, for other programs or from another folder
  slac env --json

`slac` itself needs no such line: where none of SLAC_STORE, SLAC_CONFIG and SLAC_DATABASE_URL is set, it works with the
demo that runs. What it prints into a pipe or a file holds the ledger's password: let nobody else read that file.
"""

import argparse
import json
import re
import shlex
import sys

from slac_tasks.errors import NotConfigured
from slac_tasks.launcher.state import root
from slac_tasks.launcher.surroundings import LEDGER, running, variables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `slac env`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def main(arguments: argparse.Namespace) -> None:
    """Print the variables.

    Raises:
        NotConfigured: no demo runs.

    """
    demo = running()
    if demo is None:
        raise NotConfigured(f"demo: none runs in {root()}, want one that `slac demo` started")
    found = variables(demo)
    if hidden := sys.stdout.isatty():
        found[LEDGER] = without_password(found[LEDGER])
    if arguments.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"export {name}={shlex.quote(value)}")
    if hidden:
        print('# the password is not shown on a terminal; eval "$(slac env)" sets the variables in this shell')


def without_password(url: str) -> str:
    """Return a database's address with its password left out."""
    return re.sub(r"^(\w+://[^:/@]+):[^@]*@", r"\1:***@", url)
