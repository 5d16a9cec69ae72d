"""A lead looks at the clips behind the numbers, at one clip's life, and decides at the desk, in a real browser.

With SCREENSHOTS=<folder> the pages are saved there as they looked.
"""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from visiting import log_in, opened, shot

from slac_tasks.model import clip_id

VIDEO = f"{0:016x}"


def test_a_filter_leaves_what_fits_and_its_tiles_play(browser: Browser, answered: Any) -> None:
    with opened(browser, answered, "clips?category=ball_swing") as tab:
        expect(tab.get_by_role("status")).to_contain_text("30 clips")
        tiles = tab.locator(".preview.clips li")
        expect(tiles).to_have_count(24)
        expect(tiles.first).to_contain_text("1 yes, 1 no")
        tab.wait_for_function("() => [...document.querySelectorAll('.film video')].some((one) => one.currentTime > 0)")
        tab.get_by_role("link", name="Next page").click()
        expect(tiles).to_have_count(6)
        tab.get_by_label("Verdict").select_option("yes")
        expect(tab.get_by_role("status")).to_contain_text("1 clip,")
        expect(tiles).to_have_count(1)
        tab.get_by_label("Verdict").select_option("")
        expect(tiles).to_have_count(24)
        tab.get_by_label("Person").select_option("bob")
        expect(tiles).to_have_count(3)
        assert "person=bob" in tab.url
        assert "verdict" not in tab.url


def test_a_lead_settles_a_clip_and_the_desk_says_who_did(browser: Browser, answered: Any) -> None:
    clip = clip_id(VIDEO, 0.0)
    with opened(browser, answered, "desk?of=ball_swing") as tab:
        tab.locator(".preview.clips a").first.click()
        expect(tab.locator("#votes")).to_contain_text("2 answers")
        tab.get_by_role("button", name="2 s around it").click()
        expect(tab.get_by_role("button", name="2 s around it")).to_have_attribute("aria-pressed", "true")
        tab.get_by_label("no", exact=True).check()
        tab.get_by_label("Why").fill("the ball lies still")
        tab.get_by_role("button", name="Settle it").click()
        expect(tab.locator(".rulings")).to_contain_text("settled as no")
        assert answered.rows("SELECT kind, clip_id, answer, person, reason FROM rulings") == [
            ("settle", clip, "no", "ada", "the ball lies still")
        ]
        tab.get_by_role("link", name="Desk").click()
        expect(tab.locator(".rulings")).to_contain_text("ada")
        tab.goto(f"{answered.url}/desk?of=tai_chi")
        approve = tab.locator("form.ruling").filter(has_text="Its labels")
        approve.get_by_label("Why").fill("seen by eye")
        approve.get_by_role("button", name="Approve").click()
        expect(tab.locator(".rulings li").first).to_contain_text("approved on labels 000003")
        assert answered.rows("SELECT decision, person FROM decisions WHERE category = 'tai_chi'") == [
            ("approve", "ada")
        ]
        retire = tab.locator("form.ruling").filter(has_text="The category")
        retire.get_by_label("Why").fill("asked for by nobody")
        retire.get_by_role("button", name="Retire").click()
        expect(tab.get_by_role("button", name="Take it up again")).to_be_visible()


def test_a_report_of_the_store_is_read_in_the_dashboard_and_runs_nothing(browser: Browser, answered: Any) -> None:
    answered.media.store.put(
        "reports/v1/labels=000003/index.html",
        b"<!doctype html><title>a report</title><style>h1 { color: rgb(1, 2, 3) }</style><h1>Report</h1>"
        b"<script>document.title = 'ran'</script><a href='rounds.html'>Rounds</a>",
    )
    with opened(browser, answered, "reports") as tab:
        shot(tab, "reports-1440-light")
        tab.goto(f"{answered.url}/quality")
        tab.get_by_role("row", name="Tai chi").get_by_role("link", name="61 %").click()
        assert "clips?category=tai_chi&order=disputed" in tab.url
        tab.goto(f"{answered.url}/funnel")
        tab.get_by_role("row", name="Ball swing").get_by_role("link", name="30", exact=True).click()
        expect(tab.get_by_role("status")).to_contain_text("30 clips")
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(f"{answered.url}/reports")
    log_in(tab, answered, "ada")
    expect(tab.get_by_role("heading", name="Reports")).to_be_visible(timeout=30_000)
    tab.goto(f"{answered.url}/reports/000003/index.html")
    assert tab.title() == "a report"
    assert tab.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(1, 2, 3)"
    tab.get_by_role("link", name="Rounds").click()
    expect(tab.get_by_role("alert")).to_contain_text("There is no report on labels 000003 any more")
    context.close()


def test_what_cannot_be_ruled_is_said_on_a_page(browser: Browser, answered: Any) -> None:
    with opened(browser, answered, "desk?of=ball_swing") as tab:
        again = tab.locator("form.ruling").filter(has_text="A person")
        again.get_by_label("Person").select_option("bob")
        again.get_by_label("Day").fill("2025-01-01")
        again.get_by_label("Why").fill("hurried")
        again.get_by_role("button", name="Ask again").click()
        expect(tab.get_by_role("alert")).to_contain_text("bob answered no clip of ball_swing on 2025-01-01")
        assert answered.rows("SELECT count(*) FROM rulings") == [(0,)], "it was all or nothing"


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1024, "dark"), (390, "light")])
def test_no_page_of_clips_is_wider_than_its_window(browser: Browser, answered: Any, width: int, scheme: str) -> None:
    one = f"clip?category=ball_swing&of={clip_id(VIDEO, 0.0)}"
    with opened(browser, answered, "clips?category=ball_swing", width=width, scheme=scheme) as tab:
        for page in ("clips?category=ball_swing", one, "desk?of=tai_chi"):
            tab.goto(f"{answered.url}/{page}")
            tab.wait_for_timeout(700)
            shot(tab, f"{page.split('?')[0]}-{width}-{scheme}")
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, page
