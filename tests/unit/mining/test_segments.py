"""Sets of clips inside segments: which segments, which clips, and never one twice."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from slac_tasks.mining.choice import choose
from slac_tasks.mining.measures import disagreement
from slac_tasks.mining.pool import Pool, make_pool
from slac_tasks.mining.segments import Stretches, available, clip_sets, worth
from slac_tasks.mining.settings import Mining
from slac_tasks.model import Strategy

STEPS = 41
"""Clips of a video: every half second up to the twentieth."""


def pool(**scores: tuple[float, float]) -> Pool:
    """Return videos of 22 s, all clips of which have these scores of two members."""
    videos = [video for video in scores for _ in range(STEPS)]
    starts = np.tile(np.arange(STEPS) * 0.5, len(scores))
    table = np.repeat(np.array(list(scores.values())), STEPS, axis=0)
    return make_pool(pa.array(videos), starts, np.zeros(len(videos), np.int64), table, seed="s")


def stretches(*rows: tuple[str, float, float, float]) -> Stretches:
    video, start, end, score = zip(*rows, strict=True)
    return Stretches(
        video_id=video, start_sec=np.array(start), end_sec=np.array(end), score=np.array(score), set_least=4, set_most=6
    )  # fmt: skip


def every(made: Pool) -> np.ndarray:
    return np.ones(len(made), dtype=bool)


def starts(made: Pool, rows: np.ndarray) -> list[float]:
    return (made.start_ms[rows] / 1000).tolist()


def test_a_segment_is_worth_its_score_times_how_far_the_members_are_apart() -> None:
    made = pool(a=(0.1, 0.9), b=(0.9, 0.9))
    found = stretches(("a", 4, 10, 0.8), ("b", 4, 10, 0.9), ("a", 4, 10, 0.2), ("a", 4, 5.4, 0.9), ("x", 4, 10, 0.9))
    apart = disagreement(np.array([[0.1, 0.9]]))[0]
    # Agreement, doubt of the localizer, too few clips, and an unknown video are worth nothing.
    assert worth(made, found) == pytest.approx([0.8 * apart, 0, 0, 0, 0])
    assert available(made, found) == 6
    # As sure as it must be, and as many clips as a set must have; one that begins with its video.
    least = stretches(("a", 4, 10, 0.3), ("a", 4, 10, 0.29), ("a", 4, 6, 0.9), ("b", 0, 6, 0.9), ("a", 0, 6, 0.9))
    assert worth(made, least) == pytest.approx([0.3 * apart, 0, 0.9 * apart, 0, 0.9 * apart])


def test_members_that_take_turns_in_being_wrong_agree_on_the_segment() -> None:
    table = np.tile(np.array([[0.1, 0.9], [0.9, 0.1]]), (20, 1))
    made = make_pool(pa.array(["a"] * 40), np.arange(40) * 0.5, np.zeros(40, np.int64), table, seed="s")
    assert worth(made, stretches(("a", 4, 12, 0.9))) == pytest.approx([0], abs=1e-9)


def test_clips_lie_with_their_middle_inside_a_second_apart_and_over_the_whole_of_it() -> None:
    made = pool(a=(0.1, 0.9))
    (short,) = clip_sets(made, stretches(("a", 4, 8.5, 0.9)), every(made), 12)
    assert starts(made, short.rows) == [3, 4, 5, 6, 7]
    (long,) = clip_sets(made, stretches(("a", 1, 20, 0.9)), every(made), 12)
    assert starts(made, long.rows) == [0, 4, 7, 11, 14, 18]


def test_the_best_comes_first_and_overlapping_segments_share_no_clip() -> None:
    made = pool(a=(0.1, 0.9), b=(0.4, 0.6))
    found = stretches(("b", 0, 8, 0.9), ("a", 0, 6, 0.8), ("a", 1, 12, 0.7))
    sets = list(clip_sets(made, found, every(made), 100))
    assert [one.value for one in sets] == sorted((one.value for one in sets), reverse=True)
    assert [len(one.rows) for one in sets] == [5, 6, 6]
    assert max(Counter(row for one in sets for row in one.rows.tolist()).values()) == 1
    untouched = every(made)
    list(clip_sets(made, found, untouched, 100))
    assert untouched.all(), "what others may choose is theirs to say"
    # A budget of nine holds the first set and four clips of the second; of eight the first alone.
    assert [len(one.rows) for one in clip_sets(made, found, every(made), 9)] == [5, 4]
    assert [len(one.rows) for one in clip_sets(made, found, every(made), 8)] == [5]


def test_a_round_asks_a_segment_as_one_set_beside_its_control_and_the_rest_goes_to_others() -> None:
    made = pool(a=(0.1, 0.9), b=(0.9, 0.9), c=(0.2, 0.3))
    wanted = {Strategy.RANDOM: 4, Strategy.SEGMENT: 12, Strategy.DISAGREEMENT: 2}
    found = stretches(("a", 2, 8, 0.9), ("b", 2, 9, 0.9))
    chosen = choose(made, wanted, knobs=Mining(clips_per_video=3), stretches=found)
    own = [one for one in chosen if one.strategy is Strategy.SEGMENT]
    assert {one.of_segment for one in own} == {0}
    drawn = [one.index for one in chosen if one.strategy is Strategy.RANDOM]
    assert drawn == [one.index for one in choose(made, {Strategy.RANDOM: 4}, knobs=Mining())]
    begins = sorted(made.start_ms[one.index] for one in own)
    assert len(begins) >= 4
    assert all(later - before >= 1000 for before, later in pairwise(begins))
    counts = Counter(one.strategy for one in chosen)
    # Videos b and c have three clips each at most; a has had more.
    assert counts[Strategy.DISAGREEMENT] == 6
    assert len({one.index for one in chosen}) == len(chosen)
