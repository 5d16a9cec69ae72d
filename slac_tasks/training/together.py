"""The ranks of one machine: a process for each, which all end when one of them fails.

`torchrun` does the same, but it ends with 1 whatever the failure was. Here the failure of the rank that failed first is
that of the stage, so its exit code says whether a later try may succeed.
"""

import multiprocessing
import os
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import torch

from slac_tasks.errors import NotConfigured, SlacError, Temporary
from slac_tasks.networks.inference import device
from slac_tasks.networks.registry import Classifier, architecture
from slac_tasks.networks.weights import decode_classifier, encode_backbone, encode_head
from slac_tasks.training.learner import Plan
from slac_tasks.training.pretraining import Learned, Work, pretrain
from slac_tasks.training.ranks import Ranks, RanksLost

_SECONDS_TO_END = 5.0
"""What the others have to notice by themselves that one failed: of gloo they do, of nccl they do not."""
_BUG = 1


class _Setup(NamedTuple):
    """What a rank is sent: paths and numbers, and nothing that grows with the data set."""

    ranks: Ranks
    folder: Path
    architecture: str
    work: Work
    plan: Plan
    device: str


class _Answer(NamedTuple):
    """What a rank answers: what the first one learned, or a failure."""

    learned: Learned | None = None
    failure: Exception | None = None


@dataclass(frozen=True)
class _Running:
    process: SpawnProcess
    answers: Connection


def processes(setting: int, where: torch.device) -> int:
    """Return how many processes train; 0: one for each card, and one where there is none.

    Raises:
        NotConfigured: there are fewer cards.

    """
    if where.type != "cuda":
        return setting or 1
    cards = torch.cuda.device_count()
    if setting > cards:
        raise NotConfigured(f"setting training.processes: is {setting}, but this machine has {cards} cards")
    return setting or cards


def pretrain_together(
    classifier: Classifier, work: Work, plan: Plan, setting: str, *, world: int, folder: Path
) -> Learned:
    """Train in place, with `world` processes of this machine, and return what was learned.

    Args:
        classifier: where they start, and where the result goes.
        work: what they learn from.
        plan: how.
        setting: the setting `device`.
        world: how many processes.
        folder: a folder of this run alone.

    Raises:
        SlacError: what the rank that failed first raised.
        Temporary: a rank was killed.

    """
    entry = classifier.entry
    _write(folder, classifier, work.index.categories)
    setups = [
        _Setup(Ranks(rank=rank, world=world, local=rank, local_world=world), folder, entry.name, work, plan, setting)
        for rank in range(world)
    ]
    running = [_started(setup) for setup in setups]
    try:
        learned = _watched(running)
    finally:
        for one in running:
            one.process.kill()
            one.process.join()
    learned_classifier, _ = _read(folder, entry.name)
    classifier.load_state_dict(learned_classifier.state_dict())
    classifier.eval()
    return learned


def _started(setup: _Setup) -> _Running:
    context = multiprocessing.get_context("spawn")
    own, theirs = context.Pipe()
    process = context.Process(target=_rank, args=(setup, theirs), name=f"rank {setup.ranks.rank}")
    process.start()
    theirs.close()
    return _Running(process, own)


def _watched(running: Sequence[_Running]) -> Learned:
    """Wait for all ranks; return the answer of the first, or raise what went wrong first."""
    answers: dict[int, _Answer] = {}
    waiting = dict(enumerate(running))
    seconds: float | None = None
    while waiting:
        ready = wait([one.answers for one in waiting.values()], timeout=seconds)
        if not ready:
            break
        for rank, one in list(waiting.items()):
            if one.answers in ready:
                answers[rank] = _answer(rank, one)
                del waiting[rank]
                if answers[rank].failure:
                    seconds = _SECONDS_TO_END
    failures = [answer.failure for answer in answers.values() if answer.failure]
    if failures:
        # Who lost the others did not fail first.
        raise min(failures, key=lambda failure: isinstance(failure, RanksLost))
    learned = answers[0].learned
    assert learned is not None, "the first rank answers with what it learned"
    return learned


def _answer(rank: int, one: _Running) -> _Answer:
    try:
        answer: _Answer = one.answers.recv()
        return answer
    except (EOFError, OSError):
        one.process.join()
        why = f"rank {rank} of pretraining: ended with {one.process.exitcode}, as when memory runs out"
        return _Answer(failure=Temporary(f"{why}; want it to live until the end"))


def _rank(setup: _Setup, answers: Connection) -> None:
    """Be one rank, from its start to its answer."""
    Thread(target=_end_with_parent, args=(answers,), daemon=True).start()
    try:
        answer = _learned(setup)
    except SlacError as error:
        answer = _Answer(failure=error)
    except Exception as error:
        traceback.print_exc()
        answer = _Answer(failure=RuntimeError(f"rank {setup.ranks.rank}: {type(error).__name__}: {error}"))
    answers.send(answer)


def _end_with_parent(answers: Connection) -> None:
    """End this process when the one that started it has died: nobody waits for what it learns."""
    wait([answers])
    os._exit(_BUG)


def _learned(setup: _Setup) -> _Answer:
    ranks = setup.ranks
    where = device(setup.device)
    if where.type == "cpu":
        # All ranks together have the processors of one.
        torch.set_num_threads(max(1, torch.get_num_threads() // ranks.world))
    classifier, categories = _read(setup.folder, setup.architecture)
    with ranks.joined(f"file://{setup.folder}/meeting", where) as where:
        learned = pretrain(classifier, setup.work, setup.plan, where, ranks)
    if not ranks.first:
        return _Answer()
    _write(setup.folder, classifier.cpu(), categories)
    return _Answer(learned=learned)


def _write(folder: Path, classifier: Classifier, categories: Sequence[str]) -> None:
    """Hand a network to another process: in files, since tensors of a pipe take memory that containers lack."""
    (folder / "backbone.pt").write_bytes(encode_backbone(classifier.entry, classifier.backbone))
    (folder / "head.pt").write_bytes(encode_head(classifier.entry, classifier.head, categories))


def _read(folder: Path, name: str) -> tuple[Classifier, Sequence[str]]:
    backbone, head = ((folder / f"{part}.pt").read_bytes() for part in ("backbone", "head"))
    classifier, categories = decode_classifier(architecture(name), backbone, head)
    return classifier.requires_grad_(True), categories
