"""What is to be done for past windows because a person asked: categories that were added, and another committee."""

from collections.abc import Collection

from slac_tasks.errors import WrongArguments
from slac_tasks.given.words import near
from slac_tasks.networks.committees import rows_by_category
from slac_tasks.planning.backfills import Backfill, expected_videos, is_within
from slac_tasks.planning.items import Item, batches, by_window, of_windows
from slac_tasks.planning.planner import Planner
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, SCORES, VIDEOS


def wanted(planner: Planner, categories: Collection[str]) -> set[tuple[str, str]]:
    """Return the past windows that are wanted of some categories and lack their videos; see `planning.backfills`."""
    made: dict[str, dict[str, int]] = {}
    for one in planner.current(VIDEOS):
        made.setdefault(one.keys["category"], {})[one.keys["window"]] = one.row_count
    windows = {window for found in made.values() for window in found}
    expected = expected_videos([rows for found in made.values() for rows in found.values()])
    asked = {category: planner.backfills.get(category, Backfill(category=category)) for category in categories}
    return {
        (category, window)
        for category, backfill in asked.items()
        for window in backfill.wanted(windows, made.get(category, {}), expected)
    }


def add_category(planner: Planner) -> list[Item]:
    """The past windows that are wanted of these categories and lack their videos."""
    return of_windows(by_window(wanted(planner, planner.categories)), planner.settings.batch_categories)


def score_again(planner: Planner) -> list[Item]:
    """The clips of these categories that some member of the named committee has not scored, the newest windows first.

    Raises:
        WrongArguments: no committee is named, there is none of this name, or it does not score one of the categories.

    """
    if planner.score_with is None:
        raise WrongArguments("--committee: is missing; `slac show committees` lists them")
    if planner.datasets.manifest(COMMITTEES, committee=planner.score_with) is None:
        known = [keys["committee"] for keys in planner.datasets.partitions(COMMITTEES)]
        instead = near(planner.score_with, known) or "`slac show committees` lists them"
        raise WrongArguments(f"--committee: there is no committee '{planner.score_with}', {instead}")
    seats = rows_by_category(planner.datasets, planner.score_with)
    if unknown := sorted(set(planner.only) - set(seats)):
        raise WrongArguments(
            f"committee {planner.score_with}: scores no category {', '.join(unknown)}, want one that covers them"
        )
    behind_of = {tuple(keys.items()) for _, keys in planner.outdated(SCORES)}
    stand = {
        (one.keys["category"], one.keys["window"], one.keys["weights"])
        for one in planner.current(SCORES)
        if tuple(one.keys.items()) not in behind_of
    }
    todo = {
        (category, window)
        for (category, window), clips in planner.row_counts(CLIPS).items()
        if clips and is_within(window, planner.first_window, planner.last_window)
        and any((category, window, seat.weights) not in stand for seat in seats.get(category, ()))
    }  # fmt: skip
    newest_first = dict(sorted(by_window(todo).items(), reverse=True))
    return [
        Item(category=some, window=(window,), committee=planner.score_with)
        for window, some in batches(newest_first, planner.settings.batch_categories)
    ]
