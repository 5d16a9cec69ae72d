"""One category's trouble is nobody else's: the real DAGs, with real commands on a real ledger, task after task."""

import runpy
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imageio_ffmpeg
import psycopg2
import pytest
from airflow.sdk import DAG, BaseOperator, TriggerRule
from airflow.sdk.definitions.mappedoperator import MappedOperator
from airflow.sdk.exceptions import AirflowSkipException, DownstreamTasksSkipped
from slac_command import Ended

from slac_tasks import cli
from slac_tasks.storage.datasets import CANDIDATES, VIDEOS
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.objects import FolderStore
from slac_tasks.storage.tables import Datasets

ROOT = Path(__file__).resolve().parents[2]
WEEKS = ("2026-01-05", "2026-01-12", "2026-01-19")
Run = Callable[..., dict[str, str]]

SUCCESS, FAILED, SKIPPED, HELD = "success", "failed", "skipped", "upstream_failed"


def parsed(name: str) -> DAG:
    """Return the DAG of a file below dags/."""
    made = runpy.run_path(str(ROOT / "dags" / f"{name}.py")).values()
    dag: DAG = next(one.dag for one in made if isinstance(one, BaseOperator))
    return dag


def may_run(rule: str, before: set[str]) -> str | None:
    """Return how a task ends by its trigger rule alone, as Airflow decides; None: it runs."""
    if rule == "all_done":
        return None
    if before & {FAILED, HELD}:
        return HELD
    return SKIPPED if rule == "all_success" and SKIPPED in before else None


def played(dag: DAG, context: Mapping[str, Any]) -> dict[str, str]:
    """Run every task of a DAG as Airflow would, one after the other; return how each ended."""
    states: dict[str, str] = {}
    items: list[Any] = []
    for task in dag.topological_sort():
        if task.task_id in states:
            continue
        before = {states[one] for one in task.upstream_task_ids}
        mapped = isinstance(task, MappedOperator)
        if mapped and states["plan"] != SUCCESS:
            states[task.task_id] = HELD  # nobody knows over how many items it is mapped
            continue
        if (state := may_run(TriggerRule(task.trigger_rule).value, before)) is not None:
            states[task.task_id] = state
            continue
        instances = [task.unmap({"item": item}) for item in items] if mapped else [task]
        states[task.task_id] = SUCCESS if instances else SKIPPED
        for instance in instances:
            if not mapped and getattr(instance, "item", None) is not None:
                instance.item = items if states["plan"] == SUCCESS else None  # as Airflow resolves it
            try:
                if window := getattr(instance, "window", None):
                    instance.window = instance.render_template(window, dict(context))
                made = instance.execute(context)
                items = made if task.task_id == "plan" else items
            except DownstreamTasksSkipped as skipped:
                states |= dict.fromkeys(skipped.tasks, SKIPPED)
            except AirflowSkipException:
                states[task.task_id] = SKIPPED
            except Ended:
                states[task.task_id] = FAILED
    return states


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

    def started(name: str, window: str | None = None, **params: Any) -> dict[str, str]:
        events: dict[Any, Any] = {}
        dag = parsed(name)
        for task in dag.tasks:
            events |= {asset: SimpleNamespace(extra={}, add_partitions=lambda keys: None) for asset in task.outlets}
        context = {
            "params": {"category": [], "guideline": "", **params}, "partition_key": window, "outlet_events": events,
            "ti": SimpleNamespace(dag_id=name, run_id="r1", task_id="t1", map_index=-1, try_number=1),
            "dag_run": SimpleNamespace(triggering_user_name="ada"),
        }  # fmt: skip
        return played(dag, context)

    return started


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


def test_an_empty_form_says_what_there_is(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add_category")["register"] == FAILED
    assert "no name is given, and the sources offer 柔道, which nobody has registered" in capsys.readouterr().out
