"""Dawid-Skene with the committee as one more voter.

CROWDLAB (Goh et al. 2022) adds a classifier's calibrated probability to people's votes, weighted by how good it is.
Here (ours) the committee's scores are cut into bins of equal size, and the bin is its answer: how often each bin occurs
among clips with and without the action is learnt together with people's rates. So any distortion of the scores is
calibrated away, and a committee that knows nothing gets a weight of nothing. Every panel is a voter of its own.

What holds: given the truth, its errors must not depend on people's. Labels that a committee helped to make must not
judge it: the stage gives no scores of clips outside the training split.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array, hstack

from slac_tasks.verification.aggregation.dawid_skene import (
    Model,
    Voters,
    average_person,
    damped_majority,
    people_as_voters,
)
from slac_tasks.verification.aggregation.stopping import Asking, decide
from slac_tasks.verification.ballots import Ballots, Decisions, Floats, Ints

_BINS_MOST = 20
_CLIPS_PER_BIN = 50
"""Fewer clips say too little of a bin."""


def with_committee(people: Voters, score: Floats, panel: Ints) -> Voters:
    """Return the people and the panels as voters.

    Args:
        people: columns of people's answers.
        score: the panel's score of each clip, NaN where there is none, shape (clips,).
        panel: index of the panel that scored each clip; means nothing where there is no score, shape (clips,).

    """
    column = np.full(len(score), -1, dtype=np.int64)
    voters: list[Ints] = []
    first = 0
    for name in np.unique(panel[~np.isnan(score)]):
        rows = np.flatnonzero((panel == name) & ~np.isnan(score))
        bins = int(np.clip(len(rows) // _CLIPS_PER_BIN, 1, _BINS_MOST))
        edges = np.quantile(score[rows], np.arange(1, bins) / bins)
        column[rows] = first + np.searchsorted(edges, score[rows], side="right")
        voters.append(np.full(bins, int(people.voter.max(initial=-1)) + 1 + len(voters)))
        first += bins
    if not voters:
        return people
    scored = column >= 0
    ends = np.concatenate([[0], np.cumsum(scored)])
    said = csr_array(
        (np.ones(int(scored.sum())), column[scored].astype(np.int32), ends.astype(np.int32)), shape=(len(score), first)
    )
    return Voters(
        answers=csr_array(hstack([people.answers, said], format="csr")),
        voter=np.concatenate([people.voter, *voters]),
        kind=np.concatenate([people.kind, np.full(first, -1)]),
    )


@dataclass(frozen=True, kw_only=True)
class WithCommittee:
    """The label is the more probable side, the committee's word included; confidence is its posterior probability."""

    score: Floats
    """The committee's joint score of each of the ballots' clips, NaN where there is none, shape (clips,)."""
    panel: Ints
    """Index of the panel that gave it, shape (clips,)."""
    asking: Asking = field(default_factory=Asking)
    model: Model = field(default_factory=Model)
    method: str = "with_committee/1"

    def __call__(self, ballots: Ballots) -> Decisions:
        """Return the decisions; see `Aggregator`."""
        voters = with_committee(people_as_voters(ballots), self.score, self.panel)
        fit = self.model.fit(voters, damped_majority(ballots, self.model.damping), ballots.category)
        return decide(ballots, fit.posterior, average_person(fit, len(ballots.people)), self.asking, self.method)
