"""What a backfill costs that finds half of its work done: `python -m bench.backfill [--quick]`.

`collect_videos` runs for 20 windows of 10 categories with the platform's own DAG file, plans, operators and triggers.
Its stages run as pods of a fake cluster, whose containers are real `slac` commands on a real Postgres and a store in a
folder. A quarter of the windows is finished for every category and half of them for half of the categories, so half of
all (category, window) are finished. The sources offer no video of these windows: what is left is what any
command costs. The
last line is one JSON object.

Figures: `pods`; `pods_started_for_finished`, the pods whose command names a finished (category, window);
`seconds_per_finished_partition`, the wall clock of the runs of the finished windows, by (category, window), and
`processor_seconds_per_finished_partition`, which a busy machine does not stretch;
`seconds_per_task_overhead`, the mean wall clock of a task with a pod beyond that of its command: the pod's making, and
what passes until the triggerer sees that it has ended. What Airflow's scheduler adds is in `bench.scheduler`.

Full scale (scale 1.0): 20 windows x 10 categories.
"""

import json
import os
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Annotated

from bench.harness import Bench, Figures
from bench.harness.backfilling import Ran, environment
from bench.harness.costs import slac
from bench.harness.fake_kubernetes import FakeCluster, FakePod
from bench.harness.places import platform
from bench.harness.tables import table

FIRST = date(2026, 1, 5)
SECRETS, SETTINGS = ("slac-store", "slac-ledger"), "slac-settings"


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is backfilled."""

    windows: Annotated[int, "past windows; a multiple of 4"] = 20
    categories: Annotated[int, "registered categories; an even number"] = 10
    poll_sec: Annotated[float, "how often the triggerer looks at a pod that has run for long"] = 10.0


Pair = tuple[str, str]
"""(category, window)."""


@dataclass(frozen=True, kw_only=True)
class Backfill:
    """Categories and windows, and which of them are finished before."""

    size: Size

    @property
    def categories(self) -> list[str]:
        """All categories."""
        return [f"category_{number:03d}" for number in range(self.size.categories)]

    @property
    def windows(self) -> list[str]:
        """All windows, oldest first."""
        return [str(FIRST - timedelta(weeks=number)) for number in reversed(range(self.size.windows))]

    @property
    def whole(self) -> list[str]:
        """The windows that are finished for every category."""
        return self.windows[: self.size.windows // 4]

    @property
    def halves(self) -> list[str]:
        """The windows that are finished for half of the categories."""
        return self.windows[self.size.windows // 4 : -self.size.windows // 4]

    @property
    def finished(self) -> set[Pair]:
        """What there is nothing to do for."""
        some = self.categories[: self.size.categories // 2]
        return {*product(self.categories, self.whole), *product(some, self.halves)}

    def prepare(self, folder: Path) -> None:
        """Register the categories and finish half of the work."""
        log = folder / "prepared.log"
        slac(["register", *(f"--category={name}" for name in self.categories)], log)
        some = self.categories[: self.size.categories // 2]
        for categories, windows in ((self.categories, self.whole), (some, self.halves)):
            named = [f"--window={window}" for window in windows]
            for stage in ("discover", "fetch"):
                slac([stage, *(f"--category={name}" for name in categories), *named], log)
            slac(["deduplicate", *named], log)


def named(pod: FakePod) -> set[Pair]:
    """Return the (category, window) that a pod's command names; a command over all categories names none."""
    values: dict[str, list[str]] = {}
    for word in pod.words[2:]:
        flag, _, value = word.partition("=")
        values.setdefault(flag, []).append(value)
    return set(product(values.get("--category", []), values.get("--window", [])))


def in_vain(pods: Sequence[FakePod], backfill: Backfill) -> int:
    """Return how many pods name something finished, or nothing but windows in which all is finished."""

    def is_in_vain(pod: FakePod) -> bool:
        windows = {word.partition("=")[2] for word in pod.words if word.startswith("--window=")}
        return bool(named(pod) & backfill.finished) or bool(windows & set(backfill.whole))

    return sum(map(is_in_vain, pods))


def run(windows: Collection[str], environ: dict[str, str], folder: Path) -> list[Ran]:
    """Run the DAG for these windows in a process of its own.

    Raises:
        RuntimeError: a task failed.

    """
    words = [sys.executable, "-m", "bench.harness.backfilling", "collect_videos", *windows]
    with (folder / "worker.log").open("wb") as log:
        done = subprocess.run(words, env=environ, stdout=subprocess.PIPE, stderr=log, check=False)
    if done.returncode:
        raise RuntimeError(f"a task failed: {(folder / 'worker.log').read_text(encoding='utf-8')[-2000:]}")
    return [Ran(**json.loads(line)) for line in done.stdout.decode().splitlines() if line.startswith('{"window"')]


def measure(size: Size, folder: Path) -> Figures:
    """Finish half of the work, then run everything."""
    backfill = Backfill(size=size)
    settings, manifest = folder / "slac.toml", folder / "videos.csv"
    rows = (f"{category},{category}.mp4,2001-01-01T00:00:00Z" for category in backfill.categories)
    manifest.write_text("\n".join(["category,location,published_at", *rows]), encoding="utf-8")
    settings.write_text(f'[collect]\nsources = ["{manifest}"]\n', encoding="utf-8")
    with platform(folder, settings) as store:
        backfill.prepare(folder)
        secrets = dict(
            zip(SECRETS, ({"SLAC_STORE": store}, {"SLAC_DATABASE_URL": os.environ["SLAC_DATABASE_URL"]}), strict=True)
        )
        maps = {SETTINGS: {"slac.toml": settings.read_text(encoding="utf-8")}}
        with FakeCluster(folder, Path(sys.executable).parent, secrets, maps).serving() as cluster:
            environ = environment(folder) | {
                "SLAC_PODS": "1",
                "SLAC_POD_KUBECONFIG": str(cluster.kubeconfig()),
                "SLAC_POD_CONFIG_MAP": SETTINGS,
                "SLAC_POD_POLL_SECONDS": str(size.poll_sec),
            }
            ran = run(backfill.windows, environ, folder)
            pods = list(cluster.history)
    tasks: dict[str, list[float]] = {}
    for one in ran:
        tasks.setdefault(one.task, []).append(one.seconds)
    print(table({"task": "", "ran": "d", "seconds": ".2f"}, [[name, len(s), mean(s)] for name, s in tasks.items()]))
    with_pods = [one.seconds for one in ran if one.task not in ("plan", "announce")]
    in_finished = [one for one in ran if one.window in backfill.whole]
    partitions = len(backfill.whole) * size.categories
    return {
        "pods": len(pods),
        "pods_started_for_finished": in_vain(pods, backfill),
        "seconds_per_finished_partition": sum(one.seconds for one in in_finished) / partitions,
        "processor_seconds_per_finished_partition": sum(one.processor_sec for one in in_finished) / partitions,
        "seconds_per_task_overhead": mean(with_pods) - mean(pod.seconds for pod in pods),
        "scale": size.windows * size.categories / (20 * 10),
    }


BENCH = Bench(
    name="backfill", doc=__doc__, measure=measure, full=Size(), quick=Size(windows=6, poll_sec=1.0),
    tiny=Size(windows=4, categories=2, poll_sec=0.2),
)  # fmt: skip


if __name__ == "__main__":
    sys.exit(BENCH.main())
