"""Whether certificates hold, and what their caution costs: `python -m bench.certify [--quick]`.

A replay is a campaign of some rounds. Each round draws more control clips and more gold at random, asks some of twelve
simulated people about each until one side leads by three, and reads the certificates of the product's engine: of each
kind of labels, in each of four categories and in all together. Clips differ in how hard they are, for people and for
the model. The model is trained again each round, so its labels and confidences change. A certificate holds when no more
than the wanted share (5 %) of the labels that it certifies is wrong, by the truth of all clips of the world.

Worlds:

* calibrated: a model whose confidence is right; labels that are carried from a neighbour; a first answer (people).
* too sure: the same, and the model's log-odds are three times too large.
* hasty: the first world with people who are right on 93 %.
* flat, edge, blind: adversaries. One clip in a thousand more than 5 % is wrong, in each category: at every threshold
  (flat); over all labels, while those of high confidence are good (edge); at every threshold because people are wrong,
  with whom each label agrees (blind). In flat and edge people are never wrong and gold abounds, so nearly all of the
  wanted share is left for disagreement; in blind nothing ever disagrees. So the bounds are tight, and each certificate
  is false that goes beyond what is good.

`coverage` is the share of replays in which a certificate holds after the last round, and `coverage_peeking` the share
in which it held after every round: the lowest over worlds, kinds and categories. `exact_peeking` is the same of the
exact binomial bound (Clopper and Pearson), which is good for one look, when it is read after every round at every
threshold. `lost` is the share of labels that caution costs after the last round, in the first two worlds (`lost_hasty`:
in the third), with all categories together; an oracle with the same thresholds knows the truth. The last line is one
JSON object.

Full scale (scale 1.0): 1,000 replays of each world.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
from scipy.special import betaincinv, expit, logit

from bench.harness import Bench, Figures, Seed
from bench.harness.tables import Cell, table
from slac_tasks.progress import track
from slac_tasks.quality.bounds import Sample
from slac_tasks.quality.gold import Gold
from slac_tasks.quality.thresholds import ALPHA, THRESHOLDS, Control, Way
from slac_tasks.verification.ballots import Bools, Floats, Ints

CATEGORIES, CLIPS = 4, 9_000
"""Categories of a world, and clips of each of them whose labels wait for a certificate."""
PLACES = (None, *range(CATEGORIES))
"""What a certificate is read of: all categories together, and each."""
BASE_RATES = np.array([0.15, 0.3, 0.45, 0.6])
WANTED = 0.05
CREW = 12
LEAD, MOST = 3, 7
"""People are asked about a control clip or a gold clip until one side leads by so many answers, this many at most."""
RIGHT, HASTY = 0.98, 0.93
"""How often the average person is right about the average clip."""
HARDER = 0.6
"""Log-odds of being right that a clip costs which is harder than the average by one standard deviation."""
DISTANCES = {0.99: 0.004, 0.97: 0.02, 0.93: 0.05, 0.85: 0.12}
"""By confidence of a carried label: how often the action differs between the clip and the one that was asked."""
BAND = CLIPS // len(THRESHOLDS)
"""Clips of a category that pass one threshold and not the one before it, in the worlds of the adversary."""
TOO_MANY = int(WANTED * BAND) + 1
"""Wrong clips of a band that are more than is wanted."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is replayed."""

    replays: Annotated[int, "replays of each world"] = 1000
    rounds: Annotated[int, "rounds of a replay"] = 12
    control: Annotated[int, "control clips of one category that a round adds"] = 80
    gold: Annotated[int, "gold clips that a round adds, over all categories"] = 100
    seed: Seed = 0

    @property
    def scale(self) -> float:
        """Share of the full scale."""
        return self.replays / Size().replays * self.rounds / Size().rounds


def asked(faults: Bools) -> Bools:
    """Return whether people are wrong who are asked one by one until one side leads; answers in the last axis."""
    ahead = np.where(faults, 1, -1).cumsum(axis=-1)
    enough = abs(ahead) >= LEAD
    enough[..., -1] = True
    last = enough.argmax(axis=-1)
    return np.asarray(np.take_along_axis(ahead, last[..., None], axis=-1)[..., 0] > 0)


# Worlds -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """What one way of labelling says of every clip, each of shape (categories, clips)."""

    wrong: Bools
    """By the truth."""
    differs: Bools
    """By what people say."""
    confidence: Floats

    @cached_property
    def all_clips(self) -> Sequence[Control]:
        """All clips of each category, by threshold, and whether their labels are wrong."""
        pairs = zip(self.confidence, self.wrong, strict=True)
        return [Control.of(confidence, wrong, np.ones(CLIPS), 1.0) for confidence, wrong in pairs]

    def control(self, drawn: Ints) -> Sequence[Control]:
        """Return the control of each category: the clips drawn from it, shape (categories, drawn)."""
        ones = np.ones(drawn.shape[1])
        found = zip(self.confidence, self.differs, drawn, strict=True)
        return [Control.of(confidence[clips], differs[clips], ones, 1.0) for confidence, differs, clips in found]


@dataclass(kw_only=True)
class World:
    """Clips, what people get wrong on each, and how they are labelled."""

    chance: np.random.Generator
    right: float = RIGHT
    """How often the average person is right about the average clip."""
    sureness: float = 1.0
    """By what the model's log-odds are too large."""
    gold_factor: int = 1
    """How many times more gold there is than the size says."""
    truth: Bools = field(init=False)
    people_wrong: Bools = field(init=False)
    fixed: Mapping[str, Labels] = field(init=False)
    """Labels that stay the same, by kind."""

    def __post_init__(self) -> None:
        shape = (CATEGORIES, CLIPS)
        self.truth = self.chance.random(shape) < BASE_RATES[:, None]
        self.hard = self.chance.normal(size=shape)
        self.seen = self.chance.normal(size=shape)
        skill = logit(self.right) + self.chance.normal(0, 0.4, CREW)
        crew = self.chance.random((*shape, CREW)).argsort(axis=-1)[..., : MOST + 1]
        faults = self.chance.random(crew.shape) > expit(skill[crew] - HARDER * self.hard[..., None])
        self.people_wrong = asked(faults[..., :MOST])
        kind = self.chance.integers(0, len(DISTANCES), shape)
        apart = self.chance.random(shape) < np.array(list(DISTANCES.values()))[kind]
        carried = apart ^ faults[..., MOST]
        self.fixed = {
            "people": self._labels(faults[..., 0], np.ones(shape)),
            "carried": self._labels(carried, np.array(list(DISTANCES))[kind]),
        }

    def _labels(self, wrong: Bools, confidence: Floats) -> Labels:
        return Labels(wrong=wrong, differs=wrong ^ self.people_wrong, confidence=confidence)

    def labels(self, progress: float) -> Mapping[str, Labels]:
        """Return the labels by kind, after a share of the campaign."""
        reach = 0.9 + 0.5 * progress
        noise = 0.8 * self.seen + 0.6 * self.chance.normal(size=self.truth.shape)
        side = np.where(self.truth, 1.0, -1.0)
        score = side * reach * np.exp(-0.15 * self.hard) + noise
        odds = 2 * reach * score + logit(BASE_RATES)[:, None]
        wrong = (odds > 0) != self.truth
        return {**self.fixed, "model": self._labels(wrong, expit(self.sureness * np.abs(odds)))}


@dataclass(kw_only=True)
class Adversary(World):
    """Clips of which hardly more than the wanted share is wrong, in each category."""

    faults: Ints
    """Wrong clips of each band, strict to lax."""
    blind: bool = False
    """Whether people say what each label says."""

    def __post_init__(self) -> None:
        self.fixed = {"people": self._labelled()}
        wrong = self.fixed["people"].wrong
        self.people_wrong = wrong if self.blind else np.zeros_like(wrong)

    def labels(self, progress: float) -> Mapping[str, Labels]:
        """Return the labels by kind; where people see them, the model's faults are drawn again for each round."""
        return self.fixed if self.blind else {**self.fixed, "model": self._labelled()}

    def _labelled(self) -> Labels:
        shape = (CATEGORIES, len(THRESHOLDS), BAND)
        confidence = np.broadcast_to(np.array(THRESHOLDS)[:, None], shape).reshape(CATEGORIES, CLIPS)
        order = self.chance.random(shape).argsort(axis=-1)
        wrong = (order < self.faults[:, None]).reshape(CATEGORIES, CLIPS)
        return Labels(wrong=wrong, differs=np.zeros_like(wrong) if self.blind else wrong, confidence=confidence)


# Replays ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Read:
    """One certificate as it was read after one round."""

    kind: str
    category: int | None
    holds: bool
    exact_holds: bool
    """Whether labels that the exact bound would certify hold."""
    certified: int
    possible: int
    """Labels that an oracle with the same thresholds would certify."""


def replayed(world: World, size: Size) -> Iterator[list[Read]]:
    """Yield what is read after each round."""
    order = world.chance.random((CATEGORIES, CLIPS)).argsort(axis=1)
    ways: dict[tuple[str, int | None], Way] = {}
    gold = world.chance.integers(0, CATEGORIES * CLIPS, (size.rounds, size.gold * world.gold_factor))
    for number in range(1, size.rounds + 1):
        wrong = world.people_wrong.ravel()[gold[:number]]
        known = Gold(wanted=WANTED, clips=wrong.size, wrong=int(wrong.sum()))
        reads = []
        for kind, labels in world.labels(number / size.rounds).items():
            drawn = _with_sum(labels.control(order[:, : number * size.control]))
            for place, control, every in zip(PLACES, drawn, _with_sum(labels.all_clips), strict=True):
                way = ways.get((kind, place), Way()).after(control, known.left)
                reads.append(_read(kind, place, control, every, known, way))
                # The model's labels are others in the next round.
                ways[kind, place] = way.next if kind == "model" else way
        yield reads


def _with_sum(parts: Sequence[Control]) -> list[Control]:
    """Return the clips of all categories together, and then those of each."""
    right, wrong = (sum(getattr(part.sample, name) for part in parts) for name in ("right", "wrong"))
    return [Control(sample=Sample(weights=np.ones(1), right=right, wrong=wrong)), *parts]


def exact_bound(wrong: int, count: int, alpha: float) -> float:
    """Return the Clopper-Pearson upper bound at 1 - `alpha`, from `wrong` of `count` items. Good for one look."""
    return 1.0 if wrong >= count else float(betaincinv(wrong + 1, count - wrong, 1 - alpha))


def _read(kind: str, category: int | None, drawn: Control, every: Control, gold: Gold, way: Way) -> Read:
    """Return a certificate as the engine gives it, and whether it holds by the truth of all clips."""
    place, _ = drawn.walk(gold.left, way.alpha)
    labelled = every.clips[:, 0]
    good = every.sample.wrong[:, 0] <= WANTED * labelled
    possible = np.flatnonzero(good & (labelled > 0))
    left = WANTED - exact_bound(gold.wrong, gold.clips, ALPHA / 2)
    counts = zip(drawn.sample.wrong[:, 0].tolist(), drawn.clips[:, 0].tolist(), strict=True)
    exact = np.array([exact_bound(wrong, count, ALPHA / 2) <= left for wrong, count in counts])
    return Read(
        kind=kind,
        category=category,
        holds=place is None or bool(good[place]),
        exact_holds=bool(good[exact].all()),
        certified=0 if place is None else int(labelled[place]),
        possible=int(labelled[possible[-1]]) if len(possible) else 0,
    )


@dataclass(kw_only=True)
class Tally:
    """What became of one certificate over all replays."""

    replays: int = 0
    holds: int = 0
    holds_always: int = 0
    exact_holds_always: int = 0
    certified: int = 0
    possible: int = 0

    def add(self, reads: list[Read]) -> None:
        """Add the reads of one replay, in order."""
        self.replays += 1
        self.holds += reads[-1].holds
        self.holds_always += all(read.holds for read in reads)
        self.exact_holds_always += all(read.exact_holds for read in reads)
        self.certified += reads[-1].certified
        self.possible += reads[-1].possible

    @property
    def lost(self) -> float | None:
        """Share of the labels that the oracle certifies and that are not certified."""
        return 1 - self.certified / self.possible if self.possible else None


def played(name: str, size: Size) -> dict[tuple[str, int | None], Tally]:
    """Replay one world; return what became of each kind in each category."""
    tallies: dict[tuple[str, int | None], Tally] = {}
    for replay in track(range(size.replays), size.replays, name):
        chance = np.random.default_rng([size.seed, replay])
        rounds = list(replayed(WORLDS[name](chance), size))
        for reads in zip(*rounds, strict=True):
            tallies.setdefault((reads[0].kind, reads[0].category), Tally()).add(list(reads))
    return tallies


FLAT = np.full(len(THRESHOLDS), TOO_MANY)
GOOD = np.full(len(THRESHOLDS) - 1, TOO_MANY // 2)
EDGE = np.append(GOOD, FLAT.sum() - GOOD.sum())

WORLDS: Mapping[str, Callable[[np.random.Generator], World]] = {
    "calibrated": lambda chance: World(chance=chance),
    "too sure": lambda chance: World(chance=chance, sureness=3.0),
    "hasty": lambda chance: World(chance=chance, right=HASTY),
    "flat": lambda chance: Adversary(chance=chance, faults=FLAT, gold_factor=100),
    "edge": lambda chance: Adversary(chance=chance, faults=EDGE, gold_factor=100),
    "blind": lambda chance: Adversary(chance=chance, faults=FLAT, blind=True),
}
HONEST = ("calibrated", "too sure")
"""Worlds in which it is asked what caution costs."""


def measure(size: Size, folder: Path) -> Figures:
    """Replay every world."""
    found = {name: played(name, size) for name in WORLDS}
    rows: list[tuple[Cell, ...]] = []
    for name, tallies in found.items():
        for (kind, category), tally in tallies.items():
            if category in (None, 0):
                shares = (tally.holds, tally.holds_always, tally.exact_holds_always)
                where = "all together" if category is None else "one category"
                rows.append((name, kind, where, *(share / tally.replays for share in shares), tally.lost))
    heads = {
        "world": "",
        "kind": "",
        "labels": "",
        "holds": ".3f",
        "always": ".3f",
        "exact, always": ".3f",
        "lost": ".3f",
    }
    print(table(heads, rows))
    every = [tally for tallies in found.values() for tally in tallies.values()]
    return {
        "coverage": min(tally.holds / tally.replays for tally in every),
        "coverage_peeking": min(tally.holds_always / tally.replays for tally in every),
        "exact_peeking": min(tally.exact_holds_always / tally.replays for tally in every),
        "lost": lost([found[name] for name in HONEST]),
        "lost_hasty": lost([found["hasty"]]),
        "scale": size.scale,
    }


def lost(worlds: Sequence[Mapping[tuple[str, int | None], Tally]]) -> float | None:
    """Return the share of the labels of all kinds and categories that the oracle certifies and that are not."""
    together = [tally for tallies in worlds for (_, category), tally in tallies.items() if category is None]
    possible = sum(tally.possible for tally in together)
    return 1 - sum(tally.certified for tally in together) / possible if possible else None


BENCH = Bench(
    name="certify", doc=__doc__, measure=measure,
    full=Size(), quick=Size(replays=40), tiny=Size(replays=2, rounds=3),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
