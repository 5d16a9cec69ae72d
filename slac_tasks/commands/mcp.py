"""Serve agents: the platform's numbers over the Model Context Protocol, on standard input and output. Read-only.

slac mcp            started by the agent's program, which closes the input when it is done

In the settings of such a program:

    {"mcpServers": {"slac": {"command": "slac", "args": ["mcp"]}}}

Tools: funnel, rounds, quality, people, releases, clips. The store is SLAC_STORE, the ledger SLAC_DATABASE_URL. Every
transaction is read-only, whatever the password allows. An agent sees what a lead sees, names of reviewers too.
"""

import argparse
import sys
from contextlib import closing

from slac_tasks import __version__, config
from slac_tasks.agents.protocol import Message, Refused, Server
from slac_tasks.agents.tools import TOOLS, Platform
from slac_tasks.errors import SlacError
from slac_tasks.progress import print_line
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets

INSTRUCTIONS = (
    "slac collects videos, lets a committee of classifiers choose 2-second clips, asks people yes or no about an "
    "action, and releases the labels. Ask `funnel` first. Nothing can be changed here."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none: the client says everything."""


def main(arguments: argparse.Namespace) -> None:
    """Answer until the client closes the input."""
    server = Server(name="slac", version=__version__, instructions=INSTRUCTIONS, tools=[*TOOLS.values()], call=call)
    print_line("slac mcp: waits for messages on standard input")
    server.serve(sys.stdin.buffer, _write)


def call(name: str, arguments: Message) -> Message:
    """Answer one tool.

    A connection of its own for each call: an agent may wait for hours between two, and Postgres may restart.

    Raises:
        Refused: wrong arguments, broken data, or no ledger or store that answers.

    """
    try:
        datasets = Datasets(open_store(config.load().store_url))
        with closing(open_ledger()) as ledger:
            ledger.rows("read_only")
            return TOOLS[name].ask(Platform(datasets=datasets, ledger=ledger), arguments)
    except SlacError as error:
        raise Refused(str(error)) from error


def _write(answer: str) -> None:
    sys.stdout.write(answer)
    sys.stdout.flush()
