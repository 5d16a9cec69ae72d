"""People review in a real browser, by keyboard; the votes are looked for in the ledger."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from reviewing import CLIP, SENT, clip_after, fits, look, reviewer


@pytest.fixture
def page(browser: Browser, service: Any) -> Iterator[Page]:
    with reviewer(browser, service, "single") as tab:
        yield tab


def test_clips_are_answered_by_keyboard_and_a_correction_supersedes(page: Page, service: Any) -> None:
    clip, given = clip_after(page, None), []
    look(page, "review")
    for key, answer in [("y", "yes"), ("n", "no"), ("u", "unsure"), ("b", "broken"), ("n", "no"), ("y", "yes")] * 2:
        given.append((clip, answer))
        page.keyboard.press(key)
        clip = clip_after(page, clip)
    page.keyboard.press("z")
    assert clip_after(page, clip) == given[-1][0]
    expect(page.locator("#badge")).to_have_text("you said yes")
    page.keyboard.press("s")
    page.keyboard.press("c")
    page.wait_for_timeout(300)
    look(page, "review-undo")
    page.keyboard.press("n")
    assert clip_after(page, given[-1][0]) == clip
    page.wait_for_function(SENT)

    votes = service.rows("SELECT clip_id, answer FROM votes WHERE supersedes IS NULL ORDER BY cast_at")
    assert votes == given
    corrections = service.rows(
        "SELECT new.clip_id, old.answer, new.answer, new.annotator FROM votes new"
        " JOIN votes old ON new.supersedes = old.vote_id"
    )
    assert corrections == [(given[-1][0], "yes", "no", "ada")]
    assert service.rows("SELECT count(*) FROM outbox") == [(13,)]
    assert service.rows("SELECT count(*) FROM votes WHERE seconds <= 0 OR seconds > 30") == [(0,)]
    assert page.evaluate("window.shifts") == []


def test_the_clip_loops_within_its_two_seconds(page: Page) -> None:
    before = clip_after(page, None)
    page.keyboard.press("y")
    clip = clip_after(page, before)
    start = int(clip.rpartition(":")[2]) / 1000
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    times = []
    for _ in range(50):
        times.append(page.evaluate("document.querySelector('video.shown').currentTime"))
        page.wait_for_timeout(100)
    assert start - 0.05 <= min(times) < max(times) <= start + 2.1
    assert sum(later < earlier for earlier, later in pairwise(times)) >= 1


def test_answers_given_without_a_connection_are_sent_later(page: Page, service: Any) -> None:
    clip = clip_after(page, None)
    page.wait_for_function("() => document.querySelectorAll('video').length >= 5")
    page.wait_for_timeout(800)
    page.context.set_offline(True)
    for key in "yn":
        page.keyboard.press(key)
        clip = clip_after(page, clip)
    expect(page.locator("#badge-lost")).to_have_text("No connection. 2 answers are kept here and sent later")
    look(page, "review-offline")
    assert service.rows("SELECT count(*) FROM votes") == [(0,)]
    page.context.set_offline(False)
    expect(page.locator("#status")).to_have_text("All answers are sent", timeout=20_000)
    assert sorted(answer for (answer,) in service.rows("SELECT answer FROM votes")) == ["no", "yes"]


def test_answers_survive_a_strange_proxy_and_a_page_that_is_closed(page: Page, service: Any) -> None:
    clip = clip_after(page, None)
    strange = [
        {"status": 200, "body": "<html>Log in to this network</html>", "content_type": "text/html"},
        {"status": 404, "body": "no route", "content_type": "text/plain"},
        {"status": 502, "body": "", "content_type": "text/plain"},
    ]
    page.route("**/api/votes", lambda route: route.fulfill(**strange.pop(0)) if strange else route.abort())
    page.keyboard.press("y")
    clip = clip_after(page, clip)
    page.wait_for_function("() => !document.querySelector('#badge-lost').hidden")
    for _ in range(100):
        if strange:
            page.wait_for_timeout(200)
    assert strange == []
    page.wait_for_timeout(500)  # the last of them has come, and the next try is not yet
    page.context.set_offline(True)
    page.unroute_all()
    page.keyboard.press("n")
    clip_after(page, clip)
    page.evaluate(
        """() => {
            const [answer] = Object.keys(localStorage).filter((name) => name.startsWith("slac.vote"));
            const place = answer.slice("slac.vote.ada.".length);
            const other = JSON.stringify({ ...JSON.parse(localStorage.getItem(answer)), vote_id: crypto.randomUUID() });
            localStorage.setItem("slac.vote.ada.000000000000001.000001", '{"vote_id": ');
            localStorage.setItem("slac.vote.ada.000000000000002.000001", "null");
            localStorage.setItem(`slac.vote.ada.lovelace.${place}`, other);
        }"""
    )
    other = page.context.new_page()
    # A try that is under way when its page is closed goes on without it, and is not offline any more.
    page.wait_for_event("requestfailed", lambda request: request.url.endswith("/api/votes"))
    page.close()
    assert service.rows("SELECT count(*) FROM votes") == [(0,)]
    page.context.set_offline(False)
    other.goto(f"{service.url}/review")
    # What is no answer, and what another person gave in this browser, stays where it is.
    other.wait_for_function(
        "() => Object.keys(localStorage).filter((name) => name.startsWith('slac.vote')).length === 3"
    )
    assert sorted(answer for (answer,) in service.rows("SELECT answer FROM votes")) == ["no", "yes"]


def test_a_clip_that_does_not_load_without_a_connection_comes_when_there_is_one(page: Page, service: Any) -> None:
    clip = clip_after(page, None)
    page.wait_for_timeout(800)
    page.context.set_offline(True)
    page.route("**/objects/**", lambda route: route.abort())  # not from the browser's cache either
    for _ in range(5):
        page.keyboard.press("n")
        clip = clip_after(page, clip)
    page.keyboard.press("n")
    page.wait_for_timeout(1200)
    expect(page.locator("#lost")).to_contain_text("No connection: this clip has not come")
    expect(page.locator("#lost")).to_contain_text("6 answers are kept here and sent when there is one.")
    look(page, "review-lost")
    page.keyboard.press("y")  # what was not seen is not answered
    assert page.evaluate(CLIP) != clip
    last = page.evaluate(CLIP)
    page.unroute_all()
    page.context.set_offline(False)
    page.wait_for_function("() => !document.querySelector('video.shown').seeking && "
                           "document.querySelector('video.shown').readyState >= 2", timeout=20_000)  # fmt: skip
    expect(page.locator("#lost")).to_be_hidden()
    page.wait_for_timeout(350)
    page.keyboard.press("y")
    clip_after(page, last)
    page.wait_for_function(SENT)
    votes = service.rows("SELECT answer, count(*) FROM votes GROUP BY answer ORDER BY answer")
    assert votes == [("no", 6), ("yes", 1)]


def test_who_wants_less_motion_sees_each_clip_once_and_single_keys_can_be_turned_off(page: Page) -> None:
    clip_after(page, None)
    page.emulate_media(reduced_motion="reduce")
    page.reload()
    clip = clip_after(page, None)
    page.wait_for_function("() => document.querySelector('video.shown').paused", timeout=10_000)
    page.keyboard.press("Space")
    page.wait_for_function("() => !document.querySelector('video.shown').paused")
    page.get_by_label("Single keys answer").uncheck()
    page.keyboard.press("y")
    page.wait_for_timeout(200)
    assert page.evaluate(CLIP) == clip
    page.get_by_role("button", name="Yes", exact=True).press("Enter")
    page.wait_for_function(f"(before) => {CLIP} !== before", arg=clip)


def test_examples_stand_beside_the_guideline(page: Page, service: Any) -> None:
    clip_after(page, None)
    (clip,) = service.rows("SELECT min(clip_id) FROM queue")[0]
    service.rows(
        f"INSERT INTO known_answers VALUES ('{clip}', 'ball_swing', 'no', 'example', 'mara') RETURNING clip_id"
    )
    page.reload()
    clip_after(page, None)
    example = page.get_by_role("button", name="Example 1 of no: play")
    expect(example).to_be_enabled()
    example.focus()
    page.wait_for_function("() => { const video = document.querySelector('#examples-no video'); return !video.paused }")
    look(page, "review-example")


def test_an_empty_category_says_so(page: Page) -> None:
    clip_after(page, None)
    page.locator("#category").select_option("tai_chi")
    expect(page.locator("#message-text")).to_have_text("Nothing left in Tai chi")
    look(page, "review-empty")
    page.locator("#message-do").click()
    clip_after(page, None)


def test_what_waits_for_somebody_else_is_said_where_nothing_is_left(page: Page, service: Any) -> None:
    clip_after(page, None)
    service.run(
        "INSERT INTO votes (vote_id, clip_id, category, annotator, answer, seconds, guideline_version)"
        " SELECT gen_random_uuid(), clip_id, category, 'ada', 'yes', 3, 1 FROM queue WHERE category = 'ball_swing'"
    )
    page.reload()
    expect(page.locator("#message-text")).to_have_text("Nothing left to review")
    expect(page.locator("#message-more")).to_contain_text("clips wait for somebody else, since nobody answers twice.")
    look(page, "review-waits")


def test_the_pages_say_what_the_ledger_holds(page: Page, service: Any) -> None:
    clip = clip_after(page, None)
    page.keyboard.press("y")
    clip_after(page, clip)
    page.goto(f"{service.url}/funnel")
    expect(page.locator("h1")).to_have_text("Funnel")
    look(page, "funnel")
    assert page.locator("tbody tr").first.inner_text().split("\t")[:5] == ["Ball swing", "1", "3", "30", "1"]
    page.goto(f"{service.url}/quality")
    expect(page.get_by_role("row", name="Tai chi rejected")).to_contain_text("75 % or more")
    look(page, "quality")


@pytest.mark.parametrize("width", [1440, 390])
def test_labels_a_minute_and_certificates_fit_the_window(page: Page, service: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{service.url}/funnel")
    shown = page.locator(".worths li.card")
    expect(shown).to_have_count(1)
    expect(shown).to_contain_text("1,640 labels, 8.1 a minute")
    expect(shown).to_contain_text("at most 4.1 % of 1,234 labels of confidence 0.9 or more wrong (95 %)")
    fits(page)
    shown.scroll_into_view_if_needed()
    look(page, f"funnel-kinds-{width}")
    page.goto(f"{service.url}/quality")
    row = page.get_by_role("row", name="Clean and jerk people")
    expect(row.get_by_role("cell")).to_have_text(["people", "1,240", "8.6", "1,234", "4.1 %", "5 %", "", "2.4 h"])
    expect(page.get_by_role("row", name="Tai chi people")).to_contain_text("2,310")
    fits(page)
    row.scroll_into_view_if_needed()
    look(page, f"quality-kinds-{width}")


def test_a_login_leads_nowhere_else_and_a_logout_ends_it(page: Page, service: Any) -> None:
    clip_after(page, None)
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("h1")).to_have_text("Log in to review")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("wrong password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("That name and password do not belong together.")
    look(page, "login")
    answer = page.request.get(f"{service.url}/api/me")
    assert (answer.status, json.loads(answer.text())) == (401, {"detail": "not logged in"})
