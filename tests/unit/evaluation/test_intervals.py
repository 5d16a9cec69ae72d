"""Intervals by video hold the truth where the clips of a video resemble each other; those by clip do not."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from slac_tasks.evaluation import intervals
from slac_tasks.evaluation.intervals import Measured, Sample, difference, measured, repeated
from slac_tasks.evaluation.measures import average_precision, calibration_error, mean_class, share

TESTS, VIDEOS, CLIPS, DRAWS = 1_000, 40, 5, 200
ALIKE = 0.6
"""Part of what decides on a clip that its video decides."""
LEAST = 0.95 - 1.645 * (0.95 * 0.05 / TESTS) ** 0.5
"""So many of 1,000 intervals of exactly 95 % hold the truth in 19 of 20 such tests."""


def latent(chance: np.random.Generator) -> np.ndarray:
    """Return standard normal numbers of (tests, clips) that are correlated within a video."""
    of_video = chance.standard_normal((TESTS, VIDEOS)).repeat(CLIPS, axis=1)
    return ALIKE**0.5 * of_video + (1 - ALIKE) ** 0.5 * chance.standard_normal((TESTS, VIDEOS * CLIPS))


BY_VIDEO = Sample.of(np.arange(VIDEOS).repeat(CLIPS))
BY_CLIP = Sample.of(np.arange(VIDEOS * CLIPS))


def held(measures, truth: float, sample: Sample, judge=measured) -> float:
    """Return the share of intervals that hold the truth."""
    found = [judge(*one, sample, DRAWS) if isinstance(one, tuple) else judge(one, sample, DRAWS) for one in measures]
    return float(np.mean([one.low <= truth <= one.high for one in found]))


def compared(measures, truth: float, judge=measured) -> tuple[float, float]:
    """Return the shares of intervals that hold the truth (by video, by clip); of the latter a fifth is enough."""
    return held(measures, truth, BY_VIDEO, judge), held(measures[: TESTS // 5], truth, BY_CLIP, judge)


@pytest.mark.parametrize("accuracy", [0.5, 0.8, 0.95])
def test_accuracy(accuracy: float) -> None:
    right = latent(np.random.default_rng(1)) < ndtri(accuracy)
    video, clip = compared([share(one) for one in right], accuracy)
    print(f"accuracy {accuracy}: by video {video:.3f}, by clip {clip:.3f}")
    assert video >= LEAST
    assert clip < 0.9


def ranked(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (scores, positives) of (tests, clips): both have a part that is the video's."""
    chance = np.random.default_rng(seed)
    of_clip = latent(chance)
    return of_clip + latent(chance), of_clip > ndtri(0.65)


def test_average_precision() -> None:
    scores, positive = ranked(2)
    everything = average_precision(scores.ravel(), positive.ravel())
    truth = float(everything(np.ones((1, scores.size)))[0])
    video, clip = compared([average_precision(*one) for one in zip(scores, positive, strict=True)], truth)
    print(f"average precision {truth:.3f}: by video {video:.3f}, by clip {clip:.3f}")
    assert video >= LEAST
    assert clip < 0.92


def test_mean_class_accuracy() -> None:
    classes = np.arange(VIDEOS).repeat(CLIPS) % 4
    right = latent(np.random.default_rng(3)) < ndtri(0.7)
    video, clip = compared([mean_class(one, classes) for one in right], 0.7)
    print(f"mean class accuracy: by video {video:.3f}, by clip {clip:.3f}")
    assert video >= LEAST
    assert clip < 0.9


def test_calibration_error() -> None:
    chance = np.random.default_rng(4)
    probability = ndtr(latent(chance))
    positive = latent(chance) < ndtri(np.clip(0.75 * probability, 0, 1))
    # In each tenth of [0, 1] a quarter of the probability is too much: .125 on average.
    measures = [calibration_error(*one, bins=1) for one in zip(probability, positive, strict=True)]
    video, clip = compared(measures, 0.125)
    print(f"calibration error: by video {video:.3f}, by clip {clip:.3f}")
    assert video >= LEAST
    assert clip < 0.9


def test_difference_of_two_networks() -> None:
    chance = np.random.default_rng(5)
    hard = latent(chance)
    old, new = (0.6**0.5 * hard + 0.4**0.5 * latent(chance) < ndtri(one) for one in (0.7, 0.75))
    pairs = [(share(one), share(other)) for one, other in zip(new, old, strict=True)]
    video, clip = compared(pairs, 0.05, difference)
    print(f"difference: by video {video:.3f}, by clip {clip:.3f}")
    assert video >= LEAST
    assert clip < 0.9


def test_mean_over_seeds() -> None:
    """Each test has five networks, each better or worse than the next, judged on the same clips."""
    chance = np.random.default_rng(8)
    hard = latent(chance)
    ability = 0.4 * chance.standard_normal((5, TESTS))
    own = np.stack([0.7**0.5 * hard + 0.3**0.5 * latent(chance) for _ in range(5)])
    right = own < ability[:, :, None] + 0.3
    truth = float(right.mean())

    def shares(sample: Sample, tests: int) -> float:
        found = [repeated(right[:, one].astype(float), sample, draws=DRAWS) for one in range(tests)]
        return float(np.mean([one.low <= truth <= one.high for one in found]))

    video, clip = shares(BY_VIDEO, TESTS), shares(BY_CLIP, TESTS // 5)
    print(f"mean over seeds: by video {video:.3f}, by clip {clip:.3f}")
    assert video >= LEAST
    assert clip < 0.93


def test_one_repetition_says_nothing_of_others() -> None:
    found = repeated(np.ones((1, 6)), Sample.of(np.arange(6)), least=-1.0)
    assert (found.value, found.low, found.high) == pytest.approx((1.0, -1.0, 1.0))


def test_weights_undo_a_choice_by_score() -> None:
    """Clips of high scores were drawn five times as often: unweighted they flatter, weighted they do not."""
    chance = np.random.default_rng(6)
    clips = 20_000
    scores = chance.random(clips)
    right = chance.random(clips) < 0.4 + 0.5 * scores
    rate = np.where(scores > 0.5, 0.5, 0.1)
    drawn = chance.random(clips) < rate
    videos = np.arange(clips)[drawn] // 4
    plain = measured(share(right[drawn]), Sample.of(videos))
    weighed = measured(share(right[drawn]), Sample.of(videos, 1 / rate[drawn]))
    assert plain.low > right.mean()
    assert weighed.low <= right.mean() <= weighed.high


def test_a_sample_of_one_video_says_nothing() -> None:
    sample = Sample.of(["a"] * 9)
    assert measured(share(np.ones(9)), sample) == Measured(value=1.0, low=0.0, high=1.0, clips=9, videos=1)
    assert difference(share(np.ones(9)), share(np.zeros(9)), sample).low == -1.0
    assert measured(share(np.empty(0)), Sample.of([])).value is None


def test_where_every_clip_is_right_a_video_counts_as_one_observation() -> None:
    found = measured(share(np.ones(60)), Sample.of(np.arange(60) // 6))
    assert found.high == found.value == 1.0
    assert 0.6 < found.low < 0.75  # ten of ten
    few = difference(share(np.ones(6)), share(np.zeros(6)), Sample.of(np.arange(6) // 2))
    assert few.low < 0 < few.value == 1.0


def width(found: Measured) -> float:
    return found.high - found.low


def test_an_interval_is_no_wider_than_the_clips_of_a_video_are_alike() -> None:
    videos = np.arange(500) // 5
    apart = np.random.default_rng(9).random(500) < 0.7
    one_by_one = width(measured(share(apart), Sample.of(np.arange(500))))
    assert width(measured(share(apart), Sample.of(videos))) == pytest.approx(one_by_one, rel=0.2)
    alike = apart[:100].repeat(5)
    of_videos = width(measured(share(apart[:100]), Sample.of(np.arange(100))))
    assert width(measured(share(alike), Sample.of(videos))) == pytest.approx(of_videos, rel=0.2)


def test_how_much_is_held_at_once_changes_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    right, sample = np.random.default_rng(10).random(60) < 0.6, Sample.of(np.arange(60) // 3)
    whole = measured(share(right), sample)
    for cells in (1, 60, 7 * 60):
        monkeypatch.setattr(intervals, "_CELLS", cells)
        assert measured(share(right), sample) == whole


def test_the_same_seed_gives_the_same_interval() -> None:
    right = np.random.default_rng(7).random(100) < 0.6
    first, again = (measured(share(right), Sample.of(np.arange(100) // 5, seed=3)) for _ in range(2))
    assert first == again


def test_a_weight_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="want numbers above 0"):
        Sample.of(["a", "b"], [1.0, 0.0])
