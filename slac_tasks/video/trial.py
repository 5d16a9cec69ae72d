"""Tries what no decoder may do, and prints as JSON what of it it could: `python trial.py <bytes of memory>`.

`slac_tasks.video.confined.promises` runs it as a decoder is run, so that `slac doctor` says what holds on this machine
and not what should. Standard library only.
"""

import json
import os
import socket
import sys
from collections.abc import Callable


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


TRIALS: dict[str, Callable[[], object]] = {
    "network": lambda: socket.socket().close(),
    "processes": _fork,
    "environments": lambda: open(f"/proc/{os.getppid()}/environ", "rb").read(),
    "files": lambda: os.listdir("/"),
    "signals": lambda: os.kill(os.getppid(), 0),
    "memory": lambda: bytearray(int(sys.argv[1])),
}
"""What is tried, by the name of the promise that forbids it."""


def could(trial: Callable[[], object]) -> bool:
    """Return whether it went well."""
    try:
        trial()
    except (OSError, MemoryError):
        return False
    return True


if __name__ == "__main__":
    print(json.dumps({name: could(trial) for name, trial in TRIALS.items()}))
