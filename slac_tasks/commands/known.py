"""Clips whose answer is known: gold clips, mixed in so that nobody can tell, and examples beside the guideline.

  slac known add --category judo --clip 3f2a9c01d4e5b677:15500 --answer yes --as gold --person mara
  slac known drop --category judo --clip 3f2a9c01d4e5b677:15500
  slac known list

Where nobody chose an example, the page shows finished clips on which everybody agreed. Safe to run again.
"""

import argparse

from slac_tasks.errors import WrongArguments
from slac_tasks.progress import print_json
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.people import keep_known
from slac_tasks.storage.registered import check_registered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="what", required=True)
    add = verbs.add_parser("add", help="say that the answer to a clip of the queue is known")
    drop = verbs.add_parser("drop", help="forget it")
    for verb in (add, drop):
        verb.add_argument("--category", required=True, help="category key")
        verb.add_argument("--clip", required=True, help="clip of the queue, video_id:start_ms")
    add.add_argument("--answer", choices=("yes", "no"), required=True)
    add.add_argument("--as", dest="purpose", choices=("gold", "example"), required=True)
    add.add_argument("--person", required=True, help="whose word it is")
    listed = verbs.add_parser("list", help="list known answers")
    listed.add_argument("--json", action="store_true", help="print one JSON object a line")


def main(arguments: argparse.Namespace) -> None:
    """Do what the verb says.

    Raises:
        WrongArguments: no such clip in the queue.

    """
    ledger = open_ledger()
    if arguments.what == "list":
        rows = ledger.rows("known_answers")
        if arguments.json:
            print_json(rows)
            return
        for row in rows:
            print(f"{row['category']:<24} {row['purpose']:<8} {row['answer']:<4} {row['clip_id']:<32} {row['person']}")
        return
    check_registered(ledger, [arguments.category])
    clip = {"category": arguments.category, "clip_id": arguments.clip}
    if arguments.what == "add":
        given = {"answer": arguments.answer, "purpose": arguments.purpose, "person": arguments.person}
        with ledger.transaction():
            keep_known(ledger, arguments.person)
            done = bool(ledger.rows("add_known_answer", **clip, **given))
    else:
        done = bool(ledger.run("drop_known_answer", **clip))
    if not done:
        raise WrongArguments(f"clip {arguments.clip!r} of {arguments.category!r}: not there, want one of the queue")
    print(f"known: {arguments.what} {arguments.category} {arguments.clip}")
