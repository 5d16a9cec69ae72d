import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.world.figure import PROFILES, Action, profile


@given(st.sampled_from(sorted(PROFILES)), st.floats(-50, 50))
def test_profile_stays_in_range(name: str, turns: float) -> None:
    assert -1 - 1e-9 <= profile(name, turns) <= 1 + 1e-9


@pytest.mark.parametrize("name", PROFILES)
def test_profile_spends_equal_time_everywhere(name: str) -> None:
    values = [profile(name, turns) for turns in np.linspace(0, 1, 4000, endpoint=False)]
    share = np.histogram(values, bins=10, range=(-1, 1))[0] / len(values)
    assert share == pytest.approx(np.full(10, 0.1), abs=0.005)


def test_names_are_categories() -> None:
    assert Action(joints=("left_arm",), profile="fast_swing").key == "fast_left_arm_swing"
    assert Action(joints=("left_arm", "right_arm"), profile="lift").name == "Left arm and right arm lift"


def test_unknown_joint_is_refused() -> None:
    with pytest.raises(ValueError, match="tail"):
        Action(joints=("tail",), profile="lift")
