"""What people get wrong, by clips whose answer an expert knows: what a control that trusts three people cannot see.

A wrong label differs from what three people say, or it agrees with them and they are wrong too. The control counts the
first; the second is bounded here, in two ways of which the better one counts:

* three people are wrong, whatever the label: all gold with three answers says how often;
* three people and the label are wrong: gold that is labelled by this kind says how often. It is the rarer event, but
  labels change, so a new way of labelling has a smaller share of alpha (see `slac_tasks.quality.thresholds.Way`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from slac_tasks.quality.bounds import Sample
from slac_tasks.quality.thresholds import GOLD_ALPHA, smallest, spent
from slac_tasks.verification.ballots import NO, YES, Ballots

ANSWERS = 3
"""Answers that decide about a control clip, and here about a gold clip."""
COLUMNS = ("clip_id", "category", "three", "known")
"""Columns of gold: what two of the three say, and what the expert knows; +1 or -1."""

_SHARES = (0.2, 0.35, 0.5, 0.65, 0.8)
"""Parts of the wanted error that more gold may leave to what people get wrong, of which the cheapest is named."""


def judged_by_three(ballots: Ballots, known: Mapping[tuple[str, str], bool]) -> pd.DataFrame:
    """Return the gold clips with three answers, with `COLUMNS`: the first three people who said yes or no decide.

    Everybody meets gold, so a clip has more answers than three. More of them say more of these people and nothing of
    other clips: a clip counts once. The first three stay the first three, so what a clip says never changes.

    Args:
        ballots: votes, those on gold clips among them.
        known: by (category, clip_id): whether the clip contains the action.

    """
    plain = np.flatnonzero(ballots.answer <= NO)
    clips, start, count = np.unique(ballots.clip[plain], return_index=True, return_counts=True)
    names = ballots.clip_ids.to_pylist()
    found = []
    for clip, first, answers in zip(clips.tolist(), start.tolist(), count.tolist(), strict=True):
        category = ballots.categories[ballots.category[clip]]
        contains = known.get((category, names[clip]))
        if answers >= ANSWERS and contains is not None:
            yes = int((ballots.answer[plain[first : first + ANSWERS]] == YES).sum())
            found.append((names[clip], category, 1 if yes * 2 > ANSWERS else -1, 1 if contains else -1))
    return pd.DataFrame(found, columns=list(COLUMNS))


@dataclass(frozen=True, kw_only=True)
class Gold:
    """Counts of gold clips for one kind of labels, over all categories, and what they leave for disagreement."""

    wanted: float
    """Share of wrong labels that is allowed."""
    clips: int
    """With three answers."""
    wrong: int
    """Those on which two of the three are wrong."""
    labelled: int = 0
    """Those with a label of this kind."""
    both_wrong: int = 0
    """Those of them on which the label is wrong too."""
    ordinal: int = 1
    """Which of the ways of labelling that were judged this is; the first is 1."""

    @classmethod
    def of(cls, gold: pd.DataFrame, control: pd.DataFrame, wanted: float, ordinal: int) -> "Gold":
        """Count gold with `COLUMNS`, and the rows of one kind in the control on these clips."""
        wrong = gold["three"] != gold["known"]
        labelled = gold.merge(control[["clip_id", "category", "label"]], on=["clip_id", "category"])
        both = (labelled["three"] != labelled["known"]) & (labelled["label"] == labelled["three"])
        return cls(
            wanted=wanted, clips=len(gold), wrong=int(wrong.sum()), labelled=len(labelled), both_wrong=int(both.sum()),
            ordinal=ordinal,
        )  # fmt: skip

    @cached_property
    def bound(self) -> float | None:
        """Share of labels that agree with three people and are wrong, at most, at every look; None without gold."""
        return self._bound() if self.clips else None

    @property
    def left(self) -> float:
        """Share of labels that may differ from what three people say; 0 where there is no room or no gold."""
        return max(0.0, self.wanted - (1.0 if self.bound is None else self.bound))

    @cached_property
    def left_at_best(self) -> float:
        """The same, had no label been wrong together with three people: it does not depend on this way's labels."""
        return max(0.0, self.wanted - self._bound(both_wrong=0))

    @cached_property
    def options(self) -> Sequence[tuple[int, float]]:
        """Gold clips more, all judged and labelled right, and what is left for disagreement then; fewest first."""
        found = [(0, self.left)] if self.left else []
        for share in _SHARES:
            more = smallest(lambda count, share=share: self._bound(count) <= share * self.wanted)  # type: ignore[misc]
            if more:
                found.append((more, self.wanted - self._bound(more)))
        return sorted(found)

    def _bound(self, more: int = 0, both_wrong: int | None = None) -> float:
        faults = self.both_wrong if both_wrong is None else both_wrong
        people = Sample.plain(self.wrong, self.clips + more).bound(GOLD_ALPHA)
        both = Sample.plain(faults, self.labelled + more).bound(spent(GOLD_ALPHA, self.ordinal))
        return min(people, both)
