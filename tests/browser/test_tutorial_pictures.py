"""The pictures of the tutorial, taken by a browser from a service with clips in it.

A picture is old when its page says other words than it did when the picture was taken, which are kept beside it.
`PICTURES=1 pytest tests/browser/test_tutorial_pictures.py` takes them again.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from visiting import log_in

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "images"


CHANGING = re.compile(r"(\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b|[0-9][0-9.,:]*)")
"""Numbers and dates: they differ from run to run, and a picture is none the older."""


def words_of(tab: Page) -> str:
    """Return what a page says below the bar, without what differs from run to run."""
    lines = (" ".join(line.split()) for line in tab.locator("main").inner_text().splitlines())
    return CHANGING.sub("#", "\n".join(filter(None, lines))) + "\n"


@pytest.mark.parametrize("name", ["review"])
def test_a_picture_shows_what_its_page_says(browser: Browser, service: Any, name: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    tab = context.new_page()
    tab.goto(f"{service.url}/{name}")
    log_in(tab, service)
    if name == "review":
        expect(tab.locator("#review")).to_have_attribute("data-clip", re.compile(".+"), timeout=30_000)
    else:
        expect(tab.locator("main")).to_be_visible(timeout=30_000)
    tab.wait_for_load_state("networkidle")
    words, kept = words_of(tab), FOLDER / f"{name}.txt"
    if os.environ.get("PICTURES"):
        FOLDER.mkdir(exist_ok=True)
        tab.screenshot(path=str(FOLDER / f"{name}.png"))
        kept.write_text(words, encoding="utf-8")
    context.close()
    assert (FOLDER / f"{name}.png").exists()
    assert words == kept.read_text(encoding="utf-8"), f"{name}.png is old, take it again: see the top of this file"
