import pandas as pd

from slac_tasks.reports.shares import Share, positive_by_strategy


def test_positive_shares_stand_in_the_order_of_the_strategies() -> None:
    settled = pd.DataFrame({"label": [1, -1, 1], "strategy": ["random", "random", "consensus"]})
    assert positive_by_strategy(settled) == [Share.of("consensus", 1, 1), Share.of("random", 1, 2)]


def test_a_share_lies_within_its_interval() -> None:
    share = Share.of("random", 3, 10)
    assert share.value == 0.3
    assert share.low < share.value < share.high
