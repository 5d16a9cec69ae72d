"""How good each person is: sensitivity and specificity with credible intervals, speed, drift, and who is flagged.

A two-coin model of all votes (`aggregation.dawid_skene`) says how probable each clip's label is, gold clips are known,
and each person's answers are counted against that. A person's rates are Beta posteriors, pulled towards the average
person's by `pooling` votes; in one category, towards their own over all. A vote on a clip whose label is in doubt says
less of its person, and the intervals are wider for it (Louis 1982). Nobody's answer is deleted: a model weighs it by
these rates, and under a count of votes the clips of somebody who clicks at random ask one more person.

Flags (thresholds ours; at least 20 answers):

* random: sensitivity + specificity - 1, which is 1 for a perfect person and 0 for chance, is below 0.5 for certain
  (97.5 %).
* straight-line: nearly always the same answer, where the clips shown make that a chance of one in ten thousand.
* drifting: agreement with the others fell by 0.1 or more from the earlier to the later half, and by three standard
  errors.
* hurried: the median answer to a clip that is asked alone comes before half of it was shown.

Who answers clips in sets may give a clip the answer of the others without having seen it. Gold says how often: of the
gold clips that a person met in sets and that were to get another answer than most of the set, the share that got the
answer of most. Its interval is Wilson's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import bdtrc, betaincinv, expit

from slac_tasks.intervals import Z95, wilson
from slac_tasks.model import CLIP_SEC
from slac_tasks.storage.datasets.labelling import PersonRow
from slac_tasks.verification.aggregation.dawid_skene import Fit, Model, damped_majority, people_as_voters
from slac_tasks.verification.ballots import ALONE, NO, YES, Ballots, Bools, Floats, Ints

RANDOM, STRAIGHT_LINE, DRIFTING, HURRIED = "random", "straight-line", "drifting", "hurried"

_ANSWERS_LEAST = 20
_INFORMED_LEAST = 0.5
_SAME_LEAST, _SAME_CHANCE = 0.95, 1e-4
_FALL, _FALL_ERRORS = 0.1, 3.0
_HURRIED_SEC = CLIP_SEC / 2
_KNOWN_LEAST = 0.1
"""Part of the information that is left at least: below, what is lost is no longer small beside it (ours)."""


def qualities(
    ballots: Ballots, seconds: Floats, model: Model, known: Mapping[tuple[str, str], bool] | None = None
) -> list[PersonRow]:
    """Return every person's quality, first over all categories and then in each, by name; none without a vote.

    Args:
        ballots: the votes.
        seconds: what each vote took, shape (votes,).
        model: of the people.
        known: by (category, clip_id): whether a gold clip contains the action.

    """
    if not len(ballots.person):
        return []
    truth = _truth(ballots, known or {})
    voters = people_as_voters(ballots)
    fit = model.fit(voters, damped_majority(ballots, model.damping), ballots.category, truth)
    evidence = _evidence(ballots, fit, truth)
    people, categories = len(ballots.people), max(1, len(ballots.categories))
    average = _soft_counts(evidence, np.zeros_like(ballots.person), 1) + 1
    overall = _soft_counts(evidence, ballots.person, people) + model.pooling * _shares(average)
    cells, cell = np.unique(ballots.person * categories + ballots.category[ballots.clip], return_inverse=True)
    owner = cells // categories
    # In one category a person is pulled towards what they are over all.
    within = _soft_counts(evidence, cell, len(cells)) + model.pooling * _shares(overall)[owner]
    groups = [
        (_measure(ballots, evidence, seconds, ballots.person, overall), np.arange(people), [None] * people),
        (
            _measure(ballots, evidence, seconds, cell, within),
            owner,
            [ballots.categories[c] for c in cells % categories],
        ),
    ]
    return [
        PersonRow(annotator=ballots.people[person], category=category, **measured)
        for rows, owners, names in groups
        for measured, person, category in zip(rows, owners, names, strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class _Evidence:
    """What is known of each vote, shape (votes,)."""

    answer: Ints
    posterior: Floats
    """Probability that the clip contains the action, this vote included."""
    others: Floats
    """The same without this vote."""
    gold: Bools
    """Whether that is certain."""
    differs: Bools
    """Gold that was to get another answer than the person gave to most of its set."""
    missed: Bools
    """Those of them that got the answer of most."""


def _truth(ballots: Ballots, known: Mapping[tuple[str, str], bool]) -> Floats:
    """Return 1.0 or 0.0 for gold clips, NaN for the others, shape (clips,)."""
    truth = np.full(ballots.clips, np.nan)
    if known:
        names = zip(ballots.category.tolist(), ballots.clip_ids.to_pylist(), strict=True)
        for row, (category, clip) in enumerate(names):
            if (answer := known.get((ballots.categories[category], clip))) is not None:
                truth[row] = float(answer)
    return truth


def _evidence(ballots: Ballots, fit: Fit, truth: Floats) -> _Evidence:
    weight = np.log(fit.rates[:, 1]) - np.log(fit.rates[:, 0])
    plain = ballots.answer <= NO
    own = np.where(plain, weight[ballots.person * 2 + np.minimum(ballots.answer, NO)], 0.0)
    gold = ~np.isnan(truth[ballots.clip])
    others = np.where(gold, np.nan_to_num(truth)[ballots.clip], expit(fit.log_odds[ballots.clip] - own))
    differs, missed = _in_sets(ballots, truth[ballots.clip])
    return _Evidence(
        answer=ballots.answer, posterior=fit.posterior[ballots.clip], others=others, gold=gold, differs=differs,
        missed=missed,
    )  # fmt: skip


def _in_sets(ballots: Ballots, truth: Floats) -> tuple[Bools, Bools]:
    """Return the fields `differs` and `missed` of `_Evidence`.

    Args:
        ballots: the votes.
        truth: of each vote's clip, NaN where it is unknown, shape (votes,).

    """
    gold, member = ~np.isnan(truth), ballots.set != ALONE
    # What the person said of the ordinary clips of the set: yes less no. As many of both: the set has no answer.
    said = np.where(ballots.answer == YES, 1, -1)
    ordinary = member & ~gold & (ballots.answer <= NO)
    most = np.sign(np.bincount(ballots.set[ordinary], said[ordinary], minlength=int(ballots.set.max(initial=0)) + 1))
    of_most = np.where(member, most[ballots.set], 0)
    differs = member & gold & (ballots.answer <= NO) & (of_most != 0) & (of_most != np.where(truth == 1, 1, -1))
    return differs, differs & (said == of_most)


def _soft_counts(evidence: _Evidence, group: Ints, groups: int) -> Floats:
    """Return expected answers by group: ((right, wrong) where there is no action, the same where there is)."""
    found = np.zeros((groups, 2, 2))
    for truth, chance in ((0, 1 - evidence.posterior), (1, evidence.posterior)):
        right, wrong = (YES, NO) if truth else (NO, YES)
        for place, code in enumerate((right, wrong)):
            said = evidence.answer == code
            found[:, truth, place] = np.bincount(group[said], weights=chance[said], minlength=groups)
    return found


def _shares(counts: Floats) -> Floats:
    return np.asarray(counts / counts.sum(axis=2, keepdims=True))


def _measure(
    ballots: Ballots, evidence: _Evidence, seconds: Floats, group: Ints, counts: Floats
) -> list[dict[str, Any]]:
    """Return the fields of `PersonRow` of each group, from its Beta counts (groups, 2, 2)."""
    groups = len(counts)
    right, wrong = counts[:, :, 0], counts[:, :, 1]
    mean = right / (right + wrong)
    known = _known(evidence, group, mean, right + wrong)
    low, high = betaincinv(right * known, wrong * known, 0.025), betaincinv(right * known, wrong * known, 0.975)
    variance = (mean * (1 - mean) / ((right + wrong) * known + 1)).sum(axis=1)
    informed_high = mean.sum(axis=1) - 1 + Z95 * np.sqrt(variance)
    answers = np.bincount(group, minlength=groups)
    # Columns of both tables are the four answers.
    said = np.bincount(group * 4 + evidence.answer, minlength=4 * groups).reshape(groups, 4)
    usual = said.argmax(axis=1)
    most = said.max(axis=1, initial=0)
    expected = _expected(evidence, group, groups, mean_counts=counts.sum(axis=0))
    unlikely = bdtrc(most - 1, answers, expected[np.arange(groups), usual]) < _SAME_CHANCE
    agrees = np.where(evidence.answer == YES, evidence.others, 1 - evidence.others)
    plain = evidence.answer <= NO
    drift, error = _drift(agrees, ballots.cast_at, group, groups, plain)
    is_gold = evidence.gold & plain
    gold = np.bincount(group[is_gold], minlength=groups)
    gold_right = np.bincount(group[is_gold], weights=agrees[is_gold], minlength=groups)
    differ = np.bincount(group[evidence.differs], minlength=groups)
    missed = np.bincount(group[evidence.missed], minlength=groups)
    pace = pd.Series(seconds).groupby(group).median().reindex(range(groups)).to_numpy()
    # An answer of a set takes a part of the set's time.
    alone = ballots.set == ALONE
    hurry = pd.Series(seconds[alone]).groupby(group[alone]).median().reindex(range(groups)).to_numpy()
    enough = answers >= _ANSWERS_LEAST
    flags = {
        RANDOM: enough & (informed_high < _INFORMED_LEAST),
        STRAIGHT_LINE: enough & (most >= _SAME_LEAST * answers) & unlikely,
        DRIFTING: enough & (drift <= -_FALL) & (drift <= -_FALL_ERRORS * error),
        HURRIED: enough & (hurry < _HURRIED_SEC),
    }
    return [
        {
            "answers": int(answers[row]),
            "sensitivity": float(mean[row, 1]),
            "sensitivity_low": float(low[row, 1]),
            "sensitivity_high": float(high[row, 1]),
            "specificity": float(mean[row, 0]),
            "specificity_low": float(low[row, 0]),
            "specificity_high": float(high[row, 0]),
            "gold": int(gold[row]),
            "gold_right": int(gold_right[row]),
            "seconds": float(pace[row]),
            "drift": float(drift[row]) if np.isfinite(drift[row]) else None,
            "flags": tuple(name for name, raised in flags.items() if raised[row]),
            "set_gold": int(differ[row]),
            "set_missed": int(missed[row]),
            **_ends(int(missed[row]), int(differ[row])),
        }
        for row in range(groups)
    ]


def _known(evidence: _Evidence, group: Ints, mean: Floats, counts: Floats) -> Floats:
    """Return which part of what the votes would say of each rate is left, shape (groups, 2).

    Nobody knows the truth of most clips, and a vote on one of which the model is not sure says less of the person: its
    information falls by the variance of its score over both truths (Louis 1982).

    Args:
        evidence: of each vote.
        group: of each vote, shape (votes,).
        mean: the rates, shape (groups, 2).
        counts: votes that each rests on, had the truth been known, shape (groups, 2).

    """
    doubt, missing = evidence.posterior * (1 - evidence.posterior), np.zeros_like(mean)
    for truth, codes in enumerate(((NO, YES), (YES, NO))):
        odds = mean[:, truth] / (1 - mean[:, truth])
        for code, factor in zip(codes, (1 / odds, odds), strict=True):
            said = evidence.answer == code
            missing[:, truth] += factor * np.bincount(group[said], weights=doubt[said], minlength=len(mean))
    return np.asarray(np.maximum(1 - missing / counts, _KNOWN_LEAST))


def _ends(missed: int, differ: int) -> dict[str, float | None]:
    low, high = wilson(missed, differ) if differ else (None, None)
    return {"set_miss_low": low, "set_miss_high": high}


def _expected(evidence: _Evidence, group: Ints, groups: int, mean_counts: Floats) -> Floats:
    """Return how often the average person would give each answer to the clips of each group, shape (groups, 4)."""
    rates = mean_counts[:, 0] / mean_counts.sum(axis=1)
    yes = evidence.others * rates[1] + (1 - evidence.others) * (1 - rates[0])
    plain = float((evidence.answer <= NO).mean()) if len(group) else 1.0
    share = np.bincount(evidence.answer, minlength=4) / max(1, len(group))
    found = np.tile(share, (groups, 1))
    mean_yes = np.bincount(group, weights=yes, minlength=groups) / np.maximum(1, np.bincount(group, minlength=groups))
    found[:, YES], found[:, NO] = plain * mean_yes, plain * (1 - mean_yes)
    return found


def _drift(agrees: Floats, cast_at: Ints, group: Ints, groups: int, plain: Bools) -> tuple[Floats, Floats]:
    """Return (agreement of the later half of each group's votes less that of the earlier; its standard error)."""
    rows = np.flatnonzero(plain)
    rows = rows[np.lexsort((cast_at[rows], group[rows]))]
    size = np.bincount(group[rows], minlength=groups)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(size) - size, size)
    half = 2 * group[rows] + (2 * place >= size[group[rows]])
    count = np.bincount(half, minlength=2 * groups).reshape(groups, 2)
    total = np.bincount(half, weights=agrees[rows], minlength=2 * groups).reshape(groups, 2)
    square = np.bincount(half, weights=agrees[rows] ** 2, minlength=2 * groups).reshape(groups, 2)
    mean = total / np.maximum(1, count)
    variance = np.maximum(0, square / np.maximum(1, count) - mean**2) / np.maximum(1, count)
    known = count.min(axis=1, initial=1 << 30) >= _ANSWERS_LEAST // 2
    return np.where(known, mean[:, 1] - mean[:, 0], np.nan), np.sqrt(variance.sum(axis=1))
