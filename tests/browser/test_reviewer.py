"""What a reviewer has besides the next clip: a first visit, keys, flags, feedback, a brake, a closer look, a finger."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from reviewing import CLIP, SENT, look
from visiting import log_in

from slac_tasks.verification.settings import Review

STATE = "document.querySelector('#review').dataset.state"
PLAYS = (
    "(before) => { const video = document.querySelector('.stage > video.shown');"
    f" return {STATE} === 'asking' && {CLIP} !== before && video && !video.paused && video.readyState >= 2 }}"
)


@pytest.fixture
def review() -> Review:
    return Review(feedback_after=5)


def enter(page: Page, service: Any, name: str, mode: str = "single") -> Page:
    page.add_init_script(f"localStorage.getItem('slac.mode') ?? localStorage.setItem('slac.mode', '{mode}')")
    page.goto(f"{service.url}/review")
    log_in(page, service, name)
    expect(page.locator("#review")).to_be_attached(timeout=30_000)
    return page


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme=os.environ.get("SCHEME", "light")
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def clip_after(page: Page, before: str | None) -> str:
    page.wait_for_function(PLAYS, arg=before)
    page.wait_for_timeout(350)
    return str(page.evaluate(CLIP))


def test_a_first_login_practises_on_known_clips_and_says_what_is_kept(tab: Page, service: Any) -> None:
    clips = [clip for (clip,) in service.rows("SELECT clip_id FROM queue ORDER BY clip_id LIMIT 3")]
    for clip, answer in zip(clips, ("yes", "no", "yes"), strict=True):
        service.run(f"INSERT INTO known_answers VALUES ('{clip}', 'ball_swing', '{answer}', 'example', 'mara')")
    enter(tab, service, "edith")
    welcome = tab.locator("#welcome")
    expect(welcome).to_contain_text("What is recorded")
    expect(welcome).to_contain_text("Who sees it")
    look(tab, "welcome")
    tab.get_by_role("button", name="Try 3 clips").click()
    for number in (1, 2, 3):
        expect(welcome).to_contain_text(f"Clip {number} of 3: does it contain Ball swing?")
        tab.keyboard.press("y")
        expect(welcome.locator("[data-part=said]")).to_contain_text("expert says")
        look(tab, f"welcome-{number}")
        tab.keyboard.press("Enter")
    expect(welcome).to_contain_text("2 of 3 as the experts. Nothing of this was kept")
    tab.keyboard.press("Enter")
    expect(welcome).to_be_hidden()
    clip_after(tab, None)
    assert service.rows("SELECT count(*) FROM votes") == [(0,)]
    assert service.rows("SELECT introduced_at IS NOT NULL FROM annotators WHERE annotator = 'edith'") == [(True,)]
    tab.reload()
    clip_after(tab, None)
    expect(welcome).to_be_hidden()


def test_answers_faster_than_sight_are_asked_back_and_counted(tab: Page, service: Any) -> None:
    enter(tab, service, "ada")
    clip_after(tab, None)
    tab.keyboard.press("n")
    for _ in range(400):
        tab.keyboard.press("y")
        if tab.evaluate(STATE) == "braked":
            break
    expect(tab.locator("#message-text")).to_have_text("Are you sure?")
    look(tab, "brake")
    tab.wait_for_function(SENT)
    (fast,) = service.rows("SELECT count(*) FROM votes WHERE seconds < 0.3")[0]
    assert fast >= 3
    tab.get_by_role("button", name="Take them back").click()
    expect(tab.locator("#badge")).to_contain_text("you said yes")
    tab.wait_for_timeout(350)
    tab.keyboard.press("n")
    tab.wait_for_function(SENT)
    service.run(
        "INSERT INTO annotator_quality (annotator, labels, answers, sensitivity, specificity, gold, gold_right,"
        " seconds, flags) VALUES ('ada', '000003', 9, '{.9,.8,1}', '{.9,.8,1}', 0, 0, 1, '{}')"
    )
    tab.goto(f"{service.url}/people")
    heads = tab.locator("#people thead th").all_inner_texts()
    cell = tab.locator("#people tbody tr").first.locator("th, td").nth(heads.index("Too fast"))
    expect(cell).to_have_text(str(fast))


def test_space_pauses_after_a_click_on_yes(tab: Page, service: Any) -> None:
    enter(tab, service, "ada")
    first = clip_after(tab, None)
    tab.locator("[data-answer=yes]").click()
    second = clip_after(tab, first)
    tab.keyboard.press("Space")
    tab.wait_for_function("() => document.querySelector('.stage > video.shown').paused")
    tab.get_by_role("button", name="Slower").focus()
    tab.keyboard.press("Space")
    tab.wait_for_function("() => !document.querySelector('.stage > video.shown').paused")
    assert tab.evaluate(CLIP) == second
    tab.wait_for_function(SENT)
    assert service.rows("SELECT count(*) FROM votes") == [(1,)]


def test_keys_are_shown_and_can_be_changed_and_a_clip_is_flagged(tab: Page, service: Any) -> None:
    enter(tab, service, "ada")
    clip = clip_after(tab, None)
    tab.keyboard.press("?")
    expect(tab.locator("#help")).to_contain_text("Look closer at a clip of a set")
    tab.get_by_role("button", name="Change the key: Yes, or all yes").click()
    tab.keyboard.press("q")
    expect(tab.locator("#help [role=status]")).to_have_text("Q marks a clip of a set")
    tab.get_by_role("button", name="Change the key: Yes, or all yes").click()
    tab.keyboard.press("j")
    look(tab, "keys")
    tab.keyboard.press("Escape")
    expect(tab.locator("[data-answer=yes] kbd")).to_have_text("J")
    tab.keyboard.press("f")
    tab.get_by_label("What should a lead look at?").fill("Two people do it at once.")
    look(tab, "flag")
    tab.get_by_role("button", name="Flag", exact=True).last.click()
    expect(tab.locator("#status")).to_have_text("Flagged: a lead will see it")
    tab.keyboard.press("j")
    clip_after(tab, clip)
    tab.wait_for_function(SENT)
    assert service.rows("SELECT clip_id, answer, annotator FROM votes") == [(clip, "yes", "ada")]
    assert service.rows("SELECT clip_id, annotator, comment FROM flags") == [(clip, "ada", "Two people do it at once.")]
    tab.goto(f"{service.url}/flags")
    expect(tab.get_by_role("list", name="Flags").get_by_role("listitem")).to_contain_text("Two people do it at once.")
    look(tab, "flags")
    tab.goto(f"{service.url}/history")
    expect(tab.get_by_role("list", name="My answers").get_by_role("listitem")).to_contain_text("Yes Ball swing")
    tab.wait_for_function("() => document.querySelector('.film video')?.readyState >= 2")
    look(tab, "history")


def test_after_a_batch_a_person_sees_the_known_clips_that_she_answered_otherwise(tab: Page, service: Any) -> None:
    enter(tab, service, "ada")
    clip, given = clip_after(tab, None), []
    for number in range(5):
        given.append(clip)
        if number == 4:
            tab.wait_for_function(SENT)
            for known, answer in zip(given[:2], ("yes", "no"), strict=True):
                service.run(f"INSERT INTO known_answers VALUES ('{known}', 'ball_swing', '{answer}', 'gold', 'mara')")
        tab.keyboard.press("y")
        clip = clip_after(tab, clip)
    dialog = tab.locator("#feedback")
    expect(dialog).to_contain_text("You agreed with an expert on 1 of 2 known clips among your last 5")
    expect(dialog.get_by_role("listitem")).to_have_text("You said yes, the expert says no.")
    look(tab, "feedback")
    tab.get_by_role("button", name="Go on").click()
    tab.keyboard.press("z")  # what was told stands
    assert tab.evaluate(CLIP) == clip
    ((vote,),) = service.rows(f"SELECT vote_id::text FROM votes WHERE clip_id = '{given[1]}'")
    late = {"vote_id": "11111111-1111-4111-8111-111111111111", "clip_id": given[1], "category": "ball_swing"}
    sent = tab.request.post(
        f"{service.url}/api/votes", headers={"X-Requested-With": "slac"},
        data={"votes": [{**late, "answer": "no", "seconds": 1, "guideline_version": 1, "supersedes": vote}]},
    )  # fmt: skip
    assert sent.json() == {"stored": {late["vote_id"]: False}}


def test_what_was_told_while_the_reply_was_lost_is_told_again(tab: Page, service: Any) -> None:
    enter(tab, service, "ada")

    def lose(route: Route) -> None:
        assert route.fetch().json()["is_due"]
        route.abort()

    tab.route("**/api/feedback?*", lose, times=1)
    clip, dialog = clip_after(tab, None), tab.locator("#feedback")
    service.run(f"INSERT INTO known_answers VALUES ('{clip}', 'ball_swing', 'no', 'gold', 'mara')")
    for number in range(10):
        tab.wait_for_function(SENT)
        expect(dialog).to_be_hidden()
        tab.keyboard.press("y")
        if number < 9:
            clip = clip_after(tab, clip)
    expect(dialog).to_contain_text("You agreed with an expert on 0 of 1 known clip among your last 5")
    tab.wait_for_timeout(300)
    assert service.rows("SELECT answers, seen_at IS NOT NULL FROM feedbacks") == [(5, True)]


@pytest.mark.parametrize("mode", ["single", "grid"])
def test_a_browser_that_never_tells_of_a_frame_takes_answers_too(tab: Page, service: Any, mode: str) -> None:
    tab.add_init_script("HTMLVideoElement.prototype.requestVideoFrameCallback = () => 0")
    enter(tab, service, "ada", mode=mode)
    tab.wait_for_function(f"() => {STATE} === 'asking'")
    expect(tab.locator("#status")).not_to_contain_text("loading", timeout=10_000)
    tab.wait_for_timeout(1500)
    tab.keyboard.press("y")
    tab.wait_for_timeout(500)
    tab.wait_for_function(SENT)
    assert service.rows("SELECT answer, count(*) > 0 FROM votes GROUP BY answer") == [("yes", True)]


def test_a_clip_of_a_set_grows_while_its_key_is_held(tab: Page, service: Any) -> None:
    enter(tab, service, "ada", mode="grid")
    tab.wait_for_function("() => document.querySelectorAll('.tile video.shown').length === 12")
    expect(tab.locator("#lead")).to_contain_text("A set of 12 clips that look alike, from 2 videos")
    small = tab.locator(".tile video").nth(4).bounding_box()
    tab.keyboard.down("Shift")
    tab.keyboard.down("Q")
    tab.wait_for_timeout(300)
    large = tab.locator(".tile.closer video").bounding_box()
    assert small is not None
    assert large is not None
    assert large["width"] > 3 * small["width"]
    look(tab, "closer")
    tab.keyboard.up("Q")
    tab.keyboard.up("Shift")
    expect(tab.locator(".tile.closer")).to_have_count(0)
    expect(tab.locator(".tile.marked")).to_have_count(0)
    tab.keyboard.press("q")
    expect(tab.locator(".tile.marked")).to_have_count(1)


def test_a_finger_answers_and_can_hit_what_it_presses(browser: Browser, service: Any) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True,
        color_scheme=os.environ.get("SCHEME", "light"),
    )  # fmt: skip
    page = enter(context.new_page(), service, "edith")
    page.locator("#welcome").get_by_role("button", name="Begin").tap()
    clip = clip_after(page, None)
    small = page.evaluate(
        "[...document.querySelectorAll('.answers.one button, .tools button, .who button, .bar nav a, select')]"
        ".map((each) => [each.textContent.trim(), each.getBoundingClientRect()])"
        ".filter(([, box]) => box.width && (box.height < 44 || box.width < 44)).map(([text]) => text)"
    )
    assert small == []
    for shown in ("#today", "#pace", "#left"):
        expect(page.locator(shown)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    look(page, "phone")
    for far, answer in ((120, "yes"), (-120, "no")):
        touch = context.new_cdp_session(page)
        for kind, x in (("touchStart", 195), ("touchMove", 195 + far // 2), ("touchMove", 195 + far)):
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": 300}]})
        look(page, f"phone-{answer}")
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        clip = clip_after(page, clip)
    page.wait_for_function(SENT)
    assert service.rows("SELECT answer FROM votes ORDER BY cast_at") == [("yes",), ("no",)]
    page.get_by_role("button", name="Guideline").tap()
    expect(page.locator("#whole")).to_contain_text("A ball that lies still, or is only carried, is a no.")
    context.close()


def test_whatever_goes_wrong_a_browser_gets_a_page(tab: Page, service: Any) -> None:
    enter(tab, service, "edith")
    for address, words in (
        ("funnel", "This page is for leads"),
        ("nothing", "Not Found"),
        ("api/nothing", "Not Found"),
    ):
        tab.goto(f"{service.url}/{address}")
        expect(tab.locator("main")).to_contain_text(words)
        expect(tab.get_by_role("link", name="Go to the first page")).to_be_visible()
    look(tab, "error")
