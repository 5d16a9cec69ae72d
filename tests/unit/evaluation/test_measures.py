"""Every measure equals scikit-learn's on random tables, with ties, with weights and with classes that nothing shows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.calibration import calibration_curve

from slac_tasks.evaluation.measures import (
    average_precision,
    brier,
    by_video,
    calibration_error,
    confusion,
    mean_class,
    mean_of,
    reliability,
    share,
    top_k,
)

EXACT = {"rel": 1e-12, "abs": 1e-12}


def value(measure, count: int, weights=None) -> float:
    return float(measure((np.ones(count) if weights is None else weights)[None])[0])


@st.composite
def rankings(draw):
    """Scores with many ties, answers of both kinds, and weights."""
    count = draw(st.integers(2, 60))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    scores = chance.integers(0, draw(st.integers(1, 30)), count) / 30
    positive = chance.random(count) < 0.4
    positive[0] = True
    return scores, positive, chance.uniform(0.1, 9.0, count)


@given(rankings())
def test_average_precision_is_that_of_scikit_learn(ranking) -> None:
    scores, positive, weights = ranking
    measure = average_precision(scores, positive)
    assert value(measure, len(scores)) == pytest.approx(metrics.average_precision_score(positive, scores), **EXACT)
    wanted = metrics.average_precision_score(positive, scores, sample_weight=weights)
    assert value(measure, len(scores), weights) == pytest.approx(wanted, **EXACT)


@given(rankings())
def test_calibration_is_that_of_scikit_learn(ranking) -> None:
    probability, positive, weights = ranking
    shares, means = calibration_curve(positive, probability, n_bins=10)
    found = reliability(probability, positive)
    assert [one.share for one in found] == pytest.approx(shares.tolist(), **EXACT)
    assert [one.probability for one in found] == pytest.approx(means.tolist(), **EXACT)
    clips = np.array([one.clips for one in found])
    error = float((abs(shares - means) * clips).sum() / len(positive))
    assert value(calibration_error(probability, positive), len(positive)) == pytest.approx(error, **EXACT)
    wanted = metrics.brier_score_loss(positive, probability, sample_weight=weights)
    assert value(brier(probability, positive), len(positive), weights) == pytest.approx(wanted, **EXACT)


@given(st.integers(0, 2**32), st.integers(3, 8), st.integers(1, 40))
def test_top_k_mean_class_and_confusion_are_those_of_scikit_learn(seed: int, classes: int, count: int) -> None:
    chance = np.random.default_rng(seed)
    scores = chance.integers(0, 4, (count, classes)) / 4
    truth = chance.integers(0, classes - 1, count)  # no clip shows the last class
    weights = chance.uniform(0.1, 9.0, count)
    for k in (1, 2):
        right = top_k(scores, truth, k)
        wanted = metrics.top_k_accuracy_score(truth, scores, k=k, labels=range(classes), sample_weight=weights)
        assert value(share(right), count, weights) == pytest.approx(wanted, **EXACT)
    guesses = np.argsort(scores, axis=1, kind="stable")[:, -1]
    table = metrics.confusion_matrix(truth, guesses, labels=range(classes))
    assert confusion(guesses, truth, classes).tolist() == table.tolist()
    recall = metrics.recall_score(truth, guesses, labels=np.unique(truth), average="macro")
    assert value(mean_class(guesses == truth, truth), count) == pytest.approx(recall, **EXACT)


def test_a_category_that_no_clip_shows_is_unknown_and_left_out_of_the_mean() -> None:
    empty = average_precision(np.array([0.9, 0.1]), np.array([False, False]))
    full = average_precision(np.array([0.9, 0.1]), np.array([False, True]))
    assert np.isnan(value(empty, 2))
    both = mean_of([(empty, np.array([0, 1])), (full, np.array([2, 3]))])
    assert value(both, 4) == 0.5
    assert np.isnan(value(mean_of([]), 4))
    assert np.isnan(value(average_precision(np.empty(0), np.empty(0, bool)), 0))


def test_a_video_is_judged_by_the_mean_of_its_clips() -> None:
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.0, 1.0]])
    assert by_video(scores, np.array([0, 0, 0, 1])).tolist() == [pytest.approx([0.5, 0.5]), [0.0, 1.0]]
