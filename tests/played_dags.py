"""A DAG of dags/ as Airflow would run it, task after task: its trigger rules, its maps, and what a plan skips."""

import copy
import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.sdk import DAG, BaseOperator, TriggerRule
from airflow.sdk.definitions._internal.mixins import ResolveMixin
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException, DownstreamTasksSkipped
from slac_airflow import Ask
from slac_command import Ended

ROOT = Path(__file__).resolve().parents[1]

SUCCESS, FAILED, SKIPPED, HELD = "success", "failed", "skipped", "upstream_failed"


def parsed(name: str) -> DAG:
    """Return the DAG of a file below dags/."""
    made = runpy.run_path(str(ROOT / "dags" / f"{name}.py")).values()
    dag: DAG = next(one.dag for one in made if isinstance(one, BaseOperator))
    return dag


def started(dag: DAG, window: str | None = None, **params: Any) -> dict[str, Any]:
    """Return what Airflow tells the tasks of a run that a person, ada, has started."""
    outlets = {asset for task in dag.tasks for asset in task.outlets}
    return {
        "params": {"category": [], "guideline": "", **params}, "partition_key": window,
        "outlet_events": {asset: Event() for asset in outlets}, "ti": Instance(dag.dag_id),
        "dag_run": SimpleNamespace(triggering_user_name="ada"),
    }  # fmt: skip


@dataclass
class Event:
    """What a task says of an event of its outlet."""

    extra: dict[str, Any] = field(default_factory=dict)
    partitions: list[str] = field(default_factory=list)
    woken: list[Any] = field(default_factory=list)

    def add_partitions(self, keys: list[str]) -> None:
        self.partitions += keys

    def add(self, asset: Any) -> None:
        self.woken.append(asset)


@dataclass(frozen=True)
class Instance:
    """A task instance of a run beside which no other is at work."""

    dag_id: str
    run_id: str = "r1"
    task_id: str = "t1"
    map_index: int = -1
    try_number: int = 1

    def get_ti_count(self, **of: Any) -> int:
        return 0

    def get_dr_count(self, **of: Any) -> int:
        return 0


def played(dag: DAG, context: Mapping[str, Any]) -> dict[str, str]:
    """Run every task of a DAG, and return how each ended. A question to a person is answered with yes."""
    states: dict[str, str] = {}
    results: dict[str, Any] = {}
    for task in dag.topological_sort():
        if task.task_id in states:
            continue
        source, mapped = _source(task), is_mapped(task)
        state = _by_rule(task, {states[one] for one in task.upstream_task_ids})
        if mapped and source and states[source] != SUCCESS:
            # Nobody knows over how many items it is mapped.
            state = SKIPPED if states[source] == SKIPPED else HELD
        if state is not None:
            states[task.task_id] = state
            continue
        found = results.get(source) if source else None
        if mapped:
            instances = [_instance(task, item) for item in found or ()]
        else:
            instances = [_instance(task, found) if source else task]
        ends = [_run(instance, context, states) for instance in instances]
        states[task.task_id] = FAILED if FAILED in (how := {end for end, _ in ends}) else SKIPPED
        if SUCCESS in how and FAILED not in how:
            states[task.task_id] = SUCCESS
        made = [result for _, result in ends]
        results[task.task_id] = made if mapped else made[0]
    return states


def ended(dag: DAG, states: Mapping[str, str]) -> str:
    """Return how a run ended, by its leaves."""
    return FAILED if {states[leaf.task_id] for leaf in dag.leaves} & {FAILED, HELD} else SUCCESS


def is_mapped(task: Any) -> bool:
    """Return whether a task is mapped by itself, or stands in a group that is."""
    return isinstance(task, MappedOperator) or next(task.iter_mapped_task_groups(), None) is not None


def _source(task: Any) -> str | None:
    """Return the task whose result, or part of it, is the item of this one."""
    item = task.expand_input.value["item"] if isinstance(task, MappedOperator) else getattr(task, "item", None)
    return str(next(iter(item.iter_references()))[0].task_id) if isinstance(item, ResolveMixin) else None


def _instance(task: Any, item: Any) -> Any:
    """Return a task with its item, as Airflow resolves it."""
    if isinstance(task, MappedOperator):
        return task.unmap({"item": item})
    one = copy.copy(task)
    one.item = item
    return one


def _by_rule(task: Any, before: set[str]) -> str | None:
    """Return how a task ends by its trigger rule alone, as Airflow decides; None: it runs."""
    rule = TriggerRule(task.trigger_rule).value
    if rule == "all_done":
        return None
    if before & {FAILED, HELD}:
        return HELD
    return SKIPPED if rule == "all_success" and SKIPPED in before else None


def _run(task: Any, context: Mapping[str, Any], states: dict[str, str]) -> tuple[str, Any]:
    """Return how one instance ended, and its result; one that skips others says so in `states`."""
    try:
        if isinstance(task, Ask):
            return SUCCESS, {**task.item, "decision": "approve", "reason": "seen", "person": "eve"}
        if window := getattr(task, "window", None):
            task.window = task.render_template(window, dict(context))
        return SUCCESS, task.execute(context)
    except DownstreamTasksSkipped as skipped:
        states |= dict.fromkeys(map(str, skipped.tasks), SKIPPED)
        return SUCCESS, None
    except DagRunTriggerException:
        return SUCCESS, None
    except AirflowSkipException:
        return SKIPPED, None
    except Ended:
        return FAILED, None
