"""How far labels lie from those of the last release, and how they are spread over categories.

The table `last_release` beside them has the columns clip_id, category, label and video_id.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.quality.expectations.entries import (
    EXAMPLES,
    WARNING,
    Expectation,
    Finding,
    Floats,
    Handover,
    Ints,
    Wanted,
    encoded,
    whole,
)
from slac_tasks.quality.expectations.measures import effective, shares_by
from slac_tasks.quality.expectations.stability import Histogram, population_stability
from slac_tasks.verification.ballots import clip_key

FEW = 50
"""Labels of a category, in each of the two, below which their distance says little."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """The labels of one of the two, by category."""

    category: Ints
    """Index of each label's category, shape (labels,)."""
    positive: Ints
    """1 or 0, shape (labels,)."""
    video: Ints
    """Index of each label's video, shape (labels,)."""
    counts: Ints
    """Labels of each category of the two, shape (categories,)."""

    @classmethod
    def of(cls, category: Ints, label: Floats, video: Ints, size: int) -> "_Side":
        used = np.flatnonzero((category >= 0) & np.isfinite(label))
        used = used[np.argsort(category[used], kind="stable")]
        return cls(
            category=category[used], positive=(label[used] > 0).astype(np.int64), video=video[used],
            counts=np.bincount(category[used], minlength=size),
        )  # fmt: skip

    def spread(self, held: Ints) -> Histogram:
        """Return how the labels are spread over these categories, shape (categories,)."""
        place = np.full(len(self.counts), -1)
        place[held] = np.arange(len(held))
        bins = place[self.category]
        return Histogram.of(bins[bins >= 0], self.video[bins >= 0], len(held))

    def signs(self, category: int) -> Histogram:
        """Return the negatives and positives of a category."""
        start, end = np.searchsorted(self.category, [category, category + 1])
        return Histogram.of(self.positive[start:end], self.video[start:end], 2)


def _two(handover: Handover) -> tuple[list[str], _Side, _Side]:
    """Return (the categories of both, the labels now, those of the last release)."""

    def sides() -> tuple[list[str], _Side, _Side]:
        names, codes = handover.codes("category")
        release = handover.beside["last_release"]
        values, before = encoded(whole(release["category"]))
        every = list(dict.fromkeys([*names, *values.to_pylist()]))
        place = np.array([*(every.index(name) for name in values.to_pylist()), -1])  # -1: unknown
        return (
            every,
            _Side.of(codes, handover.numbers("label"), handover.places("video_id"), len(every)),
            _Side.of(
                place[before],
                release["label"].cast(pa.float64()).to_numpy(),
                encoded(whole(release["video_id"]))[1],
                len(every),
            ),
        )

    return handover.once("labels of two", sides)


def _balance(handover: Handover) -> Iterator[Finding]:
    """Yield the effective number of categories, as a share of the categories that have labels."""
    category = handover.codes("category")[1][np.isfinite(handover.numbers("label"))]
    counts = np.bincount(category[category >= 0]).astype(float)
    if counts.any():
        groups = np.count_nonzero(counts)
        yield Finding(value=effective(counts) / groups, count=int(counts.sum()))


def _category_drift(handover: Handover) -> Iterator[Finding]:
    """Yield the population stability index of the categories' shares, among the categories of the last release."""
    _, now, before = _two(handover)
    held = np.flatnonzero(before.counts)
    if now.counts[held].sum() >= FEW and before.counts.sum() >= FEW:
        yield population_stability(before.spread(held), now.spread(held))


def _vanished(handover: Handover) -> Iterator[Finding]:
    """Yield how many categories of the last release have no label; among hundreds one hardly moves the index above."""
    names, now, before = _two(handover)
    gone = np.flatnonzero((before.counts >= FEW) & (now.counts == 0)).tolist()
    named = tuple(names[place] for place in gone[:EXAMPLES])
    yield Finding(value=float(len(gone)), count=int(np.count_nonzero(before.counts)), examples=named)


def _sign_drift(handover: Handover) -> Iterator[Finding]:
    """Yield the population stability index of negatives and positives, for each category."""
    names, now, before = _two(handover)
    places = np.flatnonzero(np.minimum(now.counts, before.counts) >= FEW).tolist()
    for place in places:
        yield population_stability(before.signs(place), now.signs(place), subject=names[place], subjects=len(places))


def _flips(handover: Handover) -> Iterator[Finding]:
    """Yield the share of the labels of the last release that have the other sign now, for each category."""
    release = handover.beside["last_release"]
    place = pc.index_in(clip_key(handover.rows), value_set=clip_key(release)).fill_null(-1).to_numpy()
    before = np.append(release["label"].cast(pa.float64()).to_numpy(), np.nan)[place]
    now = handover.numbers("label")
    both = np.isfinite(before) & np.isfinite(now)
    yield from shares_by(
        *handover.codes("category"), before != now, both, videos=handover.places("video_id"), least=FEW
    )


SPREAD = (
    Expectation(
        name="balance", severity=WARNING, reads=("category", "label"), wanted=Wanted(low="min_balance"),
        measure=_balance, sentence="No few categories hold most of the labels.",
    ),
    Expectation(
        name="category_drift", severity=WARNING, reads=("category", "label", "video_id"), needs=("last_release",),
        wanted=Wanted(high="max_drift"), measure=_category_drift,
        sentence="Labels are spread over categories as in the last release.",
    ),
    Expectation(
        name="categories_kept", severity=WARNING, reads=("category", "label", "video_id"), needs=("last_release",),
        measure=_vanished, sentence="Each category of the last release that had many labels has some.",
    ),
    Expectation(
        name="sign_drift", severity=WARNING, reads=("category", "label", "video_id"), needs=("last_release",),
        wanted=Wanted(high="max_drift"), measure=_sign_drift,
        sentence="A category has as many positives as in the last release, as a share.",
    ),
    Expectation(
        name="few_labels_flipped", severity=WARNING, reads=("clip_id", "category", "label", "video_id"),
        needs=("last_release",), wanted=Wanted(high="max_flipped"), measure=_flips,
        sentence="Few labels of a category have another sign than in the last release.",
    ),
)  # fmt: skip
"""What every set of labels is asked, of a version as of a release."""
