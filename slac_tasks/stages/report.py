"""Write the data-quality report: one page a person can read, without anything to load from elsewhere.

Reads: the newest judged labels, their verdicts, what is said of people; the ledger's queue, decisions and categories.
Writes: rounds (version of the labels); reports/v1/labels=<version>/index.html and rounds.html in the store; a table of
the verdicts on the terminal.
Safe to run again: the page is written again from the same data.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from slac_tasks.intervals import wilson
from slac_tasks.job import Job, say
from slac_tasks.model import Strategy
from slac_tasks.reports import quality_page, rounds, rounds_page
from slac_tasks.storage.datasets import AGREEMENT, LABELS, PEOPLE, QUALITY
from slac_tasks.storage.declarations import Dataset


def summarise(labels: pd.DataFrame, verdicts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one record per verdict: its fields, and under `strategies` what `shares` says of its labels."""
    settled = labels[labels["status"] == "settled"]
    found = []
    for verdict in verdicts:
        rows = settled[settled["category"] == verdict["category"]]
        found.append({**verdict, "strategies": shares(rows)})
    return found


def shares(settled: pd.DataFrame) -> list[tuple[str, int, int, float, float]]:
    """Return (strategy, positives, settled, low, high) for each strategy that has a settled label; 95 % intervals."""
    found = []
    for strategy in Strategy:
        label = settled.loc[settled["strategy"] == strategy.value, "label"]
        if len(label):
            positive = int((label == 1).sum())
            found.append((strategy.value, positive, len(label), *wilson(positive, len(label))))
    return found


def run(job: Job) -> None:
    """Write the report on the newest judged labels."""
    versions = [keys["labels"] for keys in job.datasets.partitions(QUALITY)]
    if not versions:
        say("report: finished already, no labels were judged yet")
        return
    version = max(versions)
    labels = job.datasets.read(LABELS, labels=version).to_pandas()
    summary = summarise(labels, job.datasets.read(QUALITY, labels=version).to_pylist())
    names = {row["category"]: row["name"] for row in job.ledger.rows("categories")}
    decisions = {row["category"]: row for row in job.ledger.rows("decisions", labels=version)}
    totals = job.ledger.rows("queue_totals")
    html = quality_page.render(
        version=version,
        records=[
            {**record, "name": names.get(record["category"], record["category"]),
             "decision": decisions.get(record["category"])}
            for record in summary
        ],
        totals=totals,
        overall=shares(labels[labels["status"] == "settled"]),
        statuses=labels["status"].value_counts().to_dict(),
        people=_rows(job, PEOPLE, version),
        agreement=_rows(job, AGREEMENT, version),
    )  # fmt: skip
    rounds_name = f"reports/v1/labels={version}/rounds.html"
    job.store.put(rounds_name, rounds_page.render(version, rounds.report(job, version)).encode())
    name = f"reports/v1/labels={version}/index.html"
    job.store.put(name, html.encode())
    print(quality_page.text(summary), flush=True)
    say(f"report: wrote {name}, {len(summary)} categories")


def _rows(job: Job, dataset: Dataset[Any], version: str) -> list[dict[str, Any]]:
    """Return the rows of this version, none where it was judged before people were."""
    if job.datasets.manifest(dataset, labels=version) is None:
        return []
    rows: list[dict[str, Any]] = job.datasets.read(dataset, labels=version).to_pylist()
    return rows
