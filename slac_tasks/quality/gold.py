"""What people get wrong, by clips whose answer an expert knows: what a control that trusts people cannot see.

About a control clip three people are asked, or more until one side leads. A wrong label differs from what they say, or
it agrees with them and they are wrong too. The control counts the first; gold says how often they are wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from slac_tasks.quality.bounds import Sample
from slac_tasks.quality.thresholds import GOLD_ALPHA, smallest
from slac_tasks.verification.ballots import NO, YES, Ballots

ANSWERS = 3
"""Answers that a control clip or a gold clip costs, at least."""
COLUMNS = ("clip_id", "category", "said", "known")
"""Columns of gold: what people say, +1 or -1, 0 as long as they are to be asked on; and what the expert knows."""

_SHARES = (0.2, 0.35, 0.5, 0.65, 0.8)
"""Parts of the wanted error that more gold may leave to what people get wrong, of which the cheapest is named."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """When people have said enough of a control clip."""

    least: int = ANSWERS
    """Answers that every clip gets, unsure and broken among them."""
    lead: int
    """By how many answers one side must lead."""
    most: int
    """Answers after which nobody more is asked; the side that leads then is what they say."""

    def said(self, answers: Sequence[int]) -> int | None:
        """Return what the first of these people say, as if they had been asked one by one.

        +1 or -1; 0: they are to be asked on; None: the clip has not had its least answers.

        Args:
            answers: +1 yes, -1 no, 0 any other.

        """
        ahead = 0
        for count, answer in enumerate(answers, 1):
            ahead += answer
            if ahead and (count >= self.most or (count >= self.least and abs(ahead) >= self.lead)):
                return 1 if ahead > 0 else -1
        return 0 if len(answers) >= self.least else None


def judged_gold(ballots: Ballots, known: Mapping[tuple[str, str], bool], asking: Asking) -> pd.DataFrame:
    """Return the gold clips that have the least answers of a control clip, or more, with `COLUMNS`.

    Everybody meets gold, so a clip has more answers than that. More of them say more of these people and nothing of
    other clips: a clip counts once, by its first answers, so what it says never changes. One on which people are to be
    asked on is there as well: without it those would be left on which people agree at once, which are the easy ones.

    Args:
        ballots: votes, those on gold clips among them.
        known: by (category, clip_id): whether the clip contains the action.
        asking: how people are asked about the control.

    """
    clips, start = np.unique(ballots.clip, return_index=True)
    signs = np.where(ballots.answer == YES, 1, np.where(ballots.answer == NO, -1, 0))
    answers = np.split(signs, start[1:])
    names = ballots.clip_ids.to_pylist()
    found = []
    for clip, of_clip in zip(clips.tolist(), answers, strict=False):
        category = ballots.categories[ballots.category[clip]]
        contains = known.get((category, names[clip]))
        said = asking.said(of_clip.tolist())
        if contains is not None and said is not None:
            found.append((names[clip], category, said, 1 if contains else -1))
    return pd.DataFrame(found, columns=list(COLUMNS))


@dataclass(frozen=True, kw_only=True)
class Gold:
    """Counts of gold clips, over all categories, and what they leave for disagreement."""

    wanted: float
    """Share of wrong labels that is allowed."""
    clips: int
    """With as many answers as a control clip."""
    wrong: int
    """Those on which people are wrong, or are to be asked on: that counts as wrong until they have decided."""

    @classmethod
    def of(cls, gold: pd.DataFrame, wanted: float) -> "Gold":
        """Count gold with `COLUMNS`."""
        return cls(wanted=wanted, clips=len(gold), wrong=int((gold["said"] != gold["known"]).sum()))

    @cached_property
    def bound(self) -> float | None:
        """Share of clips on which people are wrong, at most, at every look; None without gold."""
        return self._bound(0) if self.clips else None

    @property
    def left(self) -> float:
        """Share of labels that may differ from what people say; 0 where there is no room or no gold."""
        return max(0.0, self.wanted - (1.0 if self.bound is None else self.bound))

    @cached_property
    def options(self) -> Sequence[tuple[int, float]]:
        """Gold clips more, all judged right, and what is left for disagreement then; fewest first."""
        found = [(0, self.left)] if self.left else []
        for share in _SHARES:
            more = self._fewest_more(share * self.wanted)
            if more:
                found.append((more, self.wanted - self._bound(more)))
        return sorted(found)

    def _fewest_more(self, bound: float) -> int | None:
        return smallest(lambda count: self._bound(count) <= bound)

    def _bound(self, more: int) -> float:
        return Sample.plain(self.wrong, self.clips + more).bound(GOLD_ALPHA)


@dataclass(frozen=True, kw_only=True)
class Sure(Gold):
    """Where the control is gold itself, the truth is the expert's, and nothing is left of what people get wrong."""

    clips: int = 0
    wrong: int = 0

    @property
    def bound(self) -> float:
        """No clip's truth is what people say."""
        return 0.0

    @property
    def options(self) -> Sequence[tuple[int, float]]:
        """No gold more is needed beside the control."""
        return [(0, self.wanted)]
