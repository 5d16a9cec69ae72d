"""How far labels lie from those of the last release, and how they are spread over categories.

The table `last_release` beside them has the columns clip_id, category and label.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.quality.expectations.entries import WARNING, Expectation, Finding, Floats, Handover, Ints, Wanted
from slac_tasks.quality.expectations.measures import effective, population_stability, shares_by
from slac_tasks.verification.ballots import clip_key

FEW = 50
"""Labels of a category, in each of the two, below which their distance says little."""


def _balance(handover: Handover) -> Iterator[Finding]:
    """Yield the effective number of categories, as a share of the categories that have labels."""
    counts = _of_category(handover).sum(axis=1)
    if counts.any():
        groups = np.count_nonzero(counts)
        yield Finding(value=effective(counts) / groups, count=int(counts.sum()))


def _category_drift(handover: Handover) -> Iterator[Finding]:
    """Yield the population stability index of the categories' shares, among the categories of the last release."""
    now, before = _of_category(handover).sum(axis=1), _before(handover).sum(axis=1)
    held = before > 0
    if now[held].sum() >= FEW and before.sum() >= FEW:
        yield Finding(value=population_stability(before[held], now[held]), count=int(now[held].sum()))


def _sign_drift(handover: Handover) -> Iterator[Finding]:
    """Yield the population stability index of negatives and positives, for each category."""
    now, before = _of_category(handover), _before(handover)
    for place, category in enumerate(handover.codes("category")[0]):
        if min(now[place].sum(), before[place].sum()) >= FEW:
            distance = population_stability(before[place], now[place])
            yield Finding(value=distance, count=int(now[place].sum()), subject=category)


def _flips(handover: Handover) -> Iterator[Finding]:
    """Yield the share of the labels of the last release that have the other sign now, for each category."""
    release = handover.beside["last_release"]
    place = pc.index_in(clip_key(handover.rows), value_set=clip_key(release)).fill_null(-1).to_numpy()
    before = np.append(release["label"].cast(pa.float64()).to_numpy(), np.nan)[place]
    now = handover.numbers("label")
    both = np.isfinite(before) & np.isfinite(now)
    yield from shares_by(*handover.codes("category"), before != now, both, least=FEW)


def _of_category(handover: Handover) -> Floats:
    """Return how many negatives and positives each category has, shape (categories, 2)."""
    categories, codes = handover.codes("category")
    return _histogram(codes, handover.numbers("label"), len(categories))


def _before(handover: Handover) -> Floats:
    release = handover.beside["last_release"]
    categories = pa.array(handover.codes("category")[0], pa.string())
    codes = pc.index_in(release["category"].combine_chunks(), value_set=categories).fill_null(-1).to_numpy()
    return _histogram(codes.astype(np.int64), release["label"].cast(pa.float64()).to_numpy(), len(categories))


def _histogram(codes: Ints, label: Floats, size: int) -> Floats:
    used = (codes >= 0) & np.isfinite(label)
    cells = codes[used] * 2 + (label[used] > 0)
    return np.bincount(cells, minlength=2 * size).reshape(size, 2).astype(np.float64)


SPREAD = (
    Expectation(
        name="balance", severity=WARNING, reads=("category", "label"), wanted=Wanted(low="min_balance"),
        measure=_balance, sentence="No few categories hold most of the labels.",
    ),
    Expectation(
        name="category_drift", severity=WARNING, reads=("category", "label"), needs=("last_release",),
        wanted=Wanted(high="max_drift"), measure=_category_drift,
        sentence="Labels are spread over categories as in the last release.",
    ),
    Expectation(
        name="sign_drift", severity=WARNING, reads=("category", "label"), needs=("last_release",),
        wanted=Wanted(high="max_drift"), measure=_sign_drift,
        sentence="A category has as many positives as in the last release, as a share.",
    ),
    Expectation(
        name="few_labels_flipped", severity=WARNING, reads=("clip_id", "category", "label"), needs=("last_release",),
        wanted=Wanted(high="max_flipped"), measure=_flips,
        sentence="Few labels of a category have another sign than in the last release.",
    ),
)  # fmt: skip
"""What every set of labels is asked, of a version as of a release."""
