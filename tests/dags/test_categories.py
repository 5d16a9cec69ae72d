"""One category's trouble is nobody else's: the real DAGs, with real commands on a real ledger, task after task."""

import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import psycopg2
import pytest
from played_dags import FAILED, HELD, SKIPPED, SUCCESS, parsed, played, started

from slac_tasks import cli
from slac_tasks.storage.datasets import CANDIDATES, VIDEOS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets

WEEKS = ("2026-01-05", "2026-01-12", "2026-01-19")
Run = Callable[..., dict[str, str]]


@pytest.fixture
def run(tmp_path: Path, ledger_url: str, store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a DAG on a world of two categories, which are registered; the sources hold a third."""
    for name in ("jump", "polo", "柔道"):
        (tmp_path / "videos" / name).mkdir(parents=True)
    video = tmp_path / "videos" / "jump" / "a.mp4"
    pictures = ["-f", "lavfi", "-i", "mandelbrot=s=160x120:r=24", "-t", "4", "-pix_fmt", "yuv420p"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *pictures, str(video)], check=True)
    shutil.copy(video, tmp_path / "videos" / "柔道" / "b.mp4")
    (tmp_path / "slac.toml").write_text(f'[collect]\nsources = ["{tmp_path}/videos"]\n')
    monkeypatch.setenv("SLAC_CONFIG", str(tmp_path / "slac.toml"))
    monkeypatch.setenv("SLAC_STORE", store.url)
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    assert cli.main(["register", "--category", "jump", "--category", "polo"]) == 0

    def play(name: str, window: str | None = None, **params: Any) -> dict[str, str]:
        dag = parsed(name)
        return played(dag, started(dag, window, **params))

    return play


def test_a_wrong_key_ends_its_own_run_and_leaves_nothing(
    run: Run, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    states = run("add_category", category=["Pollo"])
    assert states["register"] == FAILED
    assert {task for task, state in states.items() if state == HELD} == {"plan", "discover", "fetch", "ended"}
    assert {task for task, state in states.items() if state == SKIPPED} == {"deduplicate", "announce"}
    (told,) = [line for line in capsys.readouterr().out.splitlines() if "no source offers" in line]
    assert "[error" in told
    assert "exit code 64: slac register: --category: no source offers 'Pollo', did you mean polo?" in told
    assert [row["category"] for row in ledger.rows("categories")] == ["jump", "polo"]
    assert FAILED not in run("collect_videos", WEEKS[0]).values()


def test_a_category_that_no_source_has_fails_no_run(run: Run, store: FolderStore) -> None:
    assert cli.main(["register", "--category", "nobody does this"]) == 0
    states = run("collect_videos", WEEKS[0])
    assert set(states.values()) == {SUCCESS}
    datasets = Datasets(store)
    alone = {"category": "nobody_does_this", "window": WEEKS[0]}
    assert datasets.need(CANDIDATES, **alone).dropped == {"no source offers the category": 1}
    assert datasets.need(CANDIDATES, category="jump", window=WEEKS[0]).rows == 1


def test_a_retired_category_is_collected_no_more_and_the_others_are(
    run: Run, ledger_url: str, store: FolderStore
) -> None:
    assert run("retire_category", category=["Polo"], reason="a\nshort list") == {"retire": SUCCESS}
    with closing(psycopg2.connect(ledger_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT kind, category, person, reason FROM rulings")
        assert cursor.fetchall() == [("retire", "polo", "ada", "a\nshort list")]
    assert set(run("collect_videos", WEEKS[0]).values()) == {SUCCESS}
    assert [keys["category"] for keys in Datasets(store).partitions(VIDEOS)] == ["jump"]


def test_a_name_in_any_script_is_collected_in_the_weeks_that_others_have(run: Run, ledger: Ledger) -> None:
    assert set(run("collect_videos", WEEKS[0]).values()) == {SUCCESS}
    states = run("add_category", offered=["柔道"], guideline="Throws.\nHolds.")
    assert set(states.values()) == {SUCCESS}
    (found,) = [row for row in ledger.rows("categories") if row["name"] == "柔道"]
    assert found["guideline"] == "Throws.\nHolds."


def test_what_was_cancelled_goes_on_when_the_form_is_sent_again_without_a_wish(
    run: Run, ledger: Ledger, store: FolderStore
) -> None:
    assert set(run("collect_videos", WEEKS[0], category=["jump"]).values()) == {SUCCESS}
    assert cli.main(["category", "cancel", "polo"]) == 0
    assert set(run("add_category", category=["polo"]).values()) == {SUCCESS}
    assert [plan["state"] for plan in ledger.rows("category_plans")] == ["running"]
    assert Datasets(store).need(VIDEOS, category="polo", window=WEEKS[0]).rows == 0


def test_an_empty_form_says_what_there_is(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add_category")["register"] == FAILED
    assert "no name is given, and the sources offer 柔道, which nobody has registered" in capsys.readouterr().out
