"""Pretraining on the clips of an index: batch by batch, from the newest checkpoint on, to weights that repeat.

Everything that a step draws is a function of the seed and the step's number. So a run that was killed at any step, and
goes on from a checkpoint, ends with the weights that it would have had, bit for bit on a processor.
"""

import resource
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from slac_tasks.errors import BrokenContract
from slac_tasks.networks.registry import Classifier
from slac_tasks.progress import Pace, counted, print_line
from slac_tasks.training.events import Point
from slac_tasks.training.index import Index
from slac_tasks.training.keeping import Keeps, decoded, keep
from slac_tasks.training.kept import KeptPixels
from slac_tasks.training.learner import Learner, Plan
from slac_tasks.training.loader import Batch, load
from slac_tasks.training.order import Order, Rows, balancing
from slac_tasks.training.ranks import ALONE, Ranks
from slac_tasks.training.tracking import Curve, Tracked
from slac_tasks.training.trainer import seeded
from slac_tasks.video.lost import Lost
from slac_tasks.video.pieces import UNDECODABLE
from slac_tasks.video.pool import Pool
from slac_tasks.video.sources import OpensMedia

FIRST_STEPS = 5
"""After so many steps the end is estimated for the first time."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is learned from, and where it lies; it is sent to processes as paths."""

    index: Index
    media: OpensMedia
    """Renditions."""
    keeps: Keeps | None
    """Checkpoints, which the first rank alone reads and writes; the others may do without."""
    kept: KeptPixels | None = None
    """Decoded clips, where there is room for all of them."""
    tracked: Tracked | None = None
    """Where its curve can be watched."""
    workers: int = 0
    """Processes that decode, on this machine; 0: each rank decodes what it needs."""


@dataclass(kw_only=True)
class Learned:
    """What came of it, beside the weights."""

    losses: list[float] = field(default_factory=list)
    """Of each step of the last tenth."""
    lost: dict[str, Lost] = field(default_factory=dict)
    """Clips that could not be decoded, by clip_id, with the reason."""


def pretrain(
    classifier: Classifier,
    work: Work,
    plan: Plan,
    where: torch.device,
    ranks: Ranks = ALONE,
) -> Learned:
    """Train in place, and return what was learned from.

    Raises:
        BrokenContract: no clip can be read, or a loss is no number: the message names the step and its clips.
        Temporary: the renditions are out of reach, memory does not suffice for a single clip, or a rank is gone.

    """
    run = _Run(Learner(classifier, plan, ranks, where), work)
    run.go_on()
    with seeded(plan.seed), Pool(work.media, [classifier.entry.view], batch=run.share, workers=run.workers) as pool:
        try:
            for batch in load(work.index, pool, run.wanted(), work.kept):
                run.step(batch)
        finally:
            run.curve.flush()
    run.end()
    return run.learned


class _Run:
    """One rank's run."""

    def __init__(self, learner: Learner, work: Work) -> None:
        self.learner, self.work = learner, work
        self.plan, self.ranks = learner.plan, learner.ranks
        self.share = self.plan.batch // self.ranks.world
        self.workers = -(-work.workers // self.ranks.local_world)
        self.learned = Learned()
        watched = work.tracked if self.ranks.first else None
        self.curve = watched.curve(self.plan.steps) if watched else Curve(steps=self.plan.steps)
        self._pace = Pace(self.plan.steps, first=FIRST_STEPS)
        self._asked = self._readable = 0
        self._loss: float | None = None
        """Of the newest step."""

    @cached_property
    def _order(self) -> Order:
        index, plan = self.work.index, self.plan
        labels, hard = index.labels, plan.negatives == "hard"
        # Without people's negatives, clips that have no other label teach nothing.
        own = hard | (labels.sign > 0)
        weights = None
        if plan.balance or not hard:
            weights = balancing(labels.clip[own], labels.cell[own], clips=len(index), power=plan.balance)
        return Order(videos=index.videos, seed=plan.seed, weights=weights)

    def wanted(self) -> Iterable[Rows]:
        """Yield this rank's clips of each step that is left."""
        own = slice(self.ranks.rank * self.share, (self.ranks.rank + 1) * self.share)
        for step in range(self.learner.step_number, self.plan.steps):
            yield self._order.between(step * self.plan.batch, (step + 1) * self.plan.batch)[own]

    def step(self, batch: Batch) -> None:
        """Learn from a batch; check, keep and print what came of it."""
        learner, plan = self.learner, self.plan
        self._count(batch)
        loss, norm = learner.step(batch.pixels, batch.targets)
        value = self._loss = self._checked(batch, loss, norm)
        if self.curve.wants(learner.step_number):
            self.curve.add(self._point(value, float(norm.item())))
        if learner.step_number > plan.steps - max(1, plan.steps // 10):
            self.learned.losses.append(value)
        if learner.step_number % plan.checkpoint_steps == 0 and learner.step_number < plan.steps:
            self._keep()
        if self._pace.due(learner.step_number) and self.ranks.first:
            print_line(f"pretrain: {self._progress(value)}")

    @property
    def _clips_a_second(self) -> float:
        return self._pace.a_second(self.learner.step_number) * self.plan.batch

    def _progress(self, loss: float) -> str:
        left, memory = self._pace.left(self.learner.step_number), peak_gib(self.learner.where)
        return f"step {left}, loss {loss:.3f}, {self._clips_a_second:.0f} clips/s, {memory:.1f} GiB at most"

    def _point(self, loss: float, norm: float) -> Point:
        learner = self.learner
        values = {
            "train/loss": loss, "train/gradient": norm, "train/rate": learner.rate,
            "machine/clips_a_second": self._clips_a_second, "machine/memory_gib": peak_gib(learner.where),
            "machine/micro_batch": learner.micro_batch,
        }  # fmt: skip
        return Point(step=learner.step_number, at_sec=time.time(), values=values)

    def _count(self, batch: Batch) -> None:
        """Count what can be read.

        Raises:
            BrokenContract: an epoch has passed, and no clip of it can be read.

        """
        self.learned.lost |= {batch.places[at].clip_id: lost for at, lost in batch.lost.items()}
        self._asked += self.plan.batch
        if not self._readable:
            self._readable = sum(self.ranks.of_all(len(batch.places) - len(batch.lost)))
        if not self._readable and self._asked >= len(self.work.index):
            self._refuse()

    def _refuse(self) -> None:
        why = next((lost.detail for lost in self.learned.lost.values()), "they have no label that teaches")
        raise BrokenContract(f"{counted(len(self.work.index), 'training clip')}, none readable ({why}); want some")

    def _checked(self, batch: Batch, loss: Tensor, norm: Tensor) -> float:
        if not torch.isfinite(loss + norm):
            ids = ", ".join(clip_id for ids in self.ranks.of_all(batch.clip_ids) for clip_id in ids)
            step = self.learner.step_number
            raise BrokenContract(
                f"pretrain: step {step}: loss {loss.item()}, gradient {norm.item()}, want numbers; clips {ids}"
            )
        return float(loss.item())

    def _gather(self) -> None:
        for lost in self.ranks.of_all(self.learned.lost):
            self.learned.lost |= lost

    def _keep(self) -> None:
        self._gather()
        if not (self.ranks.first and self.work.keeps):
            return
        self.curve.flush()
        state = {
            "learner": self.learner.state(), "losses": self.learned.losses, "loss": self._loss,
            "lost": {clip_id: tuple(lost) for clip_id, lost in self.learned.lost.items()},
            "categories": list(self.work.index.categories),
        }  # fmt: skip
        keep(self.work.keeps, self.learner.step_number, state)

    def go_on(self) -> None:
        """Take up the newest checkpoint, if there is one."""
        own = self.work.keeps if self.ranks.first else None
        found = self.ranks.from_first(next(own.newest(), None) if own else None)
        if not found:
            return
        step, data = found
        state = decoded(data)
        of, now = state.get("categories"), list(self.work.index.categories)
        if of not in (None, now):
            # The last video of a category was withdrawn meanwhile.
            if self.ranks.first:
                print_line(
                    f"pretrain: begins anew, since "
                    f"{counted(len(now), 'category teaches', 'categories teach')} now, and {len(of)} before"
                )
            return
        self.learner.load(state["learner"])
        self.learned.losses = state["losses"]
        self.learned.lost = {clip_id: _lost(said) for clip_id, said in state["lost"].items()}
        self._loss = state.get("loss")
        if self.ranks.first:
            print_line(f"pretrain: goes on after step {step}")

    def end(self) -> None:
        """Hand on the network, and what all ranks lost."""
        if self._asked and not self._readable and self.learned.lost:
            self._refuse()
        if not self.learned.losses and self._loss is not None:
            # Clips were withdrawn since the checkpoint, so fewer steps are planned than it has had.
            self.learned.losses.append(self._loss)
        self._gather()
        self.curve.close()
        self.learner.finish()


def _lost(said: Sequence[str] | str) -> Lost:
    """Return why a clip is lost, as a checkpoint says it; an older one had the detail alone."""
    return Lost(UNDECODABLE, said) if isinstance(said, str) else Lost(*said)


def peak_gib(where: torch.device) -> float:
    """Return the most memory that this process had so far, in GiB: the card's, or the machine's where there is none."""
    if where.type == "cuda":
        return torch.cuda.max_memory_allocated(where) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
