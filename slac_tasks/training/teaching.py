"""How members of a committee are taught categories that they do not score yet.

Every member is a backbone with a linear head, whatever its scores were learned from: `score` knows no kinds of members.
What differs is where a head comes from. `ByClips` learns from weakly labelled clips, `ByWords` from what categories are
called. A new kind of member is one more class here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from slac_tasks.networks.calibration import Calibration
from slac_tasks.networks.image_text import ImageText
from slac_tasks.networks.registry import Architecture, Classifier
from slac_tasks.networks.settings import Committee
from slac_tasks.networks.starting import starting_backbone
from slac_tasks.networks.weights import decode_backbone, encode_backbone, encode_head
from slac_tasks.networks.words import IMAGE_TEXT, Words
from slac_tasks.training.beside import beside, processes
from slac_tasks.training.keeping import Keeps
from slac_tasks.training.trainer import (
    FRESH_RATE,
    TUNED_RATE,
    Recipe,
    begun_from,
    features,
    fit,
    fit_head,
    masked_loss,
    seeded,
    target_matrix,
)  # fmt: skip
from slac_tasks.video.clips import ClipAddress
from slac_tasks.video.frames import Pixels

Weak = Mapping[str, set[str]]
"""clip_id -> the categories that its video was retrieved for."""


@dataclass(frozen=True, kw_only=True)
class Taught:
    """A member that scores more categories than before."""

    entry: Architecture
    backbone: bytes
    """Blob of the backbone."""
    head: bytes
    """Blob of a head for the new categories alone, in the order in which they were given."""
    how: str
    """What it learned from, in a line for people."""


class Member(Protocol):
    """One seat of a committee, and how it learns."""

    @property
    def name(self) -> str:
        """The seat's name in the settings."""

    def taught(self, categories: Sequence[str], newest: bytes | None) -> Taught:
        """Return the member with a head for these categories.

        Args:
            categories: what it does not score yet.
            newest: blob of the backbone of its newest head; None where it has none.

        """


@dataclass(frozen=True, kw_only=True, eq=False)
class ByClips:
    """A network that takes every clip of a video to show what the video was retrieved for (HACS)."""

    name: str
    entry: Architecture
    clips: Sequence[ClipAddress]
    pixels: Pixels
    """Row i is `clips[i]`, decoded as `entry` wants it; may be a memory map."""
    weak: Weak
    settings: Committee
    where: torch.device
    keeps: Keeps | None = None
    """Where a training of backbone and head is kept, so that one that was cut off goes on; None: nowhere."""

    def taught(self, categories: Sequence[str], newest: bytes | None) -> Taught:
        """Train backbone and head, or a head alone on a backbone that is there or that the settings freeze."""
        clips, pixels = self.clips, self.pixels
        targets = weak_targets(clips, self.weak, categories)
        if newest is not None:
            return self._headed(newest, pixels, targets, categories, f"{len(clips)} clips on its frozen backbone")
        with seeded(self.settings.seed):
            backbone, pretrained = starting_backbone(self.entry, self.settings.pretrained)
            classifier = Classifier(self.entry, len(categories), backbone)
        how = f"{len(clips)} clips from {'pretrained' if pretrained else 'random'} weights"
        if pretrained and self.settings.frozen:
            blob = encode_backbone(self.entry, backbone)
            return self._headed(blob, pixels, targets, categories, f"{how}, the backbone as it was")
        recipe = Recipe(
            steps=self.settings.steps, batch=self.settings.batch, seed=self.settings.seed,
            rate=TUNED_RATE if pretrained else FRESH_RATE,
        )  # fmt: skip
        begun = (self.name, begun_from(classifier, targets, recipe), *(clip.clip_id for clip in clips))
        own = self.keeps.of(*begun) if self.keeps else None
        loss = fit(classifier, pixels, targets, masked_loss(targets), recipe, self.where, self.name, own)
        return Taught(
            entry=self.entry, backbone=encode_backbone(self.entry, classifier.backbone),
            head=encode_head(self.entry, classifier.head, categories), how=f"{how}, loss {loss:.3f}",
        )  # fmt: skip

    def _headed(self, backbone: bytes, pixels: Any, targets: Tensor, categories: Sequence[str], how: str) -> Taught:
        """Return a head on a backbone that does not change."""
        frozen = decode_backbone(self.entry, backbone).to(self.where)
        head = fit_head(features(frozen, self.entry, pixels, self.where), targets)
        return Taught(
            entry=self.entry, backbone=backbone, head=encode_head(self.entry, head, categories), how=how
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What one member shall learn."""

    member: Member
    categories: Sequence[str]
    """What it does not score yet."""
    newest: bytes | None
    """Blob of the backbone of its newest head; None where it has none."""


def learned(lesson: Lesson) -> Taught:
    """Return the member after a lesson."""
    return lesson.member.taught(lesson.categories, lesson.newest)


def all_learned(lessons: Sequence[Lesson], settings: Committee, where: torch.device) -> list[Taught]:
    """Return the members after their lessons, in order; networks that learn whole learn at the same time."""
    whole = [lesson for lesson in lessons if isinstance(lesson.member, ByClips) and lesson.newest is None]
    count = processes(len(whole), clips=len(whole) * settings.steps * settings.batch, where=where)
    side_by_side = dict(zip(map(id, whole), beside(learned, whole, count), strict=True))
    return [side_by_side.get(id(lesson)) or learned(lesson) for lesson in lessons]


@dataclass(frozen=True, kw_only=True)
class ByWords:
    """A network that reads: a category costs it no training, and nobody's clips."""

    network: ImageText
    words: Mapping[str, Words]
    calibration: Calibration
    name: str = IMAGE_TEXT

    def taught(self, categories: Sequence[str], newest: bytes | None) -> Taught:
        """Return a head made of words; the backbone is that of the settings' folder, whatever `newest` is."""
        head = self.network.head([self.words[category] for category in categories], self.calibration)
        answers = self.calibration.answers
        how = f"calibrated on {answers} random clips" if answers else "not calibrated: no random clip has a label yet"
        return Taught(
            entry=self.network.entry, backbone=encode_backbone(self.network.entry, self.network.tower),
            head=encode_head(self.network.entry, head, categories, self.calibration),
            how=f"what they are called, {how}",
        )  # fmt: skip


def weak_targets(clips: Sequence[ClipAddress], weak: Weak, categories: Sequence[str]) -> Tensor:
    """Return (clips, categories): +1 for the retrieval categories of the clip's video, -1 for all others (HACS)."""
    rows = [{category: 1 if category in weak[clip.clip_id] else -1 for category in categories} for clip in clips]
    return target_matrix(rows, categories)
