"""The pictures of the tutorial, light and dark, taken by a browser from a service with clips in it.

A picture is old when its page says other words than it did when the picture was taken, which are kept beside it.
`PICTURES=1 pytest tests/browser/test_tutorial_pictures.py` takes them again.
"""

import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page
from visiting import log_in

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "images"
PICTURES = {
    "review": "review",
    "clips": "clips?category=ball_swing",
    "map": "map?category=ball_swing&within=50.50-200.50-200.200-50.200",
    "quality": "quality",
    "desk": "desk?of=ball_swing",
    "releases": "releases",
}
"""The address of each picture's page."""
SUFFIXES = {"light": "", "dark": "-dark"}
"""What the name of a picture ends with, for each colour scheme of its reader."""
SIZE = (1280, 800)
MOST_BYTES = 100_000
CHANGING = re.compile(r"(\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b|[0-9][0-9.,:]*)")
"""Numbers and dates: they differ from run to run, and a picture is none the older."""
LOADED = """() => [...document.querySelectorAll('video')].filter((one) => one.checkVisibility()).slice(0, 4)
    .every((one) => one.readyState >= 2)"""
"""Whether the first clips in view have a frame to show."""


def words_of(tab: Page) -> str:
    """Return what a page says below the bar, without what differs from run to run."""
    lines = (" ".join(line.split()) for line in tab.locator("main").inner_text().splitlines())
    return CHANGING.sub("#", "\n".join(filter(None, lines))) + "\n"


@pytest.fixture
def toured(answered: Any) -> Any:
    """A service whose clips are answered and on a map; their category was refused since a release that shows some."""
    clips = [
        {"clip_id": f"{number:016x}:1000", "video_id": f"{number:016x}", "start_sec": 1.0, "end_sec": 3.0,
         "category": "ball_swing", "label": 1 if number else -1, "kind": "people", "strategy": "random",
         "split": "training", "licence": "CC BY 4.0", "proxy_256": f"media/{number:016x}/{number:016x}-256.mp4"}
        for number in range(3)
    ]  # fmt: skip
    answered.run(
        "UPDATE releases SET version = '2.1.0', content = repeat('0f', 32), previous = 'r0000', added = 250,"
        " changed = 0, withdrawn = 0, corrected = 3, folder = 'release/v3/release=r0001/g0001',"
        f" preview = '{json.dumps(clips)}'"
    )
    answered.run(
        "INSERT INTO verdicts (labels, category, verdict, reasons, failed, shortfalls) VALUES"
        " ('000003', 'ball_swing', 'refused', '{\"agreement is 0.667, want 0.75 to 1\"}', '{agreement}', '{0.083}')"
    )
    answered.run(
        "INSERT INTO measures (labels, category, place, measure, value, low, high, clip_count, least, most, state)"
        " VALUES ('000003', 'ball_swing', 1, 'agreement', 0.667, 0.208, 0.939, 3, 0.75, 1.0, 'outside')"
    )
    return answered


def test_the_pictures_show_what_their_pages_say(browser: Browser, toured: Any) -> None:
    taking = bool(os.environ.get("PICTURES"))
    # Both schemes say the same words, so the dark one is only asked for its pictures.
    for scheme in SUFFIXES if taking else ["light"]:
        context = browser.new_context(
            viewport={"width": SIZE[0], "height": SIZE[1]}, reduced_motion="reduce", color_scheme=scheme
        )
        tab = context.new_page()
        tab.goto(f"{toured.url}/history")
        log_in(tab, toured)
        for name, address in PICTURES.items():
            tab.goto(f"{toured.url}/{address}")
            tab.wait_for_load_state("networkidle")
            tab.wait_for_function(LOADED)
            words, kept = words_of(tab), FOLDER / f"{name}.txt"
            if taking:
                # WebP has a third of the bytes of PNG.
                picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
                picture.save(FOLDER / f"{name}{SUFFIXES[scheme]}.webp", quality=80, method=6)
                kept.write_text(words, encoding="utf-8")
            assert words == kept.read_text(encoding="utf-8"), f"{name} is old, take it again: see the top of this file"
        context.close()


@pytest.mark.parametrize("suffix", SUFFIXES.values())
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_small_and_there_for_both_schemes(name: str, suffix: str) -> None:
    path = FOLDER / f"{name}{suffix}.webp"
    assert path.stat().st_size <= MOST_BYTES
    with Image.open(path) as picture:
        assert picture.size == SIZE


def test_the_tutorial_shows_each_picture_in_the_scheme_of_its_reader() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.parent.glob("*.md"))
    shown = re.findall(r"\(images/([\w-]+)\.webp#only-(light|dark)\)", text)
    assert sorted(shown) == sorted(
        (f"{name}{suffix}", scheme) for name in PICTURES for scheme, suffix in SUFFIXES.items()
    )
