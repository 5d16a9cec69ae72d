"""Measures that several datasets share: numbers of wrong rows, shares with intervals, effective numbers of groups."""

from collections.abc import Callable, Collection, Iterator
from statistics import NormalDist

import numpy as np
import pyarrow.compute as pc

from slac_tasks.intervals import wilson, worth
from slac_tasks.quality.expectations.entries import Bools, Finding, Floats, Handover, Ints, Measure

MOST_SUBJECTS = 5_000
"""Findings of one measure; categories, strategies and people are fewer."""
_SLACK = 1e-6
"""A number may lie so far outside of its range: sums of floats are no exact ones."""


def wrong_rows(wrong: Callable[[Handover], Bools], column: str = "") -> Measure:
    """Return a measure that counts rows which are wrong and names some of them by a column."""

    def measure(handover: Handover) -> Iterator[Finding]:
        found = wrong(handover)
        yield Finding(value=float(np.count_nonzero(found)), count=len(found), examples=handover.examples(found, column))

    return measure


def outside(name: str, low: float, high: float) -> Measure:
    """Return a measure that counts the rows whose number lies outside a range; unknown ones are left out."""

    def wrong(handover: Handover) -> Bools:
        values = handover.numbers(name)
        return handover.known(name) & ~((values >= low - _SLACK) & (values <= high + _SLACK))

    return wrong_rows(wrong)


def not_among(name: str, values: Collection[str]) -> Measure:
    """Return a measure that counts the rows whose text is none of these."""

    def wrong(handover: Handover) -> Bools:
        found, codes = handover.codes(name)
        strange = np.array([value not in values for value in found] + [False], dtype=bool)
        return np.asarray(strange[codes])

    return wrong_rows(wrong)


def not_like(name: str, pattern: str) -> Measure:
    """Return a measure that counts the rows whose text does not match a pattern; unknown ones are left out."""

    def wrong(handover: Handover) -> Bools:
        fits = pc.match_substring_regex(handover.column(name), pattern)
        return ~np.asarray(fits.fill_null(True).to_numpy(zero_copy_only=False), dtype=bool)

    return wrong_rows(wrong)


def not_in(name: str, beside: str, column: str = "") -> Measure:
    """Return a measure that counts the rows whose value a table beside does not hold."""
    return wrong_rows(lambda handover: handover.place_in(name, beside, column) < 0)


def held_by(name: str, beside: str) -> Measure:
    """Return a measure that counts the rows whose value a table beside does hold."""
    return wrong_rows(lambda handover: handover.place_in(name, beside) >= 0)


def share(
    part: int,
    whole: int,
    subject: str = "",
    examples: tuple[str, ...] = (),
    *,
    subjects: int = 1,
    size: float | None = None,
) -> Finding:
    """Return a share with its 95 % interval (Wilson); without a value where there is nothing.

    Args:
        part: how many of `whole`.
        whole: how many there are.
        subject: whose share it is.
        examples: a few of those that are wrong.
        subjects: how many shares are judged beside each other: of hundreds of people some are unlucky.
        size: as how many independent items they count; None: each of them is independent.

    """
    if not whole:
        return Finding(value=None, count=0, subject=subject)
    low, high = wilson(part, whole, size=size)
    return Finding(
        value=part / whole,
        low=low,
        high=high,
        surely=wilson(part, whole, NormalDist().inv_cdf(1 - 0.025 / subjects), size=size),
        count=whole,
        subject=subject,
        examples=examples,
    )


def shares_by(
    values: list[str], codes: Ints, part: Bools, whole: Bools, *, videos: Ints | None = None, least: int = 1
) -> Iterator[Finding]:
    """Yield the share of `part` among the rows of `whole`, for each value that has the least rows.

    Args:
        values: the subjects.
        codes: index of each row's subject, or -1.
        part: which rows count, shape (rows,).
        whole: among which, shape (rows,).
        videos: index of each row's video, shape (rows,): the rows of one resemble each other. None: each is alone.
        least: rows below which a subject says nothing.

    """
    chosen = whole & (codes >= 0)
    of = np.bincount(codes[chosen], minlength=len(values))
    parts = np.bincount(codes[chosen & part], minlength=len(values))
    enough = np.flatnonzero(of >= least)[:MOST_SUBJECTS].tolist()
    held = None if videos is None else _by_video(codes[chosen], videos[chosen], part[chosen], len(values))
    for place in enough:
        size = None if held is None else worth(*held(place))
        yield share(int(parts[place]), int(of[place]), values[place], subjects=len(enough), size=size)


def _by_video(codes: Ints, videos: Ints, part: Bools, groups: int) -> Callable[[int], tuple[list[int], list[int]]]:
    """Return what says of each subject (rows of `part` of each video, rows of each video)."""
    many = int(videos.max(initial=0)) + 1
    pairs, pair = np.unique(codes * many + videos, return_inverse=True)
    starts = np.searchsorted(pairs, np.arange(groups + 1) * many)
    parts, rows = np.bincount(pair, part).astype(np.int64), np.bincount(pair)

    def held(place: int) -> tuple[list[int], list[int]]:
        own = slice(starts[place], starts[place + 1])
        return parts[own].tolist(), rows[own].tolist()

    return held


def several(owner: Ints, property_: Ints) -> Bools:
    """Return which owners have more than one property, shape (largest owner + 1,); rows with -1 are left out."""
    used = (owner >= 0) & (property_ >= 0)
    if not used.any():
        return np.zeros(0, dtype=bool)
    width = int(property_.max()) + 1
    pairs = np.unique(owner[used] * width + property_[used])
    return np.asarray(np.bincount(pairs // width) > 1)


def effective(counts: Floats) -> float:
    """Return how many equally large groups are as diverse as these: the exponential of the entropy, 1 to groups."""
    shares = counts[counts > 0] / counts.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
