"""The transfer test (HACS): with few labels of new actions, is a pretrained network a better start than none.

Three subjects learn from the same labels. `pretrained` and `scratch` are trained whole, for the same steps; `frozen` is
a linear head on what the pretrained backbone gives, so it needs no steps. Each of the first two has a learning rate of
its own, since what is good for a fresh network wipes out what a pretrained one knows. It may be chosen on a part of the
training videos that then teaches nothing; the test videos choose nothing. Of an attentive network the frozen part is
given to all: what learns is its pool and head, and `scratch` begins with fresh ones.

What comes of each training is kept as soon as it is done, and its state meanwhile: a run that was cut off goes on where
it was.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from slac_tasks.errors import NotConfigured
from slac_tasks.evaluation.measures import Floats, Ints
from slac_tasks.evaluation.subjects import FROZEN, PRETRAINED, SUBJECTS
from slac_tasks.evaluation.targets import TargetVideo, listing
from slac_tasks.model import View
from slac_tasks.networks.attentive import Attentive
from slac_tasks.networks.registry import Architecture, Classifier
from slac_tasks.progress import print_line
from slac_tasks.scratch import Scratch
from slac_tasks.training.beside import beside, processes
from slac_tasks.training.keeping import Keeps
from slac_tasks.training.trainer import (
    FRESH_RATE,
    TUNED_RATE,
    Diverged,
    Recipe,
    class_loss,
    features,
    fit,
    fit_head,
    seeded,
)  # fmt: skip
from slac_tasks.video.clips import NotesLost, on_disk
from slac_tasks.video.files import Stretch, clips_of
from slac_tasks.video.frames import Pixels
from slac_tasks.video.lost import Lost

RATES = (TUNED_RATE, 3 * TUNED_RATE, FRESH_RATE)
"""Rates among which each start gets its own."""
DEFAULT_RATE = FRESH_RATE
"""The rate of both where none is chosen: in a few dozen steps a lower one teaches a new head too little (measured)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Trimmed:
    """One part of a data set as clips."""

    pixels: Pixels
    classes: Ints
    """Index of each clip's class in `names`, shape (clips,)."""
    videos: Ints
    """Number of each clip's video, from 0, shape (clips,)."""
    recordings: Sequence[str]
    """Of each clip: what was recorded in one go."""
    names: tuple[str, ...]

    def part(self, places: Ints) -> "Trimmed":
        """Return the clips at these places."""
        return replace(
            self, pixels=self.pixels[places], classes=self.classes[places],
            videos=np.unique(self.videos[places], return_inverse=True)[1].astype(np.int64),
            recordings=[self.recordings[place] for place in places],
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Target:
    """A data set to which networks are transferred; both parts number their classes alike."""

    train: Trimmed
    test: Trimmed
    unmatched: tuple[str, ...]
    """Classes that only one part has."""
    missing: tuple[str, ...]
    """Listed videos that are not there."""

    @property
    def contents(self) -> str:
        """Hash of all that networks learn from and are judged by, hexadecimal."""
        found = hashlib.sha256()
        for part in (self.train, self.test):
            found.update(repr((part.pixels.shape, part.names, list(part.recordings))).encode())
            for values in (part.pixels, part.classes, part.videos):
                found.update(np.ascontiguousarray(values).data)
        return found.hexdigest()


def load_target(folder: Path, view: View, lost: NotesLost, lists: Sequence[Path] = (), clips: int = 1) -> Target:
    """Read a data set: the middle clip of each training video, `clips` clips of each test video.

    Raises:
        NotConfigured: see `listing`; or a part holds no readable video.

    """
    found = listing(folder, lists)
    train, test = (
        load_videos(videos, names=found.classes, view=view, lost=lost, count=count)
        for videos, count in ((found.train, 1), (found.test, clips))
    )
    return Target(train=train, test=test, unmatched=found.unmatched, missing=found.missing)


def load_videos(
    videos: Sequence[TargetVideo], *, names: tuple[str, ...], view: View, lost: NotesLost, count: int
) -> Trimmed:
    """Read up to `count` clips of each video; one that cannot be read is reported and left out.

    Raises:
        NotConfigured: none can be read.

    """
    owners: list[TargetVideo] = []
    numbers: list[int] = []
    stretches = [Stretch(video.path, video.start_sec or 0.0, video.end_sec) for video in videos]

    def read() -> Iterator[Pixels]:
        readable = 0
        found = clips_of(stretches, view, most=count, what="decode the target")
        for video, clips in zip(videos, found, strict=True):
            if isinstance(clips, Lost):
                lost(f"{video.label}/{video.path.name}", clips)
                continue
            owners.extend([video] * len(clips))
            numbers.extend([readable] * len(clips))
            readable += 1
            yield clips

    pixels = on_disk(read(), view)
    if not len(pixels):
        raise NotConfigured(
            f"setting training.transfer: no readable video of {', '.join(names[:5])} among {len(videos)}"
        )
    place = {name: index for index, name in enumerate(names)}
    return Trimmed(
        pixels=pixels, classes=np.array([place[one.label] for one in owners]),
        videos=np.array(numbers), recordings=[one.recording for one in owners], names=names,
    )  # fmt: skip


def few_labels(classes: Ints, per_class: int, seed: int) -> Ints:
    """Return the places of `per_class` examples of each class (fewer where there are fewer), drawn by `seed`."""
    chance = np.random.default_rng(seed)
    return np.concatenate(
        [chance.permutation(np.flatnonzero(classes == one))[:per_class] for one in range(int(classes.max()) + 1)]
    )


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What each subject is given: the same labels, steps and seeds for all."""

    labels: tuple[int, ...]
    """Labels of a class, each a point of the learning curve."""
    steps: int
    batch: int
    seeds: range
    """Each draws labels and a start of its own."""
    tune: bool
    """Choose the rate of each subject on a part of the training videos; else both get that of a fresh network."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """What one subject said of the test clips, seed by seed."""

    subject: str
    labels: int
    rate: float | None
    """None: it was trained in no steps."""
    scores: tuple[Floats, ...]
    """Of every class, one (clips, classes) for each seed; none: with some seed it diverged, so it says nothing."""


@dataclass(frozen=True, kw_only=True)
class Try:
    """One training on some labels."""

    subject: str
    labels: int
    seed: int
    rate: float

    def __str__(self) -> str:
        return f"{self.subject}, {self.labels} labels, seed {self.seed}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Transfer:
    """One start, on its way to one target."""

    entry: Architecture
    start: Callable[[], nn.Module]
    """Gives a copy of the pretrained backbone."""
    target: Target
    budget: Budget
    where: torch.device
    keeps: Keeps | None = None
    """What came of trainings of the same start, target and budget; None: nothing is kept."""

    def outcomes(self, subjects: Sequence[str] = SUBJECTS) -> Iterator[Outcome]:
        """Yield what each subject says, for each number of labels."""
        rates = {one: self.rate(one) for one in subjects if one != FROZEN}
        known = self._frozen_features() if FROZEN in subjects else None
        for labels in self.budget.labels:
            tries = [
                Try(subject=subject, labels=labels, seed=seed, rate=rate)
                for subject, rate in rates.items()
                for seed in self.budget.seeds
            ]
            trained = dict(zip(tries, self._all_trained(tries), strict=True))
            for subject in subjects:
                if known is not None and subject == FROZEN:
                    scores = [self._of_head(known, labels, seed) for seed in self.budget.seeds]
                else:
                    found = [found for one, found in trained.items() if one.subject == subject]
                    scores = [one for one in found if one is not None]
                    scores = scores if len(scores) == len(found) else []
                yield Outcome(subject=subject, labels=labels, rate=rates.get(subject), scores=tuple(scores))

    def _all_trained(self, tries: Sequence[Try]) -> list[Floats | None]:
        clips = len(tries) * self.budget.steps * self.budget.batch
        return beside(self.tried, tries, processes(len(tries), clips=clips, where=self.where))

    def tried(self, one: Try) -> Floats | None:
        """Return what a network says of the test clips, of shape (clips, classes), after one training.

        Returns: None where it diverged: it says nothing.

        """
        return self._said("judged", one, self.target.train, self.target.test)

    def rate(self, subject: str) -> float:
        """Return the learning rate of a subject.

        Where it is chosen, half of the recordings of the training part teach and the others judge, once; the numbers of
        labels share the rate that is best for the middle one. One at which the network diverges is never the best.
        """
        teaching, judging = halves(self.target.train)
        if not self.budget.tune or not len(judging.classes):
            return DEFAULT_RATE
        labels, seed = self.budget.labels[len(self.budget.labels) // 2], self.budget.seeds[0]

        def worth(rate: float) -> float:
            one = Try(subject=subject, labels=labels, seed=seed, rate=rate)
            said = self._said("rate", one, teaching, judging)
            return -1.0 if said is None else _right(said, judging)

        return max(RATES, key=worth)

    def _said(self, purpose: str, one: Try, train: Trimmed, test: Trimmed) -> Floats | None:
        """Return the scores of one training, or None where it diverged: done now, or kept by a run that was cut off."""
        keeps = self.keeps.of(purpose, repr(one)) if self.keeps else None
        for _, data in keeps.newest() if keeps else ():
            print_line(f"evaluate: {one}: was trained by the run before this one")
            return _decoded(data)
        states = keeps.of("states") if keeps else None
        try:
            scores = self._trained(one, train, test, states)
        except Diverged as diverged:
            print_line(f"evaluate: {diverged}")
            scores = None
        if keeps:
            with Scratch() as folder:
                (path := folder / "scores.npy").write_bytes(_encoded(scores))
                keeps.write(self.budget.steps, path)
        if states:
            states.done()
        return scores

    def _trained(self, one: Try, train: Trimmed, test: Trimmed, states: Keeps | None) -> Floats:
        """Return the scores (clips, classes) of `test` after training on some of `train`.

        Raises:
            Diverged: they would be no numbers.

        """
        chosen = few_labels(train.classes, one.labels, one.seed)
        recipe = Recipe(steps=self.budget.steps, batch=self.budget.batch, seed=one.seed, rate=one.rate)
        with seeded(one.seed):
            start = self._start(one.subject)
            classifier = Classifier(self.entry, len(train.names), start)
        classifier.requires_grad_(True)
        if self.entry.is_frozen:
            classifier.freeze()
        classes = torch.from_numpy(train.classes[chosen])
        fit(classifier, train.pixels[chosen], classes, class_loss, recipe, self.where, str(one), states)
        scores = _scores(classifier.head.cpu(), features(classifier.backbone, self.entry, test.pixels, self.where))
        if not np.isfinite(scores).all():
            raise Diverged(f"{one}: scores are no numbers after {recipe.steps} steps at rate {one.rate:g}")
        return scores

    def _start(self, subject: str) -> nn.Module | None:
        """Return a backbone to begin with; None: one of random weights."""
        if subject == PRETRAINED:
            return self.start()
        if not self.entry.is_frozen:
            return None
        # The frozen network is given to all: from scratch begins what the release could teach.
        backbone = self.start()
        assert isinstance(backbone, Attentive)
        backbone.pool = backbone.fresh_pool()
        return backbone

    def _frozen_features(self) -> tuple[Tensor, Tensor]:
        backbone = self.start().to(self.where)
        train, test = (features(backbone, self.entry, part.pixels, self.where)
                       for part in (self.target.train, self.target.test))  # fmt: skip
        return train, test

    def _of_head(self, known: tuple[Tensor, Tensor], labels: int, seed: int) -> Floats:
        classes = self.target.train.classes
        chosen = few_labels(classes, labels, seed)
        one_of = np.where(classes[chosen, None] == np.arange(len(self.target.train.names)), 1, -1)
        head = fit_head(known[0][torch.from_numpy(chosen)], torch.from_numpy(one_of.astype(np.int8)))
        return _scores(head, known[1])


def halves(train: Trimmed) -> tuple[Trimmed, Trimmed]:
    """Return two parts of a class's recordings each, none in both, as equal as their number allows."""
    first: list[bool] = []
    order: dict[int, dict[str, int]] = {}
    for one, recording in zip(train.classes.tolist(), train.recordings, strict=True):
        seen = order.setdefault(one, {})
        first.append(seen.setdefault(recording, len(seen)) % 2 == 0)
    teaching = np.array(first)
    return train.part(np.flatnonzero(teaching)), train.part(np.flatnonzero(~teaching))


def _encoded(scores: Floats | None) -> bytes:
    """Return scores as bytes; a network that diverged has scores of no clip."""
    buffer = io.BytesIO()
    np.save(buffer, np.empty((0, 0)) if scores is None else scores, allow_pickle=False)
    return buffer.getvalue()


def _decoded(data: bytes) -> Floats | None:
    scores: Floats = np.load(io.BytesIO(data), allow_pickle=False)
    return scores if len(scores) else None


def _right(scores: Floats, test: Trimmed) -> float:
    return float((scores.argmax(axis=1) == test.classes).mean())


def _scores(head: nn.Linear, found: Tensor) -> Floats:
    with torch.inference_mode():
        return torch.softmax(head(found), dim=1).numpy().astype(np.float64)
