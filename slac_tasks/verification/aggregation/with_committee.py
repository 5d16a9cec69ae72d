"""Dawid-Skene with the committee as one more voter.

CROWDLAB (Goh et al. 2022) adds a classifier's calibrated probability to people's votes, weighted by how good it is.
Here (ours) the committee's scores are cut into bins of equal size, and the bin is its answer: how often each bin occurs
among clips with and without the action is learnt together with people's rates. So any distortion of the scores is
calibrated away, and a committee that knows nothing gets a weight of nothing. Every panel is a voter of its own.

What holds: given the truth, its errors must not depend on people's. Labels that a committee helped to make must not
judge it: the stage gives no scores of clips outside the training split.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import csr_array, hstack

from slac_tasks.verification.aggregation.crowd import Crowd, Panel, Scores
from slac_tasks.verification.aggregation.dawid_skene import (
    Model,
    Voters,
    crowd_of,
    damped_majority,
    people_as_voters,
)
from slac_tasks.verification.aggregation.stopping import Asking
from slac_tasks.verification.ballots import Ballots, Decisions, Floats, Ints

_BINS_MOST = 20
_CLIPS_PER_BIN = 50
"""Fewer clips say too little of a bin."""


def bin_edges(scores: Scores) -> dict[int, Floats]:
    """Return the scores that part each panel's bins, by the panel's index; panels without a score are left out."""
    found = {}
    known = ~np.isnan(scores.value)
    for panel in np.unique(scores.panel[known]).tolist():
        value = scores.value[known & (scores.panel == panel)]
        bins = int(np.clip(len(value) // _CLIPS_PER_BIN, 1, _BINS_MOST))
        found[panel] = np.quantile(value, np.arange(1, bins) / bins)
    return found


def with_committee(people: Voters, scores: Scores, edges: Mapping[int, Floats]) -> Voters:
    """Return the people and, in the order of `edges`, the panels as voters."""
    column = np.full(len(scores.value), -1, dtype=np.int64)
    voters: list[Ints] = []
    first = 0
    for panel, ends in edges.items():
        rows = np.flatnonzero((scores.panel == panel) & ~np.isnan(scores.value))
        column[rows] = first + np.searchsorted(ends, scores.value[rows], side="right")
        voters.append(np.full(len(ends) + 1, int(people.voter.max(initial=-1)) + 1 + len(voters)))
        first += len(ends) + 1
    if not voters:
        return people
    scored = column >= 0
    row_ends = np.concatenate([[0], np.cumsum(scored)])
    said = csr_array(
        (np.ones(int(scored.sum())), column[scored].astype(np.int32), row_ends.astype(np.int32)),
        shape=(len(column), first),
    )
    return Voters(
        answers=csr_array(hstack([people.answers, said], format="csr")),
        voter=np.concatenate([people.voter, *voters]),
        kind=np.concatenate([people.kind, np.full(first, -1)]),
    )


@dataclass(frozen=True, kw_only=True)
class WithCommittee:
    """The label is the more probable side, the committee's word included; confidence is its posterior probability."""

    scores: Scores
    """Of the ballots' clips."""
    asking: Asking = field(default_factory=Asking)
    model: Model = field(default_factory=Model)
    method: str = "with_committee/1"

    def learn(self, ballots: Ballots) -> Crowd:
        """Return what all votes say of those who cast them, and of the panels."""
        people, edges = people_as_voters(ballots), bin_edges(self.scores)
        voters = with_committee(people, self.scores, edges)
        fit = self.model.fit(voters, damped_majority(ballots, self.model.damping), ballots.category)
        first, panels = len(people.voter), {}
        for panel, ends in edges.items():
            last = first + len(ends) + 1
            panels[self.scores.panels[panel]] = Panel(edges=ends, rates=fit.rates[first:last])
            first = last
        return replace(crowd_of(fit, ballots), panels=panels)

    def decide(self, ballots: Ballots, crowd: Crowd) -> Decisions:
        """Return the decisions on clips under what was learnt before."""
        return crowd.decide(ballots, self.asking, self.method, self.scores)

    def __call__(self, ballots: Ballots) -> Decisions:
        """Return the decisions; see `Aggregator`."""
        return self.decide(ballots, self.learn(ballots))
