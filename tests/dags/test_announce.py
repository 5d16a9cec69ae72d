"""What the last task of a DAG announces, from the plan before and the plan after the work."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, Asset, AssetAlias
from airflow.sdk.definitions.asset import AssetUniqueKey
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowSkipException,
    DagRunTriggerException,
    DownstreamTasksSkipped,
)
from airflow.sdk.execution_time.context import OutletEventAccessors
from slac_airflow import (
    ITEM,
    Announce,
    AnnounceAny,
    AnnounceFinished,
    Look,
    Plan,
    PlanSome,
    ask,
    ended,
    plan,
    slac,
    start,
)

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


@dataclass(frozen=True)
class Runs:
    """What a task instance knows of the runs of DAGs: how many are queued or running."""

    active: int

    def get_dr_count(self, *, dag_id: str, states: list[str]) -> int:
        assert (dag_id, states) == ("sync_verifications", ["queued", "running"])
        return self.active


def woken(task: AnnounceAny, listed: list[dict[str, Any]], active: int, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the keys of the assets of which the task emits an event; it ends well, whatever the plan lists."""
    monkeypatch.setattr(AnnounceAny, "listed", lambda self, context: listed)
    events = OutletEventAccessors()
    task.execute({"outlet_events": events, "ti": Runs(active)})
    assert task.outlets == [AssetAlias("videos_if_any")], "of an asset among the outlets there is always an event"
    return [event.dest_asset_key for event in events[task.alias].asset_alias_events]


def test_an_event_is_emitted_only_where_the_plan_lists_something(monkeypatch: pytest.MonkeyPatch) -> None:
    task = AnnounceAny(task_id="announce", dag_name="labels_due", asset=ASSET)
    assert woken(task, [{"labels": "000003"}], 1, monkeypatch) == [AssetUniqueKey.from_asset(ASSET)]
    assert woken(task, [], 0, monkeypatch) == []


def test_a_look_wakes_a_dag_that_has_work_and_is_not_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    look = Look(task_id="look", dag_name="sync_verifications", asset=ASSET)
    assert woken(look, [{"votes": 3}], 0, monkeypatch) == [AssetUniqueKey.from_asset(ASSET)]
    assert woken(look, [{"votes": 3}], 1, monkeypatch) == []
    assert woken(look, [], 0, monkeypatch) == []


@dataclass(frozen=True)
class Expanded:
    """A task instance of a run in which mapped tasks have so many instances; one that is not expanded yet has one."""

    instances: int
    dag_id: str = "some"
    run_id: str = "r1"

    def get_ti_count(self, *, dag_id: str, run_ids: list[str], task_ids: list[str]) -> int:
        assert (dag_id, run_ids, len(task_ids)) == (self.dag_id, [self.run_id], 1)
        return self.instances


def skipped(todo: Plan, instances: int, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setattr(Plan, "listed", lambda self, context: [])
    with pytest.raises(DownstreamTasksSkipped) as skipping:
        todo.execute({"ti": Expanded(instances)})
    return list(skipping.value.tasks)


def test_an_empty_plan_skips_the_work_and_not_the_leaf_that_says_how_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with DAG("empty"):
        first, todo = slac("sync"), plan("aggregate", task_id="batch")
        first >> todo >> slac("aggregate")
        [first, todo] >> ended()
    names = [name for name in skipped(todo, 1, monkeypatch) if isinstance(name, str)]
    assert names == ["aggregate"], "else a `sync` that failed would be a run that ended well"


def test_an_empty_plan_of_a_cleared_run_skips_what_was_mapped_over_the_plan_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with DAG("cleared"):
        todo = plan("send_hard_clips")
        todo >> slac("mine", each=todo) >> slac("map", all_of=todo)
    assert skipped(todo, 2, monkeypatch) == ["map", "mine", ("map", 0), ("map", 1), ("mine", 0), ("mine", 1)]


@dataclass(frozen=True)
class Alone:
    """A mapped task's instance that a person cleared, in a run whose plan ended so and left nothing."""

    plan_is: str
    map_index: int = 0
    dag_id: str = "cleared"
    run_id: str = "r1"

    def xcom_pull(self, *, default: Any, **of: Any) -> Any:
        return default

    def get_task_states(self, *, dag_id: str, task_ids: list[str], run_ids: list[str]) -> dict[str, Any]:
        assert (dag_id, run_ids) == (self.dag_id, [self.run_id])
        return {self.run_id: dict.fromkeys(task_ids, self.plan_is)}


@pytest.mark.parametrize("name", ["mine", "ask"])
@pytest.mark.parametrize(("plan_is", "end"), [("success", AirflowSkipException), ("failed", AirflowFailException)])
def test_a_mapped_task_that_is_cleared_alone_where_the_plan_has_no_item_for_it_says_so(
    name: str, plan_is: str, end: type[Exception]
) -> None:
    with DAG("cleared") as dag:
        todo = plan("send_hard_clips")
        slac("mine", each=todo)
        ask(todo, ASSET)
    with pytest.raises(end, match=r"no item: `plan` of this run .*; clear `plan` with what comes after it"):
        dag.get_task(name).render_template_fields({"ti": Alone(plan_is)})


def started(try_number: int) -> DagRunTriggerException:
    instance = SimpleNamespace(dag_id="score_clips", run_id="asset_triggered__2026", try_number=try_number)
    with pytest.raises(DagRunTriggerException) as wish:
        start("send_hard_clips").execute({"ti": instance})
    return wish.value


def test_a_task_starts_one_run_of_another_dag_and_another_one_when_it_is_cleared() -> None:
    first = started(1)
    assert (first.trigger_dag_id, first.wait_for_completion) == ("send_hard_clips", False)
    assert first.skip_when_already_exists, "the same try, told twice, is one run"
    assert started(1).dag_run_id == first.dag_run_id != started(2).dag_run_id


def test_an_empty_plan_of_some_skips_nothing_but_its_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PlanSome, "listed", lambda self, context: [])
    assert PlanSome(task_id="changed", dag_name="judge").execute({}) == []


@pytest.mark.parametrize(
    ("categories", "name"),
    [(["judo"], "judo"), (["judo", "polo"], "judo, polo"), ([f"category_{n:03d}" for n in range(99)], None)],
)
def test_a_mapped_task_is_named_after_its_categories_and_window(categories: list[str], name: str | None) -> None:
    task = slac("judge", all_of={"category": categories, "labels": "000003"})
    shown = task.get_template_env().from_string(ITEM).render(task=task)
    assert shown == name if name else len(shown) <= 250
    one = slac("fetch", all_of={"category": categories, "window": "2026-01-05"})
    dated = one.get_template_env().from_string(ITEM).render(task=one)
    assert dated == f"{shown} · 2026-01-05"
    many = slac("fetch", all_of={"category": categories, "window": [f"2026-{n:02d}-05" for n in range(1, 13)]})
    assert len(many.get_template_env().from_string(ITEM).render(task=many)) <= 250
