"""How a person comes to a page in a real browser, and what the page must not do meanwhile."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import absent
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """Open a browser; a machine without one skips the test by name, and fails it in CI."""
    if not CHROMIUM.exists():
        absent("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()


def log_in(page: Page, service: Any, name: str = "ada") -> None:
    """Log in on the page to which whoever is not logged in is led, and come to the page that was asked for."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(service.password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url, timeout=30_000)  # whoever goes on sooner is not logged in


def problems_of(page: Page) -> list[str]:
    """Return a list that fills with what goes wrong on the page: errors of scripts, and what its policy refuses."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    return problems


@contextmanager
def opened(browser: Browser, service: Any, page: str, *, width: int = 1440, scheme: str = "light") -> Iterator[Page]:
    """A lead who is logged in and has opened a page; nothing that the page does is refused by its policy."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab = context.new_page()
    problems = problems_of(tab)
    tab.goto(f"{service.url}/{page}")
    log_in(tab, service)
    expect(tab.locator("h1")).to_be_visible()
    yield tab
    context.close()
    assert problems == []


def shot(tab: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        tab.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
