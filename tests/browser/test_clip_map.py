"""A lead looks at the map of a category's clips and selects some: by a lasso, by keys, and without seeing the map."""

import math
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from visiting import log_in, opened, shot

MAP = "map?category=ball_swing"


def drag_around(tab: Page, x: float, y: float, reach: float) -> None:
    """Draw a circle; x, y and reach are shares of the map."""
    box = tab.locator("#map").bounding_box()
    assert box

    def at(turn: float) -> tuple[float, float]:
        return (
            box["x"] + box["width"] * (x + reach * math.cos(turn)),
            box["y"] + box["height"] * (y + reach * math.sin(turn)),
        )

    tab.mouse.move(*at(0.0))
    tab.mouse.down()
    for step in range(1, 60):
        tab.mouse.move(*at(2 * math.pi * step / 60))
    tab.mouse.up()


def test_a_lasso_selects_clips_that_play_and_its_link_shows_the_same(browser: Browser, answered: Any) -> None:
    with opened(browser, answered, "clips?category=ball_swing") as tab:
        tab.get_by_role("link", name="Map").click()
        expect(tab.locator("p[role=status]")).to_contain_text("30 clips")
        drag_around(tab, 0.125, 0.125, 0.1)
        selected = tab.locator("#selected")
        expect(selected.get_by_role("heading")).to_have_text("10 clips selected")
        assert [" ".join(line.split()) for line in selected.locator(".key li").all_inner_texts()] == [
            "1 yes", "1 no", "1 unsettled", "7 unanswered",
        ]  # fmt: skip
        expect(selected.locator(".preview.clips li")).to_have_count(10)
        tab.wait_for_function("() => [...document.querySelectorAll('.film video')].some((one) => one.currentTime > 0)")
        link = tab.get_by_role("link", name="Link to this selection").get_attribute("href")
    assert link
    assert len(link) < 400, "a login leads back to it"
    with opened(browser, answered, link) as tab:
        expect(tab.locator("#selected").get_by_role("heading")).to_have_text("10 clips selected")
        tab.get_by_role("link", name="Select nothing").click()
        expect(tab.locator("#selected tbody tr")).to_have_count(3)


def test_a_press_selects_what_is_near(browser: Browser, answered: Any) -> None:
    with opened(browser, answered, MAP) as tab:
        box = tab.locator("#map").bounding_box()
        assert box
        tab.mouse.click(box["x"] + 0.185 * box["width"], box["y"] + 0.125 * box["height"])
        expect(tab.locator("#selected").get_by_role("heading")).to_have_text("1 clip selected")


def test_keys_select_what_a_frame_holds(browser: Browser, answered: Any) -> None:
    with opened(browser, answered, MAP) as tab:
        tab.locator("#map").focus()
        for _ in range(6):
            tab.keyboard.press("ArrowLeft")
            tab.keyboard.press("ArrowUp")
        expect(tab.locator("#frame")).to_have_text("10 clips in the frame.")
        tab.keyboard.press("-")
        tab.keyboard.press("+")
        tab.keyboard.press("Enter")
        expect(tab.locator("#selected").get_by_role("heading")).to_have_text("10 clips selected")


def test_the_table_leads_to_the_same_clips(browser: Browser, answered: Any) -> None:
    with opened(browser, answered, MAP) as tab:
        rows = tab.locator("#selected tbody tr")
        expect(rows).to_have_count(3)
        assert [row.split()[:2] for row in rows.all_inner_texts()] == [["A1", "10"], ["D2", "10"], ["B4", "10"]]
        tab.get_by_role("link", name="A1").click()
        expect(tab.locator("#selected").get_by_role("heading")).to_have_text("10 clips selected")


def test_withdrawn_videos_are_on_no_map(browser: Browser, answered: Any) -> None:
    answered.run(f"INSERT INTO tombstones (video_id, reason) VALUES ('{0:016x}', 'taken down')")
    with opened(browser, answered, MAP) as tab:
        expect(tab.locator("p[role=status]")).to_contain_text("20 clips")


def test_what_is_no_map_is_said_on_a_page(browser: Browser, answered: Any) -> None:
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{answered.url}/map?category=tai_chi")
    log_in(tab, answered)
    expect(tab.locator(".empty")).to_contain_text("slac map --category tai_chi")
    tab.goto(f"{answered.url}/{MAP}&drawing=7&within=1.1-9.1-9.9")
    expect(tab.get_by_role("alert")).to_contain_text("Drawing 7 of this map is kept no more")
    tab.goto(f"{answered.url}/{MAP}&within=1.1-9.1")
    expect(tab.get_by_role("alert")).to_contain_text("want at least three corners")
    context.close()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1024, "dark"), (390, "light")])
def test_a_map_is_no_wider_than_its_window(browser: Browser, answered: Any, width: int, scheme: str) -> None:
    with opened(browser, answered, MAP, width=width, scheme=scheme) as tab:
        for name, more in (("map", ""), ("map-selected", "&within=0.0-500.0-500.500-0.500")):
            tab.goto(f"{answered.url}/{MAP}{more}")
            tab.wait_for_timeout(500)
            shot(tab, f"{name}-{width}-{scheme}")
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
