"""Two-coin Dawid-Skene on sparse votes: every person has a sensitivity and a specificity, every category a prior.

Dawid and Skene 1979; the two coins are those of Raykar et al. 2010. Ours: partial pooling (a person with three votes
looks like the average person, one with three hundred like themself), a damped start, and voters with more than two
answers, so that a committee can be one of them. All in float64 log-odds; one sparse product each way per step.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from slac_tasks.verification.aggregation.crowd import Crowd
from slac_tasks.verification.aggregation.stopping import Asking
from slac_tasks.verification.ballots import NO, YES, Ballots, Decisions, Floats, Ints

_TINY = 1e-10
"""No rate is smaller: one answer never decides alone, and its logarithm exists."""


@dataclass(frozen=True, kw_only=True)
class Voters:
    """Who answers what about which clip, as columns: one for each (voter, answer that the voter may give)."""

    answers: csr_array
    """1 where a clip got the answer, shape (clips, columns)."""
    voter: Ints
    """Who gives the answer of each column, shape (columns,)."""
    kind: Ints
    """The answer's row in the table towards which voters are pooled; -1: a voter of its own, pooled towards saying the
    same of both truths. Shape (columns,)."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What the model believes."""

    posterior: Floats
    """Probability that each clip contains the action, shape (clips,)."""
    log_odds: Floats
    """The same as natural log-odds, shape (clips,)."""
    prior: Floats
    """Share of positives in each category, shape (categories,)."""
    share: float
    """Share of positives in all of them, towards which each was pulled."""
    rates: Floats
    """Probability of each column's answer given (no action, action), shape (columns, 2)."""
    counts: Floats
    """Expected number of each column's answers given to clips (without, with) the action, shape (columns, 2)."""
    iterations: int
    converged: bool


@dataclass(frozen=True, kw_only=True)
class Model:
    """Expectation and maximisation, in turns."""

    pooling: float = 3.0
    """Votes that the average person weighs in each person's rates, and the average category in each prior (ours)."""
    damping: float = 1.0
    """Votes for either side that every clip starts with, beside its own: 1 makes one yes of one 2/3, not certain."""
    tolerance: float = 1e-4
    """Converged when no rate and no prior moves by more than this."""
    iterations_most: int = 100

    def fit(self, voters: Voters, start: Floats, category: Ints, known: Floats | None = None) -> Fit:
        """Fit the model.

        Args:
            voters: the answers.
            start: first guess of each clip's posterior, shape (clips,).
            category: index of each clip's category, shape (clips,).
            known: 1.0 or 0.0 where the truth is known (gold), NaN elsewhere, shape (clips,).

        """
        back = voters.answers.T.tocsr()
        is_known = np.zeros(len(start), dtype=bool) if known is None else ~np.isnan(known)
        truth = np.zeros(len(start)) if known is None else known
        posterior = np.where(is_known, truth, start)
        prior = rates = counts = log_odds = np.zeros(0)
        iterations, converged, share = 0, False, 0.5
        while not converged and iterations < self.iterations_most:
            before = (rates, prior)
            counts = np.asarray(back @ np.column_stack([1 - posterior, posterior]))
            rates = self._rates(voters, counts)
            share = float(np.clip(posterior.mean(), _TINY, 1 - _TINY)) if len(posterior) else 0.5
            prior = self._prior(posterior, category, share)
            weight = np.log(rates[:, 1]) - np.log(rates[:, 0])
            log_odds = (np.log(prior) - np.log1p(-prior))[category] + np.asarray(voters.answers @ weight)
            posterior = np.where(is_known, truth, expit(log_odds))
            iterations += 1
            converged = iterations > 1 and all(
                np.abs(now - then).max(initial=0.0) <= self.tolerance
                for now, then in zip((rates, prior), before, strict=True)
            )
        return Fit(
            posterior=posterior, log_odds=log_odds, prior=prior, share=share, rates=rates, counts=counts,
            iterations=iterations, converged=converged,
        )  # fmt: skip

    def _rates(self, voters: Voters, counts: Floats) -> Floats:
        """Return the probability of each column's answer by truth, each voter's pulled towards the average."""
        totals = _sums(voters.voter, counts)[voters.voter]
        pooled = voters.kind >= 0
        average = _sums(voters.kind[pooled], counts[pooled])
        average = (average + 1) / (average.sum(axis=0) + len(average)) if len(average) else average
        base = np.empty_like(counts)
        base[pooled] = average[voters.kind[pooled]]
        both = counts[~pooled].sum(axis=1, keepdims=True)
        base[~pooled] = both / np.maximum(totals[~pooled].sum(axis=1, keepdims=True), _TINY)
        rates = (counts + self.pooling * base) / np.maximum(totals + self.pooling, _TINY)
        return np.asarray(rates.clip(_TINY, 1.0))

    def _prior(self, posterior: Floats, category: Ints, share: float) -> Floats:
        """Return each category's share of positives, pulled towards that of all."""
        clips = np.bincount(category)
        positive = np.bincount(category, weights=posterior)
        pooled = (positive + self.pooling * share) / np.maximum(clips + self.pooling, _TINY)
        return np.asarray(pooled.clip(_TINY, 1 - _TINY))


def _sums(group: Ints, values: Floats) -> Floats:
    """Return the sums of the rows of `values` (rows, 2) by group."""
    return np.column_stack([np.bincount(group, weights=values[:, side]) for side in range(2)])


def people_as_voters(ballots: Ballots) -> Voters:
    """Return the yes and no answers of people: columns 2 * person + (0 yes, 1 no)."""
    plain = ballots.answer <= NO
    clip, column = ballots.clip[plain], ballots.person[plain] * 2 + ballots.answer[plain]
    # The votes are sorted by clip, so the rows' ends are known and nothing is sorted again.
    ends = np.concatenate([[0], np.cumsum(np.bincount(clip, minlength=ballots.clips))])
    columns = 2 * len(ballots.people)
    answers = csr_array(
        (np.ones(len(column)), column.astype(np.int32), ends.astype(np.int32)), shape=(ballots.clips, columns)
    )
    return Voters(answers=answers, voter=np.arange(columns) // 2, kind=np.arange(columns) % 2)


def damped_majority(ballots: Ballots, damping: float) -> Floats:
    """Return the share of yes among the yes and no answers to each clip, pulled towards a half; (clips,)."""
    counts = ballots.counts()
    votes = counts[:, YES] + counts[:, NO] + 2 * damping
    return np.where(votes > 0, (counts[:, YES] + damping) / np.maximum(votes, _TINY), 0.5)


@dataclass(frozen=True, kw_only=True)
class DawidSkene:
    """The label is the more probable side; confidence is its posterior probability."""

    asking: Asking = field(default_factory=Asking)
    model: Model = field(default_factory=Model)
    method: str = "dawid_skene/1"

    def learn(self, ballots: Ballots) -> Crowd:
        """Return what all votes say of those who cast them."""
        voters = people_as_voters(ballots)
        fit = self.model.fit(voters, damped_majority(ballots, self.model.damping), ballots.category)
        return crowd_of(fit, ballots)

    def decide(self, ballots: Ballots, crowd: Crowd) -> Decisions:
        """Return the decisions on clips under what was learnt before."""
        return crowd.decide(ballots, self.asking, self.method)

    def __call__(self, ballots: Ballots) -> Decisions:
        """Return the decisions; see `Aggregator`."""
        return self.decide(ballots, self.learn(ballots))


def crowd_of(fit: Fit, ballots: Ballots) -> Crowd:
    """Return what a fit to these ballots says of the people and the categories."""
    people = len(ballots.people)
    return Crowd(
        people=dict(zip(ballots.people, fit.rates[: 2 * people].reshape(people, 2, 2), strict=True)),
        average=average_person(fit, people),
        prior=dict(zip(ballots.categories, fit.prior.tolist(), strict=True)),
        share=fit.share,
    )


def average_person(fit: Fit, people: int) -> Floats:
    """Return the rates of the next answer, those of all answers so far together: (yes, no) by (no action, action)."""
    by_answer = fit.counts[: 2 * people].reshape(people, 2, 2).sum(axis=0)
    return np.asarray((by_answer + 1) / (by_answer.sum(axis=0) + 2))
