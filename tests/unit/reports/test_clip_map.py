"""Which places of a map lie within an outline."""

from itertools import product

from slac_tasks.reports.clip_map import within

GRID = [(x, y) for y, x in product(range(0, 1000, 50), repeat=2)]


def test_outlines_side_by_side_share_no_place_and_leave_none_out() -> None:
    found = []
    for left, top in product(range(0, 1000, 250), repeat=2):
        corners = [(left, top), (left + 250, top), (left + 250, top + 250), (left, top + 250)]
        found += within(GRID, corners)
    assert sorted(found) == list(range(len(GRID)))


def test_what_a_bent_outline_goes_around_is_not_within() -> None:
    # A U, open at the top.
    corners = [(0, 0), (300, 0), (300, 700), (700, 700), (700, 0), (999, 0), (999, 999), (0, 999)]
    found = {GRID[place] for place in within(GRID, corners)}
    assert (100, 100) in found
    assert (500, 800) in found
    assert (500, 300) not in found


def test_the_place_nearest_to_the_middle_comes_first() -> None:
    places = [(10, 10), (20, 20), (30, 30), (900, 900)]
    assert within(places, [(0, 0), (100, 0), (100, 100), (0, 100)]) == [1, 0, 2]
    assert within(places, [(500, 0), (600, 0), (600, 100)]) == []
