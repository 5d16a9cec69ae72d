"""How fast Airflow's scheduler hands out tasks, and what it holds: `python -m bench.scheduler [--quick]`.

A DAG with the shape of `score_clips` (a plan, three stages mapped over batches of categories, an announcement) has one
run for each of 52 weeks, for 1, 10, 100 and 1,000 categories. Scheduler and Postgres are real; a task ends as soon as
the executor gets it. So the figures bound what any workers can be given; the api-server, the triggerer and the start of
a task on its worker are not in them. The last line is one JSON object.

Figures, by categories: `tasks_per_second_*`, wall clock; `scheduler_mib_*`, the most memory of the scheduler;
`database_mib_*`, Airflow's database afterwards, and `database_bytes_per_task`. With `--plot` the rates are drawn.

Full scale (scale 1.0): 1,000 categories x 52 windows.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from bench.harness import Bench, Figures
from bench.harness.drawing import lines
from bench.harness.places import postgres
from bench.harness.scheduling import STAGES, Scheduled, environment, migrate, write_dag
from bench.harness.tables import table
from slac_tasks.config import Config

MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is scheduled."""

    categories: Annotated[tuple[int, ...], "categories, one size after the other"] = (1, 10, 100, 1000)
    windows: Annotated[int, "weeks, one run each"] = 52
    plot: Annotated[Path | None, "where the rates are drawn as SVG"] = None


def measure(size: Size, folder: Path) -> Figures:
    """Schedule the work of each number of categories, each with a database and a process of its own."""
    found: dict[int, Scheduled] = {}
    with postgres(folder) as server:
        for categories in size.categories:
            at = folder / f"of-{categories}"
            (at / "plugins").mkdir(parents=True)
            # As `planning.items.batches` cuts them.
            batches = -(-categories // Config(store_url="none").batch_categories)
            write_dag(at, batches=batches, windows=size.windows)
            environ = environment(at, server.url(f"airflow_{categories}"))
            migrate(environ)
            words = [sys.executable, "-m", "bench.harness.scheduling", str(size.windows)]
            done = subprocess.run(words, env=environ, capture_output=True, text=True, encoding="utf-8", check=False)
            if done.returncode:
                raise RuntimeError(f"the scheduler failed: {done.stderr[-2000:]}")
            one = found[categories] = Scheduled(**json.loads(done.stdout.splitlines()[-1]))
            wanted = size.windows * (2 + STAGES * batches)
            if one.tasks != wanted:
                raise RuntimeError(f"{one.tasks} tasks ended, want {wanted}")
            print(f"{categories} categories: {one.tasks} tasks in {one.seconds:.0f} s", file=sys.stderr, flush=True)
    heads = {"categories": "d", "tasks": "d", "tasks/s": ".1f", "processor ms a task": ".1f", "scheduler MiB": ".0f",
             "of it at the start": ".0f", "database MiB": ".1f"}  # fmt: skip
    rows = [
        [many, one.tasks, one.tasks / one.seconds, 1000 * one.processor_sec / one.tasks, one.scheduler_bytes / MIB,
         one.started_bytes / MIB, one.database_bytes / MIB]
        for many, one in found.items()
    ]  # fmt: skip
    print(table(heads, rows))
    if size.plot is not None:
        rates = [(many, one.tasks / one.seconds) for many, one in found.items()]
        size.plot.write_text(lines({"tasks/s": rates}, across="categories, 52 windows", up="tasks/s"), encoding="utf-8")
    most = max(found)
    return {
        **{f"tasks_per_second_{many}": one.tasks / one.seconds for many, one in found.items()},
        **{f"scheduler_mib_{many}": one.scheduler_bytes / MIB for many, one in found.items()},
        **{f"database_mib_{many}": one.database_bytes / MIB for many, one in found.items()},
        "database_bytes_per_task": (found[most].database_bytes - found[min(found)].database_bytes)
        / max(1, found[most].tasks - found[min(found)].tasks),
        "scale": most * size.windows / (1000 * 52),
    }


BENCH = Bench(
    name="scheduler", doc=__doc__, measure=measure, full=Size(), quick=Size(categories=(1, 10), windows=4),
    tiny=Size(categories=(1,), windows=1),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(BENCH.main())
