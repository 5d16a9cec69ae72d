"""The lines of the dashboard: which measure decides, and who stands first."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.reports.categories import Standing, categories, verdicts
from slac_tasks.reports.measures import Judged

PRECISION = Judged(
    category="judo", labels="000003", measure="precision", kind="people", value=0.96, low=0.714, high=1.0,
    clip_count=31, least=0.8, most=None, state="unclear", needed=120, trend=(0.9, 0.96),
)  # fmt: skip
SETTLED = replace(PRECISION, measure="settled", kind=None, value=1400.0, low=None, high=None, least=10.0, state="met")
JUDO = Standing(
    category="judo", name="Judo", labels="000003", verdict="pending", reasons=(), judged_at=None, standing="pending",
    decision=None, decision_reason=None, person=None, decided_at=None, decided_labels=None, stands=None,
)  # fmt: skip
NEVER = replace(JUDO, category="curling", name="Curling", labels=None, verdict=None, reasons=None, standing=None)
MET = replace(PRECISION, measure="agreement", kind=None, value=0.8, low=0.7, high=0.9, least=0.75, state="met")
OUTSIDE = replace(MET, measure="positive_share", value=0.99, least=0.05, most=0.98, state="outside")
SHOWN = replace(PRECISION, kind="model", low=0.1, state="shown")


def test_what_lies_outside_decides_before_what_is_unclear_and_what_is_met() -> None:
    for found, want in (
        ([SETTLED, MET, OUTSIDE, PRECISION], OUTSIDE),
        ([SETTLED, MET, PRECISION], PRECISION),
        ([SETTLED, MET, SHOWN], MET),
        ([], None),
    ):
        (line,) = categories([JUDO], {"judo": found})
        assert line.deciding == want


def test_of_two_that_are_met_the_one_with_less_room_decides() -> None:
    near = replace(MET, measure="unsettled_share", value=0.29, least=0.0, most=0.3)
    (line,) = categories([JUDO], {"judo": [MET, near]})
    assert line.deciding == near


@given(st.permutations(["undecided", "rejected", "approved", "pending", "accepted", None]))
def test_the_worst_stands_first_in_whatever_order_they_come(standings: list[str | None]) -> None:
    given = [replace(JUDO, category=str(one), name="same", standing=one) for one in standings]
    found = categories(given, {})
    want = ["undecided", "rejected", "approved", "pending", "accepted", None]
    assert [line.standing.standing for line in found] == want
    assert list(verdicts(found)) == [*want[:-1], "not judged"]


def test_of_two_that_stand_alike_the_one_with_less_room_is_first() -> None:
    worse = replace(OUTSIDE, value=1.0)
    found = categories([JUDO, replace(JUDO, category="polo")], {"judo": [OUTSIDE], "polo": [worse]})
    assert [line.standing.category for line in found] == ["polo", "judo"]


def test_a_category_that_was_never_judged_is_there() -> None:
    (line,) = categories([NEVER], {})
    assert line.deciding is None
    assert verdicts([line]) == {"not judged": 1}


def test_a_measure_is_found_by_name_and_kind() -> None:
    (line,) = categories([JUDO], {"judo": [PRECISION, SHOWN, SETTLED]})
    assert line.measure("precision") == PRECISION
    assert line.measure("precision", "model") == SHOWN
    assert line.measure("gold") is None
