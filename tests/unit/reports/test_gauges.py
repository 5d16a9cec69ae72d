"""Gauges are told to the last digit, and one that nobody declared is a bug."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.reports.gauges import GAUGES, exposition


@given(value=st.integers(0, 2**53) | st.floats(allow_nan=False, allow_infinity=False))
def test_what_a_reader_gets_is_the_number_that_was_told(value: float) -> None:
    told = exposition([{"name": "slac_answers", "category": "judo", "value": value}])
    help_line, type_line, line = told.splitlines()
    assert (help_line, type_line) == (
        f"# HELP slac_answers {GAUGES['slac_answers']}", "# TYPE slac_answers gauge"
    )  # fmt: skip
    assert line.startswith('slac_answers{category="judo"} ')
    assert float(line.rpartition(" ")[2]) == value


def test_rows_of_one_gauge_stand_together_and_an_unknown_one_is_refused() -> None:
    rows = [{"name": name, "category": category, "value": 1_750_123} for name, category in (
        ("slac_answers", "judo"), ("slac_categories", None), ("slac_answers", "polo"),
    )]  # fmt: skip
    assert [line for line in exposition(rows).splitlines() if not line.startswith("#")] == [
        'slac_answers{category="judo"} 1750123', 'slac_answers{category="polo"} 1750123', "slac_categories 1750123",
    ]  # fmt: skip
    with pytest.raises(KeyError):
        exposition([{"name": "slac_moods", "category": None, "value": 1}])
