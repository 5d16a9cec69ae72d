"""The whole loop on a generated world, without Airflow: `python -m bench.loop [--quick]`.

Every stage runs with the argv that Airflow would give it, in one process, on an embedded Postgres and a folder as
store. Simulated people answer. It ends when a release's network was promoted or refused, and prints what the labels
and the network are worth against the world's truth. The last line is one JSON object.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from slac_tasks import cli, config
from slac_tasks.commands.funnel import newest_labels, table
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.model import Strategy
from slac_tasks.planning import PLANS, Planner
from slac_tasks.reports.hardness import pools, unlearned
from slac_tasks.storage.datasets import EVALUATIONS, HARD_CLIPS, VIDEOS, VOTES
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.world import measure, people
from slac_tasks.world.catalogue import SIZES, WINDOWS
from slac_tasks.world.make import make_world
from slac_tasks.world.truth import read_truth

MOST_ROUNDS = 8
"""Rounds of mining and answering, before the loop is taken to be stuck."""


class Loop:
    """The procedure in one process, on one world."""

    def __init__(self, folder: Path, size: str, seed: int) -> None:
        self.world, self.size, self.seed = folder / "world", size, seed
        self.seconds: dict[str, float] = {}

    def slac(self, stage: str, **keys: Any) -> None:
        """Run one stage with its keys as flags; a failure ends the bench with its exit code."""
        argv = [stage]
        for key, value in keys.items():
            for item in value if isinstance(value, list) else [value]:
                argv += [f"--{key}", str(item)] if item is not None else []
        self.call(argv)

    def call(self, argv: list[str]) -> None:
        """Run an argv and keep the processor time it took, which other work on the machine does not stretch."""
        began = time.process_time()
        code = cli.main(argv)
        self.seconds[argv[0]] = self.seconds.get(argv[0], 0.0) + time.process_time() - began
        if code:
            sys.exit(code)

    def plan(self, dag: str, window: str | None = None) -> list[dict[str, Any]]:
        """Return what a DAG has to do."""
        settings = config.load()
        ledger = open_ledger()
        try:
            datasets = Datasets(open_store(settings.store_url))
            return PLANS[dag](Planner(settings=settings, datasets=datasets, ledger=ledger, window=window))
        finally:
            ledger.close()

    def collect(self, window: str) -> None:
        """Collect, propose, and score one window."""
        for item in self.plan("collect_videos", window):
            self.slac("discover", category=item["category"], window=window)
            self.slac("fetch", category=item["category"], window=window)
        self.slac("deduplicate", window=window)
        for item in self.plan("score_clips", window):
            keys = {"window": window, "committee": item["committee"]}
            self.slac("propose", category=item["category"], window=window)
            if item["uncovered"]:
                self.slac("bootstrap", category=item["uncovered"], parent=item["parent"], **keys)
            self.slac("score", category=item["category"], **keys)

    def verify(self) -> None:
        """Mine, ask, and count until nothing is open."""
        truth = people.seen_in(read_truth(self.world))
        for _ in range(MOST_ROUNDS):
            for item in self.plan("send_hard_clips"):
                self.slac("mine", category=item["category"], round=item["round"])
                self.slac("publish", category=item["category"], round=item["round"])
            ledger = open_ledger()
            sent = people.answer_open(ledger, truth, self.seed)
            ledger.close()
            if not sent and not self.plan("sync_verifications"):
                return
            self.slac("sync")
            self.slac("aggregate")
        sys.exit(f"bench.loop: the queue is not empty after {MOST_ROUNDS} rounds")

    def run(self) -> None:
        """Go once around."""
        make_world(self.world, seed=self.seed, size=self.size, processes=os.cpu_count() or 1)
        ledger = open_ledger(migrated=False)
        ledger.migrate()
        ledger.close()
        self.call(["register", "--from-sources"])
        for window in WINDOWS[: SIZES[self.size].windows]:
            self.collect(str(window))
        self.verify()
        self.slac("validate")
        self.slac("report")
        for item in self.plan("pretrain"):
            for stage in ("release", "pretrain", "evaluate", "promote"):
                self.slac(stage, release=item["release"])


def figures(datasets: Datasets, world: Path, size: str) -> dict[str, float | None]:
    """Return what the loop's datasets are worth against the world's truth."""
    truth = read_truth(world)
    named = table(datasets, VIDEOS)[["video_id", "category", "source_id"]]
    labels = newest_labels(datasets).merge(named, on=["video_id", "category"])
    hard = unlearned(datasets, table(datasets, HARD_CLIPS)).merge(named, on=["video_id", "category"])
    errors = measure.committee_error(hard, truth)
    pool = unlearned(datasets, pools(datasets)).merge(named, on=["video_id", "category"])
    divided, agreed = measure.error_by_agreement(pool, truth)
    shares = measure.positive_share(labels)
    votes = table(datasets, VOTES)
    seconds = float(votes["seconds"].sum() / max(1, len(labels)))
    worth = _accuracies(table(datasets, EVALUATIONS))
    return {
        "accuracy_labels": measure.accuracy_of_labels(labels, truth),
        "accuracy_pretrained": worth.get("pretrained"),
        "accuracy_scratch": worth.get("scratch"),
        **{f"positive_share_{strategy.value}": shares.get(strategy.value) for strategy in Strategy},
        "human_seconds_per_clip": seconds,
        "saving_against_trimming": measure.saving(seconds),
        "error_on_disagreement": errors.get("disagreement"),
        "error_on_consensus": errors.get("consensus"),
        "error_where_it_disagrees": divided,
        "error_where_it_agrees": agreed,
        "scale": _scale(size),
    }


def _accuracies(evaluations: pd.DataFrame) -> dict[str, float]:
    """Transfer accuracy by subject."""
    rows = evaluations[evaluations["measure"] == "transfer_accuracy"]
    return {str(subject): float(value) for subject, value in zip(rows["subject"], rows["value"], strict=True)}


def _scale(size: str) -> float:
    """Share of the full world's seconds of video that this one holds; 1.0 at full size."""

    def seconds(name: str) -> float:
        chosen = SIZES[name]
        return (2 * chosen.pairs + 1) * chosen.windows * chosen.videos * chosen.duration_sec

    return round(seconds(size) / seconds("demo"), 3)


def render(found: Mapping[str, float | None], seconds: Mapping[str, float]) -> str:
    """Return a table for people."""
    lines = [f"{name:<26} {'-' if value is None else f'{value:.3f}'}" for name, value in found.items()]
    return "\n".join([*lines, "", *(f"{stage:<26} {took:.1f} processor s" for stage, took in seconds.items())])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.loop", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a very small world, within 50 seconds on two idle cores")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    size = "quick" if arguments.quick else "demo"
    with tempfile.TemporaryDirectory(prefix="slac-bench-") as name, contextlib.ExitStack() as last:
        folder = Path(name)
        server = EmbeddedPostgres(folder / "postgres")
        # As root the cluster is kept outside the folder: only `remove` deletes it.
        last.callback(server.remove)
        server.start()
        os.environ["SLAC_STORE"] = str(folder / "store")
        os.environ["SLAC_CONFIG"] = str(folder / "world" / "slac.toml")
        os.environ["SLAC_DATABASE_URL"] = server.url("slac")
        loop = Loop(folder, size, arguments.seed)
        began = time.monotonic()
        loop.run()
        found = figures(Datasets(open_store(os.environ["SLAC_STORE"])), loop.world, size)
        print(render(found, loop.seconds))
        print(f"{'wall clock':<26} {time.monotonic() - began:.1f} s")
    print(json.dumps({"bench": "loop", "figures": found}))


if __name__ == "__main__":
    main()
