"""Details: written and read again; a copy leaves nothing unexplained, another video nearly all; a cut between rows."""

import numpy as np
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


def test_nothing_is_said_where_nothing_moves_and_where_there_are_no_details() -> None:
    still = seen(np.repeat(film(room(1), 1, 1.0)[:1], 40, axis=0)).details
    found = details.difference(still, still)
    assert found is not None
    assert found.unexplained is None
    assert found.pictures == 0
    assert details.difference(details.NONE, still) is None
