"""The budget of a host, on a clock that goes on only where somebody waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.collect.downloads import hosts as module
from slac_tasks.collect.downloads.hosts import Hosts
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.settings import Fetch

LIMITS = Fetch(requests_per_sec=4.0, bytes_per_sec=1000.0, max_wait_sec=30.0)
START = 100.0


class Clock:
    """What `time` is to the module."""

    def __init__(self) -> None:
        self.now = START

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def waited(clock: Clock, hosts: Hosts, host: str = "a") -> float:
    """Return how long the next request to a host waits for its turn."""
    began = clock.now
    hosts.take(host)
    return clock.now - began


def test_requests_to_a_host_are_apart_and_hold_up_no_other_host(clock: Clock) -> None:
    hosts = Hosts(LIMITS)
    assert [waited(clock, hosts) for _ in range(4)] == pytest.approx([0, 0.25, 0.25, 0.25])
    assert waited(clock, hosts, "b") == 0
    clock.now += 10
    assert [waited(clock, hosts) for _ in range(2)] == pytest.approx([0, 0.25]), "what was not used is not saved up"


def test_a_host_that_does_not_say_how_long_is_left_alone_for_twice_as_long_each_time(clock: Clock) -> None:
    hosts, pauses = Hosts(LIMITS), []
    for _ in range(7):
        hosts.refused("a", None)
        pauses.append(waited(clock, hosts))
        hosts.answered("a", served=False)
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 30, 30])
    for _ in range(1_100):  # 2.0 ** 1_024 is no number
        hosts.refused("a", None)
    assert waited(clock, hosts) == pytest.approx(30)
    hosts.answered("a", served=True)
    hosts.refused("a", None)
    assert waited(clock, hosts) == pytest.approx(1)


def test_a_host_is_left_alone_as_long_as_it_asks_and_no_later_word_makes_that_shorter(clock: Clock) -> None:
    hosts = Hosts(LIMITS)
    hosts.refused("a", 20.0)
    hosts.refused("a", 5.0)
    assert hosts.free_at("a") == START + 20
    assert hosts.free_at("b") == 0
    assert waited(clock, hosts) == pytest.approx(20)
    hosts.refused("a", 31.0)
    with pytest.raises(Unfetched, match="a asks to wait 31 s") as no:
        waited(clock, hosts)
    assert (no.value.reason, no.value.retryable) == ("rate-limited", True)
    assert clock.now == pytest.approx(START + 20), "nobody waits for what is too long"


def test_a_host_that_does_not_answer_ten_times_is_left_alone_for_a_while(clock: Clock) -> None:
    hosts = Hosts(LIMITS)
    for _ in range(9):
        hosts.silent("a")
    hosts.take("a")
    hosts.silent("a")
    with pytest.raises(Unfetched, match="a did not answer 10 times") as no:
        hosts.take("a")
    assert (no.value.reason, no.value.retryable) == ("network", True)
    hosts.take("b")
    clock.now += 30
    hosts.take("a")
    hosts.silent("a")
    with pytest.raises(Unfetched, match="11 times"):
        hosts.take("a")
    hosts.answered("a", served=False)
    hosts.take("a")


@given(counts=st.lists(st.integers(1, 3000), min_size=1, max_size=20))
def test_bytes_come_at_the_rate_of_the_budget_with_a_second_of_it_at_once(counts: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr(module, "time", clock)
        hosts, total = Hosts(LIMITS), 0
        for count in counts:
            hosts.spend("a", count)
            total += count
            assert clock.now - START == pytest.approx(max(0.0, total / 1000 - 1))
        before = clock.now
        hosts.spend("b", 1000)
        assert clock.now == before
