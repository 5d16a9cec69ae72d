import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile import FORBIDS, HOSTILE, broken_promises

from slac_tasks.video import confined
from slac_tasks.video.confined import PROMISES, Bound, Bounds, Ended, promises, run

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
    argv = ["/bin/dd", "if=/dev/zero", f"of={big}", "bs=65536", "count=64"]
    ended = run(argv, Bounds(**ROOMY), writes=tmp_path)
    assert ended.over is Bound.FILE
    assert big.stat().st_size == ROOMY["file_bytes"]


def test_threads_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "_MOST_THREADS", 4)
    code = "import threading, time\nfor _ in range(8): threading.Thread(target=time.sleep, args=(60,)).start()"
    ended = python(code)
    assert (ended.over, ended.code) == (Bound.THREADS, -9)


def test_memory_is_bounded() -> None:
    ended = python("bytearray(1 << 31)")
    assert ended.code == 1
    assert "MemoryError" in ended.said


def test_it_finds_no_credentials_and_says_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nobody's")
    ended = python("import os, sys; print(sorted(os.environ)); sys.stderr.write('last words'); sys.exit(3)")
    assert b"AWS" not in ended.output
    assert (ended.code, ended.said, ended.over) == (3, "last words", None)


def test_its_words_need_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where the disk is full, the words that say so would be lost on it.
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    ended = python("import sys; sys.stderr.write('x' * (1 << 22) + 'No space left on device'); sys.exit(228)")
    assert ended.said.endswith("xNo space left on device")
    assert (ended.code, ended.over) == (228, None)


def test_a_hostile_decoder_gets_nothing_that_doctor_says_it_cannot_get(tmp_path: Path) -> None:
    other = tmp_path / "settings.toml"
    other.write_text("secret = 1")
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        subprocess.Popen(["/bin/sleep", "60"], env={"SLAC_DATABASE_URL": "postgresql://secret"}) as holder,
    ):
        argv = [sys.executable, "-I", str(HOSTILE), str(holder.pid), str(other), str(listening.getsockname()[1])]
        ended = run(argv, Bounds(**ROOMY), reads=[HOSTILE])
        alive = holder.poll() is None
        holder.kill()
    assert ended.code == 0, ended.said
    got: dict[str, str] = json.loads(ended.output)
    assert (got.pop("own threads"), got.pop("own signal")) == ("got 8", "got None")
    held = promises()
    assert held.keys() == PROMISES.keys() == FORBIDS.keys()
    assert {name for names in FORBIDS.values() for name in names} == got.keys()
    assert not broken_promises(got, held)
    assert alive
    # On the kernels that the tests run on, both parts of the jail are there.
    if os.uname().machine == "x86_64" and all(held.values()):
        assert set(got.values()) <= {"refused: PermissionError", "refused: OSError", "refused: MemoryError"}


def test_what_no_longer_holds_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a kernel without Landlock and without a filter for this machine."""
    broken = "import jail; jail.restrict_files = jail.restrict_calls = lambda *_: None"
    monkeypatch.setattr(confined, "_JAIL", confined._JAIL.replace("import jail", broken))
    held = promises()
    assert not any(held[name] for name in ("network", "processes", "files"))
    assert held["memory"]


def test_it_ends_with_the_process_that_started_it() -> None:
    code = (
        "from slac_tasks.video.confined import Bounds, run\n"
        "run(['/bin/sh', '-c', 'echo $$ >&2; exec /bin/sleep 987'], Bounds(wall_sec=60, cpu_sec=9, "
        "memory_bytes=1 << 30, file_bytes=1 << 20, output_bytes=1 << 10))"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as starter:
        deadline = time.monotonic() + 20
        while not (children := _children(starter.pid)) and time.monotonic() < deadline:
            time.sleep(0.05)
        starter.kill()
    while any(map(_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children
    assert not any(map(_alive, children))


def _children(pid: int) -> list[int]:
    """Return the processes that became `sleep` below a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if name == "sleep" and int(rest.split()[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z" and os.path.exists(f"/proc/{pid}")
    except FileNotFoundError:
        return False
