import os
import sys
import threading
import time
from pathlib import Path

import pytest

from slac_tasks.video.confined import Bound, Bounds, Ended, run

ROOMY = {"wall_sec": 30.0, "cpu_sec": 20, "memory_bytes": 1 << 30, "file_bytes": 1 << 20, "output_bytes": 1 << 20}


def python(code: str, **tighter: float) -> Ended:
    return run([sys.executable, "-I", "-S", "-c", code], Bounds(**{**ROOMY, **tighter}))


@pytest.mark.parametrize(
    ("code", "tighter", "over"),
    [
        ("import time; time.sleep(60)", {"wall_sec": 0.5}, Bound.WALL),
        ("while True: pass", {"cpu_sec": 1}, Bound.CPU),
        ("import sys\nwhile True: sys.stdout.write('x' * 65536)", {}, Bound.OUTPUT),
    ],
    ids=["time", "processor", "output"],
)
def test_each_bound_ends_the_program_and_has_a_name(code: str, tighter: dict, over: Bound) -> None:
    ended = python(code, **tighter)
    assert ended.over is over
    assert ended.code < 0


def test_a_file_is_bounded(tmp_path: Path) -> None:
    # Not Python: it takes no notice of the signal.
    big = tmp_path / "big"
    ended = run(["/bin/dd", "if=/dev/zero", f"of={big}", "bs=65536", "count=64"], Bounds(**ROOMY))
    assert ended.over is Bound.FILE
    assert big.stat().st_size == ROOMY["file_bytes"]


def test_memory_is_bounded() -> None:
    ended = python("bytearray(1 << 31)")
    assert ended.code == 1
    assert "MemoryError" in ended.said


def test_it_finds_no_credentials_and_says_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nobody's")
    ended = python("import os, sys; print(sorted(os.environ)); sys.stderr.write('last words'); sys.exit(3)")
    assert b"AWS" not in ended.output
    assert (ended.code, ended.said, ended.over) == (3, "last words", None)


def test_the_whole_group_is_gone_also_when_many_threads_run_some() -> None:
    found: list[int] = []

    def work() -> None:
        ended = python("import os\npid = os.fork()\nif pid: print(pid, flush=True)\nwhile True: pass", wall_sec=1)
        found.append(int(ended.output))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(map(_alive, found)):
        time.sleep(0.05)
    assert len(found) == 4
    assert not any(map(_alive, found))


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z" and os.path.exists(f"/proc/{pid}")
    except FileNotFoundError:
        return False
