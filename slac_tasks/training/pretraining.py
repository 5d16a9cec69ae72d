"""Pretraining on the clips of an index: batch by batch, from the newest checkpoint on, to weights that repeat.

Everything that a step draws is a function of the seed and the step's number. So a run that was killed at any step, and
goes on from a checkpoint, ends with the weights that it would have had, bit for bit on a processor.
"""

import io
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from slac_tasks.errors import BrokenContract
from slac_tasks.networks.registry import Classifier
from slac_tasks.progress import Pace, print_line
from slac_tasks.training.index import Index
from slac_tasks.training.kept import KeptPixels
from slac_tasks.training.learner import Learner, Plan
from slac_tasks.training.loader import Batch, load
from slac_tasks.training.order import Order, Rows, balancing
from slac_tasks.training.ranks import Ranks
from slac_tasks.training.trainer import seeded
from slac_tasks.video.pool import OpensMedia, Pool


class Keeps(Protocol):
    """Where checkpoints are kept, by the number of steps that were done."""

    def write(self, step: int, path: Path) -> None:
        """Keep the file at `path`."""

    def newest(self) -> Iterator[tuple[int, bytes]]:
        """Yield those that are whole, the newest first."""


@dataclass(kw_only=True)
class Learned:
    """What came of it."""

    classifier: Classifier
    losses: list[float] = field(default_factory=list)
    """Of each step of the last tenth."""
    lost: dict[str, str] = field(default_factory=dict)
    """Clips that could not be decoded, by clip_id, with the reason."""


def pretrain(
    classifier: Classifier, index: Index, open_media: OpensMedia, plan: Plan, keeps: Keeps, where: torch.device,
    *, workers: int = 0, kept: KeptPixels | None = None,
) -> Learned:  # fmt: skip
    """Train in place, and return the network as it is handed on.

    Raises:
        BrokenContract: no clip can be read, or a loss is no number: the message names the step and its clips.
        Temporary: the renditions are out of reach, or memory does not suffice for a single clip.

    """
    learner = Learner(classifier, plan, Ranks(), where)
    learned = Learned(classifier=classifier)
    _go_on(learner, learned, keeps)
    view, pace = classifier.entry.view, Pace(plan.steps)
    seen = 0
    with seeded(plan.seed), Pool(open_media, view, batch=plan.batch, workers=workers) as pool:
        for batch in load(index, pool, _wanted(index, plan, learner.step_number), kept):
            learned.lost |= {batch.places[at].clip_id: why for at, why in batch.lost.items()}
            seen += len(batch.places) - len(batch.lost)
            loss, norm = learner.step(batch.pixels, batch.targets)
            value = _checked(learner.step_number, batch, loss, norm)
            if learner.step_number > plan.steps - max(1, plan.steps // 10):
                learned.losses.append(value)
            if learner.step_number % plan.checkpoint_steps == 0 and learner.step_number < plan.steps:
                _keep(learner, learned, keeps)
            if pace.due(learner.step_number):
                clips = pace.a_second(learner.step_number) * plan.batch
                print_line(f"pretrain: step {pace.left(learner.step_number)}, loss {value:.3f}, {clips:.0f} clips/s")
            if not seen and len(learned.lost) == len(index):
                break
    if not seen and learned.lost:
        why = next(iter(learned.lost.values()))
        raise BrokenContract(f"{len(index)} training clips, none readable ({why}); want some")
    learner.finish()
    return learned


def _wanted(index: Index, plan: Plan, begin: int) -> Iterable[Rows]:
    """Yield the clips of each step that is left."""
    labels, hard = index.labels, plan.negatives == "hard"
    # Without people's negatives, clips that have no other label teach nothing.
    own = hard | (labels.sign > 0)
    weights = None
    if plan.balance or not hard:
        weights = balancing(labels.clip[own], labels.cell[own], clips=len(index), power=plan.balance)
    order = Order(videos=index.videos, seed=plan.seed, weights=weights)
    return (order.between(step * plan.batch, (step + 1) * plan.batch) for step in range(begin, plan.steps))


def _checked(step: int, batch: Batch, loss: Tensor, norm: Tensor) -> float:
    if not torch.isfinite(loss + norm):
        ids = ", ".join(batch.clip_ids)
        raise BrokenContract(
            f"pretrain: step {step}: loss {loss.item()}, gradient {norm.item()}, want numbers; clips {ids}"
        )
    return float(loss.item())


def _keep(learner: Learner, learned: Learned, keeps: Keeps) -> None:
    with tempfile.TemporaryDirectory(prefix="slac-") as folder:
        path = Path(folder) / "state.pt"
        torch.save({"learner": learner.state(), "losses": learned.losses, "lost": learned.lost}, path)
        keeps.write(learner.step_number, path)


def _go_on(learner: Learner, learned: Learned, keeps: Keeps) -> None:
    for step, data in keeps.newest():
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        learner.load(state["learner"])
        learned.losses, learned.lost = state["losses"], state["lost"]
        print_line(f"pretrain: goes on after step {step}")
        return
