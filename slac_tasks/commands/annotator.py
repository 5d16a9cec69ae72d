"""Accounts of the review page, and which group of people reviews which category.

  slac annotator add ada --group judo_club          asks for a password, or reads it from standard input
  slac annotator add grace --lead                   a lead also sees the funnel and quality pages
  slac annotator close ada                          answers no more; the answers stay
  slac annotator assign judo_club --category judo   this group alone reviews judo; --everybody gives it back to all
  slac annotator list

Safe to run again: adding a known person sets a new password and ends the sessions of the old one.
"""

import argparse
import getpass
import re
import sys

from slac_tasks.errors import WrongArguments
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.web.passwords import MIN_LENGTH, seal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="what", required=True)
    add = verbs.add_parser("add", help="make an account, or change it")
    add.add_argument("name")
    add.add_argument("--group", action="append", default=[], help="group of people; may be repeated")
    add.add_argument("--lead", action="store_true", help="also sees funnel and quality")
    close = verbs.add_parser("close", help="let a person answer no more")
    close.add_argument("name")
    assign = verbs.add_parser("assign", help="say who reviews a category")
    assign.add_argument("group", nargs="?")
    assign.add_argument("--everybody", action="store_true", help="no group: everybody reviews it")
    assign.add_argument("--category", action="append", required=True, help="category key; may be repeated")
    verbs.add_parser("list", help="list accounts")


def main(arguments: argparse.Namespace) -> None:
    """Do what the verb says.

    Raises:
        WrongArguments: a name, a password or a category that cannot be.

    """
    ledger = open_ledger()
    if arguments.what == "add":
        # The store of sessions and every table of votes shows the name: one word, no look-alikes.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", arguments.name):
            raise WrongArguments(f"annotator {arguments.name!r}: want 1 to 64 of letters, digits and . _ @ -")
        role = "lead" if arguments.lead else "reviewer"
        password = seal(_password())
        ledger.run("add_account", annotator=arguments.name, password=password, groups=arguments.group, role=role)
        print(f"annotator: {arguments.name} may log in as a {role}, groups: {', '.join(arguments.group) or 'none'}")
    elif arguments.what == "close":
        if not ledger.run("close_account", annotator=arguments.name):
            raise WrongArguments(f"annotator {arguments.name!r}: unknown")
        print(f"annotator: {arguments.name} answers no more")
    elif arguments.what == "assign":
        if bool(arguments.group) == arguments.everybody:
            raise WrongArguments("annotator assign: want a group, or --everybody")
        with ledger.transaction():
            for category in arguments.category:
                if not ledger.run("assign_category", category=category, reviewers=arguments.group):
                    raise WrongArguments(f"category {category!r}: not registered")
        print(f"annotator: {', '.join(arguments.category)}: reviewed by {arguments.group or 'everybody'}")
    else:
        for row in ledger.rows("accounts"):
            login = "login" if row["has_login"] else "no login"
            state = login if row["active"] else "closed"
            print(f"{row['annotator']:<24} {row['role']:<9} {state:<9} {', '.join(row['groups'])}".rstrip())


def _password() -> str:
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < MIN_LENGTH:
        raise WrongArguments(f"password: has {len(password)} characters, want {MIN_LENGTH} or more")
    return password
