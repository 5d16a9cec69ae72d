"""A number of a command line is in its range, or is refused with it."""

from argparse import ArgumentTypeError

import pytest

from slac_tasks.given.flags import whole


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "nan", "", "99999999999999999999", "9" * 5000, "judo"])
def test_what_is_no_number_of_the_range_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="want a whole number from 1 to 2147483647"):
        whole(1)(text)


def test_the_ends_of_a_range_are_in_it() -> None:
    assert [whole(0, 65_535)(text) for text in ("0", "65535")] == [0, 65_535]
