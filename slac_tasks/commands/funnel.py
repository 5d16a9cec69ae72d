"""Print what became of everything that was found: the funnel from retrieved videos to a pretrained model.

  slac funnel
  slac funnel --json              each number as one JSON object on a line of its own

Reads SLAC_STORE and the ledger of SLAC_DATABASE_URL. Safe to run always.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from slac_tasks import config
from slac_tasks.progress import counted, print_json
from slac_tasks.reports import accounts
from slac_tasks.reports.frames import labels_frame
from slac_tasks.reports.funnel import Facts, rows, text
from slac_tasks.reports.kinds import Kind, worths
from slac_tasks.reports.shares import positive_by_strategy
from slac_tasks.storage.datasets import ACCOUNTS, EVALUATIONS, QUALITY
from slac_tasks.storage.ledger import Ledger, open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.records import absorb
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification import versions

SHOWN = 8
"""Categories that the gate held back and that the funnel names."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flag; the store is SLAC_STORE, the ledger SLAC_DATABASE_URL."""
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def main(arguments: argparse.Namespace) -> None:
    """Print the funnel."""
    datasets = Datasets(open_store(config.load().store_url))
    ledger = open_ledger()
    absorb(datasets.store, ledger)
    (facts,) = ledger.all(Facts, "funnel")
    below = details(datasets, ledger, facts)
    ledger.close()
    if arguments.json:
        print_json(rows(facts, below))
    else:
        print("\n".join(text(facts, below)))


def details(datasets: Datasets, ledger: Ledger, facts: Facts) -> Mapping[str, Sequence[str]]:
    """Return the lines that stand below the metrics, by their names."""
    return {
        "kept": [f"dropped {row['items']:,}: {row['reason']}" for row in ledger.rows("dropped_items")],
        "finished": [*_labels(datasets), *_time(facts), *_worth(ledger), *_accounts(datasets)],
        "accepted": list(_held_back(datasets)),
        "released": list(_evaluations(datasets)),
    }


def _labels(datasets: Datasets) -> Iterator[str]:
    """Yield what the newest labels are, and how many are positive: compare each strategy with random."""
    labels = labels_frame(datasets)
    counts = labels["status"].value_counts()
    if len(labels):
        yield "labels verified: " + ", ".join(f"{count:,} {status}" for status, count in counts.items())
    for share in positive_by_strategy(labels[labels["status"] == "settled"]):
        interval = f"[{share.low:.3f}, {share.high:.3f}]"
        yield f"positive share of {share.name}: {share.value:.3f} {interval} of {share.whole:,}"


def _time(facts: Facts) -> Iterator[str]:
    if facts.answer_sec is not None:
        yield f"human time: {facts.answer_sec:.2f} s an answer, {counted(facts.votes, 'answer')}"
    if facts.finished:
        yield f"human time: {facts.seconds / facts.finished:.2f} s a finished clip"


def _worth(ledger: Ledger) -> Iterator[str]:
    """Yield what people's time gave over all categories, as the newest certificates have it."""
    for worth in worths(ledger.all(Kind, "label_kinds"))[:1]:
        yield from worth.lines()


def _accounts(datasets: Datasets) -> Iterator[str]:
    """Yield what people's time bought with each strategy, as the newest accounts have it."""
    version = versions.newest(datasets, ACCOUNTS)
    if version is not None:
        yield from accounts.lines(datasets.rows(ACCOUNTS, labels=version))


def _held_back(datasets: Datasets) -> Iterator[str]:
    """Yield what the gate held back of the newest labels that it judged, and why."""
    judged = versions.newest(datasets, QUALITY)
    if judged is None:
        return
    found = datasets.rows(QUALITY, labels=judged)
    counts = Counter(row.verdict for row in found)
    yield "gate: " + ", ".join(f"{counted(count, 'category')} {verdict}" for verdict, count in counts.most_common())
    held = sorted((row for row in found if row.verdict != "accepted"), key=lambda row: (row.verdict, row.category))
    held.sort(key=lambda row: row.verdict, reverse=True)
    for row in held[:SHOWN]:
        yield f"  {row.category} is {row.verdict}: {'; '.join(row.reasons)}"
    if len(held) > SHOWN:
        yield f"  and {len(held) - SHOWN} more: `slac show verdicts`"


def _evaluations(datasets: Datasets) -> Iterator[str]:
    for keys in datasets.partitions(EVALUATIONS):
        for row in datasets.rows(EVALUATIONS, **keys):
            if row.category is not None:
                continue
            interval = f"{row.value:.3f} (95 %: {row.low:.3f} to {row.high:.3f})"
            labels = f" with {counted(row.labels, 'label')}" if row.labels else ""
            name = f"{keys['release']} {row.measure} {row.subject}{labels}"
            yield f"{name}: {interval}; {counted(row.repeats, 'repeat')}; {row.budget}"
