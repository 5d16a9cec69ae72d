"""The index: a cut copy finds its original and the original its copy; what everybody shows says nothing."""

import numpy as np
import pytest
from fingerprint_tables import damaged, random_table
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.admission.likeness.fingerprints import VIEWS, Table
from slac_tasks.admission.likeness.lookalikes import Lookalikes, keys_of, stored


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), data=st.data())
def test_a_cut_copy_is_found_whichever_came_first(seed: int, data: st.DataObject) -> None:
    whole = random_table(seed, 120)
    first = data.draw(st.integers(0, 104))
    copy = damaged(whole[first : first + 16], seed, 0.03)
    others = [keys_of(random_table(seed + number, 50)) for number in range(1, 20)]
    for indexed, asked in ((whole, copy), (copy, whole)):
        index = Lookalikes()
        index.add(others)
        index.add([keys_of(indexed)])
        assert index.like(asked)[0] == len(others)


def test_strangers_and_nothing_are_like_nobody() -> None:
    index = Lookalikes()
    assert index.like(random_table(0, 10)) == []
    index.add([keys_of(random_table(number, 50)) for number in range(1, 50)])
    index.add([b""])
    assert index.like(random_table(0, 50)) == []
    assert index.like(np.zeros((5, 4), np.uint64)) == []


def test_a_picture_that_thousands_show_says_nothing() -> None:
    titled = []
    for number in range(2_100):
        table = random_table(number, 8)
        table[0:4] = random_table(9_999, 4)
        titled.append(table)
    index = Lookalikes()
    index.add(map(keys_of, titled))
    assert index.like(titled[7]) == [7]


def test_keys_are_few_and_short_videos_have_some() -> None:
    assert len(keys_of(random_table(0, 310))) == 8 * len(VIEWS) * 39
    assert len(keys_of(random_table(0, 4))) == 8 * len(VIEWS) * 4
    assert stored([]) == {"frame_hashes": [], "key_hashes": b""}


def indexed(*tables: Table) -> Lookalikes:
    index = Lookalikes()
    index.add(map(keys_of, tables))
    return index


def showing(asked: Table, rows: list[int], seed: int) -> Table:
    """Return a video of 4 rows that shows these rows of another, and something else in the rest."""
    made = random_table(seed, 4)
    made[: len(rows)] = asked[rows]
    return made


def test_the_likeliest_shares_more_pictures_and_rarer_ones() -> None:
    asked = random_table(0, 8)
    assert indexed(showing(asked, [0], 1), showing(asked, [1, 2, 3], 2), showing(asked, [4, 5], 3)).like(asked) == [
        1, 2, 0
    ]  # fmt: skip
    many = [showing(asked, [0], seed) for seed in range(1, 12)]
    rare = showing(asked, [1], 99)
    assert indexed(*many, rare).like(asked) == [11, *range(11)], "of equals the first that was indexed"


def test_at_most_fifty_are_compared_and_the_likeliest_are_among_them() -> None:
    asked = random_table(0, 8)
    found = indexed(*(showing(asked, [0], seed) for seed in range(1, 70)), showing(asked, [0, 1], 99)).like(asked)
    assert found == [69, *range(49)]


@pytest.mark.parametrize(("bits", "is_found"), [(12, True), (13, False)])
def test_a_picture_is_found_where_at_most_twelve_of_its_bits_differ(bits: int, is_found: bool) -> None:
    ours = random_table(0, 4)
    theirs = ours.copy()
    theirs[:, : len(VIEWS)] ^= np.uint64((1 << bits) - 1)
    assert indexed(ours).like(theirs) == ([0] if is_found else [])


def test_a_dark_picture_is_no_key_and_motion_is_no_picture() -> None:
    ours = random_table(0, 4)
    ours[:, 0] = 0
    assert len(keys_of(ours)) == 8 * (len(VIEWS) - 1) * 4
    moving = random_table(1, 4)
    moving[:, len(VIEWS)] = ours[:, 1]
    assert indexed(ours).like(moving) == []
