"""The review page under a person's keys: `python -m bench.page [--quick]`.

Headless Chromium in front of a real `slac web` on an embedded Postgres; the clips are drawn films in the renditions
that `fetch` makes. 200 clips are answered by keyboard. Measured in the page: the time from the key to the first frame
of the next clip, and every layout shift, those right after a key included. In the middle the connection is cut for 30
seconds while the keys go on; at the end every answer given is looked for in the ledger. The last line is one JSON
object.

Full scale (scale 1.0): 200 clips. Needs /usr/bin/chromium.
"""

import argparse
import contextlib
import json
import secrets
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median
from typing import Any

import psycopg2
from playwright.sync_api import Page, sync_playwright

from bench.review import PASSWORD, Service, percentile
from slac_tasks.collect.settings import Collect
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.model import CLIP_SEC, GRID_SEC, clip_id
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import FolderStore
from slac_tasks.video import originals
from slac_tasks.web.passwords import seal
from slac_tasks.world import film
from slac_tasks.world.catalogue import make_catalogue

CHROMIUM = "/usr/bin/chromium"
CLIPS, OFFLINE_SEC = 200, 30.0
VIDEOS = 12
LOOK_MS = 250
"""How long the simulated person looks before the next key, after the first frame."""

_WATCH = (
    "window.shifts = []; new PerformanceObserver((list) => { for (const entry of list.getEntries())"
    " window.shifts.push(entry.value) }).observe({type: 'layout-shift', buffered: true})"
)
_PLAYS = (
    "(before) => { const review = document.querySelector('#review'), video = document.querySelector('video.shown');"
    " return review.dataset.state === 'asking' && review.dataset.clip !== before && video && !video.paused"
    " && video.readyState >= 2 && performance.getEntriesByName('key to next clip').length >= %d }"
)


def fill(url: str, store: FolderStore, folder: Path, clips: int) -> None:
    """Put a category with this many clips of drawn films into a migrated ledger and a store."""
    films = [entry for entry in make_catalogue(0, "quick").entries if not entry.copy_of and not entry.broken][:VIDEOS]
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO categories (category, name) VALUES ('swing', 'Torso swing')")
        cursor.execute("INSERT INTO annotators (annotator, password) VALUES ('ada', %s)", (seal(PASSWORD),))
        rows: list[tuple[Any, ...]] = []
        for number, entry in enumerate(films):
            path, video = folder / f"{number}.mp4", f"{number:016x}"
            film.film(path, entry.script)
            found = originals.probe(path, Collect())
            (folder / video).mkdir()
            proxy = originals.make_proxy(path, folder / video, found, Collect())
            name = f"media/{video}/256.mp4"
            store.put_file(name, proxy.path_256)
            cursor.execute("INSERT INTO videos VALUES (%s, %s, %s, 'training', '{}')", (video, video, video))
            for step in range(int((proxy.duration_sec - CLIP_SEC) / GRID_SEC)):
                start = step * GRID_SEC
                rows.append((clip_id(video, start), "swing", video, start, start + CLIP_SEC, name))
        cursor.executemany(
            "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
            " votes_wanted) VALUES (%s, %s, %s, 'r', 'random', %s, %s, 'training', %s, 1)",
            rows,
        )
    connection.close()
    if len(rows) < clips:
        sys.exit(f"bench.page: {len(rows)} clips in {len(films)} films, want {clips}")


def answered(page: Page, number: int, key: str, given: list[tuple[str, str]]) -> None:
    """Press a key on the clip on screen and wait until the next one plays."""
    clip = page.evaluate("document.querySelector('#review').dataset.clip")
    page.keyboard.press(key)
    given.append((clip, {"y": "yes", "n": "no"}[key]))
    page.wait_for_function(_PLAYS % number, arg=clip)
    page.wait_for_timeout(LOOK_MS)


def review(page: Page, url: str, clips: int, offline_sec: float) -> tuple[list[tuple[str, str]], dict[str, float]]:
    """Answer this many clips, some of them without a connection; return what was answered, and the page's figures."""
    given: list[tuple[str, str]] = []
    page.add_init_script(_WATCH)
    page.goto(f"{url}/review")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_function(_PLAYS % 0, arg=None)
    page.wait_for_timeout(1000)
    online = clips - 5
    for number in range(online // 2):
        answered(page, number + 1, "yn"[number % 2], given)
    # Clips that are loaded can be answered without a connection; the rest of the time nothing can be.
    page.context.set_offline(True)
    until = time.monotonic() + offline_sec
    for number in range(5):
        answered(page, online // 2 + number + 1, "yn"[number % 2], given)
    kept = page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('slac.vote')).length")
    page.wait_for_timeout(max(0.0, 1000 * (until - time.monotonic())))
    page.context.set_offline(False)
    for number in range(online // 2 + 5, clips):
        answered(page, number + 1, "yn"[number % 2], given)
    page.wait_for_function("() => !Object.keys(localStorage).some((name) => name.startsWith('slac.vote'))")
    took = page.evaluate("performance.getEntriesByName('key to next clip').map((entry) => entry.duration)")
    shifts = page.evaluate("window.shifts")
    return given, {
        "key_to_clip_ms": round(median(took), 1),
        "key_to_clip_p95_ms": round(percentile(took, 0.95), 1),
        "layout_shifts": len(shifts),
        "layout_shift": round(sum(shifts), 4),
        "answers_kept_offline": kept,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer clips, within 50 seconds on two cores")
    arguments = parser.parse_args()
    clips, offline_sec = (50, 5.0) if arguments.quick else (CLIPS, OFFLINE_SEC)
    with tempfile.TemporaryDirectory(prefix="slac-bench-") as name, contextlib.ExitStack() as last:
        folder = Path(name)
        server = EmbeddedPostgres(folder / "postgres")
        last.callback(server.remove)
        server.start()
        ledger_url = server.url("slac")
        ledger = open_ledger({"SLAC_DATABASE_URL": ledger_url}, migrated=False)
        ledger.migrate()
        ledger.close()
        fill(ledger_url, FolderStore(folder / "store"), folder, clips)
        secret = secrets.token_hex(32)
        service = Service(
            {"SLAC_STORE": str(folder / "store"), "SLAC_DATABASE_URL": ledger_url, "SLAC_WEB_SECRET": secret}, workers=1
        )
        last.callback(service.kill)
        service.start()
        _wait(service.url)
        playwright = last.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        last.callback(browser.close)
        given, found = review(
            browser.new_page(viewport={"width": 1280, "height": 800}), service.url, clips, offline_sec
        )
        connection = psycopg2.connect(ledger_url)
        with connection.cursor() as cursor:
            cursor.execute("SELECT clip_id, answer FROM votes")
            stored = cursor.fetchall()
        connection.close()
    figures = {
        **found,
        "lost_votes": len(set(given) - set(stored)),
        "doubled_votes": len(stored) - len(set(stored)),
        "clips": len(given),
        "offline_sec": offline_sec,
        "scale": clips / CLIPS,
    }
    for key, value in figures.items():
        print(f"{key:<22} {value:,}")
    print(json.dumps({"bench": "page", "figures": figures}))


def _wait(url: str) -> None:
    """Wait until the service answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.1)
    sys.exit("bench.page: `slac web` does not start")


if __name__ == "__main__":
    main()
