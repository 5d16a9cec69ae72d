import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.mining.one_more_vote import MOST, Answers, next_answers, unsure
from slac_tasks.mining.pool import Pool, make_pool
from slac_tasks.mining.settings import Mining


def answers(*pairs: tuple[int, int]) -> Answers:
    return Answers(yes=np.array([yes for yes, _ in pairs]), no=np.array([no for _, no in pairs]))


def pool(scores: list[float], *, apart_sec: float = 10.0) -> Pool:
    starts = np.arange(len(scores)) * apart_sec
    shots = np.zeros(len(scores), dtype=np.int64)
    return make_pool(pa.array(["v"] * len(scores)), starts, shots, np.array(scores)[:, None], seed="s")


def test_a_contested_clip_is_less_sure_than_one_on_which_people_agree() -> None:
    said = answers((1, 1), (2, 0), (1, 0), (3, 0))
    contested, settled, single, thrice = unsure(np.array([0.7] * 4), said)
    assert contested > single > settled > thrice


def test_people_against_the_model_are_less_sure_than_with_it() -> None:
    # Enough clips on which the model is right, so that its word counts.
    joint = np.array([0.9, 0.1] + [0.9, 0.1] * 10)
    said = answers((1, 0), (1, 0), *[(2, 0), (0, 2)] * 10)
    found = unsure(joint, said)
    assert found[1] > found[0] + 0.1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=30))
def test_unsureness_is_between_0_and_1_and_treats_yes_and_no_alike(case: list[tuple[int, int, float]]) -> None:
    yes, no, joint = (np.array(column) for column in zip(*case, strict=True))
    found = unsure(joint, Answers(yes=yes, no=no))
    assert ((found >= 0) & (found <= 1)).all()
    if (joint != 0.5).all():
        assert unsure(1 - joint, Answers(yes=no, no=yes)) == pytest.approx(found)


def test_the_next_answers_mix_new_clips_and_old_ones() -> None:
    made = pool([0.99, 0.5, 0.6, 0.98])
    said = answers((1, 1), (0, 0), (3, 2), (0, 0))
    found = next_answers(made, said, 4, knobs=Mining())
    assert {(answer.index, answer.again) for answer in found} == {(0, True), (1, False), (3, False)}
    assert [answer.worth for answer in found] == sorted((answer.worth for answer in found), reverse=True)
    assert said.total[2] == MOST, "asked often enough"


def test_a_new_clip_keeps_its_distance_from_old_ones() -> None:
    found = next_answers(pool([0.5, 0.5], apart_sec=1.0), answers((1, 0), (0, 0)), 2, knobs=Mining(min_gap_sec=2.0))
    assert [(answer.index, answer.again) for answer in found] == [(0, True)]
