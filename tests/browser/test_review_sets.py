"""Sets of clips that look alike are answered in a real browser, twelve by one key."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from reviewing import CLIP, SENT, clip_after, fits, look, reviewer
from visiting import log_in

TWELVE = (
    "() => { const videos = [...document.querySelectorAll('.tile video.shown')];"
    " return videos.length === 12 && videos.every((video) => !video.paused && video.readyState >= 2) }"
)
STANDING = "SELECT answer, count(*) FROM votes v WHERE NOT EXISTS (SELECT FROM votes WHERE supersedes = v.vote_id)"


@pytest.fixture
def grid(browser: Browser, service: Any) -> Iterator[Page]:
    with reviewer(browser, service, "grid") as tab:
        yield tab


def set_after(page: Page, before: str | None) -> str:
    """Wait until a set other than the one of clip `before` is on screen for long enough; return its first clip."""
    page.wait_for_function(f"(before) => {CLIP} !== before", arg=before)
    page.wait_for_function(TWELVE)
    page.wait_for_timeout(1100)
    return str(page.evaluate(CLIP))


def test_one_key_answers_a_set_and_twelve_times_no_is_asked_back(grid: Page, service: Any) -> None:
    grid.wait_for_function(TWELVE)
    grid.keyboard.press("y")  # twelve clips cannot be judged at once
    first = set_after(grid, None)
    grid.keyboard.press("y")
    second = set_after(grid, first)
    grid.keyboard.press("n")
    expect(grid.locator("#send")).to_have_text("12 times no? Again to send")
    look(grid, "grid-doubt")
    grid.keyboard.press("n")
    expect(grid.locator("#message-text")).to_have_text("No sets left in Ball swing")
    expect(grid.locator("#send")).to_have_text("Send: all are No")
    look(grid, "grid-empty")
    grid.wait_for_function(SENT)
    given = service.rows(
        "SELECT alike, answer, count(*), count(DISTINCT set_id), bool_and(strategy = 'coverage')"
        " FROM votes JOIN queue USING (clip_id, category) GROUP BY alike, answer ORDER BY alike"
    )
    assert sorted(row[1:] for row in given) == [("no", 12, 1, True), ("yes", 12, 1, True)]
    assert {row[0] for row in given} == {"cluster 0", "cluster 1"}, "sets of one answer are not split"
    grid.locator("#message-do").click()
    last = clip_after(grid, second)
    grid.keyboard.press("y")
    clip_after(grid, last)
    grid.wait_for_function(SENT)
    assert service.rows("SELECT set_id, count(*) FROM votes WHERE set_id IS NULL GROUP BY set_id") == [(None, 1)]


def test_clips_of_a_set_that_go_back_to_their_start_are_answered_like_the_others(grid: Page, service: Any) -> None:
    set_after(grid, None)
    # At every moment some of twelve loops are on their way back; here all of them are when the key is pressed.
    grid.evaluate(
        "() => { for (const video of document.querySelectorAll('.tile video.shown')) video.currentTime += 0.5;"
        " document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'y', code: 'KeyY', bubbles: true })) }"
    )
    expect(grid.locator("#status")).to_have_text("12 answers given")
    grid.wait_for_function(SENT)
    assert service.rows("SELECT answer, count(*) FROM votes GROUP BY answer") == [("yes", 12)]


def test_exceptions_are_marked_in_a_set_and_can_be_taken_back(grid: Page, service: Any) -> None:
    first = set_after(grid, None)
    assert grid.locator(".tile:enabled").count() == 12
    grid.keyboard.press("q")
    grid.keyboard.press("2")
    grid.keyboard.press("f")
    grid.keyboard.press("f")
    expect(grid.get_by_role("button", name="Clip 5 of 12: Yes")).to_be_visible()
    expect(grid.get_by_role("button", name="Clip 12 of 12: Unsure")).to_be_visible()
    for width in (1440, 1024, 390):
        grid.set_viewport_size({"width": width, "height": 900 if width > 390 else 844})
        grid.wait_for_timeout(300)
        fits(grid)
        assert grid.evaluate(
            "document.querySelector('.stage').offsetWidth <= document.querySelector('.ask').offsetWidth"
        )
        look(grid, f"grid-{width}")
    grid.set_viewport_size({"width": 1280, "height": 800})
    grid.keyboard.press("Enter")
    second = set_after(grid, first)
    grid.keyboard.press("Backspace")
    assert set_after(grid, second) == first
    expect(grid.get_by_role("button", name="Clip 5 of 12: Yes")).to_be_visible()
    grid.keyboard.press("q")
    grid.keyboard.press("q")
    grid.keyboard.press("q")  # unsure, broken, and back to what all the others get
    grid.keyboard.press("Enter")
    grid.wait_for_function("() => document.querySelector('#status').textContent === '12 answers given'")
    grid.wait_for_function(SENT)
    assert service.rows(f"{STANDING} GROUP BY answer ORDER BY answer") == [("no", 10), ("unsure", 1), ("yes", 1)]
    assert service.rows("SELECT count(*), count(DISTINCT set_id) FROM votes") == [(13, 1)]


def test_marks_for_the_other_answer_are_asked_back(grid: Page, service: Any) -> None:
    set_after(grid, None)
    grid.keyboard.press("q")
    grid.keyboard.press("y")
    expect(grid.locator("#send")).to_have_text("12 times yes, marked ones too? Again to send")
    grid.keyboard.press("x")
    expect(grid.locator("#send")).to_have_text("Send: all others are Yes")
    expect(grid.locator(".tile.marked")).to_have_count(1)  # what was said of a clip stays
    grid.keyboard.press("x")
    expect(grid.locator(".tile.marked .word")).to_have_text("Yes")
    assert service.rows("SELECT count(*) FROM votes") == [(0,)]


def test_a_set_with_mixed_answers_is_split_for_the_next_person(grid: Page, service: Any) -> None:
    first = set_after(grid, None)
    for key in "123":
        grid.keyboard.press(key)
    grid.keyboard.press("Enter")
    set_after(grid, first)
    grid.wait_for_function(SENT)
    mixed = service.rows(
        "SELECT v.answer, q.alike, count(*) FROM votes v JOIN queue q USING (clip_id, category) GROUP BY 1, 2"
        " ORDER BY 1"
    )
    (alike,) = {row[1] for row in mixed if row[0] == "no"}
    assert mixed == [("no", alike, 9), ("yes", None, 3)]
    assert alike.startswith("cluster ")
    assert alike.endswith("/no")
    grid.get_by_role("button", name="Log out").click()
    log_in(grid, service, "grace")
    grid.wait_for_function(TWELVE.replace("12", "9"))  # what somebody has begun comes first
    expect(grid.locator(".tile:enabled")).to_have_count(9)
    look(grid, "grid-smaller")
