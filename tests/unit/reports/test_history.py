"""A chart for each measure of a category, over the versions at which it was measured."""

from dataclasses import replace

from slac_tasks.reports.history import Measured, charts

AGREEMENT = Measured(
    category="judo", labels="000001", day="2026-01-05", place=1, measure="agreement", kind=None, value=0.7, low=0.6,
    high=0.8, clip_count=210, least=0.75, most=1.0,
)  # fmt: skip
SETTLED = replace(AGREEMENT, place=0, measure="settled", value=400.0, low=None, high=None, least=10.0, most=None)


def test_each_measure_has_its_values_in_the_order_of_the_versions() -> None:
    later = replace(AGREEMENT, labels="000004", day="2026-01-07", value=0.8)
    settled, agreement = charts(
        [AGREEMENT, SETTLED, later, replace(SETTLED, labels="000004", day="2026-01-07", value=900.0)]
    )
    assert (settled.title, agreement.title) == ("settled", "agreement")
    assert agreement.ticks == ("2026-01-05", "2026-01-07")
    assert [(point.at, point.value, point.low) for point in agreement.lines[0].points] == [(0, 0.7, 0.6), (1, 0.8, 0.6)]
    assert (agreement.least, agreement.most, agreement.is_share) == (0.75, None, True), "1 is no end of a share"
    assert (settled.least, settled.is_share) == (10.0, False)
    assert [point.count for point in agreement.lines[0].points] == [210, 210]
    (bounded,) = charts([replace(SETTLED, most=500.0)])
    assert (bounded.least, bounded.most) == (10.0, 500.0)


def test_a_measure_that_was_unknown_has_a_gap_and_keeps_its_place() -> None:
    unknown = replace(AGREEMENT, value=None)
    (chart,) = charts([unknown, replace(AGREEMENT, labels="000002", day="")])
    assert chart.ticks == ("2026-01-05", "000002"), "a version without a verdict goes by its number"
    assert [point.at for point in chart.lines[0].points] == [1]


def test_versions_of_one_day_go_by_their_numbers() -> None:
    (chart,) = charts([AGREEMENT, replace(AGREEMENT, labels="000002")])
    assert chart.ticks == ("000001", "000002")


def test_precision_is_told_apart_by_kind_of_label() -> None:
    kinds = [replace(AGREEMENT, measure="precision", kind=kind, place=place) for place, kind in enumerate("ab")]
    assert [chart.title for chart in charts(kinds)] == ["precision, a", "precision, b"]
