"""The index: a cut copy finds its original and the original its copy; what everybody shows says nothing."""

import numpy as np
from fingerprint_tables import damaged, random_table
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.admission.likeness.fingerprints import VIEWS
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
