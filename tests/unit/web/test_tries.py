"""How often a login may be tried."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.web import tries
from slac_tasks.web.tries import (
    FREE_TRIES,
    FREE_TRIES_OF_ADDRESS,
    FREE_TRIES_OF_NAME,
    WAIT_MOST_OF_NAME_SEC,
    WAIT_MOST_SEC,
    Tries,
)


def test_each_failure_beyond_the_free_ones_doubles_the_wait() -> None:
    clock = [1000.0]
    ours = Tries(now=lambda: clock[0])
    waits = []
    for _ in range(FREE_TRIES + 12):
        while wait := ours.begin("ada", "10.0.0.1"):
            waits.append(wait)
            clock[0] += wait
    assert waits == [min(WAIT_MOST_SEC, 2.0**step) for step in range(12 - 1 + 1)]


@given(st.lists(st.tuples(st.sampled_from(["ada", "bob"]), st.sampled_from(["a", "b"]), st.floats(0, 2000))))
def test_nobody_waits_longer_than_the_longest_wait(steps: list[tuple[str, str, float]]) -> None:
    clock = [0.0]
    ours = Tries(now=lambda: clock[0])
    for name, address, later in steps:
        clock[0] += later
        if not (wait := ours.begin(name, address)):
            ours.fail(address)
        assert 0 <= wait <= WAIT_MOST_SEC


def test_an_address_that_never_stops_waits_no_longer_than_the_longest_wait() -> None:
    ours = Tries(now=lambda: 1000.0)
    # Twice as many as a float has powers of two.
    for _ in range(FREE_TRIES_OF_ADDRESS + 2048):
        ours.fail("10.0.0.1")
    assert ours.begin("ada", "10.0.0.1") == WAIT_MOST_SEC


def test_a_right_password_forgets_the_wrong_ones() -> None:
    ours = Tries(now=lambda: 1000.0)
    for _ in range(FREE_TRIES * 30):
        assert ours.begin("ada", "10.0.0.1") == 0
        ours.succeed("ada", "10.0.0.1")


def test_what_a_busy_service_did_not_try_forgets_no_failure() -> None:
    ours = Tries(now=lambda: 1000.0)
    for _ in range(FREE_TRIES - 1):
        assert ours.begin("ada", "10.0.0.1") == 0
        ours.fail("10.0.0.1")
    for _ in range(3):
        assert ours.begin("ada", "10.0.0.1") == 0
        ours.cancel("ada", "10.0.0.1")
    assert ours.begin("ada", "10.0.0.1") == 0, "the last one that is free"
    ours.fail("10.0.0.1")
    assert ours.begin("ada", "10.0.0.1") == 1.0


def test_an_address_that_tries_every_name_is_slowed_down() -> None:
    ours = Tries(now=lambda: 1000.0)
    for number in range(FREE_TRIES_OF_ADDRESS):
        assert ours.begin(f"name {number}", "10.0.0.1") == 0
        ours.fail("10.0.0.1")
    assert ours.begin("one more", "10.0.0.1") == 1.0
    assert ours.begin("ada", "10.0.0.2") == 0


def test_all_addresses_of_one_household_count_as_one() -> None:
    ours = Tries(now=lambda: 1000.0)
    waits = [ours.begin("ada", f"2001:db8::{number:x}") for number in range(FREE_TRIES + 1)]
    assert waits[-1] > 0
    assert ours.begin("ada", "2001:db8:0:1::1") == 0


def test_what_is_counted_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "COUNTED_MOST", 10)
    ours = Tries(now=lambda: 1000.0)
    for number in range(100):
        ours.begin("ada", f"10.0.0.{number}")
    assert len(ours._failures) == 10


def test_a_failure_is_forgotten_after_a_quiet_time() -> None:
    clock = [0.0]
    ours = Tries(now=lambda: clock[0])
    for _ in range(FREE_TRIES):
        assert ours.begin("ada", "10.0.0.1") == 0
    assert ours.begin("ada", "10.0.0.1") > 0
    clock[0] += 2 * WAIT_MOST_SEC + 2
    assert [ours.begin("ada", "10.0.0.1") for _ in range(FREE_TRIES)] == [0.0] * FREE_TRIES


def test_a_name_that_many_addresses_guess_at_waits_but_not_long() -> None:
    clock = [1000.0]
    ours = Tries(now=lambda: clock[0])
    waits = [ours.begin("ada", f"10.0.{number // 250}.{number % 250}") for number in range(FREE_TRIES_OF_NAME + 50)]
    assert not any(waits[:FREE_TRIES_OF_NAME])
    assert all(0 < wait <= WAIT_MOST_OF_NAME_SEC for wait in waits[FREE_TRIES_OF_NAME:])
    waits = []
    for number in range(20):
        while wait := ours.begin("ada", f"10.1.0.{number}"):
            waits.append(wait)
            clock[0] += wait
    assert max(waits) == WAIT_MOST_OF_NAME_SEC
    assert ours.begin("bob", "10.0.0.1") == 0, "nobody else waits for it"
    clock[0] += WAIT_MOST_OF_NAME_SEC
    assert ours.begin("ada", "10.9.9.9") == 0
    ours.succeed("ada", "10.9.9.9")
    assert ours.begin("ada", "10.9.9.8") == 0, "she was let in: her name is not guessed at any more"


def test_where_too_many_are_counted_the_oldest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "COUNTED_MOST", 4)  # a pair and a name for each of two people
    ours = Tries(now=lambda: 1000.0)
    for name in ("ada", "bob", "eve"):
        while not ours.begin(name, "10.0.0.1"):
            pass
    assert ours.begin("eve", "10.0.0.1") > 0
    assert ours.begin("bob", "10.0.0.1") > 0
    assert ours.begin("ada", "10.0.0.1") == 0
