import math
import multiprocessing
import os
from pathlib import Path

import pytest

from slac_tasks.children import processors, together
from slac_tasks.errors import Temporary, is_disk_full


def test_answers_come_in_the_order_of_the_tasks() -> None:
    assert together(math.sqrt, [4.0, 9.0, 16.0], "roots") == [2.0, 3.0, 4.0]


def test_one_that_is_killed_is_a_failure_that_a_later_try_may_cure() -> None:
    with pytest.raises(Temporary, match="rank 0 of leaving: ended with 9, as when memory runs out"):
        together(os._exit, [9], "leaving")
    assert multiprocessing.active_children() == []


def test_a_bug_of_one_is_a_bug_here(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="rank 1 of reading: ValueError: invalid literal"):
        together(int, ["1", "one"], "reading")
    assert "Traceback" in capfd.readouterr().err


def test_a_full_disk_of_one_is_a_full_disk_here(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        together(_fill, ["/dev/full"], "writing")
    assert is_disk_full(caught.value)
    assert "Traceback" not in capfd.readouterr().err


def _fill(path: str) -> None:
    Path(path).write_bytes(b"too much")


def test_processors_are_those_that_this_process_may_use() -> None:
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(own)})
    try:
        assert processors() == 1
    finally:
        os.sched_setaffinity(0, own)
