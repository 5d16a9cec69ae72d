"""Lines over rounds, and the scores of members: each row stands in the chart of its measure, on a line of its own."""

from typing import Any

from slac_tasks.reports.round_charts import SHOWN, found, of_members, over_rounds
from slac_tasks.storage.datasets.labelling import RoundRow

FIRST, SECOND = "2026-01-05.p0001", "2026-01-12.p0002"


def row(measure: str, value: float | None, **fields: Any) -> RoundRow:
    known = {
        "round": FIRST, "category": None, "strategy": "random", "member": None, "other": None, "bin": None, "count": 9,
        "low": 0.1, "high": 0.9,
    }  # fmt: skip
    return RoundRow(measure=measure, value=value, **(known | fields))


def lines(chart: Any) -> dict[str, list[tuple[int, float]]]:
    return {line.name: [(point.at, point.value) for point in line.points] for line in chart.lines}


def test_a_measure_is_drawn_over_the_rounds_with_a_line_for_each_strategy_member_or_pair() -> None:
    rows = [
        row("positive_share", 0.4, round=SECOND), row("positive_share", 0.2), row("positive_share", 0.3, round=None),
        row("positive_share", 0.6, strategy="consensus"), row("positives_per_minute", 7.0),
        row("calibration_error", 0.1, member="a"), row("kappa", 0.5, member="a", other="b"),
        row("kappa", None, member="a", other="b", round=SECOND),
    ]  # fmt: skip
    charts = {chart.title: chart for chart in over_rounds(rows)}
    assert {chart.ticks for chart in charts.values()} == {("2026-01-05", "2026-01-12")}
    assert lines(charts["Positive share"]) == {"random": [(0, 0.2), (1, 0.4)], "consensus": [(0, 0.6)]}
    assert lines(charts["Positives a minute"]) == {"random": [(0, 7.0)]}
    assert lines(charts["Calibration error"]) == {"a": [(0, 0.1)]}
    assert lines(charts["Agreement of members"]) == {"a and b": [(0, 0.5)]}
    assert lines(charts["Lift over random"]) == {}
    point = charts["Positive share"].lines[0].points[0]
    assert (point.low, point.high, point.count) == (0.1, 0.9, 9)


def test_of_many_rounds_the_newest_are_drawn() -> None:
    many = [f"2026-01-05.p{number:04d}" for number in range(SHOWN + 5)]
    rows = [row("positive_share", number / 1000, round=name) for number, name in enumerate(many)]
    chart = over_rounds(rows)[0]
    assert lines(chart)["random"] == [(at, (at + 5) / 1000) for at in range(SHOWN)]


def test_members_are_shown_over_all_rounds_and_categories_together() -> None:
    whole: dict[str, Any] = {"round": None}
    rows = [
        row("reliability", 0.7, member="b", bin=0.6, **whole), row("reliability", 0.1, member="a", bin=0.0, **whole),
        row("reliability", 0.9, member="a", bin=0.9, **whole), row("reliability", 0.5, member="a", bin=0.5),
        row("scores", 0.3, member="a", bin=0.2, **whole),
        row("scores", 0.8, member="a", bin=0.2, category="judo", **whole),
        row("scores", 0.4, member="a", bin=0.2, strategy="consensus", **whole),
        row("scores", 0.6, member="b", bin=0.3, **whole),
    ]  # fmt: skip
    trust, *members = of_members(rows)
    assert lines(trust) == {"a": [(0, 0.1), (9, 0.9)], "b": [(6, 0.7)]}
    assert [(chart.title, lines(chart)) for chart in members] == [
        ("Scores of a", {"consensus": [(2, 0.4)], "random": [(2, 0.3)]}), ("Scores of b", {"random": [(3, 0.6)]})
    ]  # fmt: skip
    assert (trust.ticks[0], trust.ticks[-1], trust.is_square) == ("0 to 0.1", "0.9 to 1", True)


def test_what_is_found_of_all_rounds_is_of_them_together_and_no_part_of_the_scores() -> None:
    rows = [
        row("positive_share", 0.3, round=None), row("positive_share", 0.2, round=None, category="judo"),
        row("positive_share", 0.4), row("scores", 0.5, round=None, member="a", bin=0.1),
    ]  # fmt: skip
    assert [(one.category, one.value, one.count) for one in found(rows)] == [(None, 0.3, 9), ("judo", 0.2, 9)]
