"""A measure in words, in one line, and as a row of a csv."""

import csv
import io
from dataclasses import replace

import pytest

from slac_tasks.reports.measures import COLUMNS, Judged, by_category, table

PRECISION = Judged(
    category="judo", labels="000003", measure="precision", kind="people", value=0.96, low=0.714, high=1.0,
    clip_count=31, least=0.8, most=None, state="unclear", needed=120, trend=(0.9, 0.96),
)  # fmt: skip
SETTLED = Judged(
    category="judo", labels="000003", measure="settled", kind=None, value=1400.0, low=None, high=None, clip_count=1400,
    least=10.0, most=None, state="met", needed=None, trend=(1400.0,),
)  # fmt: skip
UNKNOWN = Judged(
    category="polo", labels="000001", measure="positive_share", kind=None, value=None, low=0.0, high=1.0, clip_count=0,
    least=0.05, most=0.98, state="unclear", needed=None, trend=(),
)  # fmt: skip


def test_a_line_has_value_interval_clips_range_and_what_is_wanted_more() -> None:
    assert PRECISION.line == (
        "precision, people: 96.0 % [71.4 %, 100.0 %] of 31 clips, want 80 % or more: unclear; "
        "120 answers more, at least"
    )  # fmt: skip
    assert SETTLED.line == "settled: 1,400 of 1,400 clips, want 10 or more: met"
    assert UNKNOWN.line == "positive share: unknown of 0 clips, want 5 % to 98 %: unclear"


def test_a_trend_goes_from_the_oldest_version_to_the_newest_beside_the_end_that_is_wanted() -> None:
    assert PRECISION.spark is not None
    (first_x, first_y), (last_x, last_y) = (map(float, point.split(",")) for point in PRECISION.spark.points.split())
    assert first_x < last_x
    # up is better: 0.90, then 0.96, both over the 0.80 that is wanted
    assert last_y < first_y < PRECISION.spark.wanted
    assert (PRECISION.spark.x, PRECISION.spark.y) == (last_x, last_y)
    assert SETTLED.spark is None, "a count has no trend in the dashboard"
    assert UNKNOWN.spark is None


def test_a_range_that_ends_where_shares_end_is_open() -> None:
    agreement = replace(PRECISION, measure="agreement", kind=None, value=0.98, least=0.75, most=1.0)
    assert agreement.wanted == "75 % or more"
    assert agreement.room == pytest.approx(0.23), "not the 0.02 up to 1"
    unsettled = replace(PRECISION, measure="unsettled_share", value=0.0, least=0.0, most=0.3)
    assert (unsettled.wanted, unsettled.room) == ("0 % to 30 %", pytest.approx(0.3))


def test_a_count_has_a_range_up_to_any_number_and_no_trend_however_often_it_was_taken() -> None:
    broken = replace(SETTLED, measure="broken", value=3.0, least=None, most=5.0, trend=(1.0, 3.0))
    assert (broken.wanted, broken.room) == ("0 to 5", pytest.approx(2 / 3))
    assert broken.spark is None
    free = replace(broken, most=None)
    assert (free.wanted, free.room) == ("nothing", 1.0)


def test_of_precision_the_lower_end_decides_and_what_is_unknown_has_no_room() -> None:
    assert PRECISION.room == pytest.approx(0.714 - 0.8)
    assert UNKNOWN.room == -1.0
    assert SETTLED.room == pytest.approx((1400 - 10) / 1400)


def test_measures_are_grouped_by_category() -> None:
    assert {category: len(rows) for category, rows in by_category([PRECISION, SETTLED, UNKNOWN]).items()} == {
        "judo": 2, "polo": 1,
    }  # fmt: skip


def test_the_csv_holds_every_measure_and_leaves_empty_what_is_unknown() -> None:
    rows = list(csv.DictReader(io.StringIO(table([PRECISION, UNKNOWN]))))
    assert tuple(rows[0]) == COLUMNS
    assert (rows[0]["low"], rows[0]["kind"], rows[0]["needed"]) == ("0.714", "people", "120")
    assert (rows[1]["value"], rows[1]["category"]) == ("", "polo")
