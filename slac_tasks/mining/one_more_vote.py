"""A new clip or one more answer about an old one? After ActiveLab (Goh and Mueller 2023), on the same pool as `choose`.

Nothing sends clips to people by it: the queue asks a fixed number of people. It is here to be measured against that
(bench/strategies.py).
"""

from dataclasses import dataclass

import numpy as np

from slac_tasks.mining.choice import in_order
from slac_tasks.mining.measures import Floats, Ints, consensus
from slac_tasks.mining.pool import Pool
from slac_tasks.mining.settings import Mining

PRIOR = (9.0, 10.0)
"""People are taken to have agreed on 9 of 10 answers before the first one is seen (ours)."""
MOST = 5
"""Answers after which a clip is asked no more (ours)."""

_LEAST = 0.05


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What people have said so far; row i belongs to clip i of the pool."""

    yes: Ints
    no: Ints

    @property
    def total(self) -> Ints:
        """Answers given, shape (clips,)."""
        return np.asarray(self.yes + self.no)


@dataclass(frozen=True, kw_only=True)
class NextAnswer:
    """One answer worth buying."""

    index: int
    """Row of the clip in the arrays that the pool was made from."""
    worth: float
    """0 to 1: how unsure its label would be without it."""
    again: bool
    """Whether the clip has answers already."""


def unsure(joint: Floats, answers: Answers) -> Floats:
    """Return how unsure the label of each clip is, 0 to 1, from the model and from what people said.

    The committee's joint score, each answer and a coin weigh as much as they can be trusted: 1 for never wrong, 0 for
    no better than always saying what most clips are. A clip without answers has the model and the coin alone, so asked
    and new clips are on one scale.

    Args:
        joint: the members' joint score, shape (clips,).
        answers: of people, for the same clips.

    """
    total = answers.total
    asked = total > 0
    label = np.where(answers.yes == answers.no, joint >= 0.5, answers.yes > answers.no)
    several = total >= 2
    agreed = np.where(label, answers.yes, answers.no)[several].sum() + PRIOR[0]
    right = agreed / (total[several].sum() + PRIOR[1])
    most = (max(label[asked].sum(), (~label[asked]).sum()) + 1) / (asked.sum() + 2)
    model_right = (((joint >= 0.5) == label)[asked].sum() + 1) / (asked.sum() + 2)
    people, model = (max(_LEAST, 1 - (1 - share) / (1 - most)) for share in (right, model_right))
    side = np.where(label, joint, 1 - joint)
    with_it, against = np.where(label, (answers.yes, answers.no), (answers.no, answers.yes))
    said = people * (with_it * right + against * (1 - right))
    sure = np.where(asked, side, np.maximum(joint, 1 - joint)) * model + 0.5 * people + said
    return np.asarray(1 - sure / (model + people + people * total))


def next_answers(pool: Pool, answers: Answers, count: int, *, knobs: Mining) -> list[NextAnswer]:
    """Return the answers that are worth most, best first; no clip twice, none beyond its `MOST` answers.

    New clips keep the quota, gap and diversity of `choose`, as far as clips asked already take their place.
    """
    worth = unsure(consensus(pool.scores), answers)
    asked = answers.total > 0
    names = [f"{pool.videos[pool.video[row]]}:{pool.start_ms[row]}" for row in np.flatnonzero(asked).tolist()]
    free = ~pool.near(names, round(knobs.min_gap_sec * 1000))
    new = in_order(pool, worth, free, np.zeros(len(pool.videos), dtype=np.int64), knobs, decay=knobs.diversity)
    again = np.flatnonzero(asked & (answers.total < MOST))
    rows = np.concatenate([new, again])
    best = rows[np.lexsort((pool.draw[rows], -worth[rows]))][:count]
    return [
        NextAnswer(index=int(pool.row[row]), worth=float(worth[row]), again=bool(asked[row])) for row in best.tolist()
    ]
