"""Agreement beyond chance, from sparse answers: Krippendorff's alpha and Cohen's kappa. Vectorised, pure."""

import numpy as np

from slac_tasks.storage.datasets.labelling import AgreementRow
from slac_tasks.verification.ballots import NO, Ballots, Floats, Ints

_SHARED_LEAST = 10
"""Clips that two people must share before they count as a pair: kappa of a few clips is noise (ours)."""


def alpha(counts: Ints) -> float | None:
    """Return Krippendorff's alpha for nominal values; None where chance leaves nothing to agree on.

    Args:
        counts: how often each value was given to each unit, shape (units, values). Units with one value are left out.

    Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", with the coincidences summed per unit.

    """
    given = counts.sum(axis=1)
    counts, given = counts[given >= 2], given[given >= 2]
    total, by_value = given.sum(), counts.sum(axis=0)
    expected = float(total**2 - (by_value**2).sum())
    if expected == 0:
        return None
    observed = float(((given**2 - (counts**2).sum(axis=1)) / (given - 1)).sum())
    return float(1 - (total - 1) * observed / expected)


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
    """Return the agreement on yes and no of each category, in order; unsure and broken are no values."""
    counts = ballots.counts()[:, : NO + 1]
    tables, category = _pairs(ballots)
    kappas, shared = kappa(tables), tables.sum(axis=(1, 2))
    found = []
    for index, name in enumerate(ballots.categories):
        rows = counts[ballots.category == index]
        pairs = np.flatnonzero((category == index) & ~np.isnan(kappas))
        found.append(
            AgreementRow(
                category=name,
                clips=int((rows.sum(axis=1) >= 2).sum()),
                krippendorff=alpha(rows),
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
