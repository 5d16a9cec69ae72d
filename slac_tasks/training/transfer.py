"""The transfer test: with few labels of new actions, is the pretrained network a better start than none (HACS)."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor, nn

from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.model import CLIP_SEC, View
from slac_tasks.networks.registry import Architecture, Classifier
from slac_tasks.training.trainer import Recipe, class_loss, features, fit, seeded
from slac_tasks.video.flow import farneback
from slac_tasks.video.frames import Pixels, read_clips

_T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
"""Student's t, 97.5 %, for 1 to 10 degrees of freedom; more take the last, which is a little wide."""


@dataclass(frozen=True, kw_only=True)
class Trimmed:
    """One split of a data set of trimmed videos: the middle clip of each."""

    pixels: Pixels
    classes: Tensor
    """(n,) index of the class in `names`."""
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A data set to which networks are transferred; both splits number their classes alike."""

    train: Trimmed
    test: Trimmed
    unmatched: tuple[str, ...]
    """Classes that only one split has: nothing can be learned or tested of them, so both leave them out."""


def load_target(folder: Path, view: View, lost: Callable[[str, str], None]) -> Target:
    """Read the splits `train` and `test` of a data set, <split>/<class>/<video>; classes are matched by name.

    Raises:
        NotConfigured: a split is no folder, the two share no class, or a split holds no readable video of a shared one.

    """
    classes = {split: _classes(folder / split) for split in ("train", "test")}
    shared = sorted(classes["train"] & classes["test"])
    if not shared:
        raise NotConfigured(
            f"setting training.transfer: {folder} has classes {sorted(classes['train'])[:5]} in train and "
            f"{sorted(classes['test'])[:5]} in test, want some in both"
        )
    train, test = (load_trimmed(folder / split, shared, view, lost) for split in classes)
    return Target(train=train, test=test, unmatched=tuple(sorted(classes["train"] ^ classes["test"])))


def _classes(folder: Path) -> set[str]:
    if not folder.is_dir():
        raise NotConfigured(f"setting training.transfer: {folder} is no folder, want <train|test>/<class>/<video>")
    return {path.name for path in folder.iterdir() if path.is_dir()}


def load_trimmed(folder: Path, names: Sequence[str], view: View, lost: Callable[[str, str], None]) -> Trimmed:
    """Read <class>/<video> under `folder` of these classes; a video that cannot be read is reported and left out.

    Raises:
        NotConfigured: there is no readable video in it.

    """
    pixels: list[Pixels] = []
    classes: list[int] = []
    for index, name in enumerate(names):
        for path in sorted(path for path in (folder / name).iterdir() if path.is_file()):
            try:
                pixels.append(_middle(path, view))
            except BrokenContract as error:
                lost(f"{name}/{path.name}", str(error))
            else:
                classes.append(index)
    if not pixels:
        raise NotConfigured(f"setting training.transfer: {folder} holds no readable video")
    return Trimmed(pixels=np.concatenate(pixels), classes=torch.tensor(classes), names=tuple(names))


def _middle(path: Path, view: View) -> Pixels:
    try:
        with av.open(str(path)) as container:
            length_sec = float((container.duration or 0) / av.time_base)
    except av.FFmpegError as error:
        raise BrokenContract(f"{path.name}: cannot be opened: {error}") from error
    clip_sec = min(CLIP_SEC, length_sec)
    start_sec = (length_sec - clip_sec) / 2
    pixels = read_clips(path, [start_sec], frames=view.frames, size=view.size, clip_sec=clip_sec)
    return farneback(pixels) if view.flow else pixels


def few_labels(classes: Tensor, per_class: int, seed: int) -> Tensor:
    """Return the indices of `per_class` examples of each class (fewer where there are fewer), drawn by `seed`."""
    chance = torch.Generator().manual_seed(seed)
    chosen = []
    for index in range(int(classes.max()) + 1):
        found = (classes == index).nonzero()[:, 0]
        chosen.append(found[torch.randperm(len(found), generator=chance)[:per_class]])
    return torch.cat(chosen)


def accuracy(
    entry: Architecture, start: nn.Module | None, train: Trimmed, test: Trimmed, chosen: Tensor, recipe: Recipe,
    where: torch.device, what: str,
) -> float:  # fmt: skip
    """Return top-1 on `test` after training on `chosen` of `train` from `start` (None: from nothing)."""
    with seeded(recipe.seed):
        classifier = Classifier(entry, len(train.names), start)
    classifier.requires_grad_(True)
    fit(classifier, train.pixels[chosen.numpy()], train.classes[chosen], class_loss, recipe, where, what)
    found = features(classifier.backbone, entry, test.pixels, where)
    with torch.inference_mode():
        guesses = classifier.head.cpu()(found).argmax(1)
    return float((guesses == test.classes).float().mean())


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the mean over repetitions, by Student's t; one repetition says nothing: 0 to 1."""
    if len(values) < 2:
        return 0.0, 1.0
    reach = _T_95[min(len(values) - 1, len(_T_95)) - 1] * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    return max(0.0, mean - reach), min(1.0, mean + reach)
