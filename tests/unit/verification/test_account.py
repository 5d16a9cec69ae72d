"""What each strategy bought, on clips that are made up."""

import numpy as np
import pyarrow as pa
import pytest

from slac_tasks.verification import account as accounts
from slac_tasks.verification import peoples_model
from slac_tasks.verification.account import account, seconds_of
from slac_tasks.verification.ballots import Floats
from slac_tasks.verification.carrying import Clips
from slac_tasks.verification.control import Answers
from slac_tasks.verification.peoples_model import Taught

VIDEOS, PER_VIDEO = 60, 6


def asked(strategy: np.ndarray, own: Floats) -> Answers:
    """Return answers, one to each clip that has a strategy."""
    yes, no = (own > 0).astype(int), (own < 0).astype(int)
    none = np.zeros(len(own), dtype=int)
    return Answers(
        yes=yes,
        no=no,
        given=yes + no,
        first=np.stack([yes - no, none, none], axis=1),
        strategy=strategy,
        wanted=yes + no,
        lead=none,
        audit_share=np.full(len(own), np.nan),
    )


def made_up(seed: int, *, wrong: str | None = None, shares: dict[str, float]) -> tuple[Clips, Floats, Answers]:
    """Return clips whose features show their truth, answered by strategies; the answers of one are drawn by lot."""
    chance = np.random.default_rng(seed)
    count = VIDEOS * PER_VIDEO
    truth = chance.random(count) < 0.4
    features = chance.normal(size=(count, 8)).astype(np.float32) + truth[:, None] * np.float32(0.5)
    names = [*shares, None]
    place = chance.choice(len(names), size=count, p=[*shares.values(), 1 - sum(shares.values())])
    strategy = np.array(names, dtype=object)[place]
    said = np.where(strategy == wrong, chance.random(count) < 0.5, truth) if wrong else truth
    clips = Clips(
        video=np.repeat(np.arange(VIDEOS), PER_VIDEO), shot=np.zeros(count, dtype=int),
        start_ms=np.tile(np.arange(PER_VIDEO) * 3000, VIDEOS), features=features,
        committee=chance.normal(size=count),
    )  # fmt: skip
    own = np.where([one is None for one in strategy], 0.0, np.where(said, 2.5, -2.5))
    return clips, own, asked(strategy, own)


def worth_of(clips: Clips, own: Floats, answers: Answers, seconds: Floats | None = None) -> dict[str, float]:
    spent = np.where(own != 0, 4.0, 0.0) if seconds is None else seconds
    everything = np.ones(len(clips), dtype=bool)
    found = account("judo", clips, own, answers, spent, reach_sec=0.0, teaches=everything)
    return {row.strategy: row.worth for row in found if row.worth is not None}


def test_a_strategy_whose_answers_teach_nothing_is_worth_less() -> None:
    shares = {"random": 0.3, "coverage": 0.3, "disagreement": 0.3}
    for seed in range(5):
        worth = worth_of(*made_up(seed, wrong="disagreement", shares=shares))
        assert worth["disagreement"] < 0 < worth["coverage"]


def test_strategies_that_choose_alike_are_worth_the_same_whatever_their_share() -> None:
    shares = {"random": 0.1, "coverage": 0.7, "disagreement": 0.1}
    found = [worth_of(*made_up(seed, shares=shares)) for seed in range(40)]
    for strategy in shares:
        each = np.array([worth[strategy] for worth in found])
        assert abs(each.mean()) < 3 * each.std() / len(each) ** 0.5


def test_what_takes_twice_the_time_is_worth_less() -> None:
    clips, own, answers = made_up(0, shares={"random": 0.3, "coverage": 0.3, "disagreement": 0.3})
    even = worth_of(clips, own, answers)
    slow = np.where(own != 0, np.where(answers.strategy == "coverage", 8.0, 4.0), 0.0)
    assert even["coverage"] > worth_of(clips, own, answers, slow)["coverage"]


def test_the_gain_of_an_answer_is_what_training_with_it_changes() -> None:
    clips, own, answers = made_up(3, shares={"random": 0.5, "coverage": 0.3})
    everything = np.ones(len(clips), dtype=bool)
    judged = accounts._judged(clips, own, answers, np.where(own != 0, 4.0, 0.0), ["random", "coverage"], everything)
    assert judged is not None
    fold = peoples_model.folds_of(judged.video, judged.taught)
    for held_out, (gain, of) in enumerate(accounts._gains(judged)):
        learns = fold != held_out
        for row, expected in list(zip(of, gain, strict=True))[:3]:
            judges = judged.control & (fold == held_out) & (judged.video != judged.video[row])
            losses = []
            for extra in (-0.02, 0.02):
                # The answer joins with a small weight; the others together keep theirs.
                weight = np.where(learns, judged.taught.weight, 0.0)
                weight[row] = extra * judged.taught.weight[row]
                taught = Taught(row=judged.taught.row, positive=judged.taught.positive, weight=weight)
                line = _fitted(judged.inputs, taught, total=float(judged.taught.weight[learns].sum()))
                sign = np.where(judged.taught.positive, 1, -1)
                losses.append(float(np.logaddexp(0, -sign * (judged.inputs @ line)) @ judges / judges.sum()))
            slope = (losses[0] - losses[1]) / 0.04
            # A whole answer beside all others, where the model had but four fifths of them.
            scale = judged.taught.weight[learns].sum() / judged.taught.weight.sum()
            assert expected == pytest.approx(slope * scale, rel=0.05, abs=1e-6)


def _fitted(inputs: np.ndarray, taught: Taught, *, total: float) -> np.ndarray:
    """Return the weights of least loss by Newton's steps, the sum of the losses divided by `total`."""
    curvature = peoples_model.penalties(inputs.shape[1], accounts._PENALTY)
    weights = np.zeros(inputs.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (taught.weight * (chance - taught.positive)) / total + curvature * weights
        curve = (inputs * (taught.weight * chance * (1 - chance))[:, None]).T @ inputs / total + np.diag(curvature)
        weights -= np.linalg.solve(curve, slope)
    return weights


def test_labels_carried_ones_and_errors_are_counted_by_strategy() -> None:
    # Video 0: yes by coverage, with two neighbours within a second. Video 1: no by random, with one.
    clips = Clips(
        video=np.array([0, 0, 0, 0, 1, 1]), shot=np.zeros(6, dtype=int),
        start_ms=np.array([0, 1000, 2000, 9000, 0, 500]), features=np.empty((6, 0), np.float32),
        committee=np.array([1.0, -1.0, 1.0, 1.0, 1.0, 1.0]),
    )  # fmt: skip
    strategy = np.array([None, "coverage", None, None, "random", None], dtype=object)
    own = np.array([0.0, 2.0, 0.0, 0.0, -2.0, 0.0])
    seconds = np.array([0.0, 5.0, 0.0, 0.0, 12.0, 0.0])
    teaches = np.ones(6, dtype=bool)
    found = account("judo", clips, own, asked(strategy, own), seconds, reach_sec=1.0, teaches=teaches)
    counts = [(row.strategy, row.seconds, row.labels, row.carried, row.errors) for row in found]
    assert counts == [("coverage", 5.0, 1, 2, 1), ("random", 12.0, 1, 1, 1)]
    # One control clip, and none in another video of its fifth: nothing is known of anybody's worth.
    assert all(row.worth is None and row.worth_error is None and row.control == 1 for row in found)


def test_seconds_are_added_up_by_clip_and_nobody_is_asked_for_more_than_a_minute() -> None:
    votes = pa.table({"clip_id": ["a", "b", "a", "gone"], "seconds": [4.0, 3600.0, 2.0, 9.0]})
    assert seconds_of(votes, pa.chunked_array([["a", "c", "b"]])).tolist() == [6.0, 0.0, 60.0]
    assert seconds_of(votes.slice(0, 0), pa.chunked_array([["a"]])).tolist() == [0.0]


def test_without_answers_nobody_bought_anything() -> None:
    clips, own, _ = made_up(0, shares={"random": 0.3})
    nobody = np.full(len(own), None, dtype=object)
    nothing = np.zeros(len(own))
    assert account("judo", clips, nothing, asked(nobody, nothing), nothing, reach_sec=1.0, teaches=own != 0) == []
