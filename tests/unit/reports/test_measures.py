"""A measure in words, in one line, and as a row of a csv."""

import csv
import io

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


def test_a_trend_is_drawn_from_the_oldest_version_to_the_newest() -> None:
    assert PRECISION.points == "0.0,2.2 60.0,1.5"


def test_measures_are_grouped_by_category() -> None:
    assert {category: len(rows) for category, rows in by_category([PRECISION, SETTLED, UNKNOWN]).items()} == {
        "judo": 2, "polo": 1,
    }  # fmt: skip


def test_the_csv_holds_every_measure_and_leaves_empty_what_is_unknown() -> None:
    rows = list(csv.DictReader(io.StringIO(table([PRECISION, UNKNOWN]))))
    assert tuple(rows[0]) == COLUMNS
    assert (rows[0]["low"], rows[0]["kind"], rows[0]["needed"]) == ("0.714", "people", "120")
    assert (rows[1]["value"], rows[1]["category"]) == ("", "polo")
