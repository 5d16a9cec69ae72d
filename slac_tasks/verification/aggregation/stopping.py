"""Stop, or ask one more person? The expected value of one more answer decides, clip by clip (ours)."""

from dataclasses import dataclass

import numpy as np

from slac_tasks.verification.ballots import (
    BROKEN,
    IS_BROKEN,
    OPEN,
    SETTLED,
    UNSETTLED,
    Ballots,
    Decisions,
    Floats,
    Ints,
)


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What an answer may cost and a label must be."""

    votes_wanted: int = 2
    """Answers that a clip must have before anything is decided."""
    control_most: int = 7
    """Answers after which nobody more is asked about a clip of the control, on which one side must lead."""
    votes_most: int = 3
    """Answers after which nobody more is asked."""
    vote_price: float = 0.02
    """An answer is asked for when it is expected to right at least this share of a label."""
    min_confidence: float = 0.75
    """A clip whose answers are used up with a lower posterior is unsettled."""


def risk(posterior: Floats, sensitivity: float, specificity: float, votes_left: int, price: float) -> Floats:
    """Return the expected cost of a clip's label if people are asked as long as that is worth it.

    The cost of a wrong label is 1 and that of an answer is `price`; whoever answers does so with the given sensitivity
    and specificity. Exact: all sequences of answers, at most 2 ** votes_left of them.
    """
    stop = np.minimum(posterior, 1 - posterior)
    return stop if votes_left <= 0 else np.minimum(stop, _ask(posterior, sensitivity, specificity, votes_left, price))


def _ask(posterior: Floats, sensitivity: float, specificity: float, votes_left: int, price: float) -> Floats:
    """Return the expected cost when one person is asked, and then whoever is worth it."""
    yes = posterior * sensitivity + (1 - posterior) * (1 - specificity)
    after_yes = posterior * sensitivity / np.maximum(yes, 1e-300)
    after_no = posterior * (1 - sensitivity) / np.maximum(1 - yes, 1e-300)
    left = votes_left - 1
    return np.asarray(
        price
        + yes * risk(after_yes.clip(0, 1), sensitivity, specificity, left, price)
        + (1 - yes) * risk(after_no.clip(0, 1), sensitivity, specificity, left, price)
    )


def worth_asking(
    posterior: Floats, sensitivity: float, specificity: float, votes_left: Ints, price: float
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return whether one more answer is worth its price, shape (clips,).

    Args:
        posterior: probability that each clip contains the action, shape (clips,).
        sensitivity: chance of a yes to a clip that does, of the person who would be asked.
        specificity: chance of a no to a clip that does not.
        votes_left: answers that may still be asked, shape (clips,).
        price: of one answer, in wrong labels.

    """
    worth = np.zeros(len(posterior), dtype=bool)
    for left in np.unique(votes_left[votes_left > 0]):
        rows = np.flatnonzero(votes_left == left)
        stop = np.minimum(posterior[rows], 1 - posterior[rows])
        worth[rows] = _ask(posterior[rows], sensitivity, specificity, int(left), price) < stop
    return worth


def decide(ballots: Ballots, posterior: Floats, person: tuple[float, float], asking: Asking, method: str) -> Decisions:
    """Return the decisions that follow from the posterior and from what one more answer of such a person is worth."""
    counts = ballots.counts()
    total = counts.sum(axis=1)
    more = worth_asking(posterior, *person, np.maximum(asking.votes_most - total, 0), asking.vote_price)
    confidence = np.maximum(posterior, 1 - posterior)
    # Nobody said yes or no: a prior, or a committee alone, is no label.
    wanted = asking.votes_wanted if ballots.wanted is None else ballots.wanted
    is_open = (total < wanted) | more | ballots.asked_on(counts, asking.control_most)
    labelled = (counts[:, :2].sum(axis=1) > 0) & (confidence >= asking.min_confidence)
    status = np.select([counts[:, BROKEN] >= 2, is_open, labelled], [IS_BROKEN, OPEN, SETTLED], UNSETTLED)
    return Decisions(ballots=ballots, status=status, positive=posterior > 0.5, confidence=confidence, method=method)
