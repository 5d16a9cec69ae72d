import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import played_dags
import pytest
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import TimeRestriction
from review_work import publish_and_answer

from slac_tasks.model import Window
from slac_tasks.planning.estimates import ESTIMATES
from slac_tasks.procedure import STAGES
from slac_tasks.stages import aggregate, report, sync, validate
from slac_tasks.storage.datasets import ALL
from slac_tasks.storage.ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    *("collect_videos", "score_clips", "send_hard_clips", "look_for_answers", "sync_verifications"),
    *("check_labels", "pretrain", "add_category", "retire_category", "score_again", "inspect_again"),
}

# Runs in a process of its own, so that it sees what a DAG file imports and nothing that a test imported.
PARSE = """
import glob, importlib.util, json, sys, time
from airflow.sdk import DAG
from airflow.sdk.definitions._internal.contextmanager import DagContext
with DAG("empty"):
    pass
start, dags = time.process_time(), {}
for path in sorted(glob.glob("dags/*.py")):
    spec = importlib.util.spec_from_file_location("dag_" + path[5:-3], path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    DagContext.current_autoregister_module_name = spec.name
    spec.loader.exec_module(module)
seconds = time.process_time() - start
def woken_by(assets):
    return [asset.name for asset in getattr(assets, "objects", [assets] if assets else [])]
for dag, _ in DagContext.autoregistered_dags:
    dags[dag.dag_id] = {"doc": dag.doc_md or "", "tasks": {
        task.task_id: [type(task).__name__, sorted(task.downstream_task_ids), [asset.name for asset in task.outlets]]
        for task in dag.tasks}, "estimated": [task.dag_name for task in dag.tasks if getattr(task, "estimate", False)],
        "runs": dag.max_active_runs, "catchup": dag.catchup,
        "pools": {task.task_id: task.pool for task in dag.tasks},
        "wakes": {task.task_id: [task.dag_name, task.asset.name] for task in dag.tasks if hasattr(task, "alias")},
        "woken_by": woken_by(getattr(dag.timetable, "asset_condition", None)),
        "clock": getattr(getattr(dag.timetable, "timetable", dag.timetable), "expression", None)}
heavy = [name for name in ("torch", "pandas", "great_expectations", "pyarrow", "kubernetes") if name in sys.modules]
print(json.dumps({"dags": dags, "seconds": seconds, "heavy": heavy}))
"""


@pytest.fixture(scope="module")
def parsed() -> dict:
    return parse()


def parse(**more: str) -> dict:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "plugins"), "PYTHONWARNINGS": "ignore", **more}
    environ.pop("SLAC_PODS", None)
    run = subprocess.run([sys.executable, "-c", PARSE], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_a_variable_that_says_nothing_is_as_one_that_is_not_set(parsed: dict) -> None:
    names = ("SLAC_WIDTH", "SLAC_GPU_POOL", "SLAC_SYNC_CRON", "SLAC_SEND_CRON")
    assert parse(**dict.fromkeys(names, " "))["dags"] == parsed["dags"]


def test_all_are_there_with_their_page(parsed: dict) -> None:
    assert set(parsed["dags"]) == NAMES
    for name, dag in parsed["dags"].items():
        for word in ("**Runs**", "**Reads**", "**Writes**", "**Skips**", "**Safe to run again**"):
            assert word in dag["doc"], f"{name}: its page says nothing of {word}"


def datasets_on(page: str, heading: str) -> set[str]:
    """Return the datasets that the first sentence under `heading` names; assets and DAGs are none."""
    sentence = re.search(rf"\*\*{heading}\*\*(.*?)\.(?=\s|$)", page, re.S)
    assert sentence, f"no sentence under {heading}"
    return set(re.findall(r"`(\w+)`", re.sub(r"assets? `\w+`", "", " ".join(sentence[1].split())))) - NAMES


def test_pages_name_exactly_what_the_stages_read_and_write(parsed: dict) -> None:
    for name, dag in parsed["dags"].items():
        stages = [STAGES[task] for task in dag["tasks"] if task in STAGES]
        writes = {dataset for stage in stages for dataset in stage.writes}
        # What one stage hands to the next is no input of the DAG.
        reads = {dataset for stage in stages for dataset in stage.reads} - writes
        assert (name, datasets_on(dag["doc"], "Writes")) == (name, writes)
        assert (name, datasets_on(dag["doc"], "Reads")) == (name, reads)


def test_the_procedure_names_only_datasets_that_exist() -> None:
    for stage in STAGES.values():
        assert {*stage.reads, *stage.writes} <= set(ALL), stage.name


def test_the_page_of_check_labels_says_where_the_report_lies(parsed: dict, make_job: Any, ledger: Ledger) -> None:
    publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"})
    for stage in (sync, aggregate, validate, report):
        stage.run(make_job(stage.__name__.rpartition(".")[2]))
    (folder,) = re.findall(r"`(\w+/v1/)`", parsed["dags"]["check_labels"]["doc"])
    assert make_job("report").store.get(f"{folder}labels=000001/index.html")


def test_what_collects_and_scores_says_before_what_it_takes(parsed: dict) -> None:
    assert {name for dag in parsed["dags"].values() for name in dag["estimated"]} == set(ESTIMATES)


def test_parsing_is_cheap_and_imports_nothing_heavy(parsed: dict) -> None:
    assert parsed["heavy"] == []
    assert parsed["seconds"] < 0.3


def test_one_unmapped_task_alone_carries_each_outlet_but_for_answers_of_people(parsed: dict) -> None:
    carriers = {
        (dag, task): outlets
        for dag, found in parsed["dags"].items()
        for task, (_, _, outlets) in found["tasks"].items()
        if outlets
    }
    assert carriers == {
        ("collect_videos", "announce"): ["videos"],
        ("add_category", "announce"): ["videos"],
        ("pretrain", "rescore"): ["videos"],
        # Aliases: an event of the asset is emitted where there is something to wake a DAG for.
        ("look_for_answers", "look"): ["answers_if_any"],
        ("sync_verifications", "announce"): ["labels_if_any"],
        ("check_labels", "announce"): ["validated_labels_if_any"],
        # One for each answer of a person, whenever it comes.
        ("check_labels", "approve"): ["validated_labels"],
    }


def test_a_question_to_a_person_holds_up_no_event(parsed: dict) -> None:
    tasks = parsed["dags"]["check_labels"]["tasks"]
    assert {name: tasks[name][1] for name in tasks} == {
        "inspect": ["ended"],
        "changed": ["judge"],
        "judge": ["ended", "validate"],
        "validate": ["ended", "report"],
        "report": ["announce", "ended", "refused"],
        "announce": ["ended"],
        "refused": ["ask"],
        "ask": ["approve"],
        "approve": [],
        "ended": [],
    }


def test_a_promoted_model_is_announced_whatever_becomes_of_the_segments(parsed: dict) -> None:
    tasks = parsed["dags"]["pretrain"]["tasks"]
    assert tasks["promote"][1] == ["rescore"]
    assert tasks["detect"][1] == [], "a detect that failed ends the run failed"


def test_a_scored_window_starts_the_dag_that_sends_its_clips(parsed: dict) -> None:
    tasks = parsed["dags"]["score_clips"]["tasks"]
    assert tasks["send_hard_clips"][:2] == ["Start", ["ended"]]
    assert tasks["score"][1] == ["ended", "send_hard_clips"], "a category that failed ends the run failed, as before"


def test_what_runs_every_few_minutes_only_looks(parsed: dict) -> None:
    """A clock on a DAG that works would paint all of its tasks as skipped whenever there is nothing to do."""
    clocks = {name: dag["clock"] for name, dag in parsed["dags"].items() if dag["clock"]}
    assert clocks == {
        "look_for_answers": "*/5 * * * *",
        "collect_videos": "0 0 * * 1",
        "send_hard_clips": "0 5 * * *",
        "check_labels": "30 5 * * *",
    }
    assert parsed["dags"]["look_for_answers"]["tasks"] == {"look": ["Look", [], ["answers_if_any"]]}


def test_no_run_meets_another_one_of_its_dag_but_where_both_may_work(parsed: dict) -> None:
    assert {name: dag["runs"] for name, dag in parsed["dags"].items() if dag["runs"] != 1} == {
        "collect_videos": 4,  # windows; what admits their videos is one task at a time
        "check_labels": 2,  # one may wait for a person
        "retire_category": 16,  # Airflow's default: it is one transaction
    }
    assert not any(dag["catchup"] for dag in parsed["dags"].values()), "what a clock missed is in its next run"


# Airflow's own loading of plugins uses a name that its library has deprecated.
@pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")
def test_a_week_is_collected_when_it_has_ended() -> None:
    timetable = DagSerialization.from_dict(DagSerialization.to_dict(played_dags.parsed("collect_videos"))).timetable
    clock = TimeRestriction(earliest=datetime(2026, 1, 6, tzinfo=UTC), latest=None, catchup=False)
    run = timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=clock)
    assert Window.parse(run.partition_key).end == run.run_after


def test_who_wakes_a_dag_asks_whether_it_has_work(parsed: dict) -> None:
    dags = parsed["dags"]
    assert {name: dag["wakes"] for name, dag in dags.items() if dag["wakes"]} == {
        "look_for_answers": {"look": ["sync_verifications", "answers"]},
        "sync_verifications": {"announce": ["labels_due", "labels"]},
        "check_labels": {"announce": ["pretrain", "validated_labels"]},
    }
    assert {name: dag["woken_by"] for name, dag in dags.items() if dag["woken_by"]} == {
        "score_clips": ["videos"],
        "sync_verifications": ["answers"],
        "check_labels": ["labels"],
        "pretrain": ["validated_labels"],
    }
