"""The review page under a person's keys: `python -m bench.page [--quick]`.

Headless Chromium in front of a real `slac web` on an embedded Postgres; the clips are drawn films in the renditions
that `fetch` makes. 200 clips are answered by keyboard. Measured in the page: the time from the key to the first frame
of the next clip, and every layout shift, those right after a key included. In the middle the connection is cut for 30
seconds while the keys go on; at the end every answer given is looked for in the ledger.

The page of clips is asked for by a lead, without a browser: first pages of a category with two million clips, following
pages, and filters; the time until all of a page is here, at the 95th percentile. The rows are made by the bench. The
last line is one JSON object.

Full scale (scale 1.0): 200 answers, two million clips. Needs /usr/bin/chromium.
"""

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import psycopg2
from playwright.sync_api import Browser, Page, sync_playwright

from bench.harness import Absent, Bench, Figures, clip_pages
from bench.harness.places import ledger, postgres
from bench.harness.service import PASSWORD, Service, add_people, percentile
from bench.harness.tables import listing
from bench.harness.videos import proxy
from slac_tasks.admission.likeness.lookalikes import stored
from slac_tasks.collect.settings import Collect
from slac_tasks.model import CLIP_SEC, GRID_SEC, clip_id
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.world import film
from slac_tasks.world.catalogue import make_catalogue

CHROMIUM = Path("/usr/bin/chromium")
PERSON = "ada"
OFFLINE_ANSWERS = 5
"""Clips that are loaded already: so many are answered without a connection."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is answered."""

    clips: Annotated[int, "clips that are answered"] = 200
    offline_sec: Annotated[float, "seconds without a connection"] = 30.0
    look_ms: Annotated[int, "how long the person looks at a clip before the next key"] = 400
    films: Annotated[int, "videos that the clips are cut from"] = 12
    listed: Annotated[int, "clips of the category that a lead looks at"] = 2_000_000
    pages: Annotated[int, "pages of each kind that the lead asks for"] = 48


_WATCH = (
    "window.shifts = []; new PerformanceObserver((list) => { for (const entry of list.getEntries())"
    " window.shifts.push(entry.value) }).observe({type: 'layout-shift', buffered: true})"
)
_IS_VOTE = "(name) => name.startsWith('slac.vote')"
_PLAYS = (
    "(before) => { const review = document.querySelector('#review'), video = document.querySelector('video.shown');"
    " return review?.dataset.state === 'asking' && review.dataset.clip !== before && video && !video.paused"
    " && video.readyState >= 2 && performance.getEntriesByName('key to next clip').length >= %d }"
)


def fill(url: str, store: FolderStore, folder: Path, size: Size) -> None:
    """Put a category with this many clips of drawn films into a ledger and a store."""
    entries = [entry for entry in make_catalogue(0, "quick").entries if not entry.copy_of and not entry.broken]
    made = Ledger(url)
    made.run("register_category", category="swing", name="Torso swing", guideline=None)
    add_people(made, {PERSON: ()})
    made.run("introduce", annotator=PERSON)
    clips = 0
    for number, entry in enumerate(entries[: size.films]):
        path, video = folder / f"{number}.mp4", f"{number:016x}"
        film.film(path, entry.script)
        found = proxy(path, folder / video, Collect())
        name = f"media/{video}/256.mp4"
        store.put_file(name, found.path_256)
        made.run(
            "add_video",
            video_id=video,
            media_sha256=video,
            group_id=video,
            split="training",
            proxy_256=None,
            **stored([]),
        )
        for step in range(int((found.duration_sec - CLIP_SEC) / GRID_SEC)):
            start = step * GRID_SEC
            made.run(
                "queue_clip", clip_id=clip_id(video, start), category="swing", video_id=video, round="r",
                strategy="random", start_sec=start, end_sec=start + CLIP_SEC, split="training", proxy_256=name,
                votes_wanted=1, lead=0, audit_share=None, alike=None, queued_at=None,
            )  # fmt: skip
            clips += 1
    made.close()
    if clips < size.clips:
        raise RuntimeError(f"{clips} clips in {size.films} films, want {size.clips}")


@dataclass(kw_only=True)
class Reviewer:
    """A person at the page, and what was answered there."""

    page: Page
    look_ms: int
    given: list[tuple[str, str]]
    """(clip, answer), in the order of the keys."""

    def open(self, url: str) -> None:
        """Log in and wait for the first clip."""
        self.page.add_init_script(_WATCH)
        self.page.goto(f"{url}/review")
        self.page.get_by_label("Name").fill(PERSON)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_function(_PLAYS % 0, arg=None)
        self.page.wait_for_timeout(1000)

    def answer(self, clips: int) -> None:
        """Press a key on each clip on screen and wait until the next one plays."""
        for _ in range(clips):
            clip = self.page.evaluate("document.querySelector('#review').dataset.clip")
            key = "yn"[len(self.given) % 2]
            self.page.keyboard.press(key)
            self.given.append((clip, {"y": "yes", "n": "no"}[key]))
            self.page.wait_for_function(_PLAYS % len(self.given), arg=clip)
            self.page.wait_for_timeout(self.look_ms)

    def answer_offline(self, clips: int, seconds: float) -> int:
        """Answer without a connection; return how many answers the page keeps meanwhile."""
        self.page.context.set_offline(True)
        until = time.monotonic() + seconds
        self.answer(clips)
        kept = int(self.page.evaluate(f"Object.keys(localStorage).filter({_IS_VOTE}).length"))
        self.page.wait_for_timeout(max(0.0, 1000 * (until - time.monotonic())))
        self.page.context.set_offline(False)
        return kept

    def wait_until_sent(self) -> None:
        """Wait until the page keeps no answer any more."""
        self.page.wait_for_function(f"() => !Object.keys(localStorage).some({_IS_VOTE})")


def review(page: Page, url: str, size: Size) -> tuple[Sequence[tuple[str, str]], Figures]:
    """Answer the clips, some of them without a connection; return what was answered, and the page's figures."""
    person = Reviewer(page=page, look_ms=size.look_ms, given=[])
    person.open(url)
    before = (size.clips - OFFLINE_ANSWERS) // 2
    person.answer(before)
    kept = person.answer_offline(OFFLINE_ANSWERS, size.offline_sec)
    person.answer(size.clips - OFFLINE_ANSWERS - before)
    person.wait_until_sent()
    took = page.evaluate("performance.getEntriesByName('key to next clip').map((entry) => entry.duration)")
    shifts = page.evaluate("window.shifts")
    return person.given, {
        "key_to_clip_ms": median(took),
        "key_to_clip_p95_ms": percentile(took, 0.95),
        "layout_shifts": len(shifts),
        "layout_shift": float(sum(shifts)),
        "answers_kept_offline": kept,
    }


def chromium(last: ExitStack) -> Browser:
    """Start the browser; it ends with the stack.

    Raises:
        Absent: there is none.

    """
    if not CHROMIUM.exists():
        raise Absent(f"Chromium ({CHROMIUM})")
    playwright = last.enter_context(sync_playwright())
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=words)
    last.callback(browser.close)
    return browser


def votes(url: str) -> list[tuple[str, str]]:
    """Return (clip, answer) of every vote in the ledger."""
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clip_id, answer FROM votes")
        stored_votes: list[tuple[str, str]] = cursor.fetchall()
    connection.close()
    return stored_votes


def measure(size: Size, folder: Path) -> Figures:
    """Review clips in a browser, and compare the ledger with the keys."""
    with ExitStack() as last:
        browser = chromium(last)
        url = ledger(last.enter_context(postgres(folder)))
        store = FolderStore(folder / "store")
        fill(url, store, folder, size)
        service = last.enter_context(Service(store=store.url, ledger=url, workers=1))
        given, found = review(browser.new_page(viewport={"width": 1280, "height": 800}), service.url, size)
        stored_votes = votes(url)
        clip_pages.fill(url, size.listed)
        looked = clip_pages.measure(service, size.pages)
    figures = {
        **found,
        **looked,
        "lost_votes": len(set(given) - set(stored_votes)),
        "doubled_votes": len(stored_votes) - len(set(stored_votes)),
        "clips": len(given),
        "offline_sec": size.offline_sec,
        "listed": size.listed,
        "scale": min(size.clips / Size().clips, size.listed / Size().listed),
    }
    print(listing(figures))
    return figures


BENCH = Bench(
    name="page", doc=__doc__, measure=measure,
    full=Size(), quick=Size(clips=50, offline_sec=5.0, listed=100_000, pages=24),
    tiny=Size(clips=9, offline_sec=1.0, look_ms=400, films=1, listed=20_000, pages=8),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
