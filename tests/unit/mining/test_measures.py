import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.errors import WrongArguments
from slac_tasks.mining.measures import coherence, consensus, disagreement, entropy, measured, spread, vote_entropy


def test_disagreement_is_zero_where_members_say_the_same_and_one_bit_where_they_are_opposites() -> None:
    scores = np.array([[0.5, 0.5], [0.9, 0.9], [0.0, 1.0], [0.2, 0.8]])
    found = disagreement(scores)
    assert found[:2] == pytest.approx([0, 0])
    assert found[2] == pytest.approx(1)
    # entropy of the mean 0.5 is 1 bit; of 0.2 and 0.8 each 0.7219 bit
    assert found[3] == pytest.approx(1 - 0.7219, abs=1e-4)
    alike = np.random.default_rng(0).random((1000, 1)).repeat(3, axis=1)
    assert disagreement(alike).min() == 0, "no rounding makes it negative"


def test_vote_entropy_counts_votes_and_not_how_sure_they_are() -> None:
    found = vote_entropy(np.array([[0.49, 0.5], [0.0, 1.0], [0.6, 0.9], [0.1, 0.2]]))
    assert found.tolist() == [1.0, 1.0, 0.0, 0.0]


def test_spread_is_the_distance_of_the_outermost_scores() -> None:
    assert spread(np.array([[0.1, 0.5, 0.9], [0.3, 0.3, 0.3]])) == pytest.approx([0.8, 0.0])


def test_entropy_of_one_model_is_highest_at_one_half() -> None:
    assert entropy(np.array([0.5, 0.0, 1.0])) == pytest.approx([1.0, 0.0, 0.0], abs=1e-9)


def test_consensus_is_the_mean_of_log_odds_so_one_objection_counts() -> None:
    found = consensus(np.array([[0.9, 0.9], [0.9, 0.5], [0.9, 0.1], [0.0, 1.0]]))
    # odds 9 and 1: sqrt(9) = 3, so 3 / 4
    assert found == pytest.approx([0.9, 0.75, 0.5, 0.5])


def held(joint: list[float], *, video: list[int], shot: list[int], start: list[float]) -> list[float | None]:
    found = coherence(
        np.array(joint), video=np.array(video), shot=np.array(shot), reach_ms=1000,
        start_ms=np.array([round(1000 * second) for second in start]),
    )  # fmt: skip
    return [None if np.isnan(value) else round(float(value), 3) for value in found]


def test_an_action_holds_where_its_neighbours_in_the_shot_show_it_too() -> None:
    # A flicker among low scores; the low clips beside it have nothing that breaks off.
    assert held([0.1, 0.8, 0.1], video=[0] * 3, shot=[0] * 3, start=[0, 0.5, 1.0]) == [1.0, 0.125, 1.0]
    assert held([0.8, 0.8, 0.8], video=[0] * 3, shot=[0] * 3, start=[0, 0.5, 1.0]) == [1.0, 1.0, 1.0]


def test_neighbours_are_in_the_same_shot_and_near() -> None:
    assert held([0.8, 0.1], video=[0, 0], shot=[0, 1], start=[0, 0.5]) == [None, None]
    assert held([0.8, 0.1], video=[0, 1], shot=[0, 0], start=[0, 0.5]) == [None, None]
    assert held([0.8, 0.1], video=[0, 0], shot=[0, 0], start=[0, 1.5]) == [None, None]
    # The cut between the first two does not hide the third from the first.
    assert held([0.8, 0.1, 0.4], video=[0] * 3, shot=[0, 1, 0], start=[0, 0.5, 1.0]) == [0.5, None, 1.0]


@settings(max_examples=50)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_every_measure_is_between_0_and_1_and_does_not_depend_on_the_order_of_members(members: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.random((20, members)).round(1)
    at = {"video": np.repeat([0, 1], 10), "shot": np.zeros(20, int), "start_ms": np.tile(np.arange(10) * 500, 2)}
    found = measured(scores, member=0, **at)
    turned = measured(scores[:, ::-1], member=members - 1, **at)
    for name in found.__dataclass_fields__:
        values = getattr(found, name)
        assert ((values >= 0) & (values <= 1)).all(), name
        assert getattr(turned, name) == pytest.approx(values, abs=1e-9), name


def test_a_member_that_is_not_there_cannot_be_asked() -> None:
    one = np.zeros(1, int)
    with pytest.raises(WrongArguments, match="member 2 of 2"):
        measured(np.array([[0.1, 0.2]]), member=2, video=one, shot=one, start_ms=one)
