"""What a round may cost in people's time, and what it buys."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from math import ceil

from slac_tasks.errors import WrongArguments
from slac_tasks.mining.settings import Mining
from slac_tasks.model import Strategy

_DRAWN = (Strategy.RANDOM, Strategy.COMPANION)
"""What is drawn by lot."""
_FIRST = (Strategy.CONTRADICTION, Strategy.SEGMENT)
"""What takes from the others where there is some of it."""


@dataclass(frozen=True, kw_only=True)
class RoundPlan:
    """How many clips of one category each strategy may choose in one round."""

    clips: Mapping[Strategy, int]
    seconds_per_clip: float
    """Human seconds that one clip costs: all answers that it is asked at first."""

    @property
    def minutes(self) -> float:
        """Human minutes that the whole round costs."""
        return sum(self.clips.values()) * self.seconds_per_clip / 60

    def without(self, strategies: Container[Strategy]) -> "RoundPlan":
        """Return the plan in which these strategies' clips are drawn at random."""
        left = {name: 0 if name in strategies else count for name, count in self.clips.items()}
        left[Strategy.RANDOM] += sum(self.clips.values()) - sum(left.values())
        return replace(self, clips=left)

    def asking_first(self, strategy: Strategy, there: int, share: float) -> "RoundPlan":
        """Return the plan in which clips of a kind come first: they take from all other strategies alike.

        Args:
            strategy: chooses them: clips with doubted labels, or those of segments.
            there: how many there are.
            share: most of what the others have that they may take, 0 to 1; the control and companions stay as they are.

        """
        chosen = {name: count for name, count in self.clips.items() if name not in (*_DRAWN, *_FIRST)}
        taken = min(there, int(sum(chosen.values()) * share + 1e-9))
        if not taken:
            return self
        upto = [0, *accumulate(chosen.values())]
        ends = [round((upto[-1] - taken) * part / upto[-1]) for part in upto]
        left = {name: end - start for name, (start, end) in zip(chosen, pairwise(ends), strict=True)}
        return replace(self, clips={**self.clips, **left, strategy: taken})

    def __str__(self) -> str:
        parts = ", ".join(f"{count} {strategy}" for strategy, count in self.clips.items() if count)
        return f"{parts or 'nothing'}: {self.minutes:.1f} minutes at {self.seconds_per_clip:.1f} s a clip"


def shares(knobs: Mining) -> dict[Strategy, float]:
    """Return each strategy's share of a round; what the others leave is random."""
    found = {
        Strategy.DISAGREEMENT: knobs.disagreement,
        Strategy.CONSENSUS: knobs.consensus,
        Strategy.ENTROPY: knobs.entropy,
        Strategy.COVERAGE: knobs.coverage,
        Strategy.UNSURE_COVERAGE: knobs.unsure_coverage,
        Strategy.LOT: 0.0,
        Strategy.COMPANION: knobs.companions,
    }
    return {Strategy.RANDOM: 1 - sum(found.values()), **found}


def plan_round(knobs: Mining, *, seconds_per_clip: float, share: Mapping[Strategy, float] | None = None) -> RoundPlan:
    """Return what a round's minutes buy, at most `clips_per_round`, in the strategies' shares (ours).

    The control gets its share rounded up, so that a small round has one too.

    Args:
        knobs: what a round may cost.
        seconds_per_clip: human seconds that one clip costs.
        share: each strategy's part; they sum to 1. None: those of the settings.

    """
    if seconds_per_clip <= 0:
        raise WrongArguments(f"mining: a clip costs {seconds_per_clip} s of people's time, want more than 0")
    total = min(knobs.clips_per_round, int(knobs.minutes_per_round * 60 / seconds_per_clip + 1e-9))
    others = dict(share or shares(knobs))
    control = ceil(total * others.pop(Strategy.RANDOM) - 1e-9)
    # Rounded sums, not rounded parts: the strategies share exactly what the control leaves.
    upto = [0.0, *accumulate(others.values())]
    ends = [round((total - control) * part / upto[-1]) if upto[-1] else 0 for part in upto]
    counts = {name: end - start for name, (start, end) in zip(others, pairwise(ends), strict=True)}
    return RoundPlan(clips={Strategy.RANDOM: control, **counts}, seconds_per_clip=seconds_per_clip)
