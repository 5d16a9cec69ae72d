"""`slac category`: what is asked of past windows, on a real ledger."""

import json
from pathlib import Path

import pytest
from platform_records import WEEKS, Platform

from slac_tasks import cli
from slac_tasks.storage.datasets import VIDEOS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger


@pytest.fixture(autouse=True)
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ledger_url: str) -> None:
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)


def plans(ledger: Ledger) -> list[dict[str, object]]:
    return ledger.rows("category_plans")


def test_what_is_asked_is_kept_and_what_is_not_given_stays(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["category", "add", "Clean and jerk", "--from=2025-01-06", "--to=2025-12-29"]
    assert cli.main([*words, "--estimate"]) == 0
    assert (ledger.rows("categories"), plans(ledger)) == ([], [])
    assert cli.main([*words, "--videos=2000", "--floor=0.9", "--guideline=The bar goes up."]) == 0
    assert cli.main(["category", "add", "clean_and_jerk", "--floor=0.8"]) == 0
    assert plans(ledger) == [
        {
            "category": "clean_and_jerk", "first_window": "2025-01-06", "last_window": "2025-12-29",
            "videos_most": 2000, "floor": 0.8, "state": "running",
        }
    ]  # fmt: skip
    for verb, state in (("pause", "paused"), ("cancel", "cancelled"), ("resume", "running")):
        assert cli.main(["category", verb, "clean_and_jerk"]) == 0
        assert plans(ledger)[0]["state"] == state
    capsys.readouterr()
    assert cli.main(["category", "show", "--json"]) == 0
    (shown,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert shown == {
        "category": "clean_and_jerk", "state": "running", "windows": 0, "collected": 0, "videos": 0,
        "videos_most": 2000, "scored": 0,
    }  # fmt: skip


def test_what_rests_goes_on_when_it_is_added_again_whatever_is_asked(ledger: Ledger) -> None:
    for words in (["--videos=9"], [], ["--videos=8"]):
        assert cli.main(["category", "add", "judo", *words]) == 0
        assert [plan["state"] for plan in plans(ledger)] == ["running"]
        assert cli.main(["category", "cancel", "judo"]) == 0
        assert cli.main(["category", "add", "judo", "--estimate"]) == 0
        assert [plan["state"] for plan in plans(ledger)] == ["cancelled"]


def test_what_rests_goes_on_by_register_only_where_that_is_said(ledger: Ledger) -> None:
    register = ["register", "--category=judo", "--category=polo"]
    assert cli.main([*register, "--resume"]) == 0
    assert plans(ledger) == [], "nothing is asked of them, and nothing rests"
    for verb in ("pause", "cancel"):
        assert cli.main(["category", verb, "judo"]) == 0
        (asked,) = plans(ledger)
        assert cli.main([*register, "--guideline=Throws."]) == 0
        assert plans(ledger) == [asked]
        assert cli.main([*register, "--resume"]) == 0
        assert plans(ledger) == [{**asked, "state": "running"}]


@pytest.mark.parametrize("words", [["category", "add", "judo"], ["register", "--category=judo"]])
@pytest.mark.parametrize(
    ("bounds", "lacking"),
    [
        (["--from=2024-12-30"], f"none before {WEEKS[1]} was collected for any category"),
        (["--from=2024-12-30", "--to=2025-03-03"], "none of those that are asked for was collected for any category"),
        ([f"--from={WEEKS[1]}"], None),
        (["--from=2026-01-19", "--to=2026-01-19"], "none of those that are asked for was collected for any category"),
        (["--videos=9"], None),
    ],
)
def test_windows_that_no_category_has_are_asked_for_and_that_they_do_not_come_is_said(
    words: list[str],
    bounds: list[str],
    lacking: str | None,
    ledger: Ledger,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    platform = Platform(store=FolderStore(tmp_path / "store"), ledger=ledger)
    platform.register("polo")
    for window in (WEEKS[1], "2026-02-02"):
        platform.record(VIDEOS, category="polo", window=window)
    tries = [[]] if words[0] == "register" else [["--estimate"], []]
    for beside in tries:
        assert cli.main([*words, *bounds, *beside]) == 0
        told = [line for line in capsys.readouterr().err.splitlines() if "past windows of judo" in line]
        assert [f"past windows of judo: {lacking}" in line for line in told] == ([True] if lacking else [])


@pytest.mark.parametrize("beside", [[], ["--estimate"]])
def test_a_name_that_gets_no_key_is_refused(
    beside: list[str], ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["category", "add", "{}", *beside]) == 64
    assert "category '{}' has no letter and no digit to make a key of" in capsys.readouterr().err


def test_where_nothing_was_collected_yet_no_past_window_comes(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["category", "add", "judo", "--videos=9"]) == 0
    assert "past windows of judo: none of those that are asked for was collected" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["category", "add", "judo"], ["register", "--category=judo"]])
@pytest.mark.parametrize("bound", ["--from=2025-02-03", "--to=2024-12-30"])
def test_a_bound_beyond_the_one_that_stays_is_refused_with_both(
    words: list[str], bound: str, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*words, "--from=2025-01-06", "--to=2025-01-27"]) == 0
    before = plans(ledger)
    assert cli.main([*words, bound]) == 64
    first, last = ("2025-02-03", "2025-01-27") if "from" in bound else ("2025-01-06", "2024-12-30")
    assert f"past windows of judo: --from {first} --to {last}: the first window is after" in capsys.readouterr().err
    assert plans(ledger) == before
    assert cli.main([*words, "--from=2025-02-03", "--to=2025-02-10"]) == 0


def test_an_estimate_is_of_what_is_asked_together_with_what_was_asked_before(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    platform = Platform(store=FolderStore(tmp_path / "store"), ledger=ledger)
    platform.register("polo")
    for window in WEEKS:
        platform.record(VIDEOS, category="polo", window=window)
    assert cli.main(["category", "add", "judo", f"--from={WEEKS[1]}"]) == 0
    capsys.readouterr()
    assert cli.main(["category", "add", "judo", "--floor=0.9", "--estimate"]) == 0
    assert "estimate: 2 (category, window); about 20 videos" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["add", "judo", "--from=2025-01-07"], "is a Tuesday"),
        (["add", "judo", "--from=2025-12-29", "--to=2025-01-06"], "the first window is after the last"),
        (["add", "judo", "--floor=1"], "--floor: is 1"),
        (["pause", "judo"], "judo"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    ledger: Ledger, words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["category", *words]) == 64
    assert reason in capsys.readouterr().err
    assert (ledger.rows("categories"), plans(ledger)) == ([], [])
