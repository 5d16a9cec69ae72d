"""A lead compares two look-alikes in a real browser, and tells them apart."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from visiting import log_in


@pytest.mark.parametrize("width", [1440, 390])
def test_both_videos_play_and_a_word_is_given_and_taken_back(browser: Browser, service: Any, width: int) -> None:
    admitted, dropped, film = f"{0:016x}", "f" * 16, f"{1:016x}"
    service.run("UPDATE videos SET proxy_256 = 'media/' || video_id || '/' || video_id || '-256.mp4'")
    evidence = "12 of 13 half seconds agree; chance gives as much in 1 of 20,000 pairs of one scene"
    service.run(
        'INSERT INTO duplicates (category, "window", candidate_id, video_id, other_id, evidence, source, source_id,'
        f" proxy_256) VALUES ('ball_swing', '2026-01-12', 'c', '{dropped}', '{admitted}', '{evidence}', 'folder',"
        f" 'ball_swing/a film with quite a long name.mp4', 'media/{film}/{film}-256.mp4')"
    )
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    page.goto(f"{service.url}/duplicates")
    log_in(page, service)
    expect(page.locator(".pair")).to_have_count(1, timeout=30_000)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.pair video')].filter((video) => video.currentTime > 0.2).length === 2"
    )
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"duplicates-{width}.png"), full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("How do they differ?").fill("another person")
    page.get_by_role("button", name="They differ").click()
    expect(page.locator(".pair .verdict")).to_have_text("told apart")
    assert service.rows("SELECT video_id, other_id, person, reason FROM told_apart") == [
        (admitted, dropped, "ada", "another person")
    ]
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"duplicates-told-{width}.png"), full_page=True)
    page.get_by_role("button", name="They are the same").click()
    expect(page.get_by_label("How do they differ?")).to_be_visible()
    assert service.rows("SELECT count(*) FROM told_apart") == [(0,)]
    context.close()
    assert problems == []
