"""A decoder that a stranger's file has taken over: it tries everything, and prints what it got.

`python hostile_decoder.py <pid that holds a secret> <a file that is not its own> <a port that listens>`.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

HOLDER, FILE, PORT = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
LIBC = ctypes.CDLL(None, use_errno=True)
FORKS = {"x86_64": (57, 58), "aarch64": ()}[os.uname().machine]
MEMFD = {"x86_64": 319, "aarch64": 279}[os.uname().machine]


def raw(*call: int | None) -> int:
    result: int = LIBC.syscall(*call)
    if result < 0:
        raise OSError(ctypes.get_errno(), "raw call")
    return result


def forked() -> int:
    """Fork in every way there is, a hundred times each; return how many children there were."""
    children = 0
    ways: list[Callable[[], int]] = [os.fork, *(lambda number=number: raw(number) for number in FORKS)]
    ways += [lambda: raw(435, None, 0), lambda: raw(56 if FORKS else 220, signal.SIGCHLD, None, None, None, None)]
    for way in ways:
        for _ in range(100):
            try:
                if way() == 0:
                    os.setsid()
                    threading.Event().wait(60)
                    os._exit(0)
                children += 1
            except OSError:
                break
    if not children:
        raise PermissionError("no child")
    return children


def threads() -> int:
    """Start a few threads, as decoders do; return how many ran."""
    ran: list[int] = []
    for number in range(8):
        thread = threading.Thread(target=ran.append, args=(number,))
        thread.start()
        thread.join()
    return len(ran)


TRIES: dict[str, Callable[[], object]] = {
    "connect": lambda: socket.create_connection(("127.0.0.1", PORT), timeout=1),
    "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", PORT)),
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "io_uring": lambda: raw(425, 1, None),
    "environment of the holder": lambda: open(f"/proc/{HOLDER}/environ", "rb").read().decode(errors="replace"),
    "memory of the holder": lambda: open(f"/proc/{HOLDER}/mem", "rb"),
    "trace the holder": lambda: raw(101 if FORKS else 117, 16, HOLDER, None, None),
    "limits of the holder": lambda: resource.prlimit(HOLDER, resource.RLIMIT_NOFILE, (1, 1)),
    "signal": lambda: os.kill(HOLDER, 0),
    "signal to all": lambda: os.kill(-1, 0),
    "read a file": lambda: open(FILE).read(),
    "list a folder": lambda: os.listdir(os.path.dirname(FILE)),
    "write a file": lambda: open(FILE + ".written", "w"),
    "fork": forked,
    "spawn": lambda: subprocess.run(["/bin/true"], check=True),
    "leave the group": os.setsid,
    "memory without a limit": lambda: raw(MEMFD, None, 0),
    "more memory": lambda: len(bytearray(1 << 31)),
    "own threads": threads,
    "own signal": lambda: os.kill(os.getpid(), 0),
}

got: dict[str, str] = {}
for name, attempt in TRIES.items():
    try:
        got[name] = f"got {attempt()}"
    except (OSError, MemoryError) as error:
        got[name] = f"refused: {type(error).__name__}"
print(json.dumps(got))
