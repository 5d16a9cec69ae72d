"""What is planned of past windows because a person asked for it."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from platform_records import WEEKS, Platform, handed

from slac_tasks.errors import WrongArguments
from slac_tasks.model import Window, round_key
from slac_tasks.planning import plans
from slac_tasks.planning.backfills import bounds, newest_window
from slac_tasks.planning.estimates import estimate
from slac_tasks.planning.items import Item
from slac_tasks.planning.notes import notes
from slac_tasks.planning.past import add_category, score_again
from slac_tasks.planning.plans import collect_videos, pretrain, score_clips, send_hard_clips
from slac_tasks.release.settings import Release
from slac_tasks.storage.datasets import CLIPS, FETCHED, LABELS, QUALITY, SCORES, VIDEOS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.rulings import retire


@pytest.fixture
def platform(store: FolderStore, ledger: Ledger) -> Platform:
    found = Platform(store=store, ledger=ledger)
    found.register("archery", "judo", "polo")
    return found


def test_a_category_that_was_added_lacks_all_windows(platform: Platform) -> None:
    for week in WEEKS:
        platform.record(VIDEOS, category="judo", window=week)
    platform.record(VIDEOS, category="polo", window=WEEKS[1])
    assert handed(add_category(platform.planner(only=("polo",)))) == [
        ((WEEKS[0],), ("polo",)),
        ((WEEKS[2],), ("polo",)),
    ]


def ask(platform: Platform, category: str, **wanted: Any) -> None:
    none = dict.fromkeys(("first_window", "last_window", "videos_most", "floor"))
    platform.ledger.run("plan_category", category=category, newest=WEEKS[2], **{**none, **wanted})


def windows_of(platform: Platform, category: str = "polo") -> list[str]:
    return [window for windows, _ in handed(add_category(platform.planner(only=(category,)))) for window in windows]


def test_a_category_wants_the_windows_that_were_asked_for_the_newest_first_within_its_budget(
    platform: Platform,
) -> None:
    for week in WEEKS:
        platform.record(VIDEOS, rows=10, category="judo", window=week)
    ask(platform, "polo", first_window=WEEKS[1])
    assert windows_of(platform) == WEEKS[1:]
    # One window is expected to bring ten videos, so eleven need two of them, and ten need no second one.
    ask(platform, "polo", videos_most=10)
    assert windows_of(platform) == WEEKS[2:]
    ask(platform, "polo", first_window=WEEKS[0], videos_most=11)
    assert windows_of(platform) == WEEKS[1:]
    platform.record(VIDEOS, rows=12, category="polo", window=WEEKS[2])
    assert windows_of(platform) == []


def test_windows_in_which_nothing_was_found_use_a_budget_up_too(platform: Platform) -> None:
    for week in WEEKS:
        platform.record(VIDEOS, rows=0, category="judo", window=week)
    ask(platform, "polo", videos_most=2)
    assert windows_of(platform) == WEEKS[1:]


def test_the_newest_window_has_ended_and_the_next_one_has_not() -> None:
    now = datetime.now(UTC)
    newest = Window.parse(newest_window())
    assert newest.end <= now < newest.end + timedelta(days=7, seconds=10)


def test_a_run_at_the_moment_in_which_a_window_ends_is_of_the_newest_window_and_no_earlier_one_is(
    platform: Platform,
) -> None:
    newest = Window.parse(WEEKS[2])
    for week, is_newest in zip(WEEKS, (False, False, True), strict=True):
        assert platform.planner(window=week, now=newest.end).is_newest_window is is_newest


def test_what_is_paused_rests_in_all_plans_and_goes_on_by_the_weekly_run(platform: Platform) -> None:
    platform.seat({"judo": ["w0"], "polo": ["w1"]})
    for week in WEEKS:
        platform.record(VIDEOS, category="judo", window=week)
    platform.record(VIDEOS, category="polo", window=WEEKS[2])
    ask(platform, "polo", last_window=WEEKS[1])
    newest = {"window": "2026-05-25"}
    assert ((WEEKS[0],), ("polo",)) in handed(collect_videos(platform.planner(**newest)))
    older = handed(collect_videos(platform.planner(window=WEEKS[2])))
    assert {window for windows, _ in older for window in windows} == {WEEKS[2]}, "the newest run alone takes them up"
    platform.ledger.run("set_category_state", category="polo", state="paused", newest=WEEKS[2])
    assert windows_of(platform) == []
    platform.record(VIDEOS, category="polo", window=WEEKS[1])
    scored = {pair for windows, some in handed(score_clips(platform.planner())) for pair in product(some, windows)}
    # What is no past window of its plan is scored as ever.
    assert {window for category, window in scored if category == "polo"} == {WEEKS[2]}


@pytest.mark.parametrize("state", ["paused", "cancelled"])
def test_past_windows_that_rest_are_fetched_mined_and_waited_for_by_no_plan(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(plans, "unreleased_labels", lambda *given: 0)
    platform.fields["release"] = Release(wait_for_queue=True)
    platform.seat({"polo": ["w1"]})
    scored, collected = ({"category": "polo", "window": week} for week in WEEKS[:2])
    for keys in (scored, collected):
        settings = platform.settings.digest(("collect",))
        platform.record_all(FETCHED, [keys], retryable=1, settings=settings)
        platform.record(VIDEOS, **keys)
    platform.record(CLIPS, **scored)
    platform.record(SCORES, **scored, weights="w1")
    for dataset in (LABELS, QUALITY):
        platform.record(dataset, labels="000001")

    def begun() -> tuple[set[str], list[Item], str]:
        """Return (past windows of polo that are fetched again, rounds that are mined, why no release is made)."""
        again = handed(collect_videos(platform.planner(window="2026-05-25", only=("polo",))))
        pretrain(platform.planner())
        (why,) = notes(platform.planner(), "pretrain")
        past = {window for windows, _ in again for window in windows if window in WEEKS}
        return past, send_hard_clips(platform.planner()), why.partition("wait: ")[2]

    rounds = [Item(category=("polo",), round=round_key(WEEKS[0], platform.panel("polo")))]
    assert begun() == (set(WEEKS[:2]), rounds, "clips wait to be mined, answered or judged")
    platform.ledger.run("set_category_state", category="polo", state=state, newest=WEEKS[2])
    past, rounds, why = begun()
    assert (past, rounds) == (set(), [])
    assert why.startswith("0 new labels")


def test_another_committee_scores_what_it_lacks_and_nothing_else(platform: Platform) -> None:
    platform.seat({"judo": ["w0", "w1"], "polo": ["w2"]})
    committee = platform.committee
    platform.seat({"judo": ["w0"]})
    for week in WEEKS:
        platform.record(CLIPS, category="judo", window=week)
        platform.record(SCORES, category="judo", window=week, weights="w0")
    platform.record(SCORES, category="judo", window=WEEKS[1], weights="w1")
    planner = platform.planner(only=("judo",), score_with=committee, last_window=WEEKS[1])
    (item,) = score_again(planner)
    assert (item.window, item.category, item.committee) == ((WEEKS[0],), ("judo",), committee)
    assert estimate(planner, "score_again", [item])[0].startswith("about 10 clips to score with")
    platform.record(CLIPS, rows=0, category="judo", window="2025-12-29")
    every = score_again(platform.planner(only=("judo",), score_with=committee))
    assert [item.window for item in every] == [(WEEKS[2],), (WEEKS[0],)], "the newest first; without clips nothing"
    with pytest.raises(WrongArguments, match="scores no category polo"):
        score_again(platform.planner(only=("polo",), score_with=platform.committee))
    with pytest.raises(WrongArguments, match=f"there is no committee '{committee}0', did you mean .*{committee}"):
        score_again(platform.planner(score_with=f"{committee}0"))
    with pytest.raises(WrongArguments, match="there is no committee 'nosuch', `slac show committees` lists them"):
        score_again(platform.planner(score_with="nosuch"))


def test_bounds_between_which_no_window_lies_are_refused() -> None:
    assert bounds("2026-01-05", "2026-01-05") == ("2026-01-05", "2026-01-05")
    assert bounds("", None) == (None, None)
    with pytest.raises(WrongArguments, match="--from 2026-01-12 --to 2026-01-05: the first window is after the last"):
        bounds("2026-01-12", "2026-01-05")
    with pytest.raises(WrongArguments, match="is a Tuesday"):
        bounds(None, "2026-01-06")


def test_a_retired_category_that_a_person_names_is_said_to_rest(platform: Platform) -> None:
    retire(platform.ledger, "polo", person="ada", reason="few")
    planner = platform.planner(window=WEEKS[0], only=("polo", "judo"))
    assert [item.category for item in collect_videos(planner)] == [("judo",)]
    assert "polo is retired and rests; `slac retire --category polo --undo` takes it up again" in notes(
        planner, "collect_videos"
    )
