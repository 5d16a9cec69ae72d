import argparse
import itertools
import logging
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from hypothesis import example, given
from hypothesis import strategies as st
from slac_airflow import Plan, defaults, plan
from slac_command import (
    BY_HAND,
    RETRY,
    Command,
    Ended,
    Hopeless,
    Process,
    argv,
    environment,
    filled,
    flags,
    judge,
    number,
    told,
)

from slac_tasks import cli
from slac_tasks.config import Config
from slac_tasks.errors import NotConfigured, WrongArguments
from slac_tasks.job import Job
from slac_tasks.procedure import LEDGER_COMMANDS, STAGES, holds_ledger, machine

ITEM = {
    "category": ["judo", "archery"],
    "window": "2026-01-05",
    "committee": "c1234abcd",
    "parent": "c0000abcd",
    "uncovered": ["judo"],
    "round": "2026-01-05.c1234abcd",
    "labels": "000003",
    "release": "r0001",
    "decision": "approve",
    "reason": "seen {{ and }} believed",
    "person": "rev1",
    "guideline": "",
}
LOG = logging.getLogger("test")


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_the_command_line_is_one_that_slac_accepts(stage: str) -> None:
    assert cli.parser().parse_args(argv(stage, ITEM)[1:]).verb == stage


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@pytest.mark.parametrize("stage", [*STAGES, *BY_HAND])
@given(values=st.lists(TEXT, min_size=1, max_size=3))
@example(values=["-blurry"])
@example(values=["--help", "--", "-x=1"])
def test_every_value_comes_back_from_the_command_line(stage: str, values: list[str]) -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--follow", action="store_true")
    parser.add_argument("--offered", action="store_true")
    parser.add_argument("--resume", action="store_true")
    for flag in flags(stage):
        parser.add_argument(f"--{flag.name}", action="append")
    many = {flag.filled_by: values if flag.repeated else values[:1] for flag in flags(stage)}
    read = vars(parser.parse_args(argv(stage, many)[2:]))
    for flag in flags(stage):
        wanted = values if flag.repeated else values[:1]
        assert set(read[flag.name]) == {"-- " if value == "--" else value for value in wanted}


def test_the_reason_of_a_person_may_start_with_a_dash() -> None:
    read = cli.parser().parse_args(argv("approve", {**ITEM, "reason": "-blurry"})[1:])
    assert read.reason == "-blurry"


def test_what_no_command_line_can_hold_is_replaced() -> None:
    words = argv("approve", {"reason": "half \ud83d and \0"})
    assert words[-1] == "--reason=half ? and \N{REPLACEMENT CHARACTER}"
    os.fsencode(words[-1])


def test_a_text_that_no_program_can_be_started_with_is_refused_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    longest = Command(task_id="retire", stage="retire", item={"reason": "é" * 65_531}).words({})
    subprocess.run([sys.executable, "-c", "", *longest], check=True)
    with pytest.raises(Hopeless):
        Command(task_id="retire", stage="retire", item={"reason": "é" * 65_532}).words({})
    with pytest.raises(Hopeless):
        plan("score_again", form=("committee",)).listed({"params": {"committee": "c" * 140_000}})
    said = capsys.readouterr().out
    assert "exit code 64: --reason: is 131064 bytes long, want at most 131062" in said
    assert "exit code 64: --committee: is 140000 bytes long, want at most 131059" in said


@pytest.mark.parametrize("name", ["nothing", "plain"])
def test_a_program_that_is_not_there_is_named_and_not_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "plain").touch()
    monkeypatch.setenv("SLAC_COMMAND", f"{tmp_path}/{name}")
    instance = SimpleNamespace(dag_id="pretrain", run_id="r1", task_id="plan", map_index=-1, try_number=1)
    with pytest.raises(Hopeless):
        plan("pretrain").listed({"ti": instance})
    assert f"exit code 78: SLAC_COMMAND: {tmp_path}/{name}: no such program" in capsys.readouterr().out


@pytest.mark.parametrize("said", ["wide", "0", "-1", "nan", "inf"])
def test_a_variable_that_is_no_number_is_named_with_what_is_wanted(said: str) -> None:
    assert number("SLAC_WIDTH", {"SLAC_WIDTH": " 3 "}, 2) == 3
    assert number("SLAC_WIDTH", {"SLAC_WIDTH": " "}, 2) == 2
    with pytest.raises(NotConfigured, match=f"SLAC_WIDTH: is '{said}', want a number above 0"):
        number("SLAC_WIDTH", {"SLAC_WIDTH": said}, 2)


def test_a_plan_is_asked_for_its_estimate_where_the_dag_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(Plan, "run", lambda task, words, context: asked.append(words) or "[]")
    for estimate in (True, False):
        plan("add_category", form=("category",), estimate=estimate).listed({"params": {"category": ["judo"]}})
    words = ["slac", "plan", "--for=add_category", "--category=judo"]
    assert [sorted(some) for some in asked] == [sorted([*words, "--estimate"]), sorted(words)]


def test_a_wish_of_a_form_is_a_flag_without_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(Plan, "run", lambda task, words, context: asked.append(words) or "[]")
    for wish in (True, False):
        plan("pretrain", form=("at-once",)).listed({"params": {"at-once": wish}})
    assert asked == [["slac", "plan", "--for=pretrain", "--at-once"], ["slac", "plan", "--for=pretrain"]]


@pytest.mark.parametrize("floor", [0, 0.0, 0.9, 1])
def test_a_number_of_a_form_is_a_wish_also_where_it_is_zero(floor: float) -> None:
    assert argv("register", {"category": ["judo"], "floor": floor}) == [
        *("slac", "register", "--category=judo", f"--floor={floor}", "--offered", "--resume")
    ]


@pytest.mark.parametrize("empty", [None, "", False, []])
def test_an_empty_field_of_a_form_is_no_wish(empty: object) -> None:
    assert argv("register", {"category": ["judo"], "floor": empty}) == [
        "slac",
        "register",
        "--category=judo",
        "--offered",
        "--resume",
    ]


@pytest.mark.parametrize(
    ("typed", "picked"), [(["judo"], ["polo"]), (None, ["judo", "polo"]), (["judo", "polo"], None)]
)
def test_categories_that_were_picked_stand_beside_those_that_were_typed(
    typed: list[str] | None, picked: list[str] | None
) -> None:
    said = filled(("category", "offered", "guideline"), {"params": {"category": typed, "offered": picked}})
    words = ["--category=judo", "--category=polo", "--offered", "--resume"]
    assert argv("register", said) == ["slac", "register", *words]


def test_blanks_around_what_a_person_types_are_no_part_of_it() -> None:
    form = ("category", "offered", "guideline", "floor")
    typed = {"category": [" judo ", " "], "offered": None, "guideline": " Throws. \n Holds.\n", "floor": 0}
    assert argv("register", filled(form, {"params": typed})) == [
        *("slac", "register", "--category=judo", "--guideline=Throws. \n Holds.", "--floor=0", "--offered", "--resume")
    ]


@pytest.mark.parametrize("items", [[], [{"category": ["judo"], "window": "2026-01-05"}], None])
def test_where_every_category_is_covered_no_bootstrap_starts(items: list[dict[str, Any]] | None) -> None:
    bootstrap = Command(task_id="bootstrap", stage="bootstrap", item=items)
    bootstrap.planned = True
    with pytest.raises(AirflowSkipException, match="bootstrap: nothing to do"):
        bootstrap.words({})


@pytest.mark.parametrize(("user", "person"), [("ada", "ada"), (None, "Airflow")])
def test_who_sent_the_form_decides_and_a_run_without_a_person_is_airflows(user: str | None, person: str) -> None:
    context = {"params": {"category": ["judo"], "person": "eve"}, "dag_run": SimpleNamespace(triggering_user_name=user)}
    assert argv("retire", filled(("category", "person"), context))[-1] == f"--person={person}"


def test_bootstrap_is_asked_for_what_is_uncovered() -> None:
    words = argv("bootstrap", [ITEM, {**ITEM, "category": ["polo"]}])
    assert words == [
        *("slac", "bootstrap", "--window=2026-01-05", "--committee=c1234abcd", "--parent=c0000abcd"),
        "--category=judo",
    ]


def test_several_items_become_their_union() -> None:
    items = [{"category": ["b"], "window": "2026-01-05"}, {"category": ["a"], "window": "2026-01-05"}]
    assert argv("mine", items) == ["slac", "mine", "--category=a", "--category=b"]
    assert argv("propose", items) == [
        *("slac", "propose", "--category=a", "--category=b", "--window=2026-01-05", "--follow")
    ]


def test_items_that_differ_in_a_single_key_are_refused() -> None:
    with pytest.raises(WrongArguments, match="want one value"):
        argv("propose", [{"window": "2026-01-05"}, {"window": "2026-01-12"}])


def test_one_command_admits_the_videos_of_several_windows() -> None:
    items = [{"category": ["judo"], "window": "2026-01-05"}, {"category": ["polo"], "window": ["2026-01-12"]}]
    words = argv("deduplicate", items)
    assert words == ["slac", "deduplicate", "--window=2026-01-05", "--window=2026-01-12", "--follow"]
    assert cli.parser().parse_args(words[1:]).window == ["2026-01-05", "2026-01-12"]


KEY = st.sampled_from(["judo/2026-01-05", "judo/2026-01-12", "polo/2026-01-05", "polo/2026-01-12"])


@given(remade=st.lists(st.sets(KEY, max_size=2), min_size=1, max_size=4))
@pytest.mark.parametrize("stage", ["fetch", "deduplicate", "propose"])
def test_one_partition_to_remake_remakes_no_other(stage: str, remade: list[set[str]]) -> None:
    """Whatever the items of a plan are merged with, exactly those partitions are made again that one of them names."""
    items = [
        {"category": ["judo", "polo"], "window": "2026-01-05", "remake": sorted(keys)} if keys else
        {"category": ["judo", "polo"], "window": "2026-01-05"} for keys in remade
    ]  # fmt: skip
    parsed = cli.parser().parse_args(argv(stage, items)[1:])
    job = Job(stage=stage, config=Config(store_url="s"), remake=parsed.remake, remakes=tuple(parsed.remake_only))
    for category, window in itertools.product(("judo", "polo"), ("2026-01-05", "2026-01-12")):
        wanted = any(f"{category}/{window}" in keys for keys in remade)
        assert job.is_remade({"category": category, "window": window}) == wanted


@pytest.mark.parametrize("code", [64, 65, 78])
def test_a_failure_that_no_retry_mends_fails_at_once(code: int) -> None:
    with pytest.raises(AirflowFailException):
        judge(code, "because", 1)


@pytest.mark.parametrize("code", [75, 137, 143, -9, -15])
def test_a_passing_failure_is_retried_however_often(code: int) -> None:
    for try_number in (1, 2, 5):
        with pytest.raises(AirflowException) as raised:
            judge(code, "because", try_number)
        assert not isinstance(raised.value, AirflowFailException)


def test_a_bug_fails_at_once_the_second_time() -> None:
    judge(0, "fine", 1)
    with pytest.raises(AirflowException) as first:
        judge(1, "because", 1)
    assert not isinstance(first.value, AirflowFailException)
    with pytest.raises(AirflowFailException, match="came twice: because"):
        judge(1, "because", 2)


@pytest.mark.parametrize(("code", "again"), [(64, False), (75, True), (1, True)])
def test_a_failure_is_said_once_as_an_error_and_ends_its_task_without_a_stack(
    code: int, again: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Ended) as ended, told(LOG):
        judge(code, "because", 1)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", f"exit code {code}: because")
    ]
    assert not isinstance(ended.value, Exception)  # of these Airflow writes a stack
    decided = RETRY.evaluate(ended.value, try_number=1, max_tries=5).action
    assert (decided != RetryAction.FAIL) == again


def test_only_stages_that_write_the_ledger_hold_its_password() -> None:
    environ = {"PATH": "/bin", "SLAC_STORE": "s", "SLAC_DATABASE_URL": "secret", "AIRFLOW__CORE__FERNET_KEY": "k",
               "SLAC_WEB_SECRET": "w", "AWS_SECRET_ACCESS_KEY": "a"}  # fmt: skip
    for command in sorted(set(STAGES) | LEDGER_COMMANDS):
        seen = environment(command, environ)
        assert ("SLAC_DATABASE_URL" in seen) == holds_ledger(command)
        assert {"PATH", "SLAC_STORE", "AWS_SECRET_ACCESS_KEY"} <= set(seen)
        assert not {"AIRFLOW__CORE__FERNET_KEY", "SLAC_WEB_SECRET"} & set(seen)


def test_only_the_command_that_draws_a_curve_reaches_trackers() -> None:
    environ = {"WANDB_API_KEY": "secret", "MLFLOW_TRACKING_URI": "https://curves.example"}
    assert [command for command in STAGES if environment(command, environ)] == ["pretrain"]


def test_a_real_command_ends_with_its_code_and_its_reason() -> None:
    process = Process(["slac", "approve"], {"PATH": os.environ["PATH"]}, LOG)
    code, printed, last = process.wait()
    assert (code, printed) == (64, "")
    assert "required" in last


@pytest.mark.parametrize(
    ("said", "code", "last", "logged"),
    [
        (b"at work\nslac fetch: no network\n", 75, "slac fetch: no network", ["at work"]),
        (b"at work\nslac fetch: 9 videos\n", 0, "slac fetch: 9 videos", ["at work", "slac fetch: 9 videos"]),
        (b"slac fetch: 9 videos\nKilled\n", 137, "Killed", ["slac fetch: 9 videos", "Killed"]),
        (b"Killed\n\n \n", 137, "Killed", ["Killed", "", ""]),
        (b"half \xff\n", 1, "half \N{REPLACEMENT CHARACTER}", ["half \N{REPLACEMENT CHARACTER}"]),
        (b"", 1, "it said nothing", []),
    ],
)
def test_what_a_command_says_is_logged_but_for_the_reason_of_its_failure_which_is_said_as_an_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, said: bytes, code: int, last: str, logged: list[str]
) -> None:
    (tmp_path / "said").write_bytes(said)
    command = tmp_path / "command"
    command.write_text(f"#!/bin/sh\ncat {tmp_path}/said >&2\necho ' [1] '\nexit {code}\n")
    command.chmod(0o755)
    caplog.set_level(logging.INFO, LOG.name)
    process = Process(["slac", "fetch"], {"PATH": os.environ["PATH"], "SLAC_COMMAND": str(command)}, LOG)
    assert process.wait() == (code, "[1]", last)
    assert [record.getMessage() for record in caplog.records] == logged


def test_a_command_dies_with_its_worker() -> None:
    worker = """
import logging, os, sys
from slac_airflow import Plan, defaults, plan
from slac_command import Process
child = Process(["sleep", "60"], {"PATH": os.environ["PATH"]}, logging.getLogger())
print(child._child.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", worker], capture_output=True, text=True, env=path)
    child = int(run.stdout)
    for _ in range(50):
        status = Path(f"/proc/{child}/status")
        if not status.exists() or "zombie" in status.read_text():
            return
        time.sleep(0.1)
    pytest.fail(f"process {child} outlived its worker")


def test_a_command_is_stopped_when_its_task_is_killed() -> None:
    process = Process(["sleep", "60"], {"PATH": os.environ["PATH"]}, LOG)
    process.stop()
    assert process.wait()[0] == -15


def test_a_task_that_is_marked_failed_stops_its_command() -> None:
    task = plan("pretrain")
    task.on_kill()  # before there is one
    task.process = Process(["sleep", "60"], {"PATH": os.environ["PATH"]}, LOG)
    task.on_kill()
    assert task.process.wait()[0] == -15


@pytest.mark.parametrize(
    ("stage", "environ", "local", "in_pods"),
    [
        # (as many at a time, in which pool)
        ("fetch", {}, (2, None), (16, None)),
        ("fetch", {"SLAC_WIDTH": "5", "SLAC_GPU_POOL": "gpus"}, (5, None), (5, None)),
        # One local GPU runs one thing at a time; a cluster has several.
        ("score", {}, (1, None), (16, None)),
        ("score", {"SLAC_WIDTH": "5", "SLAC_GPU_POOL": "gpus"}, (1, "gpus"), (5, "gpus")),
        ("deduplicate", {"SLAC_WIDTH": "5", "SLAC_GPU_POOL": "gpus"}, (1, None), (1, None)),
        ("plan", {}, (2, None), (16, None)),
    ],
)
def test_how_many_tasks_of_a_stage_run_at_a_time(
    monkeypatch: pytest.MonkeyPatch, stage: str, environ: dict[str, str], local: tuple[int, str | None],
    in_pods: tuple[int, str | None],
) -> None:  # fmt: skip
    for name in ("SLAC_WIDTH", "SLAC_GPU_POOL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found = [defaults(stage, pods=pods) for pods in (False, True)]
    assert [(one["max_active_tis_per_dag"], one.get("pool")) for one in found] == [local, in_pods]
    assert found[0]["execution_timeout"] == timedelta(hours=machine(stage).hours)
    assert found[1]["execution_timeout"] is None, "a pod has a deadline of its own"
    assert found[0]["retry_delay"] < timedelta(seconds=60) < found[1]["retry_delay"], "a pod's grace period is over"
