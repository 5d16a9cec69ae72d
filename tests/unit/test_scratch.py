"""What a process needs for a while is gone with it, however it ends."""

import errno
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from slac_tasks import scratch
from slac_tasks.model import content_hash
from slac_tasks.scratch import Scratch

MAKES_ONE = """
import os, sys, time
from pathlib import Path
from slac_tasks.scratch import Scratch
made = Scratch(Path(sys.argv[1]))
(made.path / "pixels").write_bytes(b"0" * 1000)
print(made.path, flush=True)
"""
SLEEPS = "time.sleep(60)"
FORKS = """
if not os.fork():
    made.close()
    os._exit(0)
os.wait()
print("forked", flush=True)
time.sleep(60)
"""


@contextmanager
def another(within: Path, then: str = SLEEPS) -> "Iterator[tuple[subprocess.Popen[str], Path]]":
    """Have a process that makes a folder, and then does something; yield both, once the folder is there."""
    program = [sys.executable, "-c", MAKES_ONE + then, str(within)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def age(folder: Path, seconds: float = 3600.0) -> None:
    os.utime(folder, (time.time() - seconds,) * 2)


@pytest.fixture(autouse=True)
def of_a_new_process() -> None:
    scratch._sweep.cache_clear()


def test_it_is_gone_after_the_block_and_with_the_last_reference(tmp_path: Path) -> None:
    with suppress(KeyError), Scratch(tmp_path) as folder:
        (folder / "file").write_text("x")
        raise KeyError
    assert not list(tmp_path.iterdir())
    made = Scratch(tmp_path)
    assert list(tmp_path.iterdir()) == [made.path]
    del made
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_is_named_and_any_other_failure_is_as_it_was(tmp_path: Path) -> None:
    for failure, place in (
        (OSError(errno.ENOSPC, "full"), None),
        (OSError(errno.ENOSPC, "full", "/elsewhere"), "/elsewhere"),
        (OSError(errno.EIO, "broken"), ""),
    ):
        made = Scratch(tmp_path)
        with pytest.raises(OSError, match=r"full|broken"), made:
            raise failure
        assert (failure.filename or "") == (str(made.path) if place is None else place)
        assert not list(tmp_path.iterdir())


def test_it_is_gone_after_the_process(tmp_path: Path) -> None:
    with another(tmp_path, then="") as (process, folder):
        assert process.wait() == 0
        assert not folder.exists()


def test_what_a_killed_process_left_is_deleted_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    with another(tmp_path) as (killed, left), another(tmp_path) as (_, used):
        killed.kill()
        killed.wait()
        age(left)
        age(used)
        with Scratch(tmp_path):
            assert not left.exists()
            assert (used / "pixels").read_bytes() == b"0" * 1000


def test_a_folder_that_is_just_being_made_stays(tmp_path: Path) -> None:
    young = tmp_path / f"{scratch._PREFIX}young"
    young.mkdir()
    with Scratch(tmp_path):
        assert young.exists()


def test_what_a_process_of_another_machine_has_stays(tmp_path: Path) -> None:
    far = tmp_path / scratch._PREFIX.replace(content_hash(platform.node()), content_hash("another machine"))
    far.mkdir()
    age(far)
    with Scratch(tmp_path):
        assert far.exists()


def test_what_only_looks_like_one_is_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("x")
    age(elsewhere)
    (tmp_path / f"{scratch._PREFIX}link").symlink_to(elsewhere)
    file = tmp_path / f"{scratch._PREFIX}file"
    file.write_text("x")
    age(file)
    with Scratch(tmp_path):
        assert (elsewhere / "file").exists()
        assert file.exists()


def test_a_fork_leaves_it_to_the_process_that_made_it(tmp_path: Path) -> None:
    with another(tmp_path, then=FORKS) as (process, folder):
        assert process.stdout
        assert process.stdout.readline() == "forked\n"
        age(folder)
        with Scratch(tmp_path):
            assert (folder / "pixels").exists()
