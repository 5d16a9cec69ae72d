"""Planted defects against the expectations of every hand-over: `python -m bench.quality [--quick]`.

Each defect of `bench.harness.defects` is planted in a copy of a good hand-over. It is caught when the expectation that
is meant for it fails; what else fails is counted beside it. Clean platforms, each with other people and clips, give the
false alarms: any expectation that fails on them, warnings included. Then a version of the labels and the batches of
votes that it counts are judged at the issue's size, in a process of its own: its time from the first read to the last
verdict, the import of Great Expectations included, and its largest memory. `docs_mb` is the size of the docs of all
datasets when more hand-overs fail than they hold, so that they grow no further. The last line is one JSON object.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa

from bench.harness import Bench, Figures
from bench.harness.costs import now, peak_bytes_of
from bench.harness.defects import DEFECTS
from bench.harness.defects.planting import Defect
from bench.harness.handovers import KEYS, NOW, World, good
from bench.harness.tables import listing, table
from slac_tasks.quality.expectations import EXPECTATIONS
from slac_tasks.quality.expectations.entries import Handover, in_one_piece
from slac_tasks.quality.expectations.judging import FAILED, judged, line, measured
from slac_tasks.quality.settings import Expectations
from slac_tasks.reports.data_docs import Docs
from slac_tasks.reports.inspected import MOST_FAILING, after, index, page
from slac_tasks.storage.datasets import LABELS, VOTES
from slac_tasks.storage.datasets.judging import ExpectationRow
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.parquet import decode, encode
from slac_tasks.storage.tables import Datasets

LABELS_WANTED = 1_750_000
"""Labels of the issue's size; each has three votes."""
ROWS_OF_BATCH = 250_000
ROWS_OF_PART = 250_000


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is judged."""

    labels: Annotated[int, "labels that are judged at once, with three votes each"] = LABELS_WANTED
    small: Annotated[int, "labels of the platform in which defects are planted"] = 3_000
    clean: Annotated[int, "clean platforms"] = 20

    @property
    def scale(self) -> float:
        """Share of the issue's size."""
        return self.labels / LABELS_WANTED


def planted(world: World) -> list[tuple[Defect, Sequence[ExpectationRow]]]:
    """Plant every defect and return, with each, what was found of its copy. One suite judges a dataset's copies."""
    found: list[tuple[Defect, Sequence[ExpectationRow]]] = []
    for dataset, expectations in EXPECTATIONS.items():
        defects = [defect for defect in DEFECTS if defect.dataset == dataset]
        copies = [measured(defect.plant(world.handover(dataset)), expectations) for defect in defects]
        verdicts = judged(dataset, copies, world.knobs).rows if copies else []
        found += zip(defects, verdicts, strict=True)
    return found


def failures_of(rows: Sequence[ExpectationRow]) -> list[str]:
    """Return the names of the expectations that failed."""
    return sorted({row.name for row in rows if row.verdict == FAILED})


def docs_bytes(found: Sequence[tuple[Defect, Sequence[ExpectationRow]]]) -> int:
    """Return how long the docs of all datasets are when as many hand-overs fail as they hold: they grow no further."""
    every = []
    for dataset in EXPECTATIONS:
        bad = [rows for defect, rows in found if defect.dataset == dataset]
        many = {f"{number:04d}.category.{KEYS['window']}": bad[number % len(bad)] for number in range(2 * MOST_FAILING)}
        every.append(after(Docs(dataset=dataset, inspected_at="now"), many, "now"))
    pages = [page(docs).encode() for docs in every] + [docs.encode() for docs in every]
    return sum(map(len, [*pages, index(every).encode()]))


def alarms(count: int, labels: int) -> Counter[str]:
    """Return how often each expectation failed on clean platforms."""
    worlds = [
        good(labels=labels, seed=seed, categories=4 + seed % 5, people=9 + seed % 7) for seed in range(1, count + 1)
    ]
    failed: Counter[str] = Counter()
    for dataset, expectations in EXPECTATIONS.items():
        found = [measured(world.handover(dataset), expectations) for world in worlds]
        for rows in judged(dataset, found, worlds[0].knobs).rows:
            failed.update(f"{dataset}.{row.name}" for row in rows if row.verdict == FAILED)
    return failed


def write(store: Path, labels: int) -> None:
    """Write a version of the labels and its votes, batch by batch, as their stages would."""
    world = good(labels=labels, categories=200, people=400)
    datasets = Datasets(open_store(str(store), {}))
    votes = world.rows[VOTES.name]
    batches = range(0, votes.num_rows, ROWS_OF_BATCH)
    for number, start in enumerate(batches, 1):
        rows = votes.slice(start, ROWS_OF_BATCH)
        datasets.write(VOTES, [rows], keys={"batch": f"{number:06d}"}, stage="sync", settings={}, made_from={})
    found = world.rows[LABELS.name]
    parts = (found.slice(start, ROWS_OF_PART) for start in range(0, found.num_rows, ROWS_OF_PART))
    datasets.write(LABELS, parts, keys={"labels": KEYS["labels"]}, stage="aggregate", settings={}, made_from={})
    for name, beside in world.beside.items():
        if name != "votes":
            (store / f"{name}.parquet").write_bytes(encode(beside))


def judge_all(folder: str) -> None:
    """Judge what `write` wrote, batch by batch, and print what it cost as JSON."""
    began = now()
    store = Path(folder)
    datasets, knobs = Datasets(open_store(folder, {})), Expectations()
    beside = {path.stem: decode(path.read_bytes()) for path in store.glob("*.parquet")}

    def handover(dataset: Dataset[Any], keys: Mapping[str, str], **more: pa.Table) -> Handover:
        manifest = datasets.need(dataset, **keys)
        rows = in_one_piece(datasets.tables(manifest))
        return Handover(dataset=dataset, keys=keys, rows=rows, knobs=knobs, now=NOW, beside={**beside, **more})

    batches = datasets.partitions(VOTES)
    of_votes = [measured(handover(VOTES, keys), EXPECTATIONS[VOTES.name]) for keys in batches]
    votes = in_one_piece(datasets.read(VOTES, ["vote_id", "answer"], **keys) for keys in batches)
    of_labels = [measured(handover(LABELS, {"labels": KEYS["labels"]}, votes=votes), EXPECTATIONS[LABELS.name])]
    rows = [
        row
        for name, found in ((VOTES.name, of_votes), (LABELS.name, of_labels))
        for each in judged(name, found, knobs).rows
        for row in each
    ]
    spent = now() - began
    print(
        json.dumps(
            {"seconds": spent.wall_sec, "processor": spent.processor_sec, "gib": peak_bytes_of(os.getpid()) / 2**30,
             "judged": len(rows), "failed": [line(row) for row in rows if row.verdict == FAILED]}
        )
    )  # fmt: skip


def judged_alone(store: Path) -> dict[str, Any]:
    """Judge what was written in a process of its own, and return what it printed."""
    code = f"from bench.quality import judge_all; judge_all({str(store)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"judging {store}: exit code {done.returncode}, want 0: {done.stderr.decode(errors='replace')[-2000:]}"
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(size: Size, folder: Path) -> Figures:
    """Plant, judge clean platforms, and judge at size."""
    copies = planted(good(labels=size.small))
    found = [(defect, failures_of(rows)) for defect, rows in copies]
    print(
        table(
            {"defect": "", "dataset": "", "meant for it": "", "caught": "", "others that fail": ""},
            [
                (defect.name, defect.dataset, defect.caught_by, "yes" if defect.caught_by in failed else "NO",
                 ", ".join(name for name in failed if name != defect.caught_by)[:60])
                for defect, failed in found
            ],
        )
    )  # fmt: skip
    false = alarms(size.clean, size.small)
    for name, times in sorted(false.items()):
        print(f"false alarm: {name}, {times} times")
    write(folder, size.labels)
    cost = judged_alone(folder)
    for failed in cost["failed"]:
        print(f"failed at size: {failed}")
    figures: Figures = {
        "defects_planted": len(found),
        "defects_caught": sum(defect.caught_by in failed for defect, failed in found),
        "false_alarms": false.total() + len(cost["failed"]),
        "expectations": sum(map(len, EXPECTATIONS.values())),
        "clean_sets": size.clean,
        "labels": size.labels,
        "seconds": cost["seconds"],
        "processor_seconds": cost["processor"],
        "gib": cost["gib"],
        "docs_mb": docs_bytes(copies) / 1e6,
        "scale": size.scale,
    }
    print(listing(figures))
    return figures


BENCH = Bench(
    name="quality", doc=__doc__, measure=measure, full=Size(), quick=Size(labels=100_000, clean=20),
    tiny=Size(labels=3_000, small=3_000, clean=2),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
