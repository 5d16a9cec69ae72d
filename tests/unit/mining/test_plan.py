import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.errors import WrongArguments
from slac_tasks.mining.plan import RoundPlan, plan_round
from slac_tasks.mining.settings import Mining
from slac_tasks.model import Strategy


def test_minutes_buy_clips_at_the_pace_of_people() -> None:
    knobs = Mining(
        minutes_per_round=10,
        clips_per_round=1000,
        disagreement=0.6,
        consensus=0.3,
        coverage=0.0,
        unsure_coverage=0.0,
        companions=0.0,
    )
    plan = plan_round(knobs, seconds_per_clip=6)
    assert {name: count for name, count in plan.clips.items() if count or name is Strategy.ENTROPY} == {
        Strategy.RANDOM: 10, Strategy.DISAGREEMENT: 60, Strategy.CONSENSUS: 30, Strategy.ENTROPY: 0
    }  # fmt: skip
    assert plan.minutes == pytest.approx(10)
    assert str(plan) == "10 random, 60 disagreement, 30 consensus: 10.0 minutes at 6.0 s a clip"


@given(
    st.integers(1, 400), st.floats(0.1, 200), st.floats(0.5, 60), st.floats(0, 0.95), st.floats(0, 1), st.floats(0, 1)
)
def test_a_round_never_costs_more_than_its_minutes_and_always_has_its_control(
    clips: int, minutes: float, seconds: float, sum_of_others: float, first: float, second: float
) -> None:
    knobs = Mining(
        minutes_per_round=minutes, clips_per_round=clips, disagreement=sum_of_others * first,
        consensus=sum_of_others * (1 - first) * second, entropy=sum_of_others * (1 - first) * (1 - second),
        coverage=0.0, unsure_coverage=0.0, companions=0.0,
    )  # fmt: skip
    plan = plan_round(knobs, seconds_per_clip=seconds)
    total = sum(plan.clips.values())
    assert total == min(clips, int(minutes * 60 / seconds + 1e-9))
    assert min(plan.clips.values()) >= 0
    assert plan.clips[Strategy.RANDOM] >= 0.05 * total - 1e-6


def test_a_round_without_a_control_is_refused() -> None:
    with pytest.raises(WrongArguments, match=r"mining\.disagreement: is 0\.4, .* 0\.05 stay for the random control"):
        Mining(disagreement=0.4)
    with pytest.raises(WrongArguments, match="0 s of people's time"):
        plan_round(Mining(), seconds_per_clip=0)


@given(
    counts=st.dictionaries(st.sampled_from(list(Strategy)), st.integers(0, 200)), doubted=st.integers(0, 500),
    share=st.floats(0, 1),
)  # fmt: skip
def test_doubted_labels_take_from_what_is_chosen_and_never_from_what_is_drawn(
    counts: dict[Strategy, int], doubted: int, share: float
) -> None:
    before = {**counts, Strategy.CONTRADICTION: 0}
    plan = RoundPlan(clips=before, seconds_per_clip=4.0)
    found = plan.asking_first(Strategy.CONTRADICTION, doubted, share).clips
    assert sum(found.values()) == sum(before.values())
    assert all(found.get(name) == before.get(name) for name in (Strategy.RANDOM, Strategy.COMPANION))
    assert 0 <= found[Strategy.CONTRADICTION] <= doubted
    assert min(found.values()) >= 0


def test_a_share_is_not_one_clip_less_for_want_of_exact_floats() -> None:
    assert 100 * 0.29 < 29
    plan = RoundPlan(clips={Strategy.DISAGREEMENT: 100}, seconds_per_clip=4.0)
    assert plan.asking_first(Strategy.SEGMENT, 50, 0.29).clips == {Strategy.DISAGREEMENT: 71, Strategy.SEGMENT: 29}


def test_what_comes_first_takes_from_the_others_alone() -> None:
    plan = RoundPlan(clips={Strategy.CONTRADICTION: 50, Strategy.DISAGREEMENT: 50}, seconds_per_clip=4.0)
    assert plan.asking_first(Strategy.SEGMENT, 100, 0.5).clips == {
        Strategy.CONTRADICTION: 50, Strategy.DISAGREEMENT: 25, Strategy.SEGMENT: 25,
    }  # fmt: skip
