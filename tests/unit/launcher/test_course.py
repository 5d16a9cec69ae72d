"""What is said of the end of a demo."""

import pytest

from slac_tasks.launcher.course import Course, Forecast

COURSE = Course(whole_sec=100.0, gone={3: 0.2, 1: 0.6})


@pytest.mark.parametrize("slower", [1.0, 4.0])
def test_the_estimate_follows_the_pace_of_this_machine(slower: float) -> None:
    forecast = Forecast(course=COURSE)
    assert forecast.left_sec(0.0, 4) == pytest.approx(100)
    assert forecast.left_sec(20 * slower, 3) == pytest.approx(80 * slower)
    assert forecast.left_sec(30 * slower, 2) == pytest.approx(70 * slower)
    assert forecast.left_sec(60 * slower, 1) == pytest.approx(40 * slower)
    assert forecast.left_sec(80 * slower, 1) == pytest.approx(20 * slower)


def test_a_step_that_takes_longer_puts_off_what_follows() -> None:
    forecast = Forecast(course=COURSE)
    forecast.left_sec(0.0, 4)
    assert forecast.left_sec(500.0, 4) == pytest.approx(80)
    assert forecast.left_sec(600.0, 3) == pytest.approx(2400)


def test_a_demo_that_goes_on_is_not_taken_for_a_fast_one() -> None:
    forecast = Forecast(course=COURSE)
    assert forecast.left_sec(1.0, 1) == pytest.approx(39)
    later = Forecast(course=COURSE)
    assert later.left_sec(0.0, 3) == pytest.approx(80)
    assert later.left_sec(20.0, 1) == pytest.approx(20)
