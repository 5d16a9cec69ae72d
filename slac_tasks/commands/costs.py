"""Print what each category cost, and each certified label: hours of people and of a device, and money if it is priced.

  slac costs
  slac costs --json              one JSON object a line

Prices are `costs.gpu_hour` and `costs.annotator_hour`; there are none by default. People's time is that of the answers
up to the newest certified labels. The device's is what its clips take with the committee of today, at the rate that
`slac score` measured last. Reads SLAC_STORE and the ledger of SLAC_DATABASE_URL. Safe to run always.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache, partial

from slac_tasks import config
from slac_tasks.networks.committees import rows_by_category
from slac_tasks.networks.rates import Work, rates
from slac_tasks.planning.planner import Planner
from slac_tasks.progress import print_json
from slac_tasks.reports.costs import Cost, lines
from slac_tasks.storage.datasets import CLIPS
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flag."""
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def main(arguments: argparse.Namespace) -> None:
    """Print the costs."""
    settings = config.load()
    ledger = open_ledger()
    planner = Planner(settings=settings, datasets=Datasets(open_store(settings.store_url)), ledger=ledger)
    found = list(costs(planner))
    ledger.close()
    if arguments.json:
        prices = settings.costs
        print_json(
            asdict(one) | {"money": one.money(prices), "money_per_label": one.each(one.money(prices))} for one in found
        )
    else:
        print("\n".join(lines(found, settings.costs)))


def costs(planner: Planner) -> Iterator[Cost]:
    """Yield what each category cost."""
    seats = rows_by_category(planner.datasets, planner.committee) if planner.committee else {}
    # Most categories are scored by the same networks.
    rates_of = cache(partial(rates, planner.datasets.store))
    clips: dict[str, int] = {}
    for (category, _), count in planner.row_counts(CLIPS).items():
        clips[category] = clips.get(category, 0) + count
    for row in planner.known.rows("costs"):
        category = str(row["category"])
        known = rates_of(Work.of(seats.get(category, ()), planner.settings.scoring))
        newest = max(known, key=lambda rate: rate.runs[0].measured_at, default=None)
        hours = newest.seconds(clips.get(category, 0), 0) / 3600 if newest else None
        yield Cost(
            category=category, people_hours=row["seconds"] / 3600, device_hours=hours, certified=int(row["certified"])
        )
