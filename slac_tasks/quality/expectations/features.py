"""What is expected of one member's features of the clips of a category and window. Beside them: `clips` (clip_id)."""

from collections.abc import Iterator

import numpy as np

from slac_tasks.networks.features import unpacked
from slac_tasks.quality.expectations.declared import declared
from slac_tasks.quality.expectations.entries import CRITICAL, WARNING, Bools, Expectation, Finding, Handover, Wanted
from slac_tasks.quality.expectations.measures import not_in, wrong_rows
from slac_tasks.quality.expectations.scores import covered, other_video
from slac_tasks.storage.datasets import FEATURES

_FEW = 50
"""Clips below which the dimensions of their features say little."""


def _not_finite(handover: Handover) -> Bools:
    return np.asarray(~np.isfinite(unpacked(handover.rows["features"])).all(axis=1))


def _dimensions(handover: Handover) -> Iterator[Finding]:
    """Yield the participation ratio of the features' variances: 1 when all lie on a line, 64 when none is favoured."""
    found = unpacked(handover.rows["features"]).astype(np.float64)
    found = found[np.isfinite(found).all(axis=1)]
    if len(found) >= _FEW:
        variances = np.linalg.eigvalsh(np.cov(found, rowvar=False)).clip(0)
        total = float((variances**2).sum())
        yield Finding(value=float(variances.sum()) ** 2 / total if total > 0 else 0.0, count=len(found))


def _projections(handover: Handover) -> Iterator[Finding]:
    names, _ = handover.codes("projection")
    yield Finding(value=float(len(names)), count=handover.rows.num_rows, examples=tuple(sorted(names))[:3])


EXPECTATIONS: tuple[Expectation, ...] = (
    *declared(FEATURES),
    Expectation(
        name="of_a_clip", severity=CRITICAL, reads=("clip_id",), needs=("clips",), measure=not_in("clip_id", "clips"),
        sentence="All features are of a clip of this window.",
    ),
    Expectation(
        name="video_of_clip", severity=CRITICAL, reads=("clip_id", "video_id"), measure=wrong_rows(other_video),
        sentence="Every row names the video of its clip.",
    ),
    Expectation(
        name="features_finite", severity=CRITICAL, reads=("features",), measure=wrong_rows(_not_finite),
        sentence="Every feature is a number.",
    ),
    Expectation(
        name="one_projection", severity=CRITICAL, reads=("projection",), wanted=Wanted(high=1), measure=_projections,
        sentence="All features went through one projection: else they cannot be compared.",
    ),
    Expectation(
        name="features_of_clips", severity=WARNING, reads=("clip_id",), needs=("clips",),
        wanted=Wanted(low="min_decoded"), measure=covered, sentence="Most clips of the window have features.",
    ),
    Expectation(
        name="features_not_collapsed", severity=WARNING, reads=("features",), wanted=Wanted(low="min_dimensions"),
        measure=_dimensions, sentence="The features of clips differ in several directions.",
    ),
)  # fmt: skip
