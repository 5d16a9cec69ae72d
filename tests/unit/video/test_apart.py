"""Work in a forked process that gave up its rights: what it may do, and how it ends."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import HOSTILE, broken_promises

from slac_tasks.video.confined import promises

FORKS = """
import contextlib, ctypes, io, json, os, resource, runpy, signal, sys, time
from pathlib import Path
from slac_tasks.video import apart

bounds = {"wall_sec": 20, "cpu_sec": 20, "memory_bytes": 1 << 30}
programs = [Path(sys.prefix), Path(sys.base_prefix)]

def ended(work, size=0, reads=(), **tighter):
    with apart.run(work, size, apart.Bounds(**(bounds | tighter)), programs=programs, reads=reads) as end:
        return {"said": end.said, "why": end.why, "memory": end.memory[:].hex() if size else ""}
"""
"""One process with one thread, as a worker of a pool is."""


def forked(code: str, *words: str) -> dict[str, dict]:
    """Run code that fills `found`, and return it."""
    program = f"{FORKS}\nfound = {{}}\n{code}\nprint(json.dumps(found))"
    run = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found: dict[str, dict] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize("reserves", [False, True])
def test_hostile_work_gets_nothing_that_a_decoder_cannot_get(tmp_path: Path, reserves: bool) -> None:
    other = tmp_path / "settings.toml"
    other.write_text("secret = 1")
    code = (
        "def work(memory):\n"
        "    sys.argv = sys.argv[1:]\n"
        "    said = io.StringIO()\n"
        "    with contextlib.redirect_stdout(said):\n"
        "        runpy.run_path(sys.argv[0])\n"
        "    return json.loads(said.getvalue())\n"
        f"found['hostile'] = ended(work, reads=[Path(sys.argv[1])], reserves={reserves})"
    )
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        subprocess.Popen(["/bin/sleep", "60"], env={"SLAC_DATABASE_URL": "postgresql://secret"}) as holder,
    ):
        port = listening.getsockname()[1]
        got = forked(code, str(HOSTILE), str(holder.pid), str(other), str(port))["hostile"]["said"]
        alive = holder.poll() is None
        holder.kill()
    assert (got.pop("own threads"), got.pop("own signal")) == ("got 8", "got None")
    assert not broken_promises(got, promises())
    assert alive


def test_it_writes_its_memory_and_has_nothing_else_of_its_parents_open() -> None:
    code = (
        "ours, theirs = os.pipe()\n"
        "def work(memory):\n"
        "    memory[:3] = b'abc'\n"
        "    return {'open': ' '.join(str(fd) for fd in range(64) if is_open(fd))}\n"
        "def is_open(fd):\n"
        "    try:\n"
        "        os.fstat(fd)\n"
        "    except OSError:\n"
        "        return False\n"
        "    return True\n"
        "found['fine'] = ended(work, 4)"
    )
    assert forked(code)["fine"] == {"said": {"open": "0 1 2 3"}, "why": "", "memory": "61626300"}


def test_each_end_has_its_reason_and_none_is_taken_for_another() -> None:
    code = (
        "def raises(memory): raise ValueError('odd')\n"
        "def killed(memory): os.kill(os.getpid(), signal.SIGKILL)\n"
        "def crashes(memory): ctypes.string_at(0)\n"
        "def sleeps(memory): time.sleep(60)\n"
        "def turns(memory):\n"
        "    while True: pass\n"
        "def lies(memory):\n"
        "    os.write(3, b'[1, 2]')\n"
        "    os._exit(0)\n"
        "def talks(memory):\n"
        "    while True: os.write(3, b'{' * 65536)\n"
        "for work, tighter in ((raises, {}), (killed, {}), (crashes, {}), (sleeps, {'wall_sec': 0.5}),\n"
        "                      (turns, {'cpu_sec': 1}), (lies, {}), (talks, {})):\n"
        "    found[work.__name__] = ended(work, **tighter)"
    )
    found = forked(code)
    assert found["raises"]["said"] == {"error": "ValueError: odd"}
    assert {name: end["why"] for name, end in found.items() if end["said"] is None} == {
        "killed": "signal 9 while decoded", "crashes": "signal 11 while decoded", "sleeps": "took more than 0.5 s",
        "turns": "took more than 1 s of processor time", "lies": "said nothing", "talks": "said more than 65536 bytes",
    }  # fmt: skip
