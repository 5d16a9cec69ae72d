import numpy as np
import pandas as pd

from slac_tasks.reports.shares import Share, positive_by_strategy


def test_positive_shares_stand_in_the_order_of_the_strategies() -> None:
    settled = pd.DataFrame(
        {"label": [1, -1, 1], "strategy": ["random", "random", "consensus"], "video_id": ["a", "b", "a"]}
    )
    assert positive_by_strategy(settled) == [Share.of("consensus", 1, 1), Share.of("random", 1, 2)]


def test_a_share_lies_within_its_interval() -> None:
    share = Share.of("random", 3, 10)
    assert share.value == 0.3
    assert share.low < share.value < share.high


def test_the_interval_of_clips_of_few_videos_holds_the_truth() -> None:
    random, held, as_if_alone = np.random.default_rng(5), 0, 0
    videos = pd.Series(np.repeat(np.arange(12), 5))
    for _ in range(400):
        # Half of the variance lies between the videos.
        holds = random.random(60) < np.repeat(random.beta(0.3, 0.7, 12), 5)
        found, alone = Share.of_clips("", holds, videos), Share.of("", int(holds.sum()), 60)
        held += found.low <= 0.3 <= found.high
        as_if_alone += alone.low <= 0.3 <= alone.high
    assert held > 360
    assert as_if_alone < 320
