"""Two of three, as HACS counted: the first answer given twice is the label; where one is asked, that one is."""

from dataclasses import dataclass

import numpy as np

from slac_tasks.verification.ballots import (
    ANSWERS,
    BROKEN,
    IS_BROKEN,
    NO,
    OPEN,
    SETTLED,
    UNSETTLED,
    UNSURE,
    YES,
    Ballots,
    Decisions,
    Ints,
)


@dataclass(frozen=True, kw_only=True)
class TwoOfThree:
    """The first answer given twice is the label (HACS v3); confidence is the share of yes and no on its side.

    A clip of which one answer is wanted is settled by it, until a second one differs: then a third decides (ours).
    Where two are wanted of three at most, two people who are unsure end a clip as unsettled: one more could not make
    two that agree.
    """

    votes_wanted: int = 2
    """Answers that a clip must have before anything is decided."""
    votes_most: int = 3
    """Answers after which a clip without agreement is unsettled."""
    control_most: int = 7
    """The same of a clip of the control, on which one side must lead (ours)."""
    set_aside: frozenset[str] = frozenset()
    """People whose answers are not counted: their clips ask somebody else (ours)."""
    method: str = "two_of_three/2"

    def __call__(self, ballots: Ballots) -> Decisions:
        """Return the decisions; see `Aggregator`."""
        if self.set_aside:
            ballots = ballots.without(self.set_aside)
        counts = ballots.counts()
        total = counts.sum(axis=1)
        wanted = np.full(ballots.clips, self.votes_wanted) if ballots.wanted is None else ballots.wanted
        said = first_given_twice(ballots)
        lead = np.sign(counts[:, YES] - counts[:, NO])
        once = (wanted == 1) & (said < 0)
        said[once & (lead > 0)], said[once & (lead < 0)] = YES, NO
        if ballots.lead is not None:
            # Where one side must lead, the side with more answers is the label, whatever was given twice first.
            control = (ballots.lead > 0) & (said != BROKEN)
            said[control] = np.where(lead > 0, YES, np.where(lead < 0, NO, -1))[control]
        asked_on = ballots.asked_on(counts, self.control_most) & (said != BROKEN)
        enough = (total >= wanted) & ~asked_on
        # [unsure, unsure] of 3: no answer can be given twice any more.
        best = counts[:, [YES, NO, BROKEN]].max(axis=1, initial=0)
        left = np.maximum(self.votes_most - total, 0)
        hopeless = np.where(once, left == 0, best + left < 2) | (said < 0) & (total >= self.control_most)
        status = np.select(
            [enough & (said == BROKEN), enough & (said >= 0), enough & hopeless],
            [IS_BROKEN, SETTLED, UNSETTLED],
            OPEN,
        )
        positive = said == YES
        on_side = np.where(positive, counts[:, YES], counts[:, NO])
        return Decisions(
            ballots=ballots,
            status=status,
            positive=positive,
            confidence=on_side / np.maximum(1, counts[:, YES] + counts[:, NO]),
            method=self.method,
        )


def first_given_twice(ballots: Ballots) -> Ints:
    """Return the code of the yes, no or broken that was the first to be given a second time; -1: none; (clips,)."""
    group = ballots.clip * len(ANSWERS) + ballots.answer
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    second = np.sort(order[rank == 1])
    second = second[ballots.answer[second] != UNSURE]
    clips, first = np.unique(ballots.clip[second], return_index=True)
    found = np.full(ballots.clips, -1, dtype=np.int64)
    found[clips] = ballots.answer[second[first]]
    return found
