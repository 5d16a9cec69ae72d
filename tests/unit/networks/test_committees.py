"""Committees: extensions that finish in any order lose nothing, and an id stands for one recipe or one set of rows."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.networks.committees import (
    PRETRAINED,
    adopt_committees,
    changes,
    committee_id,
    committee_key,
    merged,
    panels_of,
    recency,
    settled,
    uncovered,
)
from slac_tasks.networks.settings import Committee
from slac_tasks.storage.datasets import COMMITTEES
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.tables import Datasets

MEMBERS = ("frame", "video", "motion")


def row(member: str, category: str, origin: str = "bootstrap:2026-01-05", weights: str = "") -> CommitteeRow:
    return CommitteeRow(
        member=member, architecture="r3d_18", category=category, backbone="b", head="h", output=0,
        weights=weights or f"{member} {category} {origin}", origin=origin,
    )  # fmt: skip


origins = st.sampled_from(["bootstrap:2026-01-05", "bootstrap:2026-01-12", "release:r0002", "release:r0010"])
rows = st.builds(row, st.sampled_from([*MEMBERS, PRETRAINED]), st.sampled_from("abc"), origins, st.sampled_from("xyz"))
gains = st.lists(rows, max_size=5, unique_by=lambda one: (one.member, one.category))


@given(base=gains, extensions=st.lists(gains, max_size=5), data=st.data())
def test_whatever_the_order_in_which_extensions_finish_nothing_of_any_is_lost(base, extensions, data):
    """Each extends the base or what was current when it began, and finishes whenever it likes."""
    begun = [merged(base)]
    for gained in extensions:
        parent = data.draw(st.sampled_from(begun))
        begun.append(merged(parent, gained))
    finished = data.draw(st.permutations(begun))
    current: list[CommitteeRow] = []
    held: dict[tuple[str, str], CommitteeRow] = {}
    for committee in finished:
        current = merged(current, committee)
        now = {(one.member, one.category): one for one in current}
        for place, one in held.items():
            assert recency(now[place]) >= recency(one)
        held = now
    for one in [*base, *(one for gained in extensions for one in gained)]:
        assert recency(held[one.member, one.category]) >= recency(one)
    assert current == merged(*begun)


def test_a_release_stands_above_weak_labels_and_a_later_one_above_an_earlier_one():
    weak = row(PRETRAINED, "a", "bootstrap:2030-01-07")
    early, late = row(PRETRAINED, "a", "release:r9999"), row(PRETRAINED, "a", "release:r10000")
    assert merged([late], [weak], [early]) == [late]


@given(rows=gains, members=st.sets(st.sampled_from(MEMBERS), min_size=1))
def test_nobody_leaves_a_category_before_all_members_of_the_settings_score_it(rows, members):
    left = settled(rows, members)
    for category in {one.category for one in rows}:
        before = {one.member for one in rows if one.category == category}
        after = {one.member for one in left if one.category == category}
        assert after == (before & (members | {PRETRAINED}) if members <= before else before)


recipes = st.tuples(
    st.sampled_from([None, "c0", "c1"]), st.sampled_from(["2026-01-05", "2026-01-12"]),
    st.frozensets(st.sampled_from("abc"), min_size=1),
    st.builds(
        Committee, members=st.permutations(MEMBERS).map(tuple), steps=st.integers(1, 3), seed=st.integers(0, 2),
        pretrained=st.sampled_from(["hub", "random"]), batch=st.integers(1, 2), clips_per_video=st.integers(1, 2),
    ),
    st.sampled_from([None, "w0", "w1"]),
)  # fmt: skip


@given(first=recipes, second=recipes)
def test_two_recipes_share_an_id_only_if_they_are_the_same(first, second):
    assert (committee_key(*first) == committee_key(*second)) == (first == second)


def test_the_id_of_what_is_put_together_is_a_hash_of_its_rows():
    one, other = row("frame", "a"), row("video", "a")
    assert committee_id([one, other]) == committee_id([other, one])
    assert committee_id([one]) != committee_id([one, other]) != committee_id([one, replace(other, weights="w")])


@pytest.fixture
def datasets(store) -> Datasets:
    return Datasets(store)


def write(datasets: Datasets, committee: str, rows: list[CommitteeRow], *parents: str, stage: str = "bootstrap") -> str:
    made_from = {
        found.address: found.mark for parent in parents if (found := datasets.need(COMMITTEES, committee=parent))
    }
    keys = {"committee": committee}
    datasets.write(COMMITTEES, [COMMITTEES.table(rows)], keys=keys, stage=stage, settings={}, made_from=made_from)
    return committee


def adopted(datasets, ledger) -> set[CommitteeRow]:
    return set(datasets.rows(COMMITTEES, committee=adopt_committees(datasets, ledger, MEMBERS)))


BASE = [row(member, "a") for member in MEMBERS]
NETWORK = [row(PRETRAINED, "a", "release:r0001")]
CATEGORY = [row(member, "b", "bootstrap:2026-01-12") for member in MEMBERS]


@pytest.mark.parametrize("promoted_first", [True, False])
def test_a_promotion_and_a_bootstrap_of_one_parent_are_both_in_the_current_committee(datasets, ledger, promoted_first):
    write(datasets, "parent", BASE)
    assert adopt_committees(datasets, ledger, MEMBERS) == "parent"
    extensions = [("promoted", NETWORK, "promote"), ("extended", CATEGORY, "bootstrap")]
    for committee, gained, stage in extensions if promoted_first else extensions[::-1]:
        write(datasets, committee, BASE + gained, "parent", stage=stage)
        assert adopted(datasets, ledger) >= {*BASE, *gained}
    assert adopted(datasets, ledger) == {*BASE, *NETWORK, *CATEGORY}
    origins = {one["committee"]: one["origin"] for one in ledger.rows("committees")}
    current = ledger.rows("committees")[0]
    assert origins["parent"] == "bootstrap:2026-01-05"
    assert origins["promoted"] == "release:r0001"
    assert origins["extended"] == "bootstrap:2026-01-12"
    assert current["origin"].startswith("from:")
    assert set(current["origin"].removeprefix("from:").split("+")) == {"promoted", "extended"}
    assert set(current["categories"]) == {"a", "b"}


def test_the_origin_is_the_cause_of_the_committee_and_not_the_newest_origin_of_its_rows(datasets, ledger):
    write(datasets, "promoted", BASE + NETWORK)
    adopt_committees(datasets, ledger, MEMBERS)
    write(datasets, "extended", BASE + NETWORK + CATEGORY, "promoted")
    adopt_committees(datasets, ledger, MEMBERS)
    assert ledger.rows("committees")[0]["origin"] == "bootstrap:2026-01-12"


def test_a_ledger_that_was_lost_ends_with_the_same_committee(datasets, ledger):
    write(datasets, "parent", BASE)
    write(datasets, "extended", BASE + CATEGORY, "parent")
    write(datasets, "promoted", BASE + NETWORK, "parent", stage="promote")
    assert adopted(datasets, ledger) == {*BASE, *NETWORK, *CATEGORY}
    assert len(ledger.rows("committees")) == 4


def test_an_extension_that_gained_nothing_does_not_become_current(datasets, ledger):
    write(datasets, "parent", BASE)
    adopt_committees(datasets, ledger, MEMBERS)
    write(datasets, "idle", BASE, "parent")
    assert adopt_committees(datasets, ledger, MEMBERS) == "parent"
    assert adopt_committees(datasets, ledger, MEMBERS) == "parent"


def test_what_the_settings_change_is_said_and_planned(datasets):
    write(datasets, "parent", [*BASE, *NETWORK, *CATEGORY[:1]])
    panels = panels_of(datasets, "parent")
    assert uncovered(panels, MEMBERS, "abc") == {"b", "c"}
    assert uncovered(panels, ("frame", "other"), "abc") == {"a", "b", "c"}
    assert changes(panels, MEMBERS) == []
    joins, *leave = changes(panels, ("frame", "video", "other"))
    assert joins == "other joins the committee: bootstrap trains it"
    assert [line.split()[0] for line in leave] == ["motion"]
