"""How long and how fast a network is pretrained: from the settings, its architecture and the size of the release."""

import math

import numpy as np

from slac_tasks.errors import WrongArguments
from slac_tasks.networks.registry import Architecture
from slac_tasks.progress import counted
from slac_tasks.training.index import Index
from slac_tasks.training.learner import Plan
from slac_tasks.training.settings import Training


def plan_of(settings: Training, entry: Architecture, *, clips: int, tuned: bool, world: int) -> Plan:
    """Return the plan of a run.

    Args:
        settings: what people decided.
        entry: what is trained; each architecture has rates of its own.
        clips: clips of the release's training split.
        tuned: whether the backbone starts from pretrained weights.
        world: processes that divide each batch.

    Raises:
        WrongArguments: they cannot divide it.

    """
    if settings.batch % world:
        raise WrongArguments(f"setting training.batch: is {settings.batch}, want a multiple of the {world} processes")
    return Plan(
        steps=settings.steps or steps_of(settings, clips), batch=settings.batch, micro_batch=settings.micro_batch,
        rates=entry.rates, seed=settings.seed, loss=settings.loss, negatives=settings.negatives,
        balance=settings.balance, average=settings.average, tuned=tuned, frozen=settings.frozen or entry.is_frozen,
        checkpoint_steps=settings.checkpoint_steps,
    )  # fmt: skip


def steps_of(settings: Training, clips: int) -> int:
    """Return the steps in which each clip comes `epochs` times, between the bounds of the settings."""
    wanted = math.ceil(settings.epochs * clips / settings.batch)
    return min(max(wanted, settings.least_steps), settings.most_steps)


def sentence(plan: Plan, entry: Architecture, index: Index, *, world: int = 1) -> str:
    """Return what is about to be done, in a line for people."""
    labels, share = index.labels, plan.batch // world
    yes = int(np.count_nonzero(labels.sign > 0))
    epochs = plan.steps * plan.batch / len(index)
    together = f"{world} processes with {share} each, " if world > 1 else ""
    at_once = min(plan.micro_batch or share, share)
    accumulated = f"{-(-share // at_once)} times {at_once} at once, " if at_once < share else ""
    start = "from pretrained weights" if plan.tuned else "from random weights"
    part = "pool and head" if entry.is_frozen else "head"
    learned = f", its {part} alone" if plan.frozen else ""
    return (
        f"{entry.name} {start}{learned}: {counted(len(index), 'clip')}, {counted(yes, 'label')} yes and "
        f"{len(labels.sign) - yes:,} no in {counted(len(index.categories), 'category')}; "
        f"{counted(plan.steps, 'step')} of {plan.batch} clips ({epochs:.1f} epochs), "
        f"{together}{accumulated}highest rate {plan.rate:.2g}, balance {plan.balance:g}"
    )
