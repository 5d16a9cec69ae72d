"""Agreement beyond chance, from sparse answers: Krippendorff's alpha and Cohen's kappa. Vectorised, pure."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import pyarrow.compute as pc
from scipy.special import stdtrit

from slac_tasks.intervals import Z95, wilson
from slac_tasks.storage.datasets.labelling import AgreementRow
from slac_tasks.verification.ballots import NO, Ballots, Floats, Ints

_SHARED_LEAST = 10
"""Clips that two people must share before they count as a pair: kappa of a few clips is noise (ours)."""


@dataclass(frozen=True, kw_only=True)
class Alpha:
    """Krippendorff's alpha for nominal values."""

    value: float | None
    """None: chance leaves nothing to agree on, as where all answers are the same."""
    low: float | None = None
    """Ends of the 95 % interval; None: unknown, as where one video alone holds all answers of a value."""
    high: float | None = None


def alpha(counts: Ints, video: Ints) -> Alpha:
    """Return Krippendorff's alpha with an interval in which the clips of one video hang together.

    Alpha is computed without one video after another: the spread of these values is its standard deviation (jackknife,
    Efron and Stein 1981). It says of how many independent answers the observed disagreement is a share. The interval is
    Wilson's of a share of so many, so it has a width where nobody disagreed. Over simulated campaigns it holds the
    truth in .93 to .99; a bootstrap of the videos holds it in .82 to .95.

    Source of alpha: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", with the coincidences summed per
    unit. Source of the interval: ours, after Korn and Graubard 1998.

    Args:
        counts: how often each value was given to each unit, shape (units, values). Units with one value are left out.
        video: number of each unit's video, shape (units,).

    """
    given = counts.sum(axis=1)
    counts, video, given = counts[given >= 2], video[given >= 2], given[given >= 2]
    apart = (given**2 - (counts**2).sum(axis=1)) / (given - 1)
    _, place = np.unique(video, return_inverse=True)
    of_video = np.stack([np.bincount(place, column) for column in (given, apart, *counts.T)], axis=1)
    whole = of_video.sum(axis=0)
    value, without = float(_alpha(whole)), _alpha(whole - of_video)
    if np.isnan(value):
        return Alpha(value=None)
    if len(of_video) < 2 or np.isnan(without).any():
        return Alpha(value=value)
    # alpha = 1 - observed / expected: what is not sure is above all the share of answers that differ.
    observed, expected = float(whole[1] / whole[0]), float(_expected(whole) / (whole[0] * (whole[0] - 1)))
    videos = len(of_video)
    spread = expected * sqrt((videos - 1) / videos * float(((without - without.mean()) ** 2).sum()))
    size: float = videos
    if spread > 0 and 0 < observed < 1:
        size = min(observed * (1 - observed) / spread**2, len(counts))
    size *= (Z95 / float(stdtrit(videos - 1, 0.975))) ** 2
    least, most = wilson(observed * size, size)
    return Alpha(value=value, low=min(value, 1 - most / expected), high=max(value, 1 - least / expected))


def _alpha(sums: Floats) -> Floats:
    """Return alpha of sums over units, shape (..., 2 + values): answers, observed disagreement, answers of each value.

    NaN: chance leaves nothing to agree on.
    """
    expected = _expected(sums)
    known = expected > 0
    ratio = (sums[..., 0] - 1) * sums[..., 1] / np.where(known, expected, 1)
    return np.where(known, 1 - ratio, np.nan)


def _expected(sums: Floats) -> Floats:
    """Return how many ordered pairs of answers would differ by chance."""
    return np.asarray(sums[..., 0] ** 2 - (sums[..., 2:] ** 2).sum(axis=-1))


def kappa(table: Floats) -> Floats:
    """Return Cohen's kappa of tables of two people's values, shape (tables, values, values); NaN: nothing to agree on.

    Source: Cohen 1960. Rows are the first person's values, columns the second's.
    """
    whole = table.sum(axis=(1, 2))
    observed = np.trace(table, axis1=1, axis2=2) / whole
    expected = (table.sum(axis=1) * table.sum(axis=2)).sum(axis=1) / whole**2
    certain = expected >= 1
    return np.where(certain, np.nan, (observed - expected) / np.where(certain, 1, 1 - expected))


def agreements(ballots: Ballots) -> list[AgreementRow]:
    """Return the agreement on yes and no of each category, in order; unsure and broken are no values.

    Clips that were to be asked once are left out: a second answer there was asked because the first was doubted.
    """
    ballots = ballots.as_planned()
    counts = ballots.counts()[:, : NO + 1]
    tables, category = _pairs(ballots)
    kappas, shared = kappa(tables), tables.sum(axis=(1, 2))
    video = pc.replace_substring_regex(ballots.clip_ids, ":[0-9]+$", "").dictionary_encode().indices.to_numpy()
    found = []
    for index, name in enumerate(ballots.categories):
        own = ballots.category == index
        rows = counts[own]
        found_alpha = alpha(rows, video[own])
        pairs = np.flatnonzero((category == index) & ~np.isnan(kappas))
        found.append(
            AgreementRow(
                category=name,
                clips=int((rows.sum(axis=1) >= 2).sum()),
                krippendorff=found_alpha.value,
                krippendorff_low=found_alpha.low,
                krippendorff_high=found_alpha.high,
                cohen=float(np.average(kappas[pairs], weights=shared[pairs])) if len(pairs) else None,
                pairs=len(pairs),
            )
        )
    return found


def _pairs(ballots: Ballots) -> tuple[Floats, Ints]:
    """Return (the table of each category and pair of people who share enough clips; its category)."""
    plain = ballots.answer <= NO
    clip, person, answer = ballots.clip[plain], ballots.person[plain], ballots.answer[plain]
    place = np.arange(len(clip)) - np.searchsorted(clip, clip)
    firsts, seconds = [], []
    for apart in range(1, int(place.max(initial=0)) + 1):
        # Every vote with the one `apart` places before it on the same clip.
        later = np.flatnonzero(place >= apart)
        firsts.append(later - apart)
        seconds.append(later)
    first = np.concatenate(firsts) if firsts else np.zeros(0, dtype=np.int64)
    second = np.concatenate(seconds) if seconds else first
    swap = person[first] > person[second]
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    people = max(1, len(ballots.people))
    key = (ballots.category[clip[first]] * people + person[first]) * people + person[second]
    keys, group = np.unique(key, return_inverse=True)
    cells = np.bincount(group * 4 + answer[first] * 2 + answer[second], minlength=4 * len(keys))
    tables = cells.reshape(len(keys), 2, 2).astype(np.float64)
    enough = tables.sum(axis=(1, 2)) >= _SHARED_LEAST
    return tables[enough], (keys // people**2)[enough]
