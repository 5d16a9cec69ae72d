"""Verdict: one room is not one video, whatever its length; a copy is never lost; the chance falls with length."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from likeness_videos import FPS, edited, film, room, seen

from slac_tasks.admission.likeness.details import MOST_ROWS
from slac_tasks.admission.likeness.fingerprints import Fingerprint
from slac_tasks.admission.likeness.verdict import LIMIT, Likeness, Strength, compared

SEEDS = st.integers(0, 2**32)
SECONDS = st.floats(2.0, 28.0)
"""Shorter and longer than what has details."""


def verdict(ours: Fingerprint, theirs: Fingerprint) -> Likeness | None:
    found = compared(ours, theirs, max_distance=14, min_shared=0.5)
    assert found == compared(theirs, ours, max_distance=14, min_shared=0.5)
    return found


@settings(max_examples=60)
@given(background=SEEDS, people=st.tuples(SEEDS, SEEDS), lengths=st.tuples(SECONDS, SECONDS))
@example(background=0, people=(2**32, 0), lengths=(2.0, 2.0))
def test_two_videos_of_one_room_are_never_the_same_whatever_their_length(
    background: int, people: tuple[int, int], lengths: tuple[float, float]
) -> None:
    place = room(background)
    # The number first: numpy takes (2**32, 0) and (0, 1) for the same seed.
    ours, theirs = (
        film(place, (n, seed), seconds) for n, (seed, seconds) in enumerate(zip(people, lengths, strict=True))
    )
    found = verdict(seen(ours), seen(theirs))
    assert found is None or found.strength is not Strength.SAME


@settings(max_examples=40)
@given(background=SEEDS, person=SEEDS, seconds=SECONDS)
def test_a_copy_of_any_length_is_the_same(background: int, person: int, seconds: float) -> None:
    whole = film(room(background), person, seconds)
    found = verdict(seen(whole), seen(edited(whole, person)))
    assert found
    assert found.strength is Strength.SAME
    assert found.chance <= LIMIT


@settings(max_examples=40)
@given(background=SEEDS, person=SEEDS, half_seconds=st.integers(8, MOST_ROWS), data=st.data())
def test_a_cut_of_a_video_that_carries_details_is_the_same_or_related(
    background: int, person: int, half_seconds: int, data: st.DataObject
) -> None:
    whole = film(room(background), person, half_seconds / 2)
    length = data.draw(st.integers(4, half_seconds))
    first = data.draw(st.integers(0, half_seconds - length))
    step = int(FPS / 2)
    assert verdict(seen(whole), seen(edited(whole[first * step : (first + length) * step], person)))


@pytest.mark.parametrize("still_sec", [2.0, 8.0, 19.0])
def test_a_pose_that_is_held_is_no_evidence_however_long(still_sec: float) -> None:
    moving = film(room(1), 1, 2.0)
    still = np.repeat(moving[:1], round(still_sec * FPS), axis=0)
    found = verdict(seen(np.concatenate([moving, still])), seen(edited(still, 2)))
    assert found
    assert found.strength is Strength.RELATED


def test_without_details_short_videos_are_related_at_most() -> None:
    short = seen(film(room(1), 1, 2.0))
    old = Fingerprint(rows=short.rows, details=short.details[:0])
    found = verdict(old, old)
    assert found
    assert found.strength is Strength.RELATED


def test_the_chance_of_a_copy_falls_with_its_length() -> None:
    chances = []
    for seconds in (24.0, 40.0, 80.0):
        whole = film(room(1), 1, seconds)
        found = verdict(seen(whole), seen(edited(whole, 1)))
        assert found
        chances.append(found.chance)
    assert chances == sorted(chances, reverse=True)


def test_the_evidence_is_one_stable_line() -> None:
    likeness = Likeness(strength=Strength.SAME, rows=13, alike=12, chance=4.6e-5)
    assert str(likeness) == "12 of 13 half seconds agree; chance gives as much in 1 of 20,000 pairs of one scene"
    rarer = Likeness(strength=Strength.SAME, rows=13, alike=12, chance=0.0)
    assert str(rarer).endswith("in fewer than 1 of 1,000,000,000 pairs of one scene")
