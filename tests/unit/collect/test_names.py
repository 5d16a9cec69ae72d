"""Which key a name gets, and that no name is lost, merged with another one, or holds up the others."""

from hypothesis import example, given
from hypothesis import strategies as st

from slac_tasks.collect.names import Categories, spelling
from slac_tasks.given.words import printable
from slac_tasks.model import slug

ANY_TEXT = st.text(st.characters(blacklist_categories=()), max_size=20)
"""Lone surrogates too, as Python reads file names that are not UTF-8."""
NAMES = st.lists(
    st.one_of(ANY_TEXT, st.sampled_from(["C", "c", "C++", "C#", "judo", "Judo", "柔道", "ju_do", "ju-do"]))
)


@given(NAMES)
@example(["C", "C++", "C#", "judo"])
@example(["caf\udce9", "柔道", "a\x00b", "a" * 81])
def test_each_name_gets_a_key_of_its_own_or_is_set_aside_by_name(names: list[str]) -> None:
    found = Categories.of(names)
    for name in names:
        if name in found.keyless:
            assert any(printable(name) in line for line in found.set_aside())
            continue
        key = slug(name)
        if key in found.clashes:
            assert name in found.clashes[key]
            assert printable(name) in found.clash(key)
        else:
            assert spelling(found.names[key]) == spelling(name)
    assert not set(found.names) & set(found.clashes)


def test_spellings_of_one_name_are_one_category() -> None:
    names = ["playing ping-pong", "Playing_ping_pong", "playing ping pong", "shooting goal (soccer)"]
    found = Categories.of([*names, "shooting_goal_(soccer)"])
    assert found.names == {"playing_ping_pong": names[0], "shooting_goal_soccer": names[3]}
    assert not found.set_aside()
