"""Intervals hold the truth: worked by hand, at the edges, and over 1,000 simulated campaigns."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.gate import ALIKE, SHARES, WORLDS, held, share_of_alike
from slac_tasks.quality.estimates import LEVEL, Stratum, best_case, effective, exact, of_clips, of_strata

CAMPAIGNS = 1_000


def test_the_exact_interval_is_that_of_the_tables() -> None:
    assert exact(1.0, 12) == (pytest.approx(0.7354, abs=1e-4), 1.0)
    assert exact(0.5, 10) == (pytest.approx(0.1871, abs=1e-4), pytest.approx(0.8129, abs=1e-4))


def test_clips_of_one_video_count_as_one() -> None:
    assert effective(["a", "b", "c"]) == 3
    assert effective(["a"] * 4 + ["b"] * 4) == 2
    alone, together = (of_clips(np.ones(8, bool), videos) for videos in (list("abcdefgh"), list("aaaabbbb")))
    assert alone.value == together.value == 1.0
    assert together.low < alone.low


def test_a_stratum_without_a_clip_may_hold_anything() -> None:
    heard = Stratum(labels=30, clips=30, right=30, size=30)
    found = of_strata([heard, Stratum(labels=70, rate=0.05)])
    assert found.high == 1.0
    assert found.low == pytest.approx(0.3 * exact(1.0, 30)[0])
    assert of_strata([Stratum(labels=70, rate=0.05)]).value is None


def test_a_clip_on_which_people_are_asked_on_is_wrong_at_worst_and_right_at_best() -> None:
    decided = of_strata([Stratum(labels=20, clips=20, right=18, size=20)])
    waiting = of_strata([Stratum(labels=20, clips=20, right=18, open=2, size=20)])
    assert (waiting.value, waiting.low, waiting.high) == (1.0, pytest.approx(decided.low), 1.0)


@given(
    strata=st.lists(
        st.builds(
            lambda labels, right, wrong, waiting: Stratum(
                labels=labels, rate=0.05, clips=right + wrong + waiting, right=right, open=waiting,
                size=float(right + wrong + waiting),
            ),
            st.integers(1, 500), st.integers(0, 60), st.integers(0, 9), st.integers(0, 5),
        ),
        min_size=1, max_size=3,
    ),
    more=st.integers(0, 400),
)  # fmt: skip
def test_an_interval_holds_its_value_and_answers_that_are_right_raise_the_best_case(
    strata: list[Stratum], more: int
) -> None:
    found = of_strata(strata)
    assert 0 <= found.low <= found.high <= 1
    assert found.value is None or found.low - 1e-9 <= found.value <= found.high + 1e-9
    assert found.low <= best_case(strata) + 1e-9
    assert best_case(strata) <= best_case(strata, more) + 1e-9


def test_clips_more_of_the_best_case_come_by_the_lots_of_the_strata() -> None:
    audited, drawn = (Stratum(labels=100, rate=rate, clips=4, right=3, size=4) for rate in (0.05, 1.0))
    assert best_case([audited, drawn], 21) == of_strata([audited.if_right(1), drawn.if_right(20)]).low


@pytest.mark.parametrize("name", WORLDS)
def test_the_interval_of_precision_holds_the_truth_in_95_of_100_campaigns(name: str) -> None:
    chance = np.random.default_rng(7)
    found = [WORLDS[name].campaign(chance) for _ in range(CAMPAIGNS)]
    assert held(found, WORLDS[name].truth) >= LEVEL


@pytest.mark.parametrize("alike", ALIKE, ids="correlation {}".format)
@pytest.mark.parametrize("truth", SHARES)
def test_the_interval_of_a_share_holds_the_truth_however_alike_the_clips_of_a_video_are(
    truth: float, alike: float
) -> None:
    chance = np.random.default_rng(11)
    assert held([share_of_alike(chance, truth, alike) for _ in range(CAMPAIGNS)], truth) >= LEVEL
