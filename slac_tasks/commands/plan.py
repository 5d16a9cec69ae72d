"""Say what a DAG has to do: one line of JSON, a list of at most 1,024 items, each the keys of one task.

  slac plan --for collect_videos --window 2026-01-05     categories without videos of that window, and what is to be
                                                         fetched or admitted again
  slac plan --for score_clips [--window 2026-01-05]      categories whose clips some member has not scored
  slac plan --for send_hard_clips                        rounds that are scored but not mined
  slac plan --for sync_verifications                     votes that are not labels yet
  slac plan --for labels_due                             labels that it is time to judge
  slac plan --for judge                                  categories whose labels changed since they were measured
  slac plan --for check_labels                           refused categories that wait for a person's decision
  slac plan --for pretrain [--at-once]                   the release to make, or to finish; at once: of whatever is new
  slac plan --for add_category --category judo           windows that a category still lacks
  slac plan --for score_again --category judo --committee c1a2b3c4 [--from 2026-01-05] [--to 2026-03-30]
                                                         clips that this committee has not scored

Only what has no current dataset is handed on; an empty list means that there is nothing to do. Safe to run always.

With --estimate it also says on stderr what the items will take: videos, bytes, clips, seconds of each device that is
known by earlier runs, and people's hours. What is unknown is called so. For collect_videos, score_clips, add_category
and score_again.
"""

import argparse
import json
import os
import sys

from slac_tasks import config
from slac_tasks.errors import WrongArguments
from slac_tasks.model import slug
from slac_tasks.planning.backfills import bounds
from slac_tasks.planning.estimates import ESTIMATES, estimate
from slac_tasks.planning.items import handed_on
from slac_tasks.planning.notes import notes
from slac_tasks.planning.planner import Planner
from slac_tasks.planning.plans import PLANS
from slac_tasks.progress import counted
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `slac plan`."""
    parser.add_argument("--for", dest="dag", required=True, choices=sorted(PLANS), help="what to plan")
    parser.add_argument("--window", help="Monday on which the week starts")
    parser.add_argument("--category", action="append", default=[], help="look at this category only; may be repeated")
    parser.add_argument("--committee", help="score with this committee; for score_again")
    parser.add_argument("--from", dest="first", metavar="WINDOW", help="no window before this one; for score_again")
    parser.add_argument("--to", dest="last", metavar="WINDOW", help="no window after this one; for score_again")
    parser.add_argument("--stale", action="store_true", help="also what was fetched or admitted with other settings")
    parser.add_argument("--retry-drops", action="store_true", help="also drops that a later try may get, at once")
    parser.add_argument("--at-once", action="store_true", help="release whatever labels are new; for pretrain")
    parser.add_argument("--estimate", action="store_true", help="also say what it will take, before anything runs")


def main(arguments: argparse.Namespace) -> None:
    """Print the plan as one line of JSON.

    Raises:
        WrongArguments: an estimate is asked for of a plan of which nothing can be said, or a bound is no window.

    """
    if arguments.estimate and arguments.dag not in ESTIMATES:
        raise WrongArguments(f"plan: --estimate for {arguments.dag}, want one of {', '.join(sorted(ESTIMATES))}")
    settings = config.load()
    first, last = bounds(arguments.first, arguments.last)
    planner = Planner(
        settings=settings,
        datasets=Datasets(open_store(settings.store_url)),
        ledger=open_ledger(os.environ),
        window=arguments.window,
        only=tuple(slug(category) for category in arguments.category),
        score_with=arguments.committee,
        first_window=first,
        last_window=last,
        stale=arguments.stale,
        retry_drops=arguments.retry_drops,
        at_once=arguments.at_once,
    )
    items = PLANS[arguments.dag](planner)
    said = [f"settings {settings.fingerprint} of {os.environ.get('SLAC_CONFIG') or 'the defaults'}"]
    said += notes(planner, arguments.dag)
    taken = handed_on(items, planner.now.date())
    if len(items) > len(taken):
        said.append(
            f"{counted(len(items), 'item')}, handing on {len(taken)}; the next runs take the rest, whatever fails now"
        )
    if arguments.estimate:
        said += [f"estimate: {line}" for line in estimate(planner, arguments.dag, taken)]
    for line in said:
        print(f"plan: {line}", file=sys.stderr)
    print(json.dumps([item.record() for item in taken]))
