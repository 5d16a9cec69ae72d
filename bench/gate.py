"""Whether the gate's intervals hold the truth, and what a round can show: `python -m bench.gate [--quick]`.

A campaign is one default round of a category: clips that were drawn by lot, each of a video of its own, and chosen
clips, several of one video, of which the audit judges a share. Simulated people answer each judged clip until one side
leads by three. Its label is the one of its first two or three answers, as if it had been chosen; it is right where it
agrees with what people say in the end. How often people err depends on the video, so the clips of one video are alike.

`coverage` is the share of campaigns in which the interval of precision holds the true share, and `coverage_shares` the
same of a plain share of clips, such as agreement, whose clips of a video are alike to any degree: the lowest over all
worlds. `reach_floor` is the share of campaigns of good people in which one round shows the default floor of precision,
`reach_floor_clicking` the same of people who click at random. The last line is one JSON object.

Full scale (scale 1.0): 1,000 campaigns of each world.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from bench.harness import Bench, Figures, Seed
from bench.harness.tables import Cell, table
from slac_tasks.quality.estimates import Estimate, Stratum, effective, of_clips, of_strata
from slac_tasks.quality.settings import Quality
from slac_tasks.verification.ballots import Bools, Floats, Ints

MOST, LEAD = 7, 3
"""Answers after which nobody more is asked about a judged clip, and by how many one side must lead before that."""
TRUTH_CLIPS = 200_000
"""Clips by which the true precision of a world is measured."""
SHARED_VIDEOS = 60
"""Videos of a campaign whose shares are measured."""


@dataclass(frozen=True, kw_only=True)
class World:
    """Where campaigns are run: how often people err, on which videos."""

    errors: tuple[float, ...]
    """Share of wrong answers to the clips of a video, of each kind of video."""
    chosen: tuple[float, ...] = (1.0,)
    """Share of each kind of video among those of chosen clips: hard ones are chosen more often."""
    drawn: tuple[float, ...] = (1.0,)
    """The same among those of clips that were drawn by lot."""
    per_video: int = 4
    """Chosen clips of one video."""
    audited: float = 0.05
    """Share of the chosen clips that are judged."""
    asked_on: float = 0.0
    """Share of the judged clips that people have not decided yet."""
    sizes: tuple[int, int] = (30, 240)
    """Clips that were drawn by lot, and chosen ones: those of a default round."""

    @property
    def parts(self) -> tuple[tuple[int, tuple[float, ...], float, int], ...]:
        """Of clips that were drawn by lot, and of chosen ones: count, kinds of videos, share judged, clips a video."""
        return (self.sizes[0], self.drawn, 1.0, 1), (self.sizes[1], self.chosen, self.audited, self.per_video)

    @property
    def truth(self) -> float:
        """The share of labels that are right."""
        chance = np.random.default_rng(0)
        shares = [self.clips(chance, TRUTH_CLIPS, kinds, 1)[1].mean() for _, kinds, _, _ in self.parts]
        return float(np.average(shares, weights=self.sizes))

    def clips(
        self, chance: np.random.Generator, count: int, kinds: tuple[float, ...], per_video: int
    ) -> tuple[Ints, Bools]:
        """Return (the video of each clip, whether its label is right)."""
        videos = np.arange(count) // per_video
        kind = chance.choice(len(kinds), p=kinds, size=int(videos.max()) + 1)
        return videos, right_labels(chance, np.array(self.errors)[kind][videos])

    def campaign(self, chance: np.random.Generator) -> Estimate:
        """Return what the gate makes of one campaign."""
        return of_strata([self._stratum(chance, *part) for part in self.parts])

    def _stratum(
        self, chance: np.random.Generator, count: int, kinds: tuple[float, ...], rate: float, per_video: int
    ) -> Stratum:
        videos, right = self.clips(chance, count, kinds, per_video)
        judged = chance.random(count) < rate
        waiting = judged & (chance.random(count) < self.asked_on)
        return Stratum(
            labels=count, rate=rate, clips=int(judged.sum()), right=int((judged & right & ~waiting).sum()),
            open=int(waiting.sum()), size=effective(videos[judged]),
        )  # fmt: skip


GOOD, CLICKING = "right nine times in ten", "people click at random"
WORLDS: Mapping[str, World] = {
    GOOD: World(errors=(0.1,)),
    "a fifth of the chosen videos is hard": World(errors=(0.05, 0.4), chosen=(0.8, 0.2), drawn=(0.95, 0.05)),
    "eight alike clips of a video": World(errors=(0.01, 0.45), chosen=(0.7, 0.3), drawn=(0.7, 0.3), per_video=8),
    CLICKING: World(errors=(0.5,)),
    "half is audited, of few videos": World(
        errors=(0.03, 0.45), chosen=(0.8, 0.2), drawn=(0.9, 0.1), per_video=8, audited=0.5
    ),
    "a tenth is not decided": World(errors=(0.05, 0.3), chosen=(0.8, 0.2), drawn=(0.9, 0.1), asked_on=0.1, audited=0.1),
}
SHARES = (0.05, 0.5, 0.9)
"""True shares of clips of which something holds."""
ALIKE = (0.0, 0.3, 1.0)
"""Correlation of two clips of one video."""


def right_labels(chance: np.random.Generator, error: Floats) -> Bools:
    """Return whether each clip's label, by its first two or three answers, is what people say in the end.

    Args:
        chance: of the answers.
        error: share of wrong answers to each clip, shape (clips,).

    """
    wrong = chance.random((len(error), MOST)) < error[:, None]
    ahead = np.cumsum(np.where(wrong, -1, 1), axis=1)
    done = (abs(ahead) >= LEAD) | (np.arange(1, MOST + 1) >= MOST)
    said = ahead[np.arange(len(error)), done.argmax(axis=1)] > 0
    label = np.where(wrong[:, 0] == wrong[:, 1], ahead[:, 1] > 0, ahead[:, 2] > 0)
    return np.asarray(label == said)


def share_of_alike(chance: np.random.Generator, truth: float, alike: float) -> Estimate:
    """Return what the gate makes of a share of clips, one to four of each video, that are alike to some degree."""
    videos = np.repeat(np.arange(SHARED_VIDEOS), chance.integers(1, 5, size=SHARED_VIDEOS))
    # The clips of a video share one draw with this chance each, so `alike` is the correlation of two of them.
    shared = chance.random(SHARED_VIDEOS)[videos] < truth
    own = chance.random(len(videos)) < truth
    return of_clips(np.where(chance.random(len(videos)) < np.sqrt(alike), shared, own), videos)


def held(found: list[Estimate], truth: float) -> float:
    """Return the share of the intervals that hold the truth."""
    return float(np.mean([one.low <= truth <= one.high for one in found]))


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many campaigns are run."""

    campaigns: Annotated[int, "campaigns of each world"] = 1_000
    seed: Seed = 0

    @property
    def scale(self) -> float:
        """Share of the full number of campaigns."""
        return self.campaigns / Size().campaigns


def measure(size: Size, folder: Path) -> Figures:
    """Run the campaigns of every world."""
    floor = Quality().min_precision
    coverage: dict[str, float] = {}
    reached: dict[str, float] = {}
    rows: list[tuple[Cell, ...]] = []
    for name, world in WORLDS.items():
        chance, truth = np.random.default_rng(size.seed), world.truth
        found = [world.campaign(chance) for _ in range(size.campaigns)]
        coverage[name] = held(found, truth)
        reached[name] = float(np.mean([one.low >= floor for one in found]))
        rows.append((name, truth, coverage[name], float(np.median([one.low for one in found])), reached[name]))
    shares: list[float] = []
    for truth in SHARES:
        for alike in ALIKE:
            chance = np.random.default_rng(size.seed)
            shares.append(held([share_of_alike(chance, truth, alike) for _ in range(size.campaigns)], truth))
            rows.append((f"a share, clips of a video correlated by {alike:g}", truth, shares[-1], None, None))
    heads = {"world": "", "truth": ".3f", "held": ".3f", "median low end": ".3f", f"reach {floor:g}": ".3f"}
    print(table(heads, rows))
    return {
        "coverage": min(coverage.values()),
        "coverage_shares": min(shares),
        "reach_floor": reached[GOOD],
        "reach_floor_clicking": reached[CLICKING],
        "scale": size.scale,
    }


BENCH = Bench(
    name="gate", doc=__doc__, measure=measure,
    full=Size(), quick=Size(campaigns=200), tiny=Size(campaigns=20),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
