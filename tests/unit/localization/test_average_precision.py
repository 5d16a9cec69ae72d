"""Average precision by the published rules: by hand, against a plain loop, and under resampling."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.evaluate import Case, case, difference
from slac_tasks.localization.average_precision import RULES, matched
from slac_tasks.localization.segments import Benchmark, Detections, Segments, detections, part, segments

ACTIVITYNET, THUMOS14 = RULES["activitynet"], RULES["thumos14"]
seeds = st.integers(0, 2**32 - 1)


def benchmark(truth: Segments, videos: int = 2, ambiguous: Segments | None = None) -> Benchmark:
    return Benchmark(
        videos=tuple(f"v{number}" for number in range(videos)), categories=("dive", "jump", "swim"), truth=truth,
        duration_sec=np.full(videos, 100.0), ambiguous=segments([]) if ambiguous is None else ambiguous,
    )  # fmt: skip


def drawn(seed: int) -> tuple[Case, Benchmark, Detections]:
    one = case(np.random.default_rng(seed))
    return one, one.benchmark, detections(one.found)


def test_by_hand() -> None:
    truth = segments([(0, 0, 0.0, 10.0), (1, 0, 0.0, 10.0), (1, 1, 0.0, 10.0)])
    found = detections([
        (0, 0, 0.0, 10.0, 0.9),  # hit: precision 1
        (0, 0, 0.0, 10.0, 0.8),  # double: a miss
        (1, 0, 2.5, 10.0, 0.7),  # tIoU .75: a hit up to there, precision 2/3
    ])  # fmt: skip
    judged = matched(benchmark(truth), found, ACTIVITYNET)
    table = judged.table
    assert table[0, :6] == pytest.approx((1 + 2 / 3) / 2)
    assert table[0, 6:] == pytest.approx(1 / 2)
    assert (table[1] == 0).all(), "a category without a detection has 0"
    assert np.isnan(table[2]).all(), "a category without a segment does not count"
    ones = np.ones((1, 2))
    assert judged.by_threshold(ones)[0, 0] == pytest.approx(5 / 12)
    assert judged.average(ones)[0] == pytest.approx((6 * 5 / 6 + 4 / 2) / 20)


def test_the_precision_at_a_recall_is_the_highest_above_it_in_activitynet_alone() -> None:
    truth = segments([(0, 0, 0.0, 10.0), (0, 0, 20.0, 30.0)])
    found = detections([(0, 0, 50.0, 60.0, 0.9), (0, 0, 0.0, 10.0, 0.8), (0, 0, 20.0, 30.0, 0.7)])
    # Precision 0, 1/2, 2/3 at recall 0, 1/2, 1.
    assert matched(benchmark(truth), found, ACTIVITYNET).table[0, 0] == pytest.approx(2 / 3)
    assert matched(benchmark(truth), found, THUMOS14).table[0, 0] == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_the_toolkit_leaves_out_a_false_detection_that_touches_an_ambiguous_stretch() -> None:
    truth, ambiguous = segments([(0, 0, 0.0, 10.0)]), segments([(0, 0, 50.0, 60.0)])
    found = detections([(0, 0, 59.0, 70.0, 0.9), (0, 0, 0.0, 10.0, 0.8)])
    assert matched(benchmark(truth, ambiguous=ambiguous), found, THUMOS14).table[0, 0] == 1
    assert matched(benchmark(truth), found, THUMOS14).table[0, 0] == 0.5
    assert matched(benchmark(truth, ambiguous=ambiguous), found, ACTIVITYNET).table[0, 0] == 0.5


def test_a_hit_that_touches_an_ambiguous_stretch_stays_a_hit() -> None:
    truth, ambiguous = segments([(0, 0, 0.0, 10.0)]), segments([(0, 0, 5.0, 60.0)])
    judged = matched(benchmark(truth, ambiguous=ambiguous), detections([(0, 0, 0.0, 10.0, 0.8)]), THUMOS14)
    assert judged.table[0, 0] == 1


@given(seed=seeds)
@example(seed=292)  # no proposal is left of the videos that have a segment
@settings(max_examples=60, deadline=None)
def test_it_is_that_of_the_plain_rules(seed: int) -> None:
    assert difference(case(np.random.default_rng(seed))) < 1e-9


@given(seed=seeds)
@settings(max_examples=40, deadline=None)
def test_a_video_that_counts_twice_is_a_video_that_is_there_twice(seed: int) -> None:
    one, whole, found = drawn(seed)
    chance = np.random.default_rng(seed)
    # No ties between videos: then the copies of a detection stand side by side.
    found = replace(found, score=chance.permutation(len(found)).astype(float))
    times = chance.integers(0, 3, one.videos)
    copies = np.repeat(np.arange(one.videos), times)

    def copied(columns: Segments) -> Segments:
        rows = [np.flatnonzero(columns.video == video) for video in copies]
        number = np.repeat(np.arange(len(copies)), [len(each) for each in rows])
        return replace(part(columns, np.concatenate([*rows, np.empty(0, np.int64)])), video=number)

    twice = replace(whole, videos=tuple(map(str, range(len(copies)))), truth=copied(whole.truth))
    weighted = matched(whole, found, ACTIVITYNET).by_category(times[None].astype(float))[0]
    np.testing.assert_allclose(weighted, matched(twice, copied(found), ACTIVITYNET).table, atol=1e-12)


@given(seed=seeds, rules=st.sampled_from(sorted(RULES)))
@settings(max_examples=40, deadline=None)
def test_only_the_order_of_the_scores_counts(seed: int, rules: str) -> None:
    _, whole, found = drawn(seed)
    other = replace(found, score=np.exp(found.score) - 7)
    np.testing.assert_array_equal(matched(whole, found, RULES[rules]).table, matched(whole, other, RULES[rules]).table)


@given(seed=seeds)
@settings(max_examples=40, deadline=None)
def test_the_truth_itself_is_perfect(seed: int) -> None:
    _, whole, _ = drawn(seed)
    truth = part(whole.truth, whole.truth.length_sec > 0)
    found = Detections(**vars(truth), score=np.ones(len(truth)))
    table = matched(replace(whole, truth=truth), found, ACTIVITYNET).table
    assert np.nanmin(table, initial=1) == 1
