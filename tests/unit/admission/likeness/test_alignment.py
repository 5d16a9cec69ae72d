"""Alignment: a cut, shifted, faster, damaged copy is always found; videos that share nothing or a background never."""

import numpy as np
from fingerprint_tables import damaged, random_table
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.admission.likeness.alignment import Alignment, aligned
from slac_tasks.admission.likeness.fingerprints import VIEWS, Table


def same(ours: Table, theirs: Table) -> Alignment | None:
    return aligned(ours, theirs, max_distance=14, min_shared=0.5)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32), rows=st.integers(4, 200), data=st.data(),
    share=st.floats(0, 0.1), rate=st.sampled_from((0.9, 0.95, 1.0, 1.05, 1.1)),
)  # fmt: skip
def test_a_cut_and_faster_copy_is_always_found(
    seed: int, rows: int, data: st.DataObject, share: float, rate: float
) -> None:
    whole = random_table(seed, rows)
    first = data.draw(st.integers(0, rows - 4))
    last = data.draw(st.integers(first + 4, rows))
    places = np.rint(np.arange(first, last - 0.5, rate)).astype(int)
    copy = damaged(whole[places], seed, share)
    found = same(whole, copy)
    assert found
    assert same(copy, whole)
    assert found.shared >= 0.5


@settings(max_examples=60)
@given(seeds=st.lists(st.integers(0, 2**32), min_size=2, max_size=2, unique=True), rows=st.integers(1, 300))
def test_videos_that_have_nothing_to_do_with_each_other_never_match(seeds: list[int], rows: int) -> None:
    assert same(random_table(seeds[0], rows), random_table(seeds[1], 100)) is None


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), rows=st.integers(4, 300))
def test_one_background_is_not_one_video(seed: int, rows: int) -> None:
    ours, theirs = random_table(seed, rows), random_table(seed + 1, 120)
    ours[:, : len(VIEWS)] = theirs[:, : len(VIEWS)] = ours[0, : len(VIEWS)]
    assert same(ours, theirs) is None


def test_pictures_decide_where_nothing_moves() -> None:
    ours = random_table(0, 40)
    ours[:, len(VIEWS)] = 0
    found = same(ours, ours[10:30])
    assert found
    assert (found.rate, found.motion, found.shared) == (1.0, 1.0, 1.0)
    assert abs(found.offset_sec - 5.0) <= 0.5


def test_a_crop_is_found_in_both_directions() -> None:
    whole, copy = random_table(0, 40), random_table(1, 40)
    bits = np.uint64(21)
    copy[:, 0] = whole[:, 2]
    copy[:, 3] = (whole[:, 3] & np.uint64((1 << 21) - 1)) << (2 * bits)
    assert same(whole, copy)
    assert same(copy, whole)


def test_a_few_pictures_in_a_dark_video_and_none_at_all_are_too_little() -> None:
    ours, theirs = random_table(0, 60), random_table(1, 60)
    ours[:, : len(VIEWS)] = theirs[:, : len(VIEWS)] = 0
    assert same(ours, ours.copy()) is None
    ours[20:23], theirs[20:23] = ours[:3] + np.uint64(8), ours[:3] + np.uint64(8)
    assert same(ours, theirs) is None
    assert same(ours[:0], ours) is None


def test_idle_hours_of_one_place_are_not_one_video() -> None:
    ours, theirs = random_table(0, 80), random_table(1, 80)
    ours[:, : len(VIEWS)] = theirs[:, : len(VIEWS)] = ours[0, : len(VIEWS)]
    ours[:40, len(VIEWS)] = theirs[40:, len(VIEWS)] = 0
    assert same(ours, theirs) is None


def mixed(own: int, rows: int = 60) -> tuple[Table, Table]:
    """Return a video, and one that shows it in so many of its rows, evenly, and something else in the others."""
    ours, theirs = random_table(0, rows), random_table(1, rows)
    shared = np.arange(rows) * own % rows < own
    theirs[shared] = ours[shared]
    return ours, theirs


def test_a_copy_shows_at_least_so_much_of_the_shorter_video() -> None:
    ours, theirs = mixed(36)
    found = same(ours, theirs)
    assert found
    assert (found.alike, found.shared) == (36, 0.6)
    assert aligned(ours, theirs, max_distance=14, min_shared=0.6)
    assert aligned(ours, theirs, max_distance=14, min_shared=0.62) is None
    assert same(*mixed(28)) is None


def test_a_mostly_dark_video_is_judged_as_though_a_quarter_of_it_had_pictures() -> None:
    for lit, is_found in ((15, True), (9, True), (7, False)):
        ours = random_table(0, 60)
        ours[lit:, : len(VIEWS)] = 0
        found = same(ours, ours.copy())
        assert (found is not None) is is_found, lit
        if found:
            assert (found.alike, found.shared) == (lit, 1.0)


def test_the_place_and_rate_that_chance_gives_least_are_found_unless_less_is_good_enough() -> None:
    whole = random_table(0, 120)
    copy = whole[np.rint(np.arange(10, 100, 1.08)).astype(int)]
    found = same(whole, copy)
    assert found
    assert abs(found.rate - 1.08) < 0.01
    assert abs(found.offset_sec - 5.0) <= 0.5
    assert found.motion > 0.9
    first = aligned(whole, copy, max_distance=14, min_shared=0.5, good_enough=1.0)
    assert first
    assert first.chance >= found.chance
    assert abs(first.rate - 1) <= abs(found.rate - 1), "rates are tried from 1 on"
