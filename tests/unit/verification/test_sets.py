"""Which clips are asked together."""

from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.verification.sets import SET_LEAST, SET_MOST, named

groups = st.lists(st.one_of(st.none(), st.integers(0, 4)), max_size=90)


@given(groups)
def test_a_set_holds_clips_of_one_group_and_no_more_than_a_screen(found: list[int | None]) -> None:
    names = named(found, "judo", "r")
    for name in {name for name in names if name is not None}:
        members = [group for group, own in zip(found, names, strict=True) if own == name]
        assert SET_LEAST <= len(members) <= SET_MOST
        assert len(set(members)) == 1
        assert members[0] is not None


@given(groups)
def test_the_same_clips_get_the_same_sets_and_another_round_other_names(found: list[int | None]) -> None:
    names = named(found, "judo", "r")
    assert names == named(found, "judo", "r")
    other = named(found, "judo", "s")
    assert [name is None for name in other] == [name is None for name in names]
    assert not set(filter(None, names)) & set(filter(None, other))


def test_a_group_of_more_than_a_screen_is_cut_evenly() -> None:
    names = named([7] * 25, "judo", "r")
    assert sorted(names.count(name) for name in set(names)) == [8, 8, 9]
