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
from urllib.parse import quote, unquote, urlsplit

from playwright.sync_api import Page

from slac_tasks.launcher.airflow import Airflow
from slac_tasks.launcher.state import Demo
from slac_tasks.storage.ledger import Ledger, open_ledger

T = TypeVar("T")

SIZES = {"wide": (1440, 900), "middle": (1024, 768), "narrow": (390, 844)}
_SEEN = (
    "const seen = (video) => Array.from({ length: video.played.length }, (_, place) => place)"
    ".reduce((sum, place) => sum + video.played.end(place) - video.played.start(place), 0);"
)
"""How many seconds of a video were on screen."""
_IS_SEEN = (
    f"(before) => {{ {_SEEN} const review = document.querySelector('#review');"
    " const video = document.querySelector('.stage > video.shown');"
    " return review.dataset.state === 'asking' && review.dataset.clip !== before && video && seen(video) > 0.4 }"
)
_SENT = "() => !Object.keys(localStorage).some((name) => name.startsWith('slac.vote'))"


def until(look: Callable[[], T], what: str, sec: float = 600.0) -> T:
    """Return what a look finds, as soon as it finds something."""
    deadline = time.monotonic() + sec
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: not within {sec:.0f} s"
        time.sleep(0.5)
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
        if "/login" in self.page.url:
            self.page.locator("[name=username]").fill("admin")
            self.page.locator("[name=password]").fill(re.findall(r"user admin, password (\S+)", self.said)[-1])
            self.look("login")
            self.page.keyboard.press("Enter")
            self.page.wait_for_url(lambda url: url == address)

    def look(self, name: str) -> None:
        """Keep the page as it looks on three screens, light and dark, in the folder SCREENSHOTS if there is one."""
        if not (folder := os.environ.get("SCREENSHOTS")):
            return
        for scheme in ("dark", "light"):
            self.page.emulate_media(color_scheme=scheme)
            for size, (width, height) in reversed(SIZES.items()):
                self.page.set_viewport_size({"width": width, "height": height})
                self.page.wait_for_timeout(400)
                self.page.screenshot(path=str(Path(folder) / f"visit-{name}-{size}-{scheme}.png"))

    def answer(self, keys: str) -> None:
        """Answer the next clips by these keys, each when it was seen so long that the page does not ask back."""
        before = None
        for key in keys:
            self.page.wait_for_function(_IS_SEEN, arg=before)
            before = self.page.evaluate("document.querySelector('#review').dataset.clip")
            self.page.keyboard.press(key)
        self.page.wait_for_function(_SENT)

    def sees_a_preview(self) -> None:
        """Wait until a clip of the page's preview plays."""
        videos = "[...document.querySelectorAll('.preview video')]"
        self.page.wait_for_function(f"() => {{ {_SEEN} return {videos}.some((video) => seen(video) > 0.5) }}")

    def trigger(self, dag: str, **fields: str) -> str:
        """Start a run of a DAG by its form, and return the run."""
        self.open(f"{self.airflow.url}/dags/{dag}")
        self.page.get_by_test_id("trigger-dag-button").first.click()
        for name, value in fields.items():
            self.page.locator(f"[name=element_{name}]").fill(value)
        self.look(f"form-{dag}")
        self.page.get_by_test_id("trigger-dag-submit").click()
        self.page.wait_for_url(re.compile(f"/dags/{dag}/runs/"))
        return unquote(urlsplit(self.page.url).path.split("/")[4])

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

    def runs(self, dag: str) -> dict[str, str]:
        """Return the newest runs of a DAG, each with its state."""
        found = self.airflow.get(f"dags/{dag}/dagRuns", order_by="-run_after", limit=100)["dag_runs"]
        return {run["dag_run_id"]: run["state"] for run in found}

    def wait_for(self, dag: str) -> None:
        """Wait until no run of a DAG is at work or about to be."""
        until(lambda: not {"queued", "running"} & set(self.runs(dag).values()), f"the end of {dag}")

    def mapped(self, dag: str, run: str) -> set[str]:
        """Return the names of the mapped tasks of a run."""
        found: list[dict[str, Any]] = self.airflow.get(f"dags/{dag}/dagRuns/{quote(run)}/taskInstances", limit=100)[
            "task_instances"
        ]
        return {f"{one['task_id']} {one['rendered_map_index']}" for one in found if one["map_index"] >= 0}

    def files(self) -> dict[str, str]:
        """Return the hash of every file of the store, by its name there."""
        store = Path(self.environ["SLAC_STORE"])
        return {
            str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in store.rglob("*")
            if path.is_file() and path.suffix != ".part"
        }
