"""How fast Airflow's scheduler hands out tasks, and what Airflow holds: `python -m bench.scheduler [--quick]`.

A DAG with the shape of `score_clips` (a plan, three stages mapped over batches of categories, an announcement) has one
run for each of 52 weeks, for 1, 10, 100 and 1,000 categories. Scheduler and Postgres are real; a task ends as soon as
the executor gets it. So the figures bound what any workers can be given; the api-server, the triggerer and the start of
a task on its worker are not in them. Each size is scheduled with Airflow's defaults, and again with `--setting`. What
Airflow's other processes hold is measured afterwards, on the same database, with the platform's own DAG files. The last
line is one JSON object.

Figures, by categories: `tasks_per_second_*`, wall clock, and `tasks_per_second_set_*` with the settings;
`scheduler_mib_*`, the most memory of the scheduler; `dag_processor_mib_*`, `triggerer_mib_*` and `api_server_mib_*`,
what each holds with its children, while somebody looks at the grid of all runs; `database_mib_*`, Airflow's database
afterwards, and `database_bytes_per_task`. With `--plot` the rates are drawn.

Full scale (scale 1.0): 1,000 categories x 52 windows.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from bench.harness import Bench, Figures
from bench.harness.airflow_memory import beside, memory
from bench.harness.drawing import lines
from bench.harness.places import postgres
from bench.harness.scheduling import STAGES, Scheduled, environment, migrate, write_dag
from bench.harness.tables import table
from slac_tasks.config import Config
from slac_tasks.launcher.postgres import EmbeddedPostgres

MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is scheduled."""

    categories: Annotated[tuple[int, ...], "categories, one size after the other"] = (1, 10, 100, 1000)
    windows: Annotated[int, "weeks, one run each"] = 52
    setting: Annotated[tuple[str, ...], "of Airflow, tried beside its defaults"] = ("SCHEDULER__MAX_TIS_PER_QUERY=128",)
    processes: Annotated[tuple[str, ...], "Airflow's other processes whose memory is measured"] = (
        "dag-processor", "triggerer", "api-server",
    )  # fmt: skip
    plot: Annotated[Path | None, "where the rates are drawn as SVG"] = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was measured at one size."""

    scheduled: Scheduled
    memory: Mapping[str, int]
    """Bytes, by Airflow's other processes."""

    @property
    def rate(self) -> float:
        """Tasks per second of wall clock."""
        return self.scheduled.tasks / self.scheduled.seconds


def one(server: EmbeddedPostgres, folder: Path, size: Size, categories: int, setting: Sequence[str] = ()) -> Found:
    """Schedule the work of a number of categories, with a database and a process of its own.

    Raises:
        RuntimeError: a process of Airflow fails, or not all tasks ended.

    """
    at = folder / f"of-{categories}-{len(setting)}"
    (at / "plugins").mkdir(parents=True)
    # As `planning.items.batches` cuts them.
    batches = -(-categories // Config(store_url="none").batch_categories)
    write_dag(at, batches=batches, windows=size.windows)
    url = server.url(f"airflow_{categories}_{len(setting)}")
    environ = environment(at, url) | {f"AIRFLOW__{name}": value for name, _, value in map(_parted, setting)}
    migrate(environ)
    words = [sys.executable, "-m", "bench.harness.scheduling", str(size.windows)]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise RuntimeError(f"the scheduler failed: {done.stderr[-2000:]}")
    scheduled = Scheduled(**json.loads(done.stdout.splitlines()[-1]))
    wanted = size.windows * (2 + STAGES * batches)
    if scheduled.tasks != wanted:
        raise RuntimeError(f"{scheduled.tasks} tasks ended, want {wanted}")
    # With other settings the same rows are there.
    held = {} if setting else memory(beside(at, url), size.processes)
    found = Found(scheduled=scheduled, memory=held)
    said = f"{categories} categories: {scheduled.tasks} tasks in {scheduled.seconds:.0f} s, {found.rate:.1f} a second"
    print(" with ".join([said, *setting]), file=sys.stderr, flush=True)
    return found


def _parted(setting: str) -> tuple[str, str, str]:
    return setting.partition("=")


def measure(size: Size, folder: Path) -> Figures:
    """Schedule the work of each number of categories."""
    with postgres(folder) as server:
        found = {many: one(server, folder, size, many) for many in size.categories}
        other = {many: one(server, folder, size, many, size.setting) for many in size.categories if size.setting}
    heads = {"categories": "d", "tasks": "d", "tasks/s": ".1f", "with the setting": ".1f", "processor ms a task": ".1f",
             "scheduler MiB": ".0f", "of it at the start": ".0f", **{f"{name} MiB": ".0f" for name in size.processes},
             "database MiB": ".1f"}  # fmt: skip
    rows = [
        [many, at.scheduled.tasks, at.rate, other[many].rate if other else None,
         1000 * at.scheduled.processor_sec / at.scheduled.tasks, at.scheduled.scheduler_bytes / MIB,
         at.scheduled.started_bytes / MIB, *(at.memory[name] / MIB for name in size.processes),
         at.scheduled.database_bytes / MIB]
        for many, at in found.items()
    ]  # fmt: skip
    print(table(heads, rows))
    if size.plot is not None:
        rates = {"Airflow's defaults": [(many, at.rate) for many, at in found.items()]}
        rates |= {", ".join(size.setting): [(many, at.rate) for many, at in other.items()]} if other else {}
        across = f"categories, {size.windows} windows"
        size.plot.write_text(lines(rates, across=across, up="tasks/s", spec=".0f"), encoding="utf-8")
    last, first = found[max(found)].scheduled, found[min(found)].scheduled
    return {
        **{f"tasks_per_second_{many}": at.rate for many, at in found.items()},
        **{f"tasks_per_second_set_{many}": at.rate for many, at in other.items()},
        **{f"scheduler_mib_{many}": at.scheduled.scheduler_bytes / MIB for many, at in found.items()},
        **{
            f"{name.replace('-', '_')}_mib_{many}": held / MIB
            for many, at in found.items()
            for name, held in at.memory.items()
        },
        **{f"database_mib_{many}": at.scheduled.database_bytes / MIB for many, at in found.items()},
        "database_bytes_per_task": (last.database_bytes - first.database_bytes) / max(1, last.tasks - first.tasks),
        "scale": max(found) * size.windows / (1000 * 52),
    }


BENCH = Bench(
    name="scheduler", doc=__doc__, measure=measure, full=Size(),
    quick=Size(categories=(10,), windows=4, setting=(), processes=("triggerer", "api-server")),
    tiny=Size(categories=(1,), windows=1, setting=(), processes=("triggerer",)),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(BENCH.main())
