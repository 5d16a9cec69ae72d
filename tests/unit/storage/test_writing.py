import threading
import time
from collections.abc import Callable

import pytest

from slac_tasks.errors import Temporary
from slac_tasks.storage.writing import Writer


def test_what_is_given_is_done_in_order_by_another_thread() -> None:
    done: list[tuple[int, bool]] = []

    def act(number: int) -> Callable[[], None]:
        return lambda: done.append((number, threading.current_thread() is threading.main_thread()))

    with Writer() as writer:
        for number in range(20):
            writer.then(act(number))
    assert done == [(number, False) for number in range(20)]


def test_the_caller_goes_on_while_one_thing_is_under_way() -> None:
    go, given = threading.Event(), []

    def slow() -> None:
        assert go.wait(10)

    def give() -> None:
        with Writer() as writer:
            for number in range(6):
                writer.then(slow)
                given.append(number)

    caller = threading.Thread(target=give)
    caller.start()
    caller.join(0.3)
    assert given == [0]
    go.set()
    caller.join(10)
    assert given == list(range(6))


def test_a_failure_is_raised_as_it_was_and_nothing_is_done_after_it() -> None:
    failure, done = Temporary("store: is full"), []

    def fail() -> None:
        raise failure

    def give() -> None:
        with Writer() as writer:
            writer.then(fail)
            for number in range(9):
                writer.then(lambda number=number: done.append(number))

    with pytest.raises(Temporary) as raised:
        give()
    assert raised.value is failure
    assert not done


def test_a_failure_of_the_last_write_is_not_lost() -> None:
    def fail() -> None:
        raise Temporary("store: is full")

    def give() -> None:
        with Writer() as writer:
            writer.then(fail)

    with pytest.raises(Temporary):
        give()


def test_an_error_of_the_caller_waits_for_what_is_under_way() -> None:
    begun, done = threading.Event(), []

    def slow() -> None:
        begun.set()
        time.sleep(0.2)
        done.append("slow")

    def give() -> None:
        with Writer() as writer:
            writer.then(slow)
            assert begun.wait(10)
            raise KeyError("caller")

    with pytest.raises(KeyError):
        give()
    assert done == ["slow"]
