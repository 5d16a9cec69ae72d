"""People answer segments in a real browser, by keyboard and by mouse; the votes are looked for in the ledger."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from reviewing import watch_shifts
from visiting import log_in, problems_of

SEGMENTS = 30
WIDTHS = {"wide": (1440, 900), "middle": (1024, 768), "narrow": (390, 844)}
_PLAYS = (
    "(before) => { const root = document.querySelector('#segments'), video = document.querySelector('video.shown');"
    " return root.dataset.state === 'asking' && root.dataset.segment !== before && video && video.readyState >= 2"
    " && !video.seeking && performance.getEntriesByName('key to next segment').length >= %d"
    " && !document.querySelector('[data-answer=right]').disabled }"
)


def fill(service: Any) -> None:
    """Put thirty segments of the three videos into the queue: ends on frames, what is surest first."""
    service.run(
        "INSERT INTO segments (segment_id, category, video_id, start_sec, end_sec, score, origin, round, split,"
        " proxy_256, fps, duration_sec, votes_wanted)"
        " SELECT 's' || lpad((10 * v + n)::text, 2, '0'), 'ball_swing', lpad(v::text, 16, '0'), 1 + n * 0.6,"
        " 3.4 + n * 0.6 + (n % 3) * 0.4, 1 - (10 * v + n) / 100.0, 'net', 'net.1', 'training',"
        " 'media/' || lpad(v::text, 16, '0') || '/' || lpad(v::text, 16, '0') || '-256.mp4', 25, 12, 2"
        " FROM generate_series(0, 2) AS v, generate_series(0, 9) AS n"
    )


@contextmanager
def opened(
    browser: Browser, service: Any, size: tuple[int, int] = (1280, 800), scheme: str = "light", person: str = "ada"
) -> Iterator[Page]:
    """The page in the hands of somebody who is logged in."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    tab = context.new_page()
    problems = problems_of(tab)
    watch_shifts(tab)
    tab.goto(f"{service.url}/segments")
    log_in(tab, service, person)
    expect(tab.locator("#segments")).to_be_attached(timeout=30_000)
    yield tab
    context.close()
    assert problems == []


@pytest.fixture
def page(browser: Browser, service: Any) -> Iterator[Page]:
    fill(service)
    with opened(browser, service) as tab:
        yield tab


def asked(page: Page, before: str | None = None, answered: int = 0) -> str:
    """Wait until a segment other than `before` is asked and plays; return its name."""
    page.wait_for_function(_PLAYS % answered, arg=before)
    return str(page.evaluate("document.querySelector('#segments').dataset.segment"))


def sent(page: Page) -> None:
    """Wait until the page keeps no answer any more."""
    page.wait_for_function("() => !Object.keys(localStorage).some((name) => name.startsWith('slac.segment'))")


def ends(page: Page) -> tuple[float, float]:
    """The two ends as the handles say them."""
    start, end = (float(str(page.get_by_role("slider").nth(at).get_attribute("aria-valuenow"))) for at in (0, 1))
    return start, end


def look(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_thirty_segments_are_answered_by_keyboard(page: Page, service: Any) -> None:
    segment, said = asked(page), []
    look(page, "segments")
    for number in range(SEGMENTS):
        proposed = ends(page)
        moved = None
        if number % 3 == 1:
            # The end half a second and two frames later, the start a frame earlier.
            for key in ("e", "Shift+ArrowRight", "ArrowRight", "ArrowRight", "s", "ArrowLeft"):
                page.keyboard.press(key)
            moved = (round(proposed[0] - 0.04, 2), round(proposed[1] + 0.6, 2))
            # 12 frames are the half second at 25 frames a second, and two more; both ends lie on frames.
            expect(page.locator("#right")).to_have_text("Send ends")
        key, answer = ("n", "absent") if number % 3 == 2 else ("y", "moved" if moved else "right")
        said.append((segment, answer, moved))
        page.keyboard.press(key)
        if number < SEGMENTS - 1:
            segment = asked(page, segment, number + 1)
    expect(page.locator("#message-text")).to_have_text("No segment is left to answer")
    sent(page)
    rows = service.rows("SELECT segment_id, answer, start_sec, end_sec FROM segment_votes ORDER BY cast_at")
    found = {
        name: (answer, None if start is None else (round(start, 2), round(end, 2))) for name, answer, start, end in rows
    }
    assert found == {name: (answer, moved) for name, answer, moved in said}
    assert len(found) == SEGMENTS
    assert service.rows("SELECT count(*) FROM segment_outbox") == [(SEGMENTS,)]
    assert service.rows("SELECT count(*) FROM segment_votes WHERE seconds <= 0") == [(0,)]
    expect(page.locator("#today")).to_have_text(str(SEGMENTS))
    assert page.evaluate("window.shifts") == []


def test_an_end_is_dragged_by_mouse_and_undo_brings_the_segment_back(page: Page, service: Any) -> None:
    first = asked(page)
    before = ends(page)
    track, handle = (page.locator(name).bounding_box() for name in ("#track", "[aria-label=End]"))
    assert track is not None
    assert handle is not None
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + track["width"] / 10, y, steps=5)
    look(page, "segments-dragged")
    page.mouse.up()
    after = ends(page)
    assert after[0] == before[0]
    assert after[1] > before[1] + 0.3
    assert abs(after[1] * 25 - round(after[1] * 25)) < 0.01
    page.keyboard.press("y")
    second = asked(page, first, 1)
    page.keyboard.press("z")
    assert asked(page, second) == first
    assert ends(page) == after
    expect(page.locator("#badge")).to_contain_text("you said")
    page.keyboard.press("r")
    assert ends(page) == before
    page.keyboard.press("y")
    assert asked(page, first) == second
    sent(page)
    found = service.rows(
        "SELECT new.segment_id, old.answer, new.answer FROM segment_votes new"
        " JOIN segment_votes old ON new.supersedes = old.vote_id"
    )
    assert found == [(first, "moved", "right")]


def test_the_video_loops_around_the_segment_and_around_a_chosen_end(page: Page) -> None:
    asked(page)
    start, end = ends(page)

    def times(rounds: int = 30) -> list[float]:
        found = []
        for _ in range(rounds):
            found.append(float(page.evaluate("document.querySelector('video.shown').currentTime")))
            page.wait_for_timeout(100)
        return found

    whole = times(50)
    assert max(0, start - 1.05) <= min(whole) < max(whole) <= end + 1.1
    assert any(later < earlier for earlier, later in itertools.pairwise(whole))
    page.keyboard.press("e")
    expect(page.locator("#badge")).to_contain_text("the end")
    page.wait_for_timeout(300)
    near = times()
    assert end - 1.05 <= min(near) < max(near) <= end + 1.1
    page.keyboard.press("Escape")
    page.wait_for_function(
        "(start) => { const now = document.querySelector('video.shown').currentTime;"
        " return now > start + 0.5 && now < start + 1.5 }",
        arg=start,
    )
    page.keyboard.press("Space")
    page.wait_for_timeout(150)
    still = page.evaluate("document.querySelector('video.shown').currentTime")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelector('video.shown').currentTime") == pytest.approx(still + 0.04, abs=0.005)
    page.keyboard.press("o")
    assert ends(page)[1] == pytest.approx(still + 0.04, abs=0.05)


def test_answers_given_without_a_connection_are_sent_later(page: Page, service: Any) -> None:
    segment = asked(page)
    page.wait_for_function("() => document.querySelectorAll('video').length >= 3")
    page.wait_for_timeout(800)
    page.context.set_offline(True)
    for number in (1, 2):
        page.keyboard.press("y")
        segment = asked(page, segment, number)
    expect(page.locator("#badge-lost")).to_have_text("No connection. 2 answers are kept here and sent later")
    assert service.rows("SELECT count(*) FROM segment_votes") == [(0,)]
    page.context.set_offline(False)
    expect(page.locator("#status")).to_have_text("All answers are sent", timeout=20_000)
    assert service.rows("SELECT count(*) FROM segment_votes") == [(2,)]


def test_the_service_takes_no_answer_that_nobody_asked_for(page: Page, service: Any) -> None:
    segment = asked(page)
    send = (
        "(vote) => fetch('api/segments/votes', {method: 'POST', headers: vote.headers ?? {'X-Requested-With': 'slac'},"
        " body: JSON.stringify({votes: [{vote_id: crypto.randomUUID(), segment_id: vote.of, answer: vote.answer,"
        " seconds: 2, guideline_version: vote.version ?? 1, start_sec: vote.ends?.[0] ?? null,"
        " end_sec: vote.ends?.[1] ?? null}]})}).then((answer) => answer.json().then((body) => [answer.status, body]))"
    )

    def sent_by_hand(**vote: object) -> tuple[int, Any]:
        status, body = page.evaluate(send, {"of": segment, "answer": "right", **vote})
        return int(status), body.get("detail", body.get("stored"))

    ((other,),) = service.rows(
        "SELECT min(segment_id) FROM segments WHERE segment_id NOT IN (SELECT segment_id FROM segment_leases)"
    )
    assert sent_by_hand(headers={})[0] == 403
    assert sent_by_hand(of=other) == (422, f"segment {other}: was never in your hands")
    assert sent_by_hand(version=7) == (422, f"segment {segment}: guideline version 7, want 1 to 1")
    assert sent_by_hand(answer="moved", ends=[2, 99]) == (422, f"segment {segment}: ends at 99 s, want 12 s at most")
    assert sent_by_hand(answer="moved", ends=[4, 2])[0] == 400
    assert sent_by_hand(answer="right", ends=[2, 4])[0] == 400
    assert sent_by_hand(answer="perhaps")[0] == 422
    assert service.rows("SELECT count(*) FROM segment_votes") == [(0,)]
    assert list(sent_by_hand(answer="moved", ends=[2, 12])[1].values()) == [True]
    service.run("INSERT INTO tombstones (video_id, reason) SELECT video_id, 'takedown' FROM videos")
    assert list(sent_by_hand(answer="moved", ends=[2, 11])[1].values()) == [False]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", WIDTHS)
def test_the_page_fits_every_width_in_light_and_dark(browser: Browser, service: Any, size: str, scheme: str) -> None:
    fill(service)
    with opened(browser, service, WIDTHS[size], scheme) as page:
        asked(page)
        page.keyboard.press("e")
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(300)
        look(page, f"segments-{size}-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(
            "[...document.querySelectorAll('.ask button, .ask [role=slider]')].every((one) =>"
            " one.getBoundingClientRect().right <= innerWidth + 1 && one.getBoundingClientRect().left >= -1)"
        )
        assert page.evaluate("window.shifts") == []


def test_the_handles_are_sliders_that_keys_reach(page: Page) -> None:
    asked(page)
    start = ends(page)[0]
    for name in ("Right Y", "No action N", "Unsure U", "Z Undo", "Space Pause"):
        assert page.get_by_role("button", name=name).count() == 1, name
    page.get_by_role("slider", name="Start").focus()
    page.keyboard.press("ArrowRight")
    assert ends(page)[0] == pytest.approx(start + 0.04)
    slider = page.get_by_role("slider", name="Start")
    assert slider.get_attribute("aria-valuetext") == f"Start at {ends(page)[0]:.2f} seconds"
    assert (slider.get_attribute("aria-valuemin"), slider.get_attribute("aria-valuemax")) == ("0", "12.00")
