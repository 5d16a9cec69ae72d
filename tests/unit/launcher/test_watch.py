"""When a demo counts as finished."""

from dataclasses import dataclass
from typing import Any

import pytest

from slac_tasks.launcher.watch import Watch, steps, todo


@dataclass(frozen=True)
class Answers:
    """What Airflow's API says of runs and tasks."""

    runs: list[tuple[str, str]]
    tasks: list[tuple[str, str, str, str]]

    def get(self, path: str, *, state: list[str], limit: int) -> dict[str, Any]:
        if path.endswith("taskInstances"):
            return {
                "task_instances": [
                    {"dag_id": dag, "dag_run_id": run, "task_id": task, "state": is_now}
                    for dag, run, task, is_now in self.tasks
                    if is_now in state
                ]
            }
        return {"dag_runs": [{"dag_id": dag, "dag_run_id": run} for dag, run in self.runs]}


def running(airflow: Any) -> list[str]:
    return Watch(airflow=airflow, environ={}, windows=(), people=True, releases=True).running()


def test_a_question_to_a_person_keeps_no_demo_from_its_end() -> None:
    airflow = Answers([("check_labels", "r1")], [("check_labels", "r1", "ask", "awaiting_input")])
    assert running(airflow) == []


def test_other_runs_of_the_same_dag_still_count() -> None:
    airflow = Answers(
        [("check_labels", "r1"), ("check_labels", "r2"), ("look_for_answers", "r3")],
        [("check_labels", "r1", "ask", "awaiting_input"), ("check_labels", "r2", "validate", "running")],
    )
    assert running(airflow) == ["check_labels(validate)"]


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (["::group::Log message source details", "::endgroup::", "slac score --category=judo"], ""),
        (["slac score --category=judo", "score: judo: 18 of 200, about 326 s left"],
         "score: judo: 18 of 200, about 326 s left"),
        ([], ""),
    ],
)  # fmt: skip
def test_a_task_is_quoted_once_it_has_said_more_than_its_command_line(said: list[str], word: str) -> None:
    class Talking(Answers):
        def get(self, path: str, **query: Any) -> dict[str, Any]:
            return {"content": [{"event": line} for line in said]}

    airflow: Any = Talking([], [])
    task = {"dag_id": "score_clips", "dag_run_id": "r1", "task_id": "score", "try_number": 1, "map_index": -1}
    watch = Watch(airflow=airflow, environ={}, windows=(), people=True, releases=True)
    assert watch.word([{**task, "state": "running"}]) == word
    assert watch.word([{**task, "state": "awaiting_input"}]) == ""


def test_steps_left_fall_as_the_loop_closes() -> None:
    loop = [
        ["register the categories"],
        ["collect 2026-01-05", "collect 2026-01-12"],
        ["collect 2026-01-12", "score 2026-01-05"],
        ["score 2026-01-12", "answer 40 clips"],
        ["answer 80 clips", "collect answers"],
        ["collect answers", "check the labels"],
        ["check the labels"],
        ["release, pretrain, evaluate, promote"],
        [],
    ]
    counts = [steps(left, people=True) for left in loop]
    assert counts == sorted(counts, reverse=True)
    assert counts[-2:] == [1, 0]
    assert steps(["collect 2026-01-05"], people=False) == 4  # score, send, fill
    assert steps(["fill the queue"], people=False) == 1


@pytest.mark.parametrize(
    ("left", "left_sec", "said"),
    [
        (["check the labels"], 29.0, "2 steps left, about 1 min, next: check the labels"),
        (["check the labels"], 200.0, "2 steps left, about 3 min, next: check the labels"),
        (["check the labels"], None, "2 steps left, next: check the labels"),
        ([], 0.0, "the last runs end"),
    ],
)
def test_a_line_says_what_is_left_and_how_long_it_may_take(left: list[str], left_sec: float | None, said: str) -> None:
    assert todo(left, 2, left_sec) == said
