"""The whole loop on a generated world, without Airflow: `python -m bench.loop [--quick]`.

Every stage runs with the argv that Airflow would give it, in one process, on an embedded Postgres and a folder as
store. Simulated people answer. It ends when a release's network was promoted or refused, and prints what the labels
and the network are worth against the world's truth. The last line is one JSON object.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

from bench.harness import Bench, Figures, Seed
from bench.harness.costs import now
from bench.harness.places import migrate, platform
from bench.harness.tables import listing, table
from slac_tasks import cli, config
from slac_tasks.children import processors
from slac_tasks.model import Strategy
from slac_tasks.planning.items import Item
from slac_tasks.planning.planner import Planner
from slac_tasks.planning.plans import PLANS
from slac_tasks.reports.frames import all_rows as rows_of
from slac_tasks.reports.frames import labels_frame
from slac_tasks.reports.hardness import pools, unlearned
from slac_tasks.reports.shares import positive_by_strategy
from slac_tasks.storage.datasets import EVALUATIONS, HARD_CLIPS, VIDEOS, VOTES
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.world import measure as worth
from slac_tasks.world import people
from slac_tasks.world.catalogue import SIZES, WINDOWS
from slac_tasks.world.guidelines import guidelines
from slac_tasks.world.joined import make_rehearsal
from slac_tasks.world.make import make_world
from slac_tasks.world.rehearsal import WINDOWS as REHEARSED
from slac_tasks.world.rehearsal import Rehearsal
from slac_tasks.world.truth import read_truth

MOST_ROUNDS = 8
"""Rounds of mining and answering, before the loop is taken to be stuck."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """Which world is gone around."""

    world: Annotated[str, "size of the world: demo, quick or tiny"] = "demo"
    seed: Seed = 0


class Loop:
    """The procedure in one process, on one world."""

    def __init__(self, folder: Path, size: str, seed: int) -> None:
        self.world, self.size, self.seed = folder / "world", size, seed
        self.seconds: dict[str, float] = {}

    def slac(self, stage: str, **keys: Any) -> None:
        """Run one stage with its keys as flags."""
        argv = [stage]
        for key, value in keys.items():
            for item in value if isinstance(value, tuple) else [value]:
                argv += [f"--{key}", str(item)] if item is not None else []
        self.call(argv)

    def call(self, argv: list[str]) -> None:
        """Run an argv and add up the processor time that each stage takes.

        Raises:
            RuntimeError: the stage fails.

        """
        began = now()
        code = cli.main(argv)
        self.seconds[argv[0]] = self.seconds.get(argv[0], 0.0) + (now() - began).own_sec
        if code:
            raise RuntimeError(f"slac {' '.join(argv)}: exit code {code}, want 0")

    def plan(self, dag: str, window: str | None = None) -> list[Item]:
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
            self.slac("discover", category=item.category, window=window)
            self.slac("fetch", category=item.category, window=window)
        self.slac("deduplicate", window=window)
        for item in self.plan("score_clips", window):
            keys = {"window": window, "committee": item.committee}
            self.slac("propose", category=item.category, window=window)
            if item.uncovered:
                self.slac("bootstrap", category=item.uncovered, parent=item.parent, **keys)
            self.slac("score", category=item.category, **keys)

    def verify(self) -> None:
        """Mine, ask, and count until nothing is open."""
        truth = people.seen_in(read_truth(self.world))
        for _ in range(MOST_ROUNDS):
            rounds = self.plan("send_hard_clips")
            for item in rounds:
                self.slac("mine", category=item.category, round=item.round)
                self.slac("publish", category=item.category, round=item.round)
            if chosen := sorted({category for item in rounds for category in item.category}):
                self.call(["map", "--follow", *(f"--category={category}" for category in chosen)])
            ledger = open_ledger()
            sent = people.answer_open(ledger, truth, self.seed)
            ledger.close()
            if not sent.votes and not self.plan("sync_verifications"):
                return
            self.slac("sync")
            self.slac("aggregate")
        raise RuntimeError(f"the queue is not empty after {MOST_ROUNDS} rounds")

    @property
    def windows(self) -> list[str]:
        """The windows of the world."""
        return [str(window) for window in WINDOWS[: SIZES[self.size].windows]]

    def make(self) -> None:
        """Write the world."""
        make_world(self.world, seed=self.seed, size=self.size, processes=processors())

    @property
    def registered(self) -> list[str]:
        """What `slac register` is told: the categories of the world, but for the one that is left to visitors."""
        return [f"--category={name}" for name in guidelines(self.size)]

    def begin(self) -> None:
        """Make the world and the ledger's tables, and register categories."""
        self.make()
        migrate(os.environ)
        self.call(["register", *self.registered])

    def run(self) -> None:
        """Go once around."""
        self.begin()
        for window in self.windows:
            self.collect(window)
        self.verify()
        for item in self.plan("judge"):
            self.slac("judge", category=item.category, labels=item.labels)
        self.slac("validate")
        self.slac("report")
        self.slac("inspect")
        for item in self.plan("pretrain"):
            for stage in ("carry", "certify"):
                self.slac(stage)
            for stage in ("release", "pretrain", "evaluate", "promote", "detect"):
                self.slac(stage, release=item.release)


class RehearsalLoop(Loop):
    """The procedure in one process, on a rehearsal."""

    def __init__(self, folder: Path, rehearsal: Rehearsal) -> None:
        super().__init__(folder, size="rehearsal", seed=rehearsal.seed)
        self.rehearsal = rehearsal

    @property
    def windows(self) -> list[str]:
        """The windows of the rehearsal."""
        return [str(window) for window in WINDOWS[:REHEARSED]]

    @property
    def registered(self) -> list[str]:
        """Every class of the rehearsal."""
        return ["--from-sources"]

    def make(self) -> None:
        """Write the rehearsal."""
        make_rehearsal(self.rehearsal, self.world, processes=processors())


def figures(datasets: Datasets, world: Path, size: str) -> Figures:
    """Return what the loop's datasets are worth against the world's truth."""
    truth = read_truth(world)
    named = rows_of(datasets, VIDEOS)[["video_id", "category", "source_id"]]
    labels = labels_frame(datasets).merge(named, on=["video_id", "category"])
    hard = unlearned(datasets, rows_of(datasets, HARD_CLIPS)).merge(named, on=["video_id", "category"])
    errors = worth.committee_error(hard, truth)
    pool = unlearned(datasets, pools(datasets)).merge(named, on=["video_id", "category"])
    divided, agreed = worth.error_by_agreement(pool, truth)
    shares = {share.name: share.value for share in positive_by_strategy(labels[labels["label"].notna()])}
    votes = rows_of(datasets, VOTES)
    seconds = float(votes["seconds"].sum() / max(1, len(labels)))
    transfer = _accuracies(rows_of(datasets, EVALUATIONS))
    return {
        "accuracy_labels": worth.accuracy_of_labels(labels, truth),
        "accuracy_pretrained": transfer.get("pretrained"),
        "accuracy_scratch": transfer.get("scratch"),
        **{f"positive_share_{strategy.value}": shares.get(strategy.value) for strategy in Strategy},
        "human_seconds_per_clip": seconds,
        "answers_per_label": len(votes) / max(1, len(labels)),
        "error_on_disagreement": errors.get("disagreement"),
        "error_on_consensus": errors.get("consensus"),
        "error_where_it_disagrees": divided,
        "error_where_it_agrees": agreed,
        "scale": scale(size),
    }


def _accuracies(evaluations: pd.DataFrame) -> dict[str, float]:
    """Transfer accuracy by subject."""
    rows = evaluations[evaluations["measure"] == "transfer_accuracy"]
    return {str(subject): float(value) for subject, value in zip(rows["subject"], rows["value"], strict=True)}


def scale(world: str) -> float:
    """Share of the full world's seconds of video that a world of this size holds."""

    def seconds(name: str) -> float:
        chosen = SIZES[name]
        return (2 * chosen.pairs + 1) * chosen.windows * chosen.videos * chosen.duration_sec

    return seconds(world) / seconds(Size().world)


def measure(size: Size, folder: Path) -> Figures:
    """Go once around a world of this size."""
    loop = Loop(folder, size.world, size.seed)
    with platform(folder, loop.world / "slac.toml") as store:
        began = now()
        loop.run()
        found = figures(Datasets(open_store(store)), loop.world, size.world)
        took = now() - began
    print(table({"stage": "", "processor s": ".1f"}, loop.seconds.items()))
    print(listing({**found, "wall clock, s": took.wall_sec}))
    return found


BENCH = Bench(
    name="loop", doc=__doc__, measure=measure,
    full=Size(), quick=Size(world="quick"), tiny=Size(world="tiny"),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
