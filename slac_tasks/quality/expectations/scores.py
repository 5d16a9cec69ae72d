"""What is expected of one member's scores of the clips of a category and window.

Beside them: `clips` (clip_id), `scores_before` (score and video_id; of the same weights, another window).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from slac_tasks.quality.expectations.declared import declared
from slac_tasks.quality.expectations.entries import (
    CRITICAL,
    WARNING,
    Bools,
    Expectation,
    Finding,
    Floats,
    Handover,
    Ints,
    Wanted,
    encoded,
    whole,
)
from slac_tasks.quality.expectations.measures import (
    not_in,
    outside,
    several,
    share,
    wrong_rows,
)
from slac_tasks.quality.expectations.stability import Histogram, population_stability
from slac_tasks.storage.datasets import SCORES

_FEW = 50
"""Scores below which their spread says little."""
_BINS = 10
"""Of a score, from 0 to 1."""


def other_video(handover: Handover) -> Bools:
    """Return which rows name another video than their clip_id does."""
    of_clip = pc.replace_substring_regex(handover.column("clip_id"), ":[0-9]*$", "")
    same = pc.equal(of_clip, handover.column("video_id"))
    return ~np.asarray(same.to_numpy(zero_copy_only=False), dtype=bool)


def covered(handover: Handover) -> Iterator[Finding]:
    """Yield the share of the window's clips that have a row: the others could not be decoded."""
    places = handover.place_in("clip_id", "clips")
    yield share(len(np.unique(places[places >= 0])), handover.beside["clips"].num_rows)


def _spread(handover: Handover) -> Iterator[Finding]:
    scores = handover.numbers("score")
    if len(scores) >= _FEW:
        yield Finding(value=float(scores.std()), count=len(scores))


def _saturated(handover: Handover) -> Iterator[Finding]:
    scores = handover.numbers("score")
    if len(scores) >= _FEW:
        yield share(int(np.count_nonzero((scores < 1e-3) | (scores > 1 - 1e-3))), len(scores))


def _same_in_video(handover: Handover) -> Iterator[Finding]:
    """Yield the share of videos with several clips whose clips all have one score: the clip was not looked at."""
    video = handover.places("video_id")
    score = np.unique(handover.numbers("score"), return_inverse=True)[1]
    mixed, clips = several(video, score), np.bincount(video)
    more = clips > 1
    if np.count_nonzero(more) >= 5:
        yield share(int(np.count_nonzero(more & ~mixed)), int(np.count_nonzero(more)))


SCORE_DRIFT = "score_drift"
"""Its name: by its values a plan decides whether to retrain."""


def _drift(handover: Handover) -> Iterator[Finding]:
    table = handover.beside["scores_before"]
    before = table["score"].to_numpy(), encoded(whole(table["video_id"]))[1]
    now = handover.numbers("score"), handover.places("video_id")
    if min(len(before[0]), len(now[0])) >= _FEW:
        yield population_stability(*(_binned(*one) for one in (before, now)))


def _binned(scores: Floats, videos: Ints) -> Histogram:
    """Return the histogram of scores; what is no number from 0 to 1 is in no bin."""
    inside = (scores >= 0) & (scores <= 1)
    bins = np.minimum(scores[inside] * _BINS, _BINS - 1).astype(np.int64)
    return Histogram.of(bins, videos[inside], _BINS)


EXPECTATIONS: tuple[Expectation, ...] = (
    *declared(SCORES),
    Expectation(
        name="score_in_range", severity=CRITICAL, reads=("score",), measure=outside("score", 0, 1),
        sentence="A score is a probability: 0 to 1.",
    ),
    Expectation(
        name="of_a_clip", severity=CRITICAL, reads=("clip_id",), needs=("clips",), measure=not_in("clip_id", "clips"),
        sentence="Every score is of a clip of this window.",
    ),
    Expectation(
        name="video_of_clip", severity=CRITICAL, reads=("clip_id", "video_id"), measure=wrong_rows(other_video),
        sentence="Every row names the video of its clip.",
    ),
    Expectation(
        name="clips_decoded", severity=WARNING, reads=("clip_id",), needs=("clips",), wanted=Wanted(low="min_decoded"),
        measure=covered, sentence="Most clips of the window could be decoded and have a score.",
    ),
    Expectation(
        name="scores_differ", severity=CRITICAL, reads=("score",), wanted=Wanted(low="min_spread"), measure=_spread,
        sentence="The scores of a member are not all the same.",
    ),
    Expectation(
        name="scores_differ_in_video", severity=WARNING, reads=("video_id", "score"),
        wanted=Wanted(high="max_same_in_video"), measure=_same_in_video,
        sentence="The clips of one video have different scores.",
    ),
    Expectation(
        name="few_saturated", severity=WARNING, reads=("score",), wanted=Wanted(high="max_saturated"),
        measure=_saturated, sentence="Few scores are as good as 0 or 1.",
    ),
    Expectation(
        name=SCORE_DRIFT, severity=WARNING, reads=("score", "video_id"), needs=("scores_before",),
        wanted=Wanted(high="max_drift"), measure=_drift,
        sentence="Scores are spread as in the window before, under the same weights.",
    ),
)  # fmt: skip
