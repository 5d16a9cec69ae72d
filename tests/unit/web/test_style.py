"""Text can be read: every pair of colours that the style sheet puts on each other has contrast enough."""

import re

import pytest

from slac_tasks.reports import html

ENOUGH = 4.5
"""WCAG 2.2, 1.4.3, level AA for text."""
PAIRS = [
    ("ink", "paper"), ("ink", "card"), ("ink", "press"), ("soft", "paper"), ("soft", "card"), ("soft", "press"),
    ("yes", "yes-wash"), ("no", "no-wash"), ("wait", "wait-wash"), ("yes", "paper"), ("no", "paper"),
    ("on-accent", "accent"), ("accent", "card"),
]  # fmt: skip


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def themes() -> list[dict[str, str]]:
    blocks = re.findall(r"\{[^{}]*--ink:[^{}]*\}", (html.STATIC / "slac.css").read_text())
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]


@pytest.mark.parametrize("theme", themes())
def test_edges_can_be_seen(theme: dict[str, str]) -> None:
    """WCAG 2.2, 1.4.11: what is pressed or filled in has an edge of 3 on whatever lies under it."""
    assert [ground for ground in ("paper", "card", "press") if contrast(theme["edge"], theme[ground]) < 3] == []


@pytest.mark.parametrize("theme", themes())
def test_text_can_be_read(theme: dict[str, str]) -> None:
    assert [pair for pair in PAIRS if contrast(theme[pair[0]], theme[pair[1]]) < ENOUGH] == []


def test_there_is_a_light_theme_and_a_dark_one_by_choice_and_by_the_system() -> None:
    light, *dark = themes()
    assert len(dark) == 2
    assert dark[0] == dark[1] != light
