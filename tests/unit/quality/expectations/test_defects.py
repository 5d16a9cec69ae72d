"""Every expectation has a defect that it catches, and good hand-overs fail none."""

import dataclasses

import pytest

from bench.harness.defects import DEFECTS
from bench.harness.handovers import World, good
from bench.quality import alarms, failures_of, planted
from slac_tasks.quality.expectations import EXPECTATIONS
from slac_tasks.quality.expectations.declared import PROVEN
from slac_tasks.quality.expectations.entries import Wanted
from slac_tasks.quality.expectations.judging import UNCHECKED, judge
from slac_tasks.quality.settings import Expectations

BY_DECLARATION = {"schema", "values_known", "numbers_finite", "rows_unique", "not_empty"}
"""The same code for every dataset: one planted defect each is enough."""


@pytest.fixture(scope="module")
def world() -> World:
    return good(labels=3_000)


def test_each_planted_defect_is_caught_by_the_expectation_meant_for_it(world: World) -> None:
    missed = [defect.name for defect, rows in planted(world) if defect.caught_by not in failures_of(rows)]
    assert missed == []


@pytest.mark.parametrize("dataset", EXPECTATIONS)
def test_an_expectation_reads_no_column_but_those_that_it_names(world: World, dataset: str) -> None:
    for defect in (one for one in DEFECTS if one.dataset == dataset):
        bad = defect.plant(world.handover(dataset))
        for one in EXPECTATIONS[dataset]:
            if one.reads and one.name not in PROVEN:
                held = [name for name in {*one.reads, *bad.dataset.unique} if name in bad.rows.column_names]
                part = dataclasses.replace(bad, rows=bad.rows.select(held))
                # As text, where a value that is no number equals itself.
                assert repr((defect.name, one.findings(part))) == repr((defect.name, one.findings(bad)))


def test_good_handovers_fail_no_expectation() -> None:
    assert dict(alarms(2, 1_500)) == {}


@pytest.mark.parametrize("dataset", EXPECTATIONS)
def test_a_good_handover_leaves_nothing_unchecked(world: World, dataset: str) -> None:
    rows = judge(world.handover(dataset), EXPECTATIONS[dataset])
    found = {row.name for row in rows if row.verdict == UNCHECKED}
    # All of its labels are counted ones.
    assert found <= {"few_labels_against_counts"}


def test_each_expectation_has_a_planted_defect() -> None:
    meant = {(defect.dataset, defect.caught_by) for defect in DEFECTS}
    without = {
        (dataset, one.name) for dataset, some in EXPECTATIONS.items() for one in some if one.name not in BY_DECLARATION
    } - meant
    assert without == set()
    assert {name for _, name in meant} >= BY_DECLARATION


@pytest.mark.parametrize("dataset", EXPECTATIONS)
def test_expectations_are_named_once_and_say_a_sentence(dataset: str) -> None:
    names = [one.name for one in EXPECTATIONS[dataset]]
    assert len(names) == len(set(names))
    assert all(one.sentence.endswith(".") and one.sentence[0].isupper() for one in EXPECTATIONS[dataset])


def test_each_knob_is_a_setting_and_each_setting_is_used() -> None:
    knobs = {field.name for field in dataclasses.fields(Expectations)}
    used = {
        end
        for some in EXPECTATIONS.values()
        for one in some
        for end in (one.wanted.low, one.wanted.high)
        if isinstance(end, str)
    }
    assert used <= knobs
    assert Wanted(low="min_balance").range(Expectations()) == (0.2, float("inf"))
