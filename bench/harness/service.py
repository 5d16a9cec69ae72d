"""`slac web` as a person would start it, people who can log in, and how long its answers take."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from slac_tasks.launcher.postgres import free_port
from slac_tasks.storage.ledger import Ledger
from slac_tasks.web.passwords import seal

PASSWORD = "a password of the bench"
START_SEC = 60.0


def add_people(ledger: Ledger, groups: Mapping[str, Sequence[str]]) -> None:
    """Give people accounts with `PASSWORD`: names, and the groups of each."""
    sealed = seal(PASSWORD)
    ledger.run_many(
        "add_account",
        [
            {"annotator": name, "password": sealed, "groups": list(member_of), "role": "reviewer"}
            for name, member_of in groups.items()
        ],
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that this share of the values does not exceed; None of no values."""
    return sorted(values)[max(0, round(share * len(values)) - 1)] if values else None


class Service:
    """The review service on a store and a ledger. Media is handed out from the store."""

    def __init__(self, *, store: str, ledger: str, workers: int) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._workers = workers
        self._environ = os.environ | {
            "SLAC_STORE": store,
            "SLAC_DATABASE_URL": ledger,
            "SLAC_WEB_SECRET": secrets.token_hex(32),
            "SLAC_CONFIG": "",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Service":
        self.start()
        self.wait()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it; it answers some seconds later."""
        words = ["web", "--port", str(self._port), "--workers", str(self._workers)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "slac_tasks.cli", *words],
            env=self._environ,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            RuntimeError: it does not start within a minute.

        """
        deadline = time.monotonic() + START_SEC
        while time.monotonic() < deadline:
            # The address is our own.
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:  # nosec B310
                if answer.status == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError(f"`slac web` does not answer after {START_SEC:.0f} s")

    def workers(self) -> list[int]:
        """Return the processes that answer."""
        if self._process is None:
            return []
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_bytes().split()
        answering = [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{int(pid)}/cmdline").read_bytes()]
        return answering or [self._process.pid]

    def kill(self) -> None:
        """End all its processes as a power cut would."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
