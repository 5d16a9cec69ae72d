"""The referee: strategies share a round by what the random control says that their answers were worth (ours).

Each strategy has in each category an estimate of what a minute of people's time is worth with it, beyond the average
minute there, with a standard error (`verification.account`). Categories lend each other strength: a strategy's worth in
one is drawn towards its mean over all, the more the less is known of it there. Its share is its chance to be worth most
(Thompson 1933), beside a floor, so that one that lost can come back. The control keeps its share before anything is
divided. Clips that are drawn by lot and asked like chosen ones (`Strategy.LOT`) compete too, so that random can win.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Protocol

import numpy as np

from slac_tasks.mining.measures import Floats
from slac_tasks.mining.plan import shares
from slac_tasks.mining.settings import Mining
from slac_tasks.model import Strategy, content_hash

LEAST_CONTROL = 50
"""Answered clips of the control, over all categories, below which the settings' shares stand."""
EXPLORED = 0.1
"""Part of what is divided that all strategies share equally, whatever they were worth."""
_KEPT = (Strategy.RANDOM, Strategy.COMPANION)
"""They say what labels and strategies are worth, whatever their own answers teach."""
_LEAST_VARIANCE = 1e-18
_DRAWS = 4000
"""Draws of Thompson sampling: shares are their mean, exact to a hundredth."""


class Account(Protocol):
    """What is known of one strategy in one category: a row of the dataset `accounts`."""

    @property
    def category(self) -> str:
        """Whose it is."""

    @property
    def strategy(self) -> str:
        """Name of the strategy."""

    @property
    def control(self) -> int:
        """Answered clips of the category's control."""

    @property
    def worth(self) -> float | None:
        """Of a minute with it, beyond the average minute of the category: above 0 it teaches more. None: unknown."""

    @property
    def worth_error(self) -> float | None:
        """Standard error of `worth`."""


@dataclass(frozen=True, kw_only=True)
class _Belief:
    """What a strategy may be worth."""

    mean: float
    deviation: float


def refereed(knobs: Mining, accounts: Sequence[Account], *, category: str, round: str) -> dict[Strategy, float]:
    """Return each strategy's share of a round; they sum to 1.

    Strategies without a share in the settings get none, companions and the random control keep theirs. What is left is
    divided between the others and `lot`. While a category has no account, or too little control, the settings' shares
    stand.

    Args:
        knobs: the settings' shares.
        accounts: of all categories.
        category: whose round it is.
        round: its key; with the category it is the seed of the draws, so a round has one plan.

    """
    given = shares(knobs)
    control = {each.category: each.control for each in accounts}
    if not control.get(category) or sum(control.values()) < LEAST_CONTROL:
        return given
    arms = [name for name, share in given.items() if name is Strategy.LOT or (share and name not in _KEPT)]
    divided = sum(given[name] for name in arms)
    wins = _chances([_believed(accounts, category, arm) for arm in arms], f"{category} {round}")
    found = dict(given)
    for arm, chance in zip(arms, wins.tolist(), strict=True):
        found[arm] = divided * (EXPLORED / len(arms) + (1 - EXPLORED) * chance)
    return found


def _believed(accounts: Sequence[Account], category: str, arm: Strategy) -> _Belief | None:
    """Return what a strategy may be worth in a category; None where nothing is known of it anywhere.

    Estimates of one strategy differ by chance and from category to category. The second part is estimated by moments
    (DerSimonian and Laird 1986). The chance of an estimate is taken to fall with the control clips that it rests on:
    an error that is measured on few clips may by luck be next to nothing.
    """
    known = [
        (each.category, each.worth, each.worth_error, each.control)
        for each in accounts
        if each.strategy == arm and each.control and each.worth is not None and each.worth_error is not None
    ]
    if not known:
        return None
    categories, *columns = zip(*known, strict=True)
    worth, error, control = (np.array(column, dtype=float) for column in columns)
    chance = np.maximum(float(np.mean(error**2 * control)) / control, _LEAST_VARIANCE)
    between = _between(worth, chance)
    weight = 1 / (chance + between)
    mean, doubt = float(np.average(worth, weights=weight)), 1 / float(weight.sum())
    if category not in categories:
        return _Belief(mean=mean, deviation=sqrt(doubt + between))
    # Its own estimate counts as far as the categories truly differ.
    place = categories.index(category)
    trust = between / (between + chance[place])
    variance = trust * chance[place] + (1 - trust) ** 2 * doubt
    return _Belief(mean=float(mean + trust * (worth[place] - mean)), deviation=sqrt(variance))


def _between(worth: Floats, chance: Floats) -> float:
    """Return the variance of the true worth between categories, by moments; 0 where chance explains all."""
    weight = 1 / chance
    spread = float((weight * (worth - np.average(worth, weights=weight)) ** 2).sum())
    scale = float(weight.sum() - (weight**2).sum() / weight.sum())
    return max(0.0, (spread - (len(worth) - 1)) / scale) if scale > 1e-12 * float(weight.sum()) else 0.0


def _chances(beliefs: Sequence[_Belief | None], seed: str) -> Floats:
    """Return each strategy's chance to be worth most; one of which nothing is known may be as any other."""
    unknown = _Belief(mean=0.0, deviation=max((one.deviation for one in beliefs if one), default=1.0))
    means = [(one or unknown).mean for one in beliefs]
    deviations = [(one or unknown).deviation for one in beliefs]
    chance = np.random.default_rng(int(content_hash("referee", seed), 16))
    drawn = chance.normal(means, deviations, size=(_DRAWS, len(beliefs)))
    return np.asarray(np.bincount(drawn.argmax(axis=1), minlength=len(beliefs)) / _DRAWS)
