"""Numbers become verdicts: an estimate fails only when its whole interval lies outside."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.quality.expectations.entries import Expectation, Finding, Severity, Wanted
from slac_tasks.quality.expectations.judging import FAILED, MET, UNCHECKED, failures, judged, line
from slac_tasks.quality.expectations.measures import effective, several, share
from slac_tasks.quality.settings import Expectations

KNOBS = Expectations()


def expectation(wanted: Wanted, severity: Severity = Severity.CRITICAL) -> Expectation:
    return Expectation(
        name="one", sentence="It is right.", severity=severity, measure=lambda handover: [], wanted=wanted, reads=()
    )


def verdict(finding: Finding, wanted: Wanted) -> str:
    return judged("clips", [[(expectation(wanted), finding)]], KNOBS).rows[0][0].verdict


@pytest.mark.parametrize(
    ("finding", "wanted", "found"),
    [
        (Finding(value=0.0, count=9), Wanted(high=0.0), MET),
        (Finding(value=1.0, count=9), Wanted(high=0.0), FAILED),
        (Finding(value=None, count=0), Wanted(high=0.0), UNCHECKED),
        (share(4, 10), Wanted(low=0.6), MET),  # 0.17 to 0.69
        (share(400, 1000), Wanted(low=0.6), FAILED),  # 0.37 to 0.43
        (share(620, 1000), Wanted(low=0.6), MET),
        (share(0, 0), Wanted(low=0.6), UNCHECKED),
        (Finding(value=0.3, count=9), Wanted(high="max_drift"), FAILED),
    ],
)
def test_a_value_fails_when_it_is_surely_outside(finding: Finding, wanted: Wanted, found: str) -> None:
    assert verdict(finding, wanted) == found


def test_of_many_people_none_fails_by_bad_luck() -> None:
    chance = np.random.default_rng(0)
    right = chance.binomial(5, 0.92, 2_000)  # the unluckiest of 2,000 good people has 1 or 2 of 5
    assert right.min() <= 2
    found = [
        (expectation(Wanted(low=0.8)), share(int(one), 5, str(person), subjects=len(right)))
        for person, one in enumerate(right)
    ]
    assert {row.verdict for row in judged("votes", [found], KNOBS).rows[0]} == {MET}


def test_several_partitions_are_judged_at_once_and_each_keeps_its_own_verdict() -> None:
    one = expectation(Wanted(high=0.0))
    found = judged("clips", [[(one, Finding(value=float(value), count=5))] for value in (0, 2, 0)], KNOBS)
    assert [rows[0].verdict for rows in found.rows] == [MET, FAILED, MET]


def test_a_failure_says_what_was_expected_found_and_wanted() -> None:
    finding = Finding(value=2.0, count=5, subject="judo", examples=("v:0", "v:500"))
    (row,) = judged("clips", [[(expectation(Wanted(high=0.0)), finding)]], KNOBS).rows[0]
    assert line(row) == "one (judo): It is right. Found 2 of 5, want at most 0, e.g. v:0, v:500"
    assert failures([row], Severity.CRITICAL) == [line(row)]
    assert failures([row], Severity.WARNING) == []


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8))
@settings(max_examples=50)
def test_effective_groups_are_at_most_the_groups(counts: list[int]) -> None:
    assert 1 - 1e-9 <= effective(np.array(counts, float)) <= len(counts) + 1e-9


def test_owners_with_two_properties_are_found() -> None:
    assert several(np.array([0, 0, 1, 1, -1]), np.array([2, 2, 0, 1, 0])).tolist() == [False, True]
