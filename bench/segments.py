"""The page of segments under two people's keys: `python -m bench.segments [--quick]`.

Headless Chromium in front of a real `slac web` on an embedded Postgres. A network's proposals are drawn from a truth:
some are right to a tenth of a second, some miss one end or both by up to a second and a half, and some show no action.
Two people answer all of them by keyboard alone: they move an end that is off by more than a quarter of a second, in
steps of half a second, of five frames and of one, each with an error of hand of her own. The keys are pressed as fast
as the page takes them; then the votes are decided as `aggregate` decides them, and compared with the truth.

`modelled_sec` is no measurement of people. It is what an answer costs by the keystroke-level model
(`slac_tasks.world.people.segment_seconds`), with the keys that were pressed here and the time that the page takes to
play the segment once. `modelled_sec_right` and `modelled_sec_moved` are the same of these answers alone. Gold is a
tenth of the segments: `gold_right` is the share of answers to it that are right, which people's errors of hand do not
spoil.

Full scale (scale 1.0): 30 segments. Needs /usr/bin/chromium.
"""

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Annotated

import numpy as np
from playwright.sync_api import Page

from bench.harness import Bench, Figures, Seed
from bench.harness.places import ledger, postgres
from bench.harness.service import PASSWORD, Service, add_people, percentile
from bench.harness.tables import listing
from bench.harness.videos import proxy
from bench.page import chromium
from slac_tasks.admission.likeness.lookalikes import stored
from slac_tasks.collect.settings import Collect
from slac_tasks.model import SegmentAnswer, Status
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.segments.deciding import Ends, SegmentVote, decide, tiou
from slac_tasks.verification.segments.measuring import AskedSegment, person_rows
from slac_tasks.verification.settings import Segments
from slac_tasks.world import film
from slac_tasks.world.catalogue import make_catalogue
from slac_tasks.world.people import segment_seconds

PEOPLE = ("ada", "grace")
BORED_SEC = 0.25
"""An end that is off by less is left where it is."""
HAND_SEC = 0.08
"""Spread of the error with which a person puts an end."""
FAR_SEC = 0.5
"""Step of an arrow with Shift."""
SOME_FRAMES = 5
"""Step of the arrows up and down."""
CATEGORY = "swing"


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is answered."""

    segments: Annotated[int, "segments that two people answer"] = 30
    films: Annotated[int, "videos that they are of"] = 6
    seed: Seed = 16


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A proposal, and the truth from which it was drawn."""

    segment_id: str
    proposed: Ends
    truth: Ends | None
    """None: the action is not there."""
    fps: float


@dataclass(frozen=True, kw_only=True)
class Given:
    """One answer of one person."""

    ends: int
    keys: int
    modelled_sec: float


def fill(url: str, store: FolderStore, folder: Path, size: Size) -> list[Asked]:
    """Put proposals about drawn films into a ledger; return them."""
    rng = np.random.default_rng(size.seed)
    entries = [entry for entry in make_catalogue(0, "quick").entries if not entry.copy_of and not entry.broken]
    made = Ledger(url)
    made.run("register_category", category=CATEGORY, name="Torso swing", guideline=None)
    add_people(made, dict.fromkeys(PEOPLE, ()))
    asked: list[Asked] = []
    for number, entry in enumerate(entries[: size.films]):
        path, video = folder / f"{number}.mp4", f"{number:016x}"
        film.film(path, entry.script)
        found = proxy(path, folder / video, Collect())
        store.put_file(f"media/{video}/256.mp4", found.path_256)
        made.run(
            "add_video", video_id=video, media_sha256=video, group_id=video, split="training", proxy_256=None,
            **stored([]),
        )  # fmt: skip
        for one in range(len(asked), size.segments * (number + 1) // size.films):
            own = _drawn(f"s{one:03d}", found.duration_sec, float(found.fps), rng)
            asked.append(own)
            made.run(
                "queue_segment", segment_id=own.segment_id, category=CATEGORY, video_id=video,
                start_sec=own.proposed[0], end_sec=own.proposed[1], score=float(rng.random()), origin="net",
                round="net.1", split="training", proxy_256=f"media/{video}/256.mp4", fps=own.fps,
                duration_sec=found.duration_sec, votes_wanted=2,
            )  # fmt: skip
    made.close()
    return asked


def _drawn(name: str, duration_sec: float, fps: float, rng: np.random.Generator) -> Asked:
    """Return a proposal of a video: two of five right, two of five off, one of five without the action."""
    long = float(rng.uniform(2, min(12, duration_sec - 4)))
    start = float(rng.uniform(2, duration_sec - 2 - long))
    truth = (start, start + long)
    kind = rng.choice(["right", "off", "absent"], p=[0.4, 0.4, 0.2])
    spread = 0.1 if kind == "right" else 1.5
    errors = rng.uniform(-spread, spread, 2)
    ends = np.clip(np.array(truth) + errors, 0, duration_sec)
    if ends[1] - ends[0] < 1:
        ends = np.array(truth)
    return Asked(
        segment_id=name, proposed=(float(ends[0]), float(ends[1])), truth=None if kind == "absent" else truth, fps=fps
    )


@dataclass(kw_only=True)
class Reviewer:
    """A person at the page."""

    page: Page
    rng: np.random.Generator

    def open(self, url: str, name: str) -> None:
        """Log in and wait for the first segment."""
        self.page.goto(f"{url}/segments")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.keyboard.press("Enter")

    def answer(self, number: int, before: str | None, asked: dict[str, Asked]) -> tuple[str, Given]:
        """Answer the segment on screen; return (its name, what was pressed)."""
        self.page.wait_for_function(
            "([before, answered]) => { const root = document.querySelector('#segments'), video ="
            " document.querySelector('video.shown'); return root?.dataset.state === 'asking' &&"
            " root.dataset.segment !== before && video && video.readyState >= 2 &&"
            " performance.getEntriesByName('key to next segment').length >= answered &&"
            " !document.querySelector('[data-answer=right]').disabled }",
            arg=[before, number],
        )
        name = str(self.page.evaluate("document.querySelector('#segments').dataset.segment"))
        own = asked[name]
        rate = float(self.page.evaluate("document.querySelector('video.shown').playbackRate"))
        loop_sec = (own.proposed[1] - own.proposed[0] + 2) / rate
        if own.truth is None:
            self.page.keyboard.press("n")
            return name, Given(ends=0, keys=1, modelled_sec=segment_seconds(loop_sec, 0, 1))
        moves = [self._move(end, own) for end in (0, 1)]
        self.page.keyboard.press("y")
        ends, keys = sum(moved > 0 for moved in moves), sum(moves) + 1
        return name, Given(ends=ends, keys=keys, modelled_sec=segment_seconds(loop_sec, ends, keys))

    def _move(self, end: int, own: Asked) -> int:
        """Move an end to where this person sees it, if it is worth it; return how many keys that took."""
        assert own.truth is not None
        error = own.truth[end] + float(self.rng.normal(0, HAND_SEC)) - own.proposed[end]
        if abs(error) < BORED_SEC:
            return 0
        is_later = error > 0
        far, left = divmod(round(abs(error) * own.fps), int(FAR_SEC * own.fps + 0.5))
        some, near = divmod(left, SOME_FRAMES)
        side = "ArrowRight" if is_later else "ArrowLeft"
        words = ["s" if end == 0 else "e", *[f"Shift+{side}"] * far]
        words += ["ArrowUp" if is_later else "ArrowDown"] * some + [side] * near
        for word in words:
            self.page.keyboard.press(word)
        return len(words) + (far > 0)  # Shift is held down: one key more


def votes_of(url: str, asked: list[Asked]) -> tuple[list[AskedSegment], dict[str, list[SegmentVote]]]:
    """Return the segments and their votes, as the ledger has them once they are in a batch; a tenth is made gold."""
    made = Ledger(url)
    for one in asked[::10]:
        start, end = one.truth or (None, None)
        made.rows("add_gold_segment", segment_id=one.segment_id, start_sec=start, end_sec=end, person="bench")
    made.rows("take_segment_batch", newest_stored=0)
    segments = made.all(AskedSegment, "segments_voted_on", until=1)
    found: dict[str, list[SegmentVote]] = {one.segment_id: [] for one in segments}
    for vote in made.all(SegmentVote, "segment_votes_until", until=1):
        found[vote.segment_id].append(vote)
    made.close()
    return segments, found


def judged(
    segments: list[AskedSegment], votes: dict[str, list[SegmentVote]], asked: dict[str, Asked]
) -> dict[str, float | int | None]:
    """Return what the labels are worth beside the truth."""
    settings = Segments()
    decided = {one.segment_id: decide(votes[one.segment_id], one.proposed, settings) for one in segments}
    present = [(name, one.ends) for name, one in decided.items() if one.ends is not None]
    true = [(asked[name], ends) for name, ends in present if asked[name].truth is not None]
    people = [row for row in person_rows(segments, votes, settings) if row.category is None]
    gold = sum(row.gold for row in people)
    return {
        "settled": sum(one.status == Status.SETTLED for one in decided.values()),
        "wrong_presence": sum(
            one.present is not None and one.present != (asked[name].truth is not None) for name, one in decided.items()
        ),
        "proposal_tiou": fmean(tiou(one.proposed, one.truth) for one, _ in true if one.truth) if true else None,
        "label_tiou": fmean(tiou(ends, one.truth) for one, ends in true if one.truth) if true else None,
        "people_tiou": fmean(one.tiou for one in decided.values() if one.tiou is not None) if present else None,
        "gold": gold,
        "gold_right": sum(row.gold_right for row in people) / gold if gold else None,
    }


def measure(size: Size, folder: Path) -> Figures:
    """Answer proposals in a browser, and compare the ledger with the keys and the labels with the truth."""
    given: list[Given] = []
    took: list[float] = []
    shifts = 0
    with ExitStack() as last:
        browser = chromium(last)
        url = ledger(last.enter_context(postgres(folder)))
        store = FolderStore(folder / "store")
        asked = fill(url, store, folder, size)
        known = {one.segment_id: one for one in asked}
        service = last.enter_context(Service(store=store.url, ledger=url, workers=1))
        for seed, name in enumerate(PEOPLE):
            page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
            page.add_init_script(
                "window.shifts = []; new PerformanceObserver((list) => window.shifts.push(...list.getEntries()))"
                ".observe({type: 'layout-shift', buffered: true})"
            )
            person = Reviewer(page=page, rng=np.random.default_rng((size.seed, seed)))
            person.open(service.url, name)
            before = None
            for number in range(size.segments):
                before, one = person.answer(number, before, known)
                given.append(one)
            page.wait_for_function("() => !Object.keys(localStorage).some((name) => name.startsWith('slac.segment'))")
            took += page.evaluate("performance.getEntriesByName('key to next segment').map((one) => one.duration)")
            shifts += page.evaluate("window.shifts.length")
            page.context.close()
        segments, votes = votes_of(url, asked)
    cast = [vote for some in votes.values() for vote in some]
    moved = [one.modelled_sec for one in given if one.ends]
    figures = {
        "modelled_sec": fmean(one.modelled_sec for one in given),
        "modelled_sec_right": fmean(one.modelled_sec for one in given if not one.ends),
        "modelled_sec_moved": fmean(moved) if moved else None,
        "keys": fmean(one.keys for one in given),
        "key_to_next_ms": median(took),
        "key_to_next_p95_ms": percentile(took, 0.95),
        "layout_shifts": shifts,
        "lost_votes": len(given) - len(cast),
        "moved": sum(vote.answer == SegmentAnswer.MOVED for vote in cast),
        **judged(segments, votes, known),
        "segments": size.segments,
        "scale": size.segments / Size().segments,
    }
    print(listing(figures))
    return figures


BENCH = Bench(
    name="segments", doc=__doc__, measure=measure,
    full=Size(), quick=Size(segments=10, films=2), tiny=Size(segments=4, films=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
