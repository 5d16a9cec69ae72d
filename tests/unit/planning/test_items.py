"""Items of a plan: at most as many as Airflow maps, and nothing is left out."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.planning.items import MOST_ITEMS, Item, batches, handed_on, of_windows

CATEGORIES = [f"c{number:03d}" for number in range(200)]
TODO = st.dictionaries(st.integers(0, 60).map(str), st.sets(st.sampled_from(CATEGORIES[:20])), max_size=40)


def pairs(items: list[Item]) -> set[tuple[str, str]]:
    return {(category, window) for item in items for category in item.category for window in item.window}


def test_two_hundred_categories_in_a_hundred_windows_fit() -> None:
    todo = {f"w{number:03d}": CATEGORIES for number in range(100)}
    items = of_windows(todo, 8)
    assert len(items) == 1000
    assert pairs(items) == {(category, window) for window in todo for category in CATEGORIES}
    assert {len(item.category) for item in items} == {20}


def test_as_many_windows_as_airflow_takes_have_an_item_each() -> None:
    todo = {"w1": {"c1"}, "w2": {"c1"}, "w3": {"c1"}}
    assert [item.window for item in of_windows(todo, 8, most=3)] == [("w1",), ("w2",), ("w3",)]
    assert len(of_windows(todo, 8, most=2)) == 2


def test_a_few_stay_as_small_as_the_settings_say() -> None:
    items = of_windows({"w": CATEGORIES[:20], "v": CATEGORIES[:3]}, 8)
    assert [(item.window, len(item.category)) for item in items] == [(("v",), 3), (("w",), 8), (("w",), 8), (("w",), 4)]


def test_thirty_years_of_weeks_fit() -> None:
    todo = {f"w{number:04d}": CATEGORIES[:2] for number in range(30 * 52)}
    items = of_windows(todo, 8)
    assert len(items) <= MOST_ITEMS
    assert pairs(items) == {(category, window) for window in todo for category in CATEGORIES[:2]}


@given(todo=TODO, size=st.integers(1, 8), most=st.integers(1, 50))
def test_every_pair_is_planned_once_and_no_other_and_the_list_fits(
    todo: dict[str, set[str]], size: int, most: int
) -> None:
    items = of_windows(todo, size, most)
    wanted = {(category, window) for window, categories in todo.items() for category in categories}
    assert len(items) <= max(most, len(set(map(frozenset, filter(None, todo.values())))))
    assert pairs(items) == wanted
    assert sum(len(item.category) * len(item.window) for item in items) == len(wanted), "nothing is planned twice"


@given(todo=TODO, size=st.integers(1, 8), most=st.integers(1, 50))
def test_a_batch_is_of_one_key_and_keys_stay_in_order(todo: dict[str, set[str]], size: int, most: int) -> None:
    found = batches(todo, size, most)
    assert list(dict.fromkeys(key for key, _ in found)) == [key for key, categories in todo.items() if categories]
    assert len(found) <= max(most, len(todo))
    assert {(key, one) for key, some in found for one in some} == {(k, one) for k, of in todo.items() for one in of}
    # One command line, whatever order a set has in this process.
    for key, categories in todo.items():
        assert [one for other, some in found if other == key for one in some] == sorted(categories)


def test_json_has_what_is_there() -> None:
    item = Item(category=("judo",), window=("2026-01-05",), committee="c1")
    assert item.record() == {"category": ["judo"], "window": "2026-01-05", "committee": "c1"}
    assert Item(window=("2026-01-05", "2026-01-12")).record() == {"window": ["2026-01-05", "2026-01-12"]}
    assert Item().record() == {}


def test_what_is_past_airflows_bound_comes_in_the_next_runs_although_all_before_it_fail() -> None:
    items = [Item(round=str(number)) for number in range(2500)]
    days = [date(2026, 1, 5) + timedelta(days=number) for number in range(3)]
    runs = [handed_on(items, day) for day in days]
    assert {len(run) for run in runs} == {MOST_ITEMS}
    assert {item.round for run in runs for item in run} == {item.round for item in items}
    assert handed_on(items[:MOST_ITEMS], days[0]) == items[:MOST_ITEMS]
