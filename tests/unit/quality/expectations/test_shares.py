"""Shares of many subjects beside each other: few videos raise no alarm by chance."""

import numpy as np
import pytest

from slac_tasks.quality.expectations.measures import shares_by

SUBJECTS, VIDEOS, CLIPS = 200, 20, 5


def test_none_of_200_categories_of_few_videos_is_surely_outside_by_chance() -> None:
    random = np.random.default_rng(2)
    subjects = [str(place) for place in range(SUBJECTS)]
    codes = np.repeat(np.arange(SUBJECTS), VIDEOS * CLIPS)
    videos = np.repeat(np.arange(SUBJECTS * VIDEOS), CLIPS)
    everything = np.ones(len(codes), dtype=bool)
    alarms = {"apart": 0, "by video": 0}
    for _ in range(10):
        chance = random.beta(0.62 * 7 / 3, 0.38 * 7 / 3, SUBJECTS * VIDEOS)
        holds = random.random(len(codes)) < chance[videos]
        for name, of in (("apart", None), ("by video", videos)):
            found = shares_by(subjects, codes, holds, everything, videos=of)
            alarms[name] += any(one.surely is not None and one.surely[1] < 0.6 for one in found)
    assert alarms["by video"] == 0
    assert alarms["apart"] > 2


def test_what_a_subject_counts_is_of_its_own_videos() -> None:
    codes, videos = np.array([0, 0, 0, 0, 1, 1, 1, -1]), np.array([0, 0, 1, 1, 1, 2, 3, 0])
    part = np.array([True, True, False, False, True, False, True, True])
    whole = np.array([True] * 6 + [False, True])
    first, second = shares_by(["judo", "polo"], codes, part, whole, videos=videos)
    assert [(one.subject, one.count, one.value) for one in (first, second)] == [("judo", 4, 0.5), ("polo", 2, 0.5)]
    alone = next(iter(shares_by(["judo", "polo"], codes, part, whole)))
    assert first.low is not None
    assert alone.low is not None
    assert first.low < alone.low
    assert second.low == pytest.approx(0.0945, abs=1e-3), "two clips of two videos are two"
