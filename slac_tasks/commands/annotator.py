"""Accounts of the review page, and which group of people reviews which category.

  slac annotator add ada --group judo_club          asks for a password, or reads it from standard input
  slac annotator add grace --lead                   a lead also sees funnel, quality and duplicates
  slac annotator add label-studio:ann@example.com --group judo_club     answers there, and needs no password here
  slac annotator close ada                          answers no more; the answers stay
  slac annotator forget ada                         the votes stay, under a pseudonym; nothing shows the name any more
  slac annotator assign judo_club --category judo   this group alone reviews judo; --everybody gives it back to all
  slac annotator list                               accounts, and what waits for a person who is not there

Safe to run again: adding a known person sets a new password and ends the sessions of the old one. `forget` goes on
where it was cut off, and ends with 75 while a stage that handles names is under way. It knows the store and the ledger
alone. A name in the reason of a takedown, in the logs of Airflow, in a backup or in another system is not found.
Releases hold no names of people, so published ones need no change.
"""

import argparse
import getpass
import re
import sys

from slac_tasks import config
from slac_tasks.errors import WrongArguments
from slac_tasks.forgetting import forget
from slac_tasks.given import texts
from slac_tasks.given.words import fault_of
from slac_tasks.progress import counted, print_json
from slac_tasks.storage.ledger import Ledger, open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.registered import check_registered
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.label_studio import PREFIX
from slac_tasks.verification.nobody import waiting_lines
from slac_tasks.verification.people import name_of
from slac_tasks.web.passwords import MIN_LENGTH, seal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="what", required=True)
    add = verbs.add_parser("add", help="make an account, or change it")
    add.add_argument("name")
    add.add_argument("--group", action="append", default=[], help="group of people; may be repeated")
    add.add_argument("--lead", action="store_true", help="also sees funnel, quality and duplicates")
    close = verbs.add_parser("close", help="let a person answer no more")
    close.add_argument("name")
    forget = verbs.add_parser("forget", help="replace a person's name by a pseudonym, for data-protection law")
    forget.add_argument("name")
    assign = verbs.add_parser("assign", help="say who reviews a category")
    assign.add_argument("group", nargs="?")
    assign.add_argument("--everybody", action="store_true", help="no group: everybody reviews it")
    assign.add_argument("--category", action="append", required=True, help="category key; may be repeated")
    listed = verbs.add_parser("list", help="list accounts")
    listed.add_argument("--json", action="store_true", help="print one JSON object a line")


def main(arguments: argparse.Namespace) -> None:
    """Do what the verb says.

    Raises:
        WrongArguments: a name, a password or a category that cannot be.

    """
    ledger = open_ledger()
    if arguments.what == "add":
        _add(ledger, arguments)
    elif arguments.what == "close":
        if not ledger.run("close_account", annotator=(name := _name(arguments.name))):
            raise WrongArguments(f"annotator {arguments.name!r}: unknown")
        print(f"annotator: {name} answers no more")
        _tell_waiting(ledger)
    elif arguments.what == "forget":
        _forget(ledger, _name(arguments.name))
    elif arguments.what == "assign":
        if bool(arguments.group) == arguments.everybody:
            raise WrongArguments("annotator assign: want a group, or --everybody")
        check_registered(ledger, arguments.category)
        with ledger.transaction():
            for category in arguments.category:
                ledger.run("assign_category", category=category, reviewers=arguments.group)
        print(f"annotator: {', '.join(arguments.category)}: reviewed by {arguments.group or 'everybody'}")
        _tell_waiting(ledger)
    elif arguments.json:
        print_json(ledger.rows("accounts"))
    else:
        for row in ledger.rows("accounts"):
            login = "login" if row["has_login"] else "no login"
            state = login if row["active"] else "closed"
            print(f"{row['annotator']:<24} {row['role']:<9} {state:<9} {', '.join(row['groups'])}".rstrip())
        _tell_waiting(ledger)


def _add(ledger: Ledger, arguments: argparse.Namespace) -> None:
    name, role = _name(arguments.name), "lead" if arguments.lead else "reviewer"
    groups = ", ".join(arguments.group) or "none"
    if name.startswith(PREFIX):
        ledger.run("add_account", annotator=name, password=None, groups=arguments.group, role=role)
        print(f"annotator: {name} may answer in Label Studio, groups: {groups}")
        return
    # The store of sessions and every table of votes shows the name: one word, no look-alikes.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", name):
        raise WrongArguments(f"annotator {name!r}: want 1 to 64 of letters, digits and . _ @ -, or {PREFIX}<e-mail>")
    ledger.run("add_account", annotator=name, password=seal(_password()), groups=arguments.group, role=role)
    print(f"annotator: {name} may log in as a {role}, groups: {groups}")


def _forget(ledger: Ledger, name: str) -> None:
    done = forget(Datasets(open_store(config.load().store_url)), ledger, name)
    if done.nothing:
        print("annotator: nothing holds that name any more")
        return
    found = (
        f"{counted(done.votes, 'vote')}, {counted(done.generations, 'generation')} of datasets, "
        f"{counted(done.pages, 'page')}"
    )
    print(
        f"annotator: is {done.pseudonym} from now on: {found}; `slac inspect` and `slac report` write the pages again"
    )


def _tell_waiting(ledger: Ledger) -> None:
    """Print what waits for a person who is not there."""
    for line in waiting_lines(ledger.rows("waiting_for_nobody")):
        print(f"annotator: {line}")


def _name(name: str) -> str:
    """Return the name of a person, spelled as votes have it."""
    prefix = PREFIX if name.startswith(PREFIX) else ""
    try:
        spelled = name_of(name.removeprefix(prefix))
    except ValueError as error:
        raise WrongArguments(f"annotator {name!r}: {error}") from error
    if prefix and not re.fullmatch(r"[^@\s]+@[^@\s]+", spelled):
        raise WrongArguments(f"annotator {name!r}: want the e-mail address of a person after {PREFIX}")
    return prefix + spelled


def _password() -> str:
    try:
        password = getpass.getpass("Password: ") if sys.stdin.isatty() else texts.read_line(sys.stdin)
    except texts.NotText as error:
        raise WrongArguments(f"password: {error}") from error
    if fault := fault_of(password):
        raise WrongArguments(f"password: {fault}, want a text in UTF-8")
    if len(password) < MIN_LENGTH:
        raise WrongArguments(f"password: has {len(password)} characters, want {MIN_LENGTH} or more")
    return password
