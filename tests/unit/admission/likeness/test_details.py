"""Details: written and read again; a copy leaves nothing unexplained, another video nearly all; a cut between rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from likeness_videos import FPS, edited, film, room, seen

from slac_tasks.admission.likeness import details
from slac_tasks.admission.likeness.fingerprints import fingerprint, video_hashes


@given(rows=st.integers(0, details.MOST_ROWS), seed=st.integers(0, 2**32))
def test_details_survive_being_written_as_numbers(rows: int, seed: int) -> None:
    some = np.random.default_rng(seed).integers(-127, 128, (rows, *details.NONE.shape[1:])).astype(np.int8)
    assert np.array_equal(details.unpacked(np.array(details.packed(some), np.uint64), rows), some)


@settings(max_examples=20)
@given(seconds=st.floats(1.0, 40.0))
def test_a_fingerprint_says_whether_it_holds_details(seconds: float) -> None:
    small = film(room(1), 1, seconds)
    hashes = video_hashes(small, FPS)
    found = fingerprint(hashes)
    assert len(found.rows) == round(len(small) / FPS * 2)
    assert len(found.details) == (len(found.rows) if len(found.rows) <= details.MOST_ROWS else 0)
    older = fingerprint(hashes[: found.rows.size])
    assert np.array_equal(older.rows, found.rows)
    assert len(older.details) == 0


def test_a_copy_leaves_nothing_unexplained_and_another_video_nearly_all() -> None:
    place = room(1)
    whole = film(place, 1, 4.0)
    copy = details.difference(seen(whole).details, seen(edited(whole, 1)).details)
    other = details.difference(seen(whole).details, seen(film(place, 2, 4.0)).details)
    assert copy is not None
    assert other is not None
    assert copy.unexplained is not None
    assert other.unexplained is not None
    assert copy.unexplained < 0.05
    assert other.unexplained > 0.5


def test_a_cut_between_two_rows_is_found() -> None:
    whole = film(room(1), 1, 8.0)
    found = details.difference(seen(whole).details, seen(whole[int(FPS * 1.25) : int(FPS * 5.25)]).details)
    assert found is not None
    assert found.unexplained is not None
    assert found.unexplained < 0.3


CELLS = details.NONE.shape[1:]


def drawn(rows: int, seed: int = 0) -> details.Details:
    """Return pictures of which no two are alike. A quarter of the way between two of them is a whole number too."""
    return (4 * np.random.default_rng(seed).integers(-25, 26, (rows, *CELLS))).astype(np.int8)


def between(rows: details.Details, at: list[float]) -> details.Details:
    """Return pictures at places of others, in quarters of a row."""
    below = np.floor(at).astype(int)
    after, part = np.minimum(below + 1, len(rows) - 1), (np.array(at) - below)[:, None, None]
    return (rows[below] + part * (rows[after].astype(float) - rows[below])).astype(np.int8)


@pytest.mark.parametrize("rate", [1.0, 0.95, 1.05, 1 / 1.1, 1.1])
@given(quarters=st.integers(0, 4 * 6), rows=st.integers(4, 20))
@settings(max_examples=10)
def test_a_part_of_a_video_is_found_wherever_it_begins_and_a_little_faster_or_slower(
    rate: float, quarters: int, rows: int
) -> None:
    whole = drawn(30)
    part = between(whole, [(quarters + np.rint(4 * rate * row)) / 4 for row in range(rows)])
    found = details.difference(part, whole)
    assert found == details.difference(whole, part)
    assert found is not None
    assert (found.pictures, found.unexplained, found.motion, found.rows) == (0, 0, 0, rows)


@pytest.mark.parametrize("shared", [7, 6, 5])
def test_half_of_the_shorter_video_must_lie_over_the_longer(shared: int) -> None:
    whole, other = drawn(20), drawn(20, seed=1)
    for part in (np.concatenate([whole[-shared:], other[: 12 - shared]]),
                 np.concatenate([other[: 12 - shared], whole[:shared]])):  # fmt: skip
        found = details.difference(part, whole)
        assert found is not None
        assert (found.pictures == 0) is (shared >= 6)
        assert found.rows >= 6


def moved(cells: int, step: int, *, patterns: int = 1) -> details.Details:
    """Return eight pictures in which so many cells go up and down by a step, in so many ways that differ."""
    rows = np.zeros((8, *CELLS), np.int8)
    for cell in range(cells):
        rows[:, :, cell] = np.where(np.arange(8) // (1 << cell % patterns) % 2, step, -step)[:, None]
    return rows


@pytest.mark.parametrize(
    ("cells", "step", "judged"),
    # In 32nds of the contrast. The squares of one cell are summed over eight rows: 8 * (1 / 32)^2 is under .03.
    [(2, 100, False), (3, 100, True), (256, 1, False), (9, 2, True), (4, 2, False)],
)
def test_motion_of_too_few_cells_or_too_little_of_it_says_nothing(cells: int, step: int, judged: bool) -> None:
    found = details.difference(moved(cells, step), moved(cells, step))
    assert found is not None
    assert (found.unexplained == 0) is judged
    assert (found.unexplained is None) is not judged


@pytest.mark.parametrize("patterns", [1, 2, 3])
def test_cells_that_move_together_are_one_movement(patterns: int) -> None:
    own = moved(12, 50, patterns=patterns)
    found = details.difference(own, own)
    assert found is not None
    assert found.patterns == pytest.approx(patterns)
    # Of the video that has fewer, whichever it is.
    other = details.difference(own, moved(12, 50))
    assert other is not None
    assert other.patterns == pytest.approx(1)


def test_pictures_that_are_opposites_differ_twice_as_much_as_their_contrast() -> None:
    rows = np.full((4, *CELLS), 32, np.int8)
    found = details.difference(rows, -rows)
    assert found is not None
    assert found.pictures == pytest.approx(2)  # (1 - -1)^2 over 1^2 + 1^2
    flat = np.zeros((4, *CELLS), np.int8)
    flat[:, :, :64] = 1
    found = details.difference(flat, -flat)
    assert found is not None
    # Their own contrast is less than 1, which stands for it.
    assert found.pictures == pytest.approx(found.rows * 64 * (2 / 32) ** 2)


def test_motion_elsewhere_says_nothing_of_a_part_that_stands_still_as_the_other_does() -> None:
    still = np.repeat(drawn(1), 10, axis=0)
    found = details.difference(still[:6], np.concatenate([still, drawn(10, seed=2)]))
    assert found is not None
    assert (found.pictures, found.unexplained) == (0, None)


def test_nothing_is_said_where_nothing_moves_and_where_there_are_no_details() -> None:
    still = seen(np.repeat(film(room(1), 1, 1.0)[:1], 40, axis=0)).details
    found = details.difference(still, still)
    assert found is not None
    assert found.unexplained is None
    assert found.pictures == 0
    assert details.difference(details.NONE, still) is None
