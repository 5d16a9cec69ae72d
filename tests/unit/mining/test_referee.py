"""The referee: who gets which share of a round, on accounts that are made up."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.mining.plan import plan_round, shares
from slac_tasks.mining.referee import EXPLORED, LEAST_CONTROL, refereed
from slac_tasks.mining.settings import Mining
from slac_tasks.model import Strategy

KNOBS = Mining(disagreement=0.45, consensus=0.2, coverage=0.2, unsure_coverage=0.0, companions=0.05)
ARMS = (Strategy.LOT, Strategy.DISAGREEMENT, Strategy.CONSENSUS, Strategy.COVERAGE)
CONTROL = shares(KNOBS)[Strategy.RANDOM]
FLOOR = (1 - CONTROL - KNOBS.companions) * EXPLORED / len(ARMS)


@dataclass(frozen=True, kw_only=True)
class Row:
    category: str = "judo"
    strategy: str
    control: int = 100
    worth: float | None = 0.0
    worth_error: float | None = 0.1


def rows(worth: dict[Strategy, float], *, category: str = "judo", error: float = 0.01) -> list[Row]:
    return [
        Row(category=category, strategy=arm.value, worth=each, worth_error=error) for arm, each in worth.items()
    ]  # fmt: skip


any_row = st.builds(
    Row,
    category=st.sampled_from(["judo", "kayak", "fencing"]), strategy=st.sampled_from(list(Strategy)).map(str),
    control=st.integers(0, 500), worth=st.none() | st.floats(-50, 50), worth_error=st.floats(0, 50),
)  # fmt: skip
accounts = st.lists(any_row, max_size=18, unique_by=lambda row: (row.category, row.strategy))


@given(accounts=accounts, number=st.integers(0, 99))
def test_shares_sum_to_one_and_leave_the_control_and_every_strategy_a_part(accounts: list[Row], number: int) -> None:
    found = refereed(KNOBS, accounts, category="judo", round=f"round{number}")
    given_ = shares(KNOBS)
    assert sum(found.values()) == pytest.approx(1)
    assert found[Strategy.RANDOM] == CONTROL
    assert found[Strategy.COMPANION] == given_[Strategy.COMPANION]
    used = found if found == given_ else {arm: found[arm] - FLOOR for arm in ARMS}
    assert min(used.values()) >= -1e-12
    assert all(found[name] == 0 for name, share in given_.items() if not share and name is not Strategy.LOT)
    assert found == refereed(KNOBS, accounts, category="judo", round=f"round{number}")
    plan = plan_round(KNOBS, seconds_per_clip=8, share=found)
    assert plan.clips[Strategy.RANDOM] >= CONTROL * sum(plan.clips.values())


@pytest.mark.parametrize(
    "accounts",
    [
        [],
        rows({Strategy.COVERAGE: 9.0}, category="kayak"),
        [*rows({Strategy.COVERAGE: 9.0}, category="kayak"), Row(strategy="coverage", control=0, worth=None)],
        [
            Row(category=name, strategy=arm, control=LEAST_CONTROL // 2 - 1, worth=9.0)
            for name in ("judo", "kayak")
            for arm in ("coverage", "random")
        ],
    ],
    ids=["none", "of another category", "no control of its own", "too little control"],
)
def test_without_an_account_the_settings_decide(accounts: list[Row]) -> None:
    assert refereed(KNOBS, accounts, category="judo", round="r") == shares(KNOBS)


def test_a_strategy_that_is_far_better_gets_all_but_the_floor() -> None:
    for best in ARMS:
        worth = dict.fromkeys(ARMS, -1.0) | {best: 3.0}
        found = refereed(KNOBS, rows(worth), category="judo", round="r")
        assert found[best] == pytest.approx(1 - CONTROL - KNOBS.companions - 3 * FLOOR, abs=1e-6)


def test_strategies_that_cannot_be_told_apart_share_alike() -> None:
    found = refereed(KNOBS, rows(dict.fromkeys(ARMS, 0.0), error=1.0), category="judo", round="r")
    part = (1 - CONTROL - KNOBS.companions) / len(ARMS)
    assert [found[arm] for arm in ARMS] == pytest.approx([part] * 4, abs=0.03)


def test_one_of_which_nothing_is_known_is_tried() -> None:
    worth = {Strategy.LOT: 0.0, Strategy.DISAGREEMENT: 0.0, Strategy.CONSENSUS: -2.0}
    found = refereed(KNOBS, rows(worth, error=0.5), category="judo", round="r")
    assert found[Strategy.COVERAGE] > 0.15 > found[Strategy.CONSENSUS]


def test_categories_lend_each_other_strength() -> None:
    unsure = rows({arm: 1.0 if arm is Strategy.COVERAGE else 0.0 for arm in ARMS}, error=1.5)
    others = [
        Row(category=f"c{number}", strategy=row.strategy, worth=row.worth, worth_error=1.5)
        for number in range(30) for row in unsure
    ]  # fmt: skip
    alone = refereed(KNOBS, unsure, category="judo", round="r")
    together = refereed(KNOBS, [*unsure, *others], category="judo", round="r")
    assert alone[Strategy.COVERAGE] < 0.5
    assert together[Strategy.COVERAGE] > 0.7


def test_a_category_that_differs_from_all_others_goes_its_own_way() -> None:
    others = [
        row for number in range(30)
        for row in rows(
            {arm: 1.0 if arm is Strategy.COVERAGE else 0.0 for arm in ARMS}, category=f"c{number}", error=0.2
        )
    ]  # fmt: skip
    own = rows({arm: 9.0 if arm is Strategy.CONSENSUS else 0.0 for arm in ARMS}, error=0.2)
    found = refereed(KNOBS, [*own, *others], category="judo", round="r")
    assert found[Strategy.CONSENSUS] > 0.7


def campaign(worth: dict[Strategy, float], seed: int, rounds: int = 30) -> list[dict[Strategy, float]]:
    """Return the shares of each round of a campaign in eight categories; estimates get surer with a strategy's time."""
    chance = np.random.default_rng(seed)
    names = [f"c{number}" for number in range(8)]
    spent = {name: {arm: 0.0 for arm in ARMS} for name in names}
    kept: list[Row] = []
    found = []
    for number in range(rounds):
        for name in names:
            share = refereed(KNOBS, kept, category=name, round=str(number))
            for arm in ARMS:
                spent[name][arm] += share[arm]
            if name == names[0]:
                found.append(share)
        kept = [
            Row(
                category=name, strategy=arm.value, control=15 * (number + 1), worth_error=error,
                worth=worth[arm] + error * chance.normal(),
            )
            for name in names for arm in ARMS if spent[name][arm] for error in [1 / spent[name][arm] ** 0.5]
        ]  # fmt: skip
    return found


@pytest.mark.parametrize("best", ARMS)
def test_over_many_rounds_the_best_strategy_gets_most_and_none_loses_all(best: Strategy) -> None:
    worth = dict.fromkeys(ARMS, 0.0) | {best: 1.0}
    for seed in range(3):
        late = campaign(worth, seed)[15:]
        means = {arm: np.mean([share[arm] for share in late]) for arm in ARMS}
        assert means[best] > 0.5
        assert means[best] > 3 * max(mean for arm, mean in means.items() if arm is not best)
        assert min(share[arm] for share in late for arm in ARMS) >= FLOOR - 1e-12


def test_where_random_is_best_a_campaign_loses_little_more_than_its_floor() -> None:
    # Every answer of random teaches 1, of any other strategy nothing: what random alone would have taught is 1 a round.
    for seed in range(3):
        played = campaign(dict.fromkeys(ARMS, 0.0) | {Strategy.LOT: 1.0}, seed)
        assert (
            np.mean([share[Strategy.LOT] + share[Strategy.RANDOM] for share in played[15:]])
            > 1 - KNOBS.companions - 3 * FLOOR - 0.1
        )
