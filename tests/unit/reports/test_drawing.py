"""Whatever is drawn lies inside the drawing, and higher values lie higher."""

import json
from dataclasses import asdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.reports.charts import Chart, Line, Point, multiples
from slac_tasks.reports.drawing import HEIGHT, LEFT, SPARK_HEIGHT, SPARK_WIDTH, TOP, WIDTH, drawing, spark

SHARE = st.floats(0, 1)


def chart(values: list[float], **more: object) -> Chart:
    points = tuple(Point(at=at, value=value) for at, value in enumerate(values))
    ticks = tuple(f"2026-01-{at + 1:02}" for at in range(len(values)))
    return Chart(**{"title": "t", "about": "", "ticks": ticks, "lines": (Line(name="a", points=points),), **more})


def places(path: str) -> list[tuple[float, float]]:
    return [tuple(map(float, point.split(","))) for point in path.split()]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.booleans())
def test_every_value_lies_inside_and_higher_ones_lie_higher(values: list[float], share: bool) -> None:
    if share:
        values = [abs(value) / 1e6 for value in values]
    drawn = drawing(chart(values, is_share=share))
    (line,) = drawn.lines
    found = places(line.path)
    assert all(LEFT <= x <= WIDTH and TOP <= y <= HEIGHT for x, y in found)
    assert [x for x, _ in found] == sorted(x for x, _ in found)
    heights = [y for _, y in found]
    for (one, y), (other, below) in pairwise(zip(values, heights, strict=True)):
        if one > other:
            assert y <= below
    assert 1 <= len(drawn.up) <= 8
    assert all(TOP - 0.1 <= word.at <= HEIGHT for word in drawn.up)


@given(st.lists(SHARE, min_size=2, max_size=30), SHARE, SHARE)
def test_a_small_line_stays_inside(values: list[float], least: float, most: float) -> None:
    drawn = spark(values, least, most)
    for x, y in places(drawn.points):
        assert 0 <= x <= SPARK_WIDTH
        assert 0 <= y <= SPARK_HEIGHT
    assert drawn.wanted is not None
    assert 0 <= drawn.wanted <= SPARK_HEIGHT


def test_an_interval_is_a_band_around_its_line() -> None:
    points = (Point(at=0, value=0.5, low=0.4, high=0.6, count=12), Point(at=1, value=0.7, low=0.6, high=0.8))
    drawn = drawing(chart([0, 0], lines=(Line(name="judo", points=points),), is_share=True, least=0.55))
    (line,) = drawn.lines
    band, path = places(line.band), places(line.path)
    assert len(band) == 4
    assert band[0][1] < path[0][1] < band[3][1], "the upper end, the value, the lower end"
    assert line.dots[0].text == "judo, 2026-01-01: 50 % [40 %, 60 %] of 12"
    assert path[1][1] < drawn.wanted[0] < band[3][1]


def test_places_lie_where_they_are_spread() -> None:
    drawn = drawing(chart([0.2, 0.4, 0.6], ticks=("1", "10", "1000"), spread=(0.0, 1 / 3, 1.0), is_share=True))
    near, middle, far = (x for x, _ in places(drawn.lines[0].path))
    assert middle - near == pytest.approx((far - near) / 3, abs=0.2)
    assert [word.text for word in drawn.across] == ["1", "10", "1000"], "three short names have room"


def test_only_the_first_the_middle_and_the_last_place_are_named() -> None:
    found = drawing(chart([1.0] * 9)).across
    assert [word.text for word in found] == ["2026-01-01", "2026-01-05", "2026-01-09"]
    assert [word.anchor for word in found] == ["start", "middle", "end"]
    assert [word.text for word in drawing(chart([1.0])).across] == ["2026-01-01"]


def test_more_lines_than_colours_get_a_chart_each() -> None:
    lines = tuple(Line(name=f"l{place}", points=(Point(at=0, value=1.0),)) for place in range(8))
    assert len(multiples(chart([1.0], lines=lines[:7]))) == 1
    many = multiples(chart([1.0], lines=lines))
    assert [one.title for one in many] == [f"t: l{place}" for place in range(8)]


def test_a_chart_survives_json() -> None:
    one = chart([0.25, 0.5], is_share=True, least=0.1)
    assert Chart.of(json.loads(json.dumps(asdict(one)))) == one


def test_nothing_is_drawn_of_nothing() -> None:
    empty = chart([])
    assert empty.is_empty
    assert drawing(empty).lines == ()
    assert drawing(empty).across == ()
