"""What the DAGs type: every command of a run in its order, and what becomes of a run in which one of them fails.

The DAGs are those of dags/; `slac` is a script that writes down how it was called and prints a plan.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Asset
from played_dags import FAILED, SKIPPED, SUCCESS, Event, Instance, ended, parsed, played, started
from slac_airflow import ANSWERS, LABELS, VALIDATED_LABELS

from slac_tasks.procedure import STAGES

WINDOW = "2026-01-05"
PLANS: dict[str, list[dict[str, Any]]] = {
    "collect_videos": [{"category": ["judo"], "window": WINDOW}, {"category": ["polo"], "window": WINDOW}],
    "add_category": [{"category": ["judo"], "window": WINDOW}, {"category": ["polo"], "window": WINDOW}],
    "score_clips": [
        {"category": ["golf"], "window": WINDOW, "committee": "c1", "parent": "c0", "uncovered": ["golf", "judo"]},
        {"category": ["judo"], "window": WINDOW, "committee": "c1", "parent": "c0", "uncovered": ["golf", "judo"]},
        {"category": ["polo"], "window": "2026-01-12", "committee": "c1", "parent": "c0"},
    ],
    "score_again": [
        {"category": ["judo"], "window": "2026-01-12", "committee": "c0"},
        {"category": ["judo"], "window": WINDOW, "committee": "c0"},
    ],
    "send_hard_clips": [{"category": ["judo"], "round": "r1"}, {"category": ["polo"], "round": "r1"}],
    "sync_verifications": [{"votes": 3}],
    "aggregate": [{"labels": "000003"}],
    "labels_due": [{"labels": "000003"}],
    "judge": [{"category": ["judo"], "labels": "000003"}, {"category": ["polo"], "labels": "000003"}],
    "check_labels": [{"category": ["judo"], "name": "Judo", "labels": "000003", "reasons": ["agreement is low"]}],
    "pretrain": [{"release": "r0001"}],
}
"""What `slac plan` prints for each of its plans."""

FORMS: dict[str, dict[str, Any]] = {
    "add_category": {
        "category": ["Judo"], "offered": ["Polo"], "guideline": "Throws.", "from": "2026-01-05", "to": "2026-01-12",
        "videos": 9, "floor": 0.9,
    },
    "collect_videos": {"category": ["Judo", "Polo"]},
    "inspect_again": {"judged": "release/r0001"},
    "pretrain": {"at-once": True},
    "retire_category": {"category": ["Judo"], "reason": "too few"},
    "score_again": {"category": ["Judo"], "committee": "c0", "from": "2026-01-05", "to": "2026-01-12"},
}  # fmt: skip
"""Every field of every form, filled in."""

TYPED = {
    "add_category": """
        register --category=Judo --category=Polo --guideline=Throws. --from=2026-01-05 --to=2026-01-12 --videos=9 \
--floor=0.9 --offered --resume
        plan --for=add_category --estimate --category=Judo --category=Polo
        discover --category=judo --window=2026-01-05
        discover --category=polo --window=2026-01-05
        fetch --category=judo --window=2026-01-05 --follow
        fetch --category=polo --window=2026-01-05 --follow
        deduplicate --window=2026-01-05 --follow
        plan --for=add_category --category=Judo --category=Polo
        """,
    "check_labels": """
        inspect
        plan --for=judge
        judge --category=judo --labels=000003 --follow
        judge --category=polo --labels=000003 --follow
        validate --follow
        report
        plan --for=pretrain
        plan --for=check_labels
        approve --labels=000003 --category=judo --decision=approve --reason=seen --person=eve
        """,
    "collect_videos": """
        plan --for=collect_videos --window=2026-01-05 --estimate --category=Judo --category=Polo
        discover --category=judo --window=2026-01-05
        discover --category=polo --window=2026-01-05
        fetch --category=judo --window=2026-01-05 --follow
        fetch --category=polo --window=2026-01-05 --follow
        deduplicate --window=2026-01-05 --follow
        plan --for=collect_videos --window=2026-01-05 --category=Judo --category=Polo
        """,
    "inspect_again": "inspect --judged=release/r0001",
    "look_for_answers": "plan --for=sync_verifications",
    "pretrain": """
        plan --for=pretrain --at-once
        carry
        certify
        release --release=r0001
        pretrain --release=r0001
        evaluate --release=r0001
        promote --release=r0001
        detect --release=r0001
        plan --for=score_clips
        """,
    "retire_category": "retire --category=Judo --reason=too few --person=ada",
    "score_again": """
        plan --for=score_again --estimate --category=Judo --committee=c0 --from=2026-01-05 --to=2026-01-12
        score --category=judo --window=2026-01-12 --committee=c0 --follow
        score --category=judo --window=2026-01-05 --committee=c0 --follow
        """,
    "score_clips": """
        plan --for=score_clips --window=2026-01-05 --estimate
        propose --category=golf --window=2026-01-05 --follow
        propose --category=judo --window=2026-01-05 --follow
        propose --category=polo --window=2026-01-12 --follow
        bootstrap --window=2026-01-05 --committee=c1 --parent=c0 --category=golf --category=judo
        score --category=golf --window=2026-01-05 --committee=c1 --follow
        score --category=judo --window=2026-01-05 --committee=c1 --follow
        score --category=polo --window=2026-01-12 --committee=c1 --follow
        """,
    "send_hard_clips": """
        plan --for=send_hard_clips
        mine --category=judo --round=r1
        mine --category=polo --round=r1
        publish --category=judo --round=r1
        publish --category=polo --round=r1
        map --category=judo --category=polo --follow
        """,
    "sync_verifications": """
        sync
        plan --for=aggregate
        aggregate
        plan --for=labels_due
        """,
}
"""What a run of each DAG types where nothing fails, one after the other."""


@dataclass(frozen=True)
class Run:
    """How a run ended."""

    states: dict[str, str]
    """By task."""
    state: str
    events: dict[str, Event]
    """By the name of the asset, or of its alias."""


Play = Callable[..., Run]


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    """The file in which the script writes down how it was called."""
    return tmp_path / "typed"


@pytest.fixture
def play(tmp_path: Path, typed: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Play a run of a DAG in which the commands of one verb fail, or no such plan has anything to do."""
    script = tmp_path / "slac"
    script.write_text(
        f'#!/bin/sh\necho "$*" >> {typed}\n'
        f"test $1 = plan && cat {tmp_path}/${{2#--for=}}.json\n"
        f"test ! -e {tmp_path}/$1.fails || exit 65\n"
        # What is admitted is planned no more.
        f"test $1 != deduplicate || echo [] | tee {tmp_path}/collect_videos.json > {tmp_path}/add_category.json\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("SLAC_COMMAND", str(script))

    def run(name: str, fails: str | None = None, empty: tuple[str, ...] = (), window: str | None = WINDOW) -> Run:
        typed.write_text("")
        for plan, items in PLANS.items():
            (tmp_path / f"{plan}.json").write_text(json.dumps([] if plan in empty else items))
        if fails:
            (tmp_path / f"{fails}.fails").touch()
        dag = parsed(name)
        context = started(dag, window, **FORMS.get(name, {}))
        states = played(dag, context)
        events = {outlet.name: event for outlet, event in context["outlet_events"].items()}
        return Run(states=states, state=ended(dag, states), events=events)

    return run


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize("name", TYPED)
def test_a_form_has_the_fields_that_its_tasks_read_and_no_other(name: str) -> None:
    dag = parsed(name)
    read = {field for task in dag.tasks for field in getattr(task, "form", ())}
    # Who sends the form is no field, and names are offered only where the sources have folders.
    assert set(dag.params) | {"offered"} == (read - {"person"}) | {"offered"}


@pytest.mark.parametrize("name", TYPED)
def test_a_run_types_the_procedure_in_its_order(play: Play, typed: Path, name: str) -> None:
    run = play(name)
    assert lines(typed.read_text()) == lines(TYPED[name])
    assert (run.state, set(run.states.values())) == (SUCCESS, {SUCCESS})


@pytest.mark.parametrize("name", TYPED)
def test_a_stage_comes_after_all_that_write_what_it_reads(name: str) -> None:
    """A play is one task after the other; Airflow runs at the same time what no arrow keeps apart."""
    tasks, before = parsed(name).task_dict, set()
    for stage in dict.fromkeys(line.split()[0] for line in lines(TYPED[name])):
        if stage in STAGES:
            writers = {one for one in before if set(STAGES[one].writes) & set(STAGES[stage].reads)}
            assert (stage, writers - tasks[stage].get_flat_relative_ids(upstream=True)) == (stage, set())
            # It looks at what the run before left, beside all others.
            before |= {stage} - {"inspect"}


@pytest.mark.parametrize(
    ("name", "outlet", "windows", "categories"),
    [
        ("collect_videos", "videos", [WINDOW], ["judo", "polo"]),
        ("add_category", "videos", [WINDOW], ["judo", "polo"]),
        ("pretrain", "videos", [WINDOW, "2026-01-12"], ["golf", "judo", "polo"]),
    ],
)
def test_windows_that_want_scores_are_told_by_their_keys(
    play: Play, name: str, outlet: str, windows: list[str], categories: list[str]
) -> None:
    event = play(name).events[outlet]
    assert (event.partitions, event.extra) == (windows, {"categories": categories})


@pytest.mark.parametrize(
    ("name", "asset"),
    [("look_for_answers", ANSWERS), ("sync_verifications", LABELS), ("check_labels", VALIDATED_LABELS)],
)
def test_a_dag_with_work_is_woken_by_its_asset(play: Play, name: str, asset: Asset) -> None:
    assert play(name).events[f"{asset.name}_if_any"].woken == [asset]


@pytest.mark.parametrize(
    ("name", "stage"),
    [(name, stage) for name, text in TYPED.items() for stage in dict.fromkeys(line.split()[0] for line in lines(text))],
)
def test_a_task_that_failed_ends_its_run_failed_whichever_it_is(play: Play, name: str, stage: str) -> None:
    """Also where all that comes after it found its work finished."""
    run = play(name, fails=stage)
    assert (FAILED in run.states.values(), run.state) == (True, FAILED)


@pytest.mark.parametrize(
    ("name", "stage", "follow"),
    [
        # One category that failed holds up no other.
        ("collect_videos", "discover", ["fetch", "fetch", "deduplicate", "plan"]),
        ("collect_videos", "fetch", ["deduplicate", "plan"]),
        ("collect_videos", "deduplicate", ["plan"]),
        ("add_category", "discover", ["fetch", "fetch", "deduplicate", "plan"]),
        ("add_category", "fetch", ["deduplicate", "plan"]),
        ("add_category", "register", []),
        ("score_clips", "propose", ["bootstrap", "score", "score", "score"]),
        ("score_clips", "bootstrap", ["score", "score", "score"]),
        ("send_hard_clips", "mine", ["publish", "publish", "map"]),
        ("send_hard_clips", "publish", ["map"]),
        ("check_labels", "inspect", ["plan", "judge", "judge", "validate", "report", "plan", "plan", "approve"]),
        ("check_labels", "judge", ["validate", "report", "plan", "plan", "approve"]),
        ("check_labels", "validate", ["report", "plan", "plan", "approve"]),
        # Nobody is asked about what no report shows; a release that was begun goes on.
        ("check_labels", "report", ["plan"]),
        # Another system that is away holds up no vote of the review page.
        ("sync_verifications", "sync", ["plan", "aggregate", "plan"]),
        ("sync_verifications", "aggregate", []),
        # What is wrong in a release teaches nothing.
        ("pretrain", "carry", []), ("pretrain", "certify", []), ("pretrain", "release", []),
        ("pretrain", "pretrain", []), ("pretrain", "evaluate", []),
        ("pretrain", "promote", ["detect"]),
        ("pretrain", "detect", ["plan"]),
    ],
)  # fmt: skip
def test_what_goes_on_after_a_failure(play: Play, typed: Path, name: str, stage: str, follow: list[str]) -> None:
    play(name, fails=stage)
    verbs = [line.split()[0] for line in lines(typed.read_text())]
    assert verbs[len(verbs) - verbs[::-1].index(stage) :] == follow


@pytest.mark.parametrize("name", ["collect_videos", "score_clips", "score_again", "send_hard_clips", "pretrain"])
def test_an_empty_plan_starts_nothing_and_the_run_ends_well(play: Play, typed: Path, name: str) -> None:
    run = play(name, empty=(name,))
    assert [line.split()[0] for line in lines(typed.read_text())] == ["plan"]
    assert (run.state, set(run.states.values()) - {SUCCESS}) == (SUCCESS, {SKIPPED})


@pytest.mark.parametrize("name", ["collect_videos", "score_clips"])
def test_a_run_that_a_person_starts_without_a_partition_key_names_no_window(play: Play, typed: Path, name: str) -> None:
    play(name, window=None)
    assert "--window" not in lines(typed.read_text())[0]


def test_labels_are_validated_and_people_asked_also_where_no_category_has_changed(play: Play, typed: Path) -> None:
    run = play("check_labels", empty=("judge",))
    assert lines(typed.read_text()) == [line for line in lines(TYPED["check_labels"]) if not line.startswith("judge ")]
    assert (run.state, run.states["judge"]) == (SUCCESS, SKIPPED)


def test_a_question_that_waits_is_not_asked_again(play: Play, typed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Instance, "get_ti_count", lambda self, **of: 1 if "states" in of else 0)
    run = play("check_labels")
    assert lines(typed.read_text()) == lines(TYPED["check_labels"])[:-2]
    assert (run.state, run.states["ask"], run.states["approve"]) == (SUCCESS, SKIPPED, SKIPPED)


@pytest.mark.parametrize("stage", [None, "propose", "bootstrap", "score"])
def test_clips_are_sent_whatever_became_of_one_category(play: Play, stage: str | None) -> None:
    assert play("score_clips", fails=stage).states["send_hard_clips"] == SUCCESS


def test_an_answer_is_recorded_when_it_comes() -> None:
    """A task that is mapped over mapped ones would begin when all of them have ended: the last question, in days."""
    tasks = parsed("check_labels").task_dict
    groups = [[group.group_id for group in tasks[name].iter_mapped_task_groups()] for name in ("ask", "approve")]
    assert groups == [["decision"], ["decision"]]


def test_votes_that_are_labels_already_tell_nobody(play: Play, typed: Path) -> None:
    run = play("sync_verifications", empty=("aggregate",))
    assert lines(typed.read_text()) == ["sync", "plan --for=aggregate"]
    assert (run.state, run.events["labels_if_any"].woken) == (SUCCESS, [])
