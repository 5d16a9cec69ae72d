"""A real scheduler of Airflow whose workers need no time, for `bench.scheduler`.

Runs as a process of its own (`python -m bench.harness.scheduling`), one for each size, since Airflow's imports warn and
since memory is measured from a fresh start. A DAG file with the shape of `score_clips` is written, Airflow makes a run
of it for each past week, and the executor ends each task in the database as soon as it gets it, as a worker would
through the API. Prints one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from bench.harness.airflow_memory import PROGRAM
from bench.harness.costs import now, peak_bytes

DAG = """
import datetime
from airflow.sdk import DAG, BaseOperator

class Work(BaseOperator):
    def __init__(self, *, item=None, **kwargs):
        super().__init__(**kwargs)
        self.item = item

with DAG("load", schedule="@weekly", catchup=True, max_active_runs=16, max_active_tasks=100_000,
         start_date=datetime.datetime(2020, 1, 5, tzinfo=datetime.timezone.utc),
         end_date=datetime.datetime(2020, 1, 5, tzinfo=datetime.timezone.utc) + datetime.timedelta(weeks={last})):
    tasks = [Work(task_id="plan")]
    tasks += [
        Work.partial(task_id=name, trigger_rule="all_done").expand(item=list(range({batches})))
        for name in ("propose", "score", "features")
    ]
    tasks.append(Work(task_id="announce"))
    for one, following in zip(tasks, tasks[1:]):
        one >> following
"""
STAGES = 3
"""Mapped stages of a run."""


@dataclass(frozen=True, kw_only=True)
class Scheduled:
    """What a scheduler did with its work."""

    tasks: int
    seconds: float
    """Wall clock, from the first loop until every run had ended."""
    processor_sec: float
    """Of the scheduler alone, over the same time."""
    scheduler_bytes: int
    """Most memory of the scheduler."""
    started_bytes: int
    """What it held before its first loop."""
    database_bytes: int
    """Of Airflow's database when all had ended."""


def environment(folder: Path, database_url: str) -> dict[str, str]:
    """Return the environment of Airflow's processes in a folder."""
    values = {
        "CORE__DAGS_FOLDER": str(folder / "dags"),
        "CORE__PLUGINS_FOLDER": str(folder / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__PARALLELISM": "512",
        "CORE__EXECUTION_API_SERVER_URL": "http://127.0.0.1:9/execution/",
        "DATABASE__SQL_ALCHEMY_CONN": database_url.replace("postgresql://", "postgresql+psycopg2://", 1),
        "API_AUTH__JWT_SECRET": "no-secret-of-anybody" * 4,
        "LOGGING__LOGGING_LEVEL": "ERROR",
        "SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    own = {f"AIRFLOW__{name}": value for name, value in values.items()}
    return {**os.environ, **own, "AIRFLOW_HOME": str(folder / "airflow"), "PYTHONWARNINGS": "ignore"}


def write_dag(folder: Path, *, batches: int, windows: int) -> None:
    """Write the DAG file of the load."""
    (folder / "dags").mkdir(exist_ok=True)
    (folder / "dags" / "load.py").write_text(
        DAG.replace("{last}", str(windows - 1)).replace("{batches}", str(batches)), encoding="utf-8"
    )


def migrate(environ: dict[str, str]) -> None:
    """Make Airflow's tables.

    Raises:
        RuntimeError: it cannot.

    """
    done = subprocess.run(
        [str(PROGRAM), "db", "migrate"], env=environ, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise RuntimeError(f"airflow db migrate: {done.stderr[-1000:]}")


def schedule(windows: int) -> Scheduled:
    """Let the scheduler work until every run has ended."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.executors.base_executor import BaseExecutor
    from airflow.jobs.job import Job, run_job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState
    from sqlalchemy import func, select, text

    class Instant(BaseExecutor):
        """An executor whose tasks have ended when they begin."""

        def _process_workloads(self, workload_items: Sequence[Any]) -> None:
            with create_session() as session:
                for workload in workload_items:
                    instance: Any = session.get(TaskInstance, workload.ti.id)
                    instance.start_date = instance.end_date = func.now()
                    instance.state = TaskInstanceState.SUCCESS
            for workload in workload_items:
                key = workload.ti.key
                self.queued_tasks.pop(key, None)
                self.change_state(key, TaskInstanceState.SUCCESS)

    # Airflow does not declare their types.
    bundles, new_job = cast("Any", DagBundlesManager), cast("Any", Job)
    bundles().sync_bundles_to_db()
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    bag = DagBag(folder, bundle_path=folder, bundle_name="dags-folder")
    if bag.import_errors:
        raise RuntimeError(f"the DAG file cannot be read: {bag.import_errors}")
    sync_bag_to_db(bag, "dags-folder", None)
    job = new_job()
    runner = SchedulerJobRunner(
        job=job, executors=[Instant(parallelism=512)], num_runs=-1, scheduler_idle_sleep_time=0.1
    )

    def stop_when_done() -> None:
        while True:
            time.sleep(0.5)
            with create_session() as session:
                ended = session.scalar(select(func.count()).where(DagRun.state.in_(["success", "failed"])))
            if (ended or 0) >= windows:
                # The loop looks at it after each pass.
                runner.num_runs = 1
                return

    began, started = now(), peak_bytes()
    threading.Thread(target=stop_when_done, daemon=True).start()
    run_job(job=job, execute_callable=runner._execute)
    took = now() - began
    with create_session() as session:
        tasks = session.scalar(select(func.count()).select_from(TaskInstance).where(TaskInstance.state == "success"))
        size = session.scalar(text("SELECT pg_database_size(current_database())"))
    return Scheduled(
        tasks=tasks or 0, seconds=took.wall_sec, processor_sec=took.own_sec, scheduler_bytes=peak_bytes(),
        started_bytes=started, database_bytes=size,
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Schedule, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m bench.harness.scheduling", description=__doc__)
    parser.add_argument("windows", type=int, help="runs of the DAG")
    print(json.dumps(asdict(schedule(parser.parse_args(argv).windows))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
