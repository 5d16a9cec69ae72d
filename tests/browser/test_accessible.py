"""Nobody is kept out: axe-core finds nothing on any page, and what can be pressed or filled in has an edge one sees.

With SCREENSHOTS=<folder> the pages are saved there as they looked.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import axe_core
import pytest
from playwright.sync_api import Browser, Page, expect
from visiting import log_in

from slac_tasks.web.listing import PAGES, PARTS

SIZES = {"wide": (1440, 900), "middle": (1024, 768), "narrow": (390, 844)}
ADDRESSES = {name: name for name in (*PAGES, *PARTS)} | {
    "category": "category?of=tai_chi",
    "clip": "clip?category=ball_swing&of=0000000000000000:0",
    "map": "map?category=ball_swing&within=0.0-500.0-500.500-0.500",
    "map-table": "map?category=ball_swing",
    "desk-tiles": "desk?of=ball_swing",
}
TILED = ("clips", "map", "desk-tiles")
"""Pages that hold clips as tiles."""

_AXE = (
    "async (rules) => (await axe.run({runOnly: rules ?? undefined, resultTypes: ['violations']})).violations.map("
    "(rule) => rule.id + ': ' + rule.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(', '))"
)
_OF_COLOURS = ("color-contrast", "link-in-text-block")
"""Rules whose outcome another colour scheme can change."""
_EDGES = """
() => {
  const parsed = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const luminance = ({ rgb }) => {
    const linear = (each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgb.map((each) => linear(each / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const ground = (element) => {
    for (let at = element.parentElement; at; at = at.parentElement) {
      const colour = parsed(getComputedStyle(at).backgroundColor);
      if (colour.a === 1) return colour;
    }
    return { rgb: [255, 255, 255], a: 1 };
  };
  const faint = [];
  const pressed = "button:not(:disabled), input, select:not(:disabled), textarea, progress";
  for (const element of document.querySelectorAll(pressed)) {
    const style = getComputedStyle(element);
    if (!element.checkVisibility({ visibilityProperty: true }) || element.type === "checkbox") continue;
    const under = ground(element);
    const own = parsed(style.backgroundColor);
    const border = parsed(style.borderTopColor);
    const hasEdge = style.borderTopStyle !== "none" && parseFloat(style.borderTopWidth) > 0 && border.a > 0;
    // Without an edge and a ground of its own it is known by its text, as a link is.
    if (!hasEdge && (own.a === 0 || element.closest(".stage, .examples, .film"))) continue;
    const edge = hasEdge ? contrast(border, under) : 1;
    const seen = Math.max(edge, own.a ? contrast(own, under) : 1);
    if (seen < 3) faint.push(`${element.outerHTML.slice(0, 80)} ${seen.toFixed(2)}`);
  }
  return faint;
}
"""

_OVERLAPS = """
() => {
  const seen = [...document.querySelectorAll(".bar nav a, .work > *, .who > *")];
  const boxes = seen.map((each) => [each.textContent.trim().slice(0, 20) || each.id, each.getBoundingClientRect()])
    .filter(([, box]) => box.width && box.height);
  const over = ([, a], [, b]) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const pairs = boxes.flatMap((one, place) => boxes.slice(place + 1).map((other) => [one, other]));
  return pairs.filter(([one, other]) => over(one, other)).map(([[one], [other]]) => `${one} over ${other}`);
}
"""
"""What of the bar lies over something else."""
_DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Wait until what was changed is on the screen."""
_LONG = """
(pages) => {
  for (const each of [...document.querySelectorAll(".bar nav a")].slice(pages)) each.remove();
  for (const each of document.querySelectorAll(".figures b")) each.textContent = "1,000+";
  document.querySelector(".who span").textContent = "label-studio:somebody@example.org";
}
"""
"""Leave the first pages in the bar, and make all else as long as it may become."""


def look(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def check(page: Page, what: str, rules: Sequence[str] | None, found: list[str]) -> None:
    """Collect what axe finds, edges that are too faint, and a page that is wider than its window."""
    if page.evaluate("!window.axe"):
        page.evaluate(axe_core.source())
    found += [f"{what}: {each}" for each in page.evaluate(_AXE, rules)]
    found += [f"{what}: edge of {each}" for each in page.evaluate(_EDGES)]
    found += [f"{what}: {each}" for each in page.evaluate(_OVERLAPS)]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append(f"{what}: wider than the window")


@pytest.fixture
def tab(browser: Browser, answered: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{answered.url}/login")
    yield page
    context.close()


def enter(page: Page, service: Any, name: str = "ada") -> None:
    page.goto(f"{service.url}/review")
    log_in(page, service, name)


def each_size(page: Page, name: str, found: list[str], sizes: Sequence[str] = tuple(SIZES)) -> None:
    for scheme, rules in (("dark", _OF_COLOURS), ("light", None)):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(300)  # buttons pass from one colour to the other
        for size in sizes:
            width, height = SIZES[size]
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate(_DRAWN)
            look(page, f"{name}-{size}-{scheme}")
            check(page, f"{name} {size} {scheme}", rules, found)
    page.set_viewport_size({"width": 1440, "height": 900})


@pytest.mark.timeout(600)
def test_every_page_is_open_to_everybody(tab: Page, service: Any) -> None:
    found: list[str] = []
    clip = service.rows("SELECT min(clip_id) FROM queue")[0][0]
    service.run(
        f"""
        INSERT INTO flags VALUES
            ('11111111-1111-4111-8111-111111111111', '{clip}', 'ball_swing', 'grace', 'Two balls?', now());
        INSERT INTO votes (vote_id, clip_id, category, annotator, answer, seconds, guideline_version)
        VALUES ('22222222-2222-4222-8222-222222222222', '{clip}', 'ball_swing', 'ada', 'yes', 2.5, 1);
        INSERT INTO annotator_quality (annotator, labels, answers, sensitivity, specificity, gold, gold_right,
            seconds, flags)
        VALUES ('ada', '000003', 9, '{{.9, .8, 1}}', '{{.9, .8, 1}}', 3, 2, 1, '{{hurried}}');
        """
    )
    each_size(tab, "login", found)
    enter(tab, service)
    for name, address in ADDRESSES.items():
        tab.goto(f"{service.url}/{address}")
        tab.wait_for_timeout(400)
        if name in TILED:
            expect(tab.locator(".preview.clips li").first).to_be_visible()
        each_size(tab, name, found)
    tab.goto(f"{service.url}/nothing")
    each_size(tab, "error", found)
    assert found == []


@pytest.mark.timeout(600)
def test_every_state_of_the_review_page_is_open_to_everybody(tab: Page, service: Any) -> None:
    found: list[str] = []
    enter(tab, service, "edith")
    expect(tab.locator("#welcome")).to_be_visible()
    each_size(tab, "welcome", found)
    tab.locator("#welcome").get_by_role("button", name="Begin").click()
    tab.wait_for_function("() => document.querySelector('.stage > video.shown')?.readyState >= 2")
    for name, key in (("help", "?"), ("flag", "f")):
        tab.keyboard.press(key)
        expect(tab.locator(f"#{name}")).to_be_visible()
        each_size(tab, f"review-{name}", found)
        tab.keyboard.press("Escape")
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.get_by_role("button", name="Guideline").click()
    each_size(tab, "review-guideline", found, ["narrow"])
    tab.keyboard.press("Escape")
    tab.keyboard.press("g")
    tab.wait_for_function("() => document.querySelectorAll('.tile video.shown').length >= 4")
    tab.keyboard.press("q")
    each_size(tab, "sets", found)
    assert found == []


def test_nothing_of_the_bar_lies_over_something_else(tab: Page, service: Any) -> None:
    found: list[str] = []
    enter(tab, service)
    for person, pages in (("a lead", 8), ("a reviewer", 3)):
        for address in ("review", "segments", "history"):
            tab.goto(f"{service.url}/{address}")
            tab.wait_for_timeout(300)
            tab.evaluate(_LONG, pages)
            # The button that changes the colours names the other ones.
            for scheme, width in product(("light", "dark"), (721, 768, 900, 1024, 1180, 1280, 1366, 1440, 1920)):
                tab.emulate_media(color_scheme=scheme)
                tab.set_viewport_size({"width": width, "height": 800})
                found += [f"{address} of {person}, {width} {scheme}: {each}" for each in tab.evaluate(_OVERLAPS)]
    assert found == []
