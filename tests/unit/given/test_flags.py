"""A number of a command line is in its range, or is refused with it."""

from argparse import ArgumentTypeError

import pytest

from slac_tasks.given.flags import number, path, whole


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "nan", "", "99999999999999999999", "9" * 5000, "judo"])
def test_what_is_no_number_of_the_range_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="want a whole number from 1 to 2147483647"):
        whole(1)(text)


def test_the_ends_of_a_range_are_in_it() -> None:
    assert [whole(0, 65_535)(text) for text in ("0", "65535")] == [0, 65_535]


@pytest.mark.parametrize("text", ["nan", "inf", "-1e999", "", "judo"])
def test_a_limit_that_nothing_is_above_or_below_is_no_number(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"is '{text}', want a number"):
        number(text)
    assert [number(each) for each in ("-0.5", "1e3")] == [-0.5, 1000.0]


def test_an_empty_word_is_no_path() -> None:
    with pytest.raises(ArgumentTypeError, match="is empty, want a path"):
        path("")
    assert str(path(".")) == "."
