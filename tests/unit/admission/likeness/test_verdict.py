"""Verdict: one room is not one video, whatever its length; a copy is never lost; the chance falls with length."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from likeness_videos import FPS, edited, film, room, seen

from slac_tasks.admission.likeness import verdict as rules
from slac_tasks.admission.likeness.alignment import Alignment
from slac_tasks.admission.likeness.details import MOST_ROWS, NONE, Difference
from slac_tasks.admission.likeness.fingerprints import Fingerprint, table
from slac_tasks.admission.likeness.verdict import LIMIT, Likeness, Strength, compared

SEEDS = st.integers(0, 2**32)
SECONDS = st.floats(2.0, 28.0)
"""Shorter and longer than what has details."""


def verdict(ours: Fingerprint, theirs: Fingerprint) -> Likeness | None:
    found = compared(ours, theirs, max_distance=14, min_shared=0.5)
    assert found == compared(theirs, ours, max_distance=14, min_shared=0.5)
    return found


# The same examples each time: LIMIT lets one pair of 20,000 be the same, and a search for it finds one in the end.
@settings(max_examples=60, derandomize=True)
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


def differ(left: float | None, *, motion: float = 0.3, patterns: float = 1.0, pictures: float = 0.5) -> Difference:
    """Details of which so much motion is left unexplained, counted as the rules count it; None: nothing moves."""
    unexplained = None if left is None else left**2 / motion
    return Difference(pictures=pictures, unexplained=unexplained, motion=motion, patterns=patterns, rows=7)


SAME, RELATED = Strength.SAME, Strength.RELATED
RULES: dict[str, tuple[Difference | None, float | None, Strength | None]] = {
    "details alone are beyond chance": (differ(0.03), None, SAME),
    "a further movement that agrees makes chance rarer": (differ(0.04, patterns=3.0), None, SAME),
    "details agree, but chance may give as much": (differ(0.04), None, RELATED),
    "details are near": (differ(0.29), None, RELATED),
    "details are not near": (differ(0.31), None, None),
    "rows agree beyond chance, whatever the details": (differ(2.0), LIMIT, SAME),
    "rows agree, but chance may give as much": (None, 2 * LIMIT, RELATED),
    "rows agree, and details do not contradict": (differ(0.79), 0.1, RELATED),
    "rows agree, and details leave too much": (differ(0.81), 0.1, None),
    "rows agree, and motion differs a little": (differ(0.5, motion=0.39), 0.1, RELATED),
    "rows agree, and motion differs": (differ(0.5, motion=0.41), 0.1, None),
    "rows of still videos agree, pictures too": (differ(None, pictures=0.09), 0.1, RELATED),
    "rows of still videos agree, pictures do not": (differ(None, pictures=0.11), 0.1, None),
    "still pictures are near": (differ(None, pictures=0.019), None, RELATED),
    "still pictures are not near": (differ(None, pictures=0.021), None, None),
    "nothing agrees": (None, None, None),
}
"""By name: how details differ, how often chance gives rows that agree so well (None: they do not), and the verdict."""


@pytest.mark.parametrize("rule", RULES)
def test_what_the_evidence_means(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found, chance, wanted = RULES[rule]
    laid = chance and Alignment(shared=0.9, alike=5, motion=0.9, chance=chance, offset_sec=0.0, rate=1.0)
    monkeypatch.setattr(rules, "difference", lambda *_: found)
    monkeypatch.setattr(rules, "aligned", lambda *_, **__: laid)
    shorter, longer = (Fingerprint(rows=table([1] * 4 * rows), details=NONE) for rows in (9, 12))
    likeness = compared(longer, shorter, max_distance=14, min_shared=0.5)
    assert (likeness.strength if likeness else None) is wanted
    if likeness:
        assert (likeness.rows, likeness.alike) == (9, 7 if chance is None else 5)
        assert (likeness.chance <= LIMIT) is (wanted is SAME)
        assert likeness.chance <= (chance or 1.0), "the rarer of both is told"
