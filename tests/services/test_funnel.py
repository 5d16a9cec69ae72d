"""The funnel: the same numbers on the terminal and on the page, from what the ledger knows."""

from typing import Any

import pytest
from review_work import WINDOW, publish_and_answer

from slac_tasks.commands.funnel import details
from slac_tasks.reports.funnel import METRICS, Facts, text
from slac_tasks.storage.datasets import CANDIDATES, CLIPS, FETCHED, SCORES, VIDEOS
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Drop
from slac_tasks.storage.records import Record, record
from slac_tasks.storage.tables import Datasets


def write(ledger: Ledger, datasets: Datasets, dataset: Dataset, keys: dict[str, str], rows: int, *drops: Drop) -> None:
    """Write a partition of so many rows that are told apart, and record it."""
    names = {column.name: column for column in dataset.columns}
    values = {"start_sec": 0.0, "end_sec": 2.0, "score": 0.5, "shot": 0}
    records = [
        {name: f"{name}{index}" if name in dataset.unique else values.get(name, "x")
         for name, column in names.items() if not column.nullable}
        for index in range(rows)
    ]  # fmt: skip
    table = dataset.from_records(records)
    made = datasets.write(dataset, [table], keys=keys, stage="t", settings={}, made_from={}, drops=drops)
    record(ledger, [Record.of(made)])


def facts(ledger: Ledger) -> Facts:
    (found,) = ledger.all(Facts, "funnel")
    return found


@pytest.mark.parametrize(("first", "last", "scored"), [(100, 90, 90), (40, 100, 40)])
def test_scored_is_what_every_member_has_scored(
    make_job: Any, ledger: Ledger, first: int, last: int, scored: int
) -> None:
    datasets = make_job("mine").datasets
    write(ledger, datasets, CLIPS, {"category": "judo", "window": WINDOW}, 100)
    for weights, rows in (("a", first), ("z", last)):
        write(ledger, datasets, SCORES, {"category": "judo", "window": WINDOW, "weights": weights}, rows)
    assert facts(ledger).scored == scored
    # Another window is another question.
    write(ledger, datasets, SCORES, {"category": "judo", "window": "2026-01-12", "weights": "a"}, 7)
    assert facts(ledger).scored == scored + 7


def test_what_was_dropped_is_counted_by_reason(make_job: Any, ledger: Ledger) -> None:
    datasets = make_job("mine").datasets
    keys = {"category": "judo", "window": WINDOW}
    write(ledger, datasets, CANDIDATES, keys, 5)
    gone = Drop(item="a", reason="gone")
    short = [Drop(item=name, reason="too short") for name in "bc"]
    manifest = datasets.write(FETCHED, [], keys=keys, stage="t", settings={}, made_from={}, drops=[gone, *short])
    record(ledger, [Record.of(manifest)])
    assert details(datasets, ledger, facts(ledger))["kept"] == ["dropped 2: too short", "dropped 1: gone"]
    assert (facts(ledger).found, facts(ledger).kept) == (5, 0)


def test_people_and_labels_stand_in_the_text(make_job: Any, ledger: Ledger) -> None:
    publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"}, clips=6)
    job = make_job("publish")
    assert job.datasets.rows(VIDEOS, category="high_jump", window=WINDOW)
    found = facts(ledger)
    assert (found.asked, found.answered, found.votes) == (6, 6, 12)
    assert found.answer_sec == 3.5
    lines = text(found, details(job.datasets, ledger, found))
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [metric.name for metric in METRICS]
    assert "  human time: 3.50 s an answer, 12 answers" in lines


def test_the_numbers_of_an_empty_platform_are_zero(ledger: Ledger) -> None:
    assert [metric.value(facts(ledger)) for metric in METRICS] == [0] * len(METRICS)
