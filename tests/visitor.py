"""A visitor of a running demo: what its terminal said, a real browser in front of its pages, and what stands behind."""

import hashlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Page

from slac_tasks.launcher.airflow import Airflow
from slac_tasks.launcher.state import Demo
from slac_tasks.storage.ledger import Ledger, open_ledger

T = TypeVar("T")

SIZES = {"wide": (1440, 900), "middle": (1024, 768), "narrow": (390, 844)}
_PLAYS = (
    "(before) => { const review = document.querySelector('#review');"
    " const video = document.querySelector('.stage > video.shown');"
    " return review.dataset.state === 'asking' && review.dataset.clip !== before && video && !video.paused"
    " && video.readyState >= 2 }"
)
_SENT = "() => !Object.keys(localStorage).some((name) => name.startsWith('slac.vote'))"


def until(look: Callable[[], T], what: str, sec: float = 120.0) -> T:
    """Return what a look finds, as soon as it finds something."""
    deadline = time.monotonic() + sec
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: not within {sec:.0f} s"
        time.sleep(0.3)
    return found


@dataclass(kw_only=True)
class Visitor:
    said: str
    """By the terminal, from the demo's start to its end."""
    demo: Demo
    page: Page

    def address(self, word: str) -> str:
        """Return the address that stands behind a word of the last lines."""
        found = re.findall(rf"^  {word}: +([^\s,]+)", self.said, flags=re.M)
        assert found, f"no line {word!r} in {self.said}"
        return str(found[-1])

    # The browser -------------------------------------------------------------------------------------------------

    def open(self, address: str) -> None:
        """Open a page; who is not logged in logs in first, as the terminal says, and comes to the page."""
        self.page.goto(address)
        self.page.wait_for_load_state("networkidle")
        if "/login" in self.page.url:
            password = re.findall(r"user admin, password (\S+)", self.said)[-1]
            self.page.locator("[name=username]").fill("admin")
            self.page.locator("[name=password]").fill(password)
            self.page.keyboard.press("Enter")
            self.page.wait_for_url(address)

    def look(self, name: str) -> None:
        """Keep the page as it looks on three screens, light and dark, in the folder SCREENSHOTS if there is one."""
        if not (folder := os.environ.get("SCREENSHOTS")):
            return
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            for size, (width, height) in SIZES.items():
                self.page.set_viewport_size({"width": width, "height": height})
                self.page.wait_for_timeout(400)
                self.page.screenshot(path=str(Path(folder) / f"visit-{name}-{size}-{scheme}.png"))
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": 1440, "height": 900})

    def answer(self, keys: str) -> None:
        """Answer the next clips by these keys, each when it plays."""
        before = None
        for key in keys:
            self.page.wait_for_function(_PLAYS, arg=before)
            self.page.wait_for_timeout(400)  # nobody sees it in less, and the page asks back
            before = self.page.evaluate("document.querySelector('#review').dataset.clip")
            self.page.keyboard.press(key)
        self.page.wait_for_function(_SENT)

    # What stands behind ------------------------------------------------------------------------------------------

    @cached_property
    def environ(self) -> dict[str, str]:
        return self.demo.environ(self.demo.postgres.url("slac"))

    @cached_property
    def ledger(self) -> Ledger:
        return open_ledger(self.environ)

    @cached_property
    def airflow(self) -> Airflow:
        return self.demo.airflow(self.demo.postgres.url("airflow"), self.environ["SLAC_DATABASE_URL"], None)

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """Return the runs of a DAG, the oldest first."""
        found: list[dict[str, Any]] = self.airflow.get(f"dags/{dag}/dagRuns", limit=100, order_by="run_after")[
            "dag_runs"
        ]
        return found

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        """Return the task instances of a run."""
        found: list[dict[str, Any]] = self.airflow.get(f"dags/{dag}/dagRuns/{run}/taskInstances", limit=100)[
            "task_instances"
        ]
        return found

    def files(self) -> dict[str, str]:
        """Return the hash of every file of the store, by its name there."""
        store = Path(self.environ["SLAC_STORE"])
        return {
            str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in store.rglob("*")
            if path.is_file() and not path.name.endswith(".part")
        }
