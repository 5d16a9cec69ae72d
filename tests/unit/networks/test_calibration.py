import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.networks.calibration import Calibration

logits = st.lists(st.floats(-25, 25), min_size=1, max_size=30)


def test_without_an_answer_a_logit_stays_as_the_network_gives_it():
    found = Calibration.learned(np.empty(0), np.empty(0, bool))
    assert (found.slope, found.offset, found.answers) == (1.0, 0.0, 0)


def test_many_answers_give_the_slope_and_the_offset_back():
    chance = np.random.default_rng(0)
    seen = chance.normal(0, 8, 4000)
    shows = chance.random(4000) < 1 / (1 + np.exp(-(0.3 * seen - 2)))
    found = Calibration.learned(seen, shows)
    assert (found.slope, found.offset) == (pytest.approx(0.3, abs=0.03), pytest.approx(-2, abs=0.15))
    assert found.answers == 4000


@given(seen=logits, bits=st.integers(0))
def test_no_answers_turn_an_order_round_or_end_in_what_is_no_number(seen, bits):
    found = Calibration.learned(np.array(seen), np.array([bool(bits >> place & 1) for place in range(len(seen))]))
    assert found.slope > 0
    assert np.isfinite([found.slope, found.offset]).all()


@given(seen=logits, slope=st.floats(0.05, 1), offset=st.floats(-4, 4))
def test_a_calibration_can_be_undone(seen, slope, offset):
    known = Calibration(slope=slope, offset=offset)
    scores = 1 / (1 + np.exp(-(slope * np.array(seen) + offset)))
    assert known.undone(scores) == pytest.approx(seen, abs=0.01)


def test_a_score_at_the_end_of_the_scale_is_a_large_logit():
    assert Calibration().undone(np.array([0.0, 1.0])).tolist() == [-30.0, 30.0]
