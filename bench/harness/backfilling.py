"""Runs of a DAG as one worker and one triggerer do them, for `bench.backfill`: `python -m bench.harness.backfilling`.

The DAG file, the operators, the triggers and the plans are those of the platform; its pods run wherever the kubeconfig
of the environment leads. What is not here is Airflow's scheduler, which `bench.scheduler` measures. A process of its
own, since Airflow's imports warn. Prints one JSON object for each task on stdout.
"""

import argparse
import asyncio
import copy
import dataclasses
import importlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.harness.costs import now

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One task that a worker began."""

    window: str
    task: str
    seconds: float
    """From the first line of the operator to its last, waiting included."""
    processor_sec: float
    """Of the worker and of the commands that it started; a pod's command is none of them."""


def environment(folder: Path) -> dict[str, str]:
    """Return what a process needs that imports DAG files and plugins: a home of Airflow's own below `folder`."""
    return {
        **os.environ,
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW_CONN_KUBERNETES_DEFAULT": "kubernetes://",
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(PROJECT / "plugins"), str(PROJECT / "dags")]),
        "PYTHONWARNINGS": "ignore",
    }


def run(dag: Any, window: str) -> Iterator[Ran]:
    """Run the tasks of a DAG for a window, one after another in their order.

    Raises:
        Exception: a task failed.

    """
    from airflow.sdk.exceptions import DownstreamTasksSkipped

    items: Any = None
    for task in dag.topological_sort():
        if task.task_id == "ended":
            continue
        for one in _instances(task, items, window):
            began, result = now(), None
            with suppress(DownstreamTasksSkipped):
                result = _execute(one, window)
            took = now() - began
            yield Ran(window=window, task=task.task_id, seconds=took.wall_sec, processor_sec=took.processor_sec)
            if task.task_id == "plan" and not result:
                return
            items = items or result


def _instances(task: Any, items: Any, window: str) -> list[Any]:
    """Return the operators of a task, with what Airflow would put into their templates."""
    from airflow.sdk.definitions.mappedoperator import MappedOperator

    if isinstance(task, MappedOperator):
        return [task.unmap({"item": item}) for item in items]
    # A worker has a task of its own, which its operator may change.
    task = copy.copy(task)
    if getattr(task, "window", None):
        task.window = window
    if task.task_id != "plan":
        task.item = items
    return [task]


def _execute(task: Any, window: str) -> Any:
    from airflow.sdk.exceptions import TaskDeferred

    about = _context(task, window)
    try:
        return task.execute(about)
    except TaskDeferred as deferral:
        _, fields = deferral.trigger.serialize()
        event = asyncio.run(_first_event(type(deferral.trigger)(**fields)))
        return task.resume_execution(deferral.method_name, {"event": event}, about)


def _context(task: Any, window: str) -> dict[str, Any]:
    """Return what an operator uses of a task instance."""
    instance = SimpleNamespace(
        dag_id="collect_videos", task_id=task.task_id, run_id=f"backfill__{window}", map_index=-1, try_number=1,
        start_date=datetime.now(UTC), xcom_push=lambda key, value: None, get_ti_count=lambda **of: 0,
    )  # fmt: skip
    event = SimpleNamespace(extra={}, add_partitions=lambda keys: None)
    return {
        "ti": instance, "run_id": instance.run_id, "dag": SimpleNamespace(), "params": {"category": []},
        "outlet_events": dict.fromkeys(task.outlets, event),
    }  # fmt: skip


async def _first_event(trigger: Any) -> Any:
    async for event in trigger.run():
        return event.payload


def main(argv: Sequence[str] | None = None) -> int:
    """Run the DAG for every window; say after each task what it took."""
    parser = argparse.ArgumentParser(prog="python -m bench.harness.backfilling", description=__doc__)
    parser.add_argument("dag", help="name of the DAG's file")
    parser.add_argument("windows", nargs="+", help="windows to run it for")
    arguments = parser.parse_args(argv)
    dag = importlib.import_module(arguments.dag).todo.dag
    for window in arguments.windows:
        for ran in run(dag, window):
            print(json.dumps(dataclasses.asdict(ran)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
