"""Who is asked next: as many at once as may be, none for ever, and each item once more where that may help."""

import threading
from collections import Counter

import pytest

from slac_tasks.collect.downloads import turns
from slac_tasks.collect.downloads.hosts import Hosts
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.downloads.turns import in_turn
from slac_tasks.collect.settings import Fetch

LIMITS = Fetch(workers=4, workers_per_host=2, tries=4)


class Clock:
    """What `time` is to the module: it goes on where somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("hosts", [("a", "b"), ("",)])
def test_all_workers_are_at_work_and_no_more_of_one_host_than_may_be(hosts: tuple[str, ...]) -> None:
    items = [(host, number) for host in hosts for number in range(24 // len(hosts))]
    lock, together, at_work, most = threading.Lock(), threading.Barrier(4), Counter[str](), Counter[str]()

    def work(item: tuple[str, int]) -> int:
        host, number = item
        with lock:
            at_work[host] += 1
            most[host] = max(most[host], at_work[host])
        together.wait(timeout=30)  # returns once four are here
        with lock:
            at_work[host] -= 1
        return number

    found = list(in_turn(items, lambda item: item[0], work, Hosts(LIMITS), LIMITS))
    assert sorted(item for item, _ in found) == sorted(items)
    assert all(outcome == number for (_, number), outcome in found)
    assert most == ({"a": 2, "b": 2} if len(hosts) > 1 else {"": 4})


def test_a_host_whose_workers_are_all_held_up_holds_up_no_other() -> None:
    others = threading.Event()

    def work(item: str) -> None:
        if item.startswith("slow"):
            assert others.wait(timeout=30)

    items = ["slow 1", "slow 2", "slow 3", *(f"{host} 1" for host in "abcdef")]
    ended = []
    for item, _ in in_turn(items, lambda item: item.partition(" ")[0], work, Hosts(LIMITS), LIMITS):
        ended.append(item)
        if len(ended) == 6:
            others.set()
    assert sorted(ended[:6]) == items[3:]
    assert sorted(ended[6:]) == items[:3]


def test_whose_turn_comes_meanwhile_waits_for_nobody_who_is_at_work() -> None:
    hosts, last = Hosts(Fetch(requests_per_sec=20.0)), threading.Event()

    def work(item: str) -> None:
        hosts.take(item[0])
        if item == "b2":
            last.set()
        assert item != "a1" or last.wait(timeout=30)

    found = in_turn(["a1", "b1", "b2"], lambda item: item[0], work, hosts, LIMITS)
    assert sorted(item for item, _ in found) == ["a1", "b1", "b2"]


def test_what_may_pass_is_tried_again_twice_as_late_each_time_and_what_may_not_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, asked = Clock(), []
    monkeypatch.setattr(turns, "time", clock)

    def work(item: str) -> None:
        asked.append((item, clock.now - 100))
        raise Unfetched("network" if item == "later" else "gone", "no", retryable=item == "later")

    found = list(in_turn(["later", "never"], lambda _: "", work, Hosts(LIMITS), LIMITS))
    assert [(item, no.reason) for item, no in found if isinstance(no, Unfetched)] == [
        ("never", "gone"), ("later", "network"),
    ]  # fmt: skip
    assert sorted(asked) == [("later", 0), ("later", 1), ("later", 3), ("later", 7), ("never", 0)]


def test_those_that_failed_together_are_not_all_tried_again_in_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, again, asked = Clock(), {}, Counter[int]()
    monkeypatch.setattr(turns, "time", clock)

    def work(item: int) -> None:
        asked[item] += 1
        if asked[item] == 1:
            raise Unfetched("network", "no", retryable=True)
        again[item] = clock.now - 100

    alone = Fetch(workers=1)
    assert [outcome for _, outcome in in_turn(range(7), str, work, Hosts(alone), alone)] == [None] * 7
    assert [again[item] for item in range(7)] == pytest.approx([1 + item / 7 for item in range(7)])
