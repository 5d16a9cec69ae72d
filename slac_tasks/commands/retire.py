"""Retire categories: they are collected, scored, asked, judged and released no more. What was made of them stays.

  slac retire --category judo --person mara --reason "the sources hold twelve videos of it"
  slac retire --category judo --person mara --reason "a new source offers it" --undo

Safe to run again: a category that is retired already is left as it is. No other category is touched. Answers to clips
that people have in their hands are still taken.
"""

import argparse

from slac_tasks.collect.names import Categories
from slac_tasks.commands.register import taken
from slac_tasks.errors import WrongArguments
from slac_tasks.progress import print_line
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.verification.rulings import restore, retire


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("--category", action="append", required=True, metavar="NAME", help="name; may be repeated")
    parser.add_argument("--person", required=True, help="who decides")
    parser.add_argument("--reason", required=True, help="why; stored with the decision")
    parser.add_argument("--undo", action="store_true", help="take retired categories up again")


def main(arguments: argparse.Namespace) -> None:
    """Retire each category, or take it up again, and print what that changed.

    Raises:
        WrongArguments: one is not registered, or has the key of another one; nothing is changed then.

    """
    named = Categories.of(arguments.category)
    ledger = open_ledger()
    known = {row["category"]: row for row in ledger.rows("categories")}
    # A key is itself, whatever its category is called.
    by_name = {key: name for key, name in named.names.items() if name != key}
    if wrong := [*named.set_aside(), *taken(known, by_name).values()]:
        raise WrongArguments("; ".join(wrong))
    change, done, already = (
        (restore, "at work again", "at work already") if arguments.undo else (retire, "retired", "retired already")
    )
    with ledger.transaction():
        changed = {key: change(ledger, key, person=arguments.person, reason=arguments.reason) for key in named.names}
    ledger.close()
    for key, new in changed.items():
        print_line(f"retire: {key} is {done if new else already}")
