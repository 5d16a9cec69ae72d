"""Intervals hold the truth: worked by hand, at the edges, and over 1,000 simulated campaigns."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from slac_tasks.quality.estimates import LEVEL, Stratum, best_case, effective, exact, of_clips, of_strata

CAMPAIGNS = 1_000
MOST = 7
"""Answers after which nobody more is asked about a clip of the control."""


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


@dataclass(frozen=True, kw_only=True)
class World:
    """Where campaigns are run: how often people err, on which videos."""

    errors: tuple[float, ...]
    """Share of wrong answers to the clips of a video, of each kind of video."""
    chosen: tuple[float, ...]
    """Share of each kind of video among the videos of chosen clips: hard ones are chosen more often."""
    drawn: tuple[float, ...]
    """The same among those of clips that were drawn by lot."""
    per_video: int = 4
    """Chosen clips of one video."""
    audited: float = 0.05
    asked_on: float = 0.0
    """Share of judged clips that people have not decided yet."""
    sizes: tuple[int, int] = field(default=(30, 240))
    """Clips that were drawn by lot, and chosen ones."""


WORLDS = {
    "everybody is right nine times in ten": World(errors=(0.1,), chosen=(1.0,), drawn=(1.0,)),
    "a fifth of the videos is hard, and is chosen": World(errors=(0.05, 0.4), chosen=(0.8, 0.2), drawn=(0.95, 0.05)),
    "all clips of a video are alike": World(errors=(0.01, 0.45), chosen=(0.7, 0.3), drawn=(0.7, 0.3), per_video=8),
    "people click at random": World(errors=(0.5,), chosen=(1.0,), drawn=(1.0,)),
    "much is audited, of few videos": World(
        errors=(0.03, 0.45), chosen=(0.8, 0.2), drawn=(0.9, 0.1), per_video=8, audited=0.5
    ),
    "some are not decided": World(errors=(0.05, 0.3), chosen=(0.8, 0.2), drawn=(0.9, 0.1), asked_on=0.1, audited=0.1),
}


def right_labels(chance: np.random.Generator, error: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a clip's label, by its first two or three answers, is what people say when one side leads by three."""
    wrong = chance.random((len(error), MOST)) < error[:, None]
    ahead = np.cumsum(np.where(wrong, -1, 1), axis=1)
    done = (abs(ahead) >= 3) | (np.arange(1, MOST + 1) >= MOST)
    truth = ahead[np.arange(len(error)), done.argmax(axis=1)] > 0
    label = np.where(wrong[:, 0] == wrong[:, 1], ahead[:, 1] > 0, ahead[:, 2] > 0)
    return np.asarray(label == truth)


def clips_of(chance: np.random.Generator, world: World, kinds: tuple[float, ...], count: int, per_video: int) -> tuple:
    """Return (the video of each clip, whether its label is right)."""
    videos = np.arange(count) // per_video
    kind = chance.choice(len(kinds), p=kinds, size=int(videos.max()) + 1)
    return videos, right_labels(chance, np.array(world.errors)[kind][videos])


def truth_of(world: World) -> float:
    chance = np.random.default_rng(9)
    parts = [clips_of(chance, world, kinds, 200_000, 1)[1].mean() for kinds in (world.drawn, world.chosen)]
    return float(np.average(parts, weights=world.sizes))


@pytest.mark.parametrize("name", WORLDS)
def test_the_interval_of_precision_holds_the_truth_in_95_of_100_campaigns(name: str) -> None:
    world, chance, held = WORLDS[name], np.random.default_rng(7), 0
    truth = truth_of(world)
    for _ in range(CAMPAIGNS):
        strata = []
        for count, kinds, rate, per_video in zip(
            world.sizes, (world.drawn, world.chosen), (1.0, world.audited), (1, world.per_video), strict=True
        ):
            videos, right = clips_of(chance, world, kinds, count, per_video)
            lot = chance.random(count) < rate
            waiting = chance.random(count) < world.asked_on
            strata.append(
                Stratum(
                    labels=count, rate=rate, clips=int(lot.sum()), right=int((lot & right & ~waiting).sum()),
                    open=int((lot & waiting).sum()), size=effective(videos[lot]),
                )
            )  # fmt: skip
        found = of_strata(strata)
        held += found.low <= truth <= found.high
    assert held >= LEVEL * CAMPAIGNS, f"{held} of {CAMPAIGNS}"


@pytest.mark.parametrize("alike", [0.0, 0.3, 1.0], ids="correlation {}".format)
@pytest.mark.parametrize("truth", [0.05, 0.5, 0.9])
def test_the_interval_of_a_share_holds_the_truth_however_alike_the_clips_of_a_video_are(
    truth: float, alike: float
) -> None:
    chance, held = np.random.default_rng(11), 0
    for _ in range(CAMPAIGNS):
        videos = np.repeat(np.arange(60), chance.integers(1, 5, size=60))
        # The clips of a video share one draw with this chance, so `alike` is their correlation.
        shared = chance.random(60)[videos] < truth
        holds = np.where(chance.random(len(videos)) < np.sqrt(alike), shared, chance.random(len(videos)) < truth)
        found = of_clips(holds, videos)
        held += found.low <= truth <= found.high
    assert held >= LEVEL * CAMPAIGNS, f"{held} of {CAMPAIGNS}"
