"""A plot is the same picture as SVG and as PNG."""

from io import BytesIO
from xml.etree import ElementTree

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from slac_tasks.model import Strategy
from slac_tasks.release.plots import COLOURS, Plot, intervals, png, stacked, svg

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=40)


def pixels(plot: Plot) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png(plot))).convert("RGB"))


def is_colour(picture: np.ndarray, colour: str) -> np.ndarray:
    """Return which pixels have a colour."""
    return (picture == [int(colour[place : place + 2], 16) for place in (1, 3, 5)]).all(axis=-1)


def test_bars_are_as_long_as_their_parts() -> None:
    plot = stacked("Labels", ("positive", "negative"), {"judo": (30, 10), "polo": (0, 20)})
    picture = pixels(plot)
    # The longest bar is 420 units, of two pixels each.
    found = [is_colour(picture[2 * top + 5], colour).sum() for top in (50, 70) for colour in COLOURS[:2]]
    assert found == [630, 210, 0, 420]
    texts = [one.text for one in ElementTree.fromstring(svg(plot)) if one.tag.endswith("text")]
    assert texts == ["Labels", "judo", "polo", "positive", "negative", "40", "20"]


def test_every_reason_to_ask_has_a_colour_and_a_place_in_the_legend() -> None:
    parts = [*(strategy.value for strategy in Strategy), "not known"]
    plot = stacked("Why clips were asked", parts, {"training": [1] * len(parts)})
    assert len({box.colour for box in plot.boxes}) == len(parts)
    named = [word for word in plot.words if word.text in parts]
    assert [word.text for word in named] == parts
    assert all(word.x + 7 * len(word.text) <= plot.width for word in named)
    tops = sorted({word.y for word in named})
    assert len(tops) == 2
    assert min(box.y for box in plot.boxes if box.height == 14) > tops[-1]


def test_an_interval_reaches_from_low_to_high_and_nothing_is_drawn_below_0() -> None:
    rows = {"judo": (0.5, 0.25, 0.75), "polo": (-0.2, -0.4, 0.25), "sumo": (1.0, None, None)}
    picture = pixels(intervals("Alpha", rows))
    drawn = [np.flatnonzero(is_colour(picture[2 * (50 + 20 * row) + 14], COLOURS[0])) for row in range(3)]
    reach = [(row[0], row[-1] + 1) for row in drawn]
    assert reach == [(2 * (190 + 105), 2 * (190 + 315)), (2 * 188, 2 * (190 + 105)), (2 * 608, 2 * 612)]


@settings(max_examples=30)
@given(st.dictionaries(NAMES, st.lists(st.integers(0, 10**9), min_size=2, max_size=2), max_size=5), NAMES)
def test_any_name_is_drawn(rows: dict[str, list[int]], title: str) -> None:
    plot = stacked(title, ("positive", "negative"), rows)
    root = ElementTree.fromstring(svg(plot))
    assert pixels(plot).shape == (2 * plot.height, 2 * plot.width, 3)
    texts = [str(one.text) for one in root if one.tag.endswith("text")]
    assert texts[0] == title
    for name, text in zip(rows, texts[1:], strict=False):
        assert text == name or (len(text) == 28 and text[:-1] == name[:27])
