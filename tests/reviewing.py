"""A reviewer in a real browser: logged in, with clips to answer."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect
from visiting import log_in, problems_of

CLIP = "document.querySelector('#review').dataset.clip"
SENT = "() => !Object.keys(localStorage).some((name) => name.startsWith('slac.vote'))"


def watch_shifts(tab: Page) -> None:
    """Have the page keep in `window.shifts` what has moved without being asked to."""
    tab.add_init_script(
        "window.shifts = []; new PerformanceObserver((list) => { for (const entry of list.getEntries())"
        " window.shifts.push(...entry.sources.map((source) => source.node?.id || source.node?.className)) })"
        ".observe({type: 'layout-shift', buffered: true})"
    )


@contextmanager
def reviewer(browser: Browser, service: Any, mode: str) -> Iterator[Page]:
    """A reviewer who is logged in, and sees clips one by one or in sets."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme=os.environ.get("SCHEME", "light")
    )
    tab = context.new_page()
    problems = problems_of(tab)
    watch_shifts(tab)
    tab.add_init_script(f"localStorage.getItem('slac.mode') ?? localStorage.setItem('slac.mode', '{mode}')")
    tab.goto(f"{service.url}/review")
    log_in(tab, service)
    expect(tab.locator("#review")).to_be_attached(timeout=30_000)
    yield tab
    context.close()
    assert problems == []


def clip_after(page: Page, before: str | None) -> str:
    """Wait until a clip other than `before` is asked and moves; return its name."""
    page.wait_for_function(
        "(before) => { const review = document.querySelector('#review'), video = document.querySelector('video.shown');"
        " return review.dataset.state === 'asking' && review.dataset.clip !== before && video && !video.paused &&"
        " video.readyState >= 2 && !document.querySelector('[data-answer=yes]').disabled && !video.seeking }",
        arg=before,
    )
    page.wait_for_timeout(350)  # sooner nobody has seen it, and the page asks back
    return str(page.evaluate(CLIP))


def look(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def fits(page: Page) -> None:
    """Nothing lies beside the window but what its own box scrolls."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
