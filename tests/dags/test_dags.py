import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    *("collect_videos", "score_clips", "send_hard_clips", "sync_verifications"),
    *("check_labels", "pretrain", "add_category"),
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
for dag, _ in DagContext.autoregistered_dags:
    dags[dag.dag_id] = {"doc": dag.doc_md or "", "tasks": {
        task.task_id: [type(task).__name__, sorted(task.downstream_task_ids), [asset.name for asset in task.outlets]]
        for task in dag.tasks}}
heavy = [name for name in ("torch", "pandas", "great_expectations", "pyarrow", "kubernetes") if name in sys.modules]
print(json.dumps({"dags": dags, "seconds": seconds, "heavy": heavy}))
"""


@pytest.fixture(scope="module")
def parsed() -> dict:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "plugins"), "PYTHONWARNINGS": "ignore"}
    environ.pop("SLAC_PODS", None)
    run = subprocess.run([sys.executable, "-c", PARSE], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_all_seven_are_there_with_their_page(parsed: dict) -> None:
    assert set(parsed["dags"]) == NAMES
    for name, dag in parsed["dags"].items():
        for word in ("**Runs**", "**Reads**", "**Writes**", "**Skips**", "**Safe to run again**"):
            assert word in dag["doc"], f"{name}: its page says nothing of {word}"


def test_parsing_is_cheap_and_imports_nothing_heavy(parsed: dict) -> None:
    assert parsed["heavy"] == []
    assert parsed["seconds"] < 0.3


def test_one_unmapped_task_alone_carries_each_outlet(parsed: dict) -> None:
    carriers = {
        (dag, task): outlets
        for dag, found in parsed["dags"].items()
        for task, (kind, _, outlets) in found["tasks"].items()
        if outlets and kind != "MappedOperator"
    }
    assert carriers == {
        ("collect_videos", "announce"): ["videos"],
        ("add_category", "announce"): ["videos"],
        ("pretrain", "rescore"): ["videos"],
        ("sync_verifications", "aggregate"): ["labels"],
        ("check_labels", "report"): ["validated_labels"],
    }


def test_a_question_to_a_person_comes_after_the_event(parsed: dict) -> None:
    tasks = parsed["dags"]["check_labels"]["tasks"]
    assert [tasks[name][1] for name in ("validate", "report", "refused", "ask")] == [
        *(["report"], ["refused"], ["ask"], ["approve"])
    ]
