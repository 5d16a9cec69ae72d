"""Undo a drop of a look-alike: a person says that two videos differ.

  slac show duplicates                        the pairs, with the evidence and where both were found
  slac duplicates differ VIDEO OTHER --person mara --reason "two gymnasts, one floor"
  slac duplicates same VIDEO OTHER            takes it back, until the video has been admitted

The next run of `collect_videos` admits the video, and so does the command that is printed. Safe to run again.
"""

import argparse

from slac_tasks.admission.told_apart import tell_apart, tell_same, told_apart, undone
from slac_tasks.errors import WrongArguments
from slac_tasks.storage.ledger import open_ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="what", required=True)
    differ = verbs.add_parser("differ", help="say that two look-alikes differ: the dropped one is admitted")
    same = verbs.add_parser("same", help="take that back")
    for verb in (differ, same):
        verb.add_argument("video", help="video_id of one")
        verb.add_argument("other", help="video_id of the other, in either order")
    differ.add_argument("--person", required=True, help="whose word it is")
    differ.add_argument("--reason", required=True, help="how they differ")


def main(arguments: argparse.Namespace) -> None:
    """Do what the verb says.

    Raises:
        WrongArguments: no such pair, or the word can be taken back no more.

    """
    video, other = arguments.video, arguments.other
    ledger = open_ledger()
    if arguments.what == "differ":
        if not tell_apart(ledger, video, other, person=arguments.person, reason=arguments.reason):
            raise WrongArguments(f"{video} and {other}: are no pair of look-alikes, want one of `slac show duplicates`")
        print(f"duplicates: {video} and {other} differ; the next run of collect_videos admits the one that was dropped")
        for window in dict.fromkeys(one.window for one in undone(ledger)):
            print(f"at once: slac deduplicate --window {window} --follow")
    elif tell_same(ledger, video, other):
        print(f"duplicates: {video} and {other} are the same again")
    elif any({pair.video_id, pair.other_id} == {video, other} for pair in told_apart(ledger)):
        raise WrongArguments(
            f"{video} and {other}: both are admitted, each in a group of its own, so they stay told apart; "
            f"`slac takedown --named {video}` removes one for good"
        )
    else:
        raise WrongArguments(f"{video} and {other}: nobody told them apart, want a pair of `slac show duplicates`")
