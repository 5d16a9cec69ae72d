"""What the last task of a DAG announces, from the plan before and the plan after the work."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowSkipException
from slac_airflow import Announce, AnnounceFinished

ASSET = Asset("videos")
PLANNED = [
    {"category": ["judo", "polo"], "window": "2026-01-05", "retry": "2026-01-05T00:00:00+00:00"},
    {"category": ["judo"], "window": ["2026-01-12", "2026-01-19"]},
]


@dataclass
class Event:
    """An outlet event, as Airflow hands it to a task."""

    extra: dict[str, Any] = field(default_factory=dict)
    partitions: list[str] = field(default_factory=list)

    def add_partitions(self, keys: list[str]) -> None:
        self.partitions += keys


def announced(task: Announce, listed: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Event:
    event = Event()
    monkeypatch.setattr(type(task), "listed", lambda self, context: listed)
    task.execute({"outlet_events": {ASSET: event}})
    return event


def test_what_was_planned_and_is_listed_no_more_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    task = AnnounceFinished(task_id="announce", dag_name="collect_videos", outlets=[ASSET])
    task.item = PLANNED
    left = [{"category": ["polo"], "window": "2026-01-05"}, {"category": ["judo"], "window": "2026-01-19"}]
    event = announced(task, left, monkeypatch)
    assert (event.partitions, event.extra) == (["2026-01-05", "2026-01-12"], {"categories": ["judo"]})


def test_nothing_is_announced_when_nothing_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    task = AnnounceFinished(task_id="announce", dag_name="collect_videos", outlets=[ASSET])
    task.item = PLANNED
    with pytest.raises(AirflowSkipException, match="nothing to announce"):
        announced(task, PLANNED, monkeypatch)


def test_without_a_plan_before_what_is_listed_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    event = announced(Announce(task_id="rescore", dag_name="score_clips", outlets=[ASSET]), PLANNED, monkeypatch)
    assert event.partitions == ["2026-01-05", "2026-01-12", "2026-01-19"]
    assert event.extra == {"categories": ["judo", "polo"]}
