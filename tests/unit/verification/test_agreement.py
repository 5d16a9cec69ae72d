"""Hand-computed values, and public libraries on random tables."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from crowds import ballots_of, crowd

from slac_tasks.verification.agreement import Alpha, agreements, alpha, kappa
from slac_tasks.verification.ballots import NO


def test_by_hand() -> None:
    # 50 clips: 35 the same, by chance 25. (35 - 25) / (50 - 25)
    assert kappa(np.array([[[20.0, 5.0], [10.0, 15.0]]])) == pytest.approx([0.4])
    # yes yes, no no, yes no: 2 of 6 pairs differ, 18 of 36 - 6 expected: 1 - 5 * 2 / 18
    assert alpha(np.array([[2, 0], [0, 2], [1, 1]]), np.arange(3)).value == pytest.approx(4 / 9)
    assert alpha(np.array([[2, 0], [0, 2], [1, 0]]), np.arange(3)).value == 1
    assert alpha(np.array([[2, 0], [3, 0]]), np.arange(2)) == Alpha(value=None)
    assert np.isnan(kappa(np.array([[[4.0, 0.0], [0.0, 0.0]]]))).all()


@pytest.mark.parametrize("seed", range(4))
def test_equal_to_public_libraries(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from crowdkit.metrics.data import alpha_krippendorff
        from sklearn.metrics import cohen_kappa_score

        rates = np.linspace(0.55, 0.95, 5)
        ballots, _ = crowd(seed, 400, rates, rates[::-1], each=2 + seed % 3)
        found = agreements(ballots)
        assert [row.category for row in found] == ["c0", "c1"]
        votes = pd.DataFrame({"task": ballots.clip, "worker": ballots.person, "label": ballots.answer})
        for index, row in enumerate(found):
            own = votes[ballots.category[ballots.clip] == index]
            assert row.krippendorff == pytest.approx(alpha_krippendorff(own))
            wide = own.pivot(index="task", columns="worker", values="label")
            pairs = [
                wide[[one, two]].dropna() for one in wide for two in wide if one < two
            ]  # fmt: skip
            pairs = [pair for pair in pairs if len(pair) >= 10]
            kappas = [cohen_kappa_score(pair.iloc[:, 0], pair.iloc[:, 1], labels=[0, 1]) for pair in pairs]
            assert row.cohen == pytest.approx(np.average(kappas, weights=[len(pair) for pair in pairs]))
            assert (row.pairs, row.clips) == (len(pairs), 200)


def test_clips_that_were_to_be_asked_once_say_nothing_of_agreement() -> None:
    ballots, _ = crowd(7, 400, np.full(5, 0.9), np.full(5, 0.9), each=2)
    asked = np.random.default_rng(1).random(ballots.clips) < 0.5
    planned = replace(ballots, wanted=np.where(asked, 2, 1), lead=np.zeros(ballots.clips, dtype=np.int64))
    votes = asked[ballots.clip]
    # The second answer to a doubted clip differs from the first.
    turned = replace(planned, answer=np.where(votes, ballots.answer, np.arange(len(votes)) % 2))
    for row, fair, doubted in zip(
        agreements(planned), agreements(ballots.without(frozenset())), agreements(turned), strict=True
    ):
        assert row == doubted
        assert row.clips < fair.clips
        assert row.krippendorff is not None
        assert row.krippendorff > 0.5


def test_unsure_and_broken_are_no_values() -> None:
    rows = [("a", "ann", "yes"), ("a", "bob", "unsure"), ("b", "ann", "no"), ("b", "bob", "no"), ("b", "cid", "broken")]
    ballots = ballots_of(rows)
    assert NO == 1
    (row,) = agreements(ballots)
    assert (row.clips, row.krippendorff, row.cohen, row.pairs) == (1, None, None, 0)


def test_full_agreement_of_few_videos_is_not_certain() -> None:
    said = np.array([[2, 0], [0, 2]] * 5)
    few, many = alpha(said, np.arange(10)), alpha(np.tile(said, (10, 1)), np.arange(100))
    assert few.value == few.high == many.value == many.high == 1
    assert few.low is not None
    assert many.low is not None
    assert 0.1 < few.low < 0.5 < 0.9 < many.low < 0.95
    assert alpha(said, np.arange(10) // 2).low < few.low, "two clips of a video count as one"


def test_the_interval_is_unknown_where_one_video_holds_all_answers_of_a_value() -> None:
    said = np.array([[2, 0], [2, 0], [1, 1], [0, 2]])
    assert alpha(said, np.array([0, 1, 2, 2])).low is None
    assert alpha(said, np.zeros(4, dtype=np.int64)).low is None
    assert alpha(said, np.arange(4)).low is not None


@pytest.mark.parametrize(("videos", "each", "error"), [(12, 4, 0.1), (30, 4, 0.02), (100, 5, 0.05)])
def test_the_interval_holds_the_truth_where_clips_of_a_video_are_alike(videos: int, each: int, error: float) -> None:
    chance = np.random.default_rng(videos)

    def campaign(count: int) -> tuple[np.ndarray, np.ndarray]:
        video = np.repeat(np.arange(count), each)
        truth = chance.random(count * each) < chance.beta(0.6, 1.4, count)[video]
        wrong = np.minimum(0.5, chance.beta(2 * error, 2 * (1 - error), count))[video]
        yes = (truth[:, None] ^ (chance.random((len(video), 2)) < wrong[:, None])).sum(axis=1)
        return np.stack([yes, 2 - yes], axis=1), video

    truth = alpha(*campaign(50_000)).value
    found = [alpha(*campaign(videos)) for _ in range(400)]
    held = [one.low <= truth <= one.high for one in found if one.low is not None]
    assert len(held) > 390
    # 400 campaigns: three standard deviations below 95 % are 91.7 %
    assert np.mean(held) >= 0.917
