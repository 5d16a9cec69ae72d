"""A lead looks at a release in a real browser: its numbers, and clips that play; nothing of what was taken down."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from visiting import log_in


def clip(number: int, start: float) -> dict[str, object]:
    video = f"{number:016x}"
    return {
        "clip_id": f"{video}:{round(start * 1000)}", "video_id": video, "start_sec": start, "end_sec": start + 2,
        "category": "ball_swing", "label": 1 if number else -1, "kind": "people", "strategy": "random",
        "split": "training", "licence": "CC BY 4.0", "proxy_256": f"media/{video}/{video}-256.mp4",
    }  # fmt: skip


@pytest.mark.parametrize("width", [1440, 390])
def test_a_release_is_shown_and_its_clips_play(browser: Browser, service: Any, width: int) -> None:
    shown = json.dumps([clip(number, number + 1.0) for number in range(3)])
    service.run(
        "UPDATE releases SET version = '2.1.0', content = repeat('0f', 32), previous = 'r0000', added = 250,"
        f" changed = 0, withdrawn = 0, corrected = 3, folder = 'release/v3/release=r0001/g0001', preview = '{shown}'"
    )
    service.run(f"INSERT INTO tombstones (video_id, reason) VALUES ('{2:016x}', 'asked') ON CONFLICT DO NOTHING")
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    page.goto(f"{service.url}/releases")
    log_in(page, service)
    expect(page.locator(".release")).to_have_count(1, timeout=30_000)
    expect(page.locator(".release h2")).to_have_text("r0001 2.1.0")
    expect(page.locator(".release").get_by_text("250 added, 0 changed, 0 withdrawn, 3 corrected")).to_be_visible()
    expect(page.locator(".preview .film")).to_have_count(2)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.preview video')].filter((video) => video.currentTime > 1.2).length === 2"
    )
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"releases-{width}.png"), full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (
        page.get_by_role("link", name="Data sheet")
        .get_attribute("href")
        .startswith("objects/release/v3/release%3Dr0001/g0001/README.md?")
    )
    service.run(f"DELETE FROM tombstones WHERE video_id = '{2:016x}'")
    context.close()
    assert problems == []
