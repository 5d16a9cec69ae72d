"""The ranks of one machine: a process for each, which all end when one of them fails.

`torchrun` does the same, but it ends with 1 whatever the failure was. Here the failure of the rank that failed first is
that of the stage, so its exit code says whether a later try may succeed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from slac_tasks.children import together
from slac_tasks.errors import NotConfigured
from slac_tasks.networks.inference import device
from slac_tasks.networks.registry import Classifier, architecture
from slac_tasks.networks.weights import decode_classifier, encode_backbone, encode_head
from slac_tasks.progress import counted
from slac_tasks.training.learner import Plan
from slac_tasks.training.pretraining import Learned, Work, pretrain
from slac_tasks.training.ranks import Ranks, RanksLost


class _Setup(NamedTuple):
    """What a rank is sent: paths and numbers, and nothing that grows with the data set."""

    ranks: Ranks
    folder: Path
    architecture: str
    work: Work
    plan: Plan
    device: str


def processes(setting: int, where: torch.device) -> int:
    """Return how many processes train; 0: one for each card, and one where there is none.

    Raises:
        NotConfigured: there are fewer cards.

    """
    if where.type != "cuda":
        return setting or 1
    cards = torch.cuda.device_count()
    if setting > cards:
        raise NotConfigured(f"setting training.processes: is {setting}, but this machine has {counted(cards, 'card')}")
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
    learned = together(_learned, setups, "pretraining", later=(RanksLost,))[0]
    assert learned is not None, "the first rank answers with what it learned"
    learned_classifier, _ = _read(folder, entry.name)
    classifier.load_state_dict(learned_classifier.state_dict())
    classifier.eval()
    return learned


def _learned(setup: _Setup) -> Learned | None:
    """Be one rank; of the first one, return what it learned."""
    ranks = setup.ranks
    where = device(setup.device)
    if where.type == "cpu":
        # All ranks together have the processors of one.
        torch.set_num_threads(max(1, torch.get_num_threads() // ranks.world))
    classifier, categories = _read(setup.folder, setup.architecture)
    with ranks.joined(f"file://{setup.folder}/meeting", where) as where:
        learned = pretrain(classifier, setup.work, setup.plan, where, ranks)
    if not ranks.first:
        return None
    _write(setup.folder, classifier.cpu(), categories)
    return learned


def _write(folder: Path, classifier: Classifier, categories: Sequence[str]) -> None:
    """Hand a network to another process: in files, since tensors of a pipe take memory that containers lack."""
    (folder / "backbone.pt").write_bytes(encode_backbone(classifier.entry, classifier.backbone))
    (folder / "head.pt").write_bytes(encode_head(classifier.entry, classifier.head, categories))


def _read(folder: Path, name: str) -> tuple[Classifier, Sequence[str]]:
    backbone, head = ((folder / f"{part}.pt").read_bytes() for part in ("backbone", "head"))
    classifier, categories = decode_classifier(architecture(name), backbone, head)
    return classifier.requires_grad_(True), categories
