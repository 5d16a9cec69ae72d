"""Questions to people about refused labels: asked once at a time, and silence decides nothing."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException, DownstreamTasksSkipped
from slac_airflow import UNFINISHED, Ask, PlanToAsk

from slac_tasks import cli
from slac_tasks.quality.settings import Quality

ITEM = {"category": ["judo"], "name": "Judo", "labels": "000003", "reasons": ["agreement is 0.333, want 0.75 to 1"]}


def event(option: str, person: str | None, reason: str = "") -> dict[str, Any]:
    user = {"id": "7", "name": person} if person else None
    return {"chosen_options": [option], "params_input": {"reason": reason}, "responded_by_user": user,
            "responded_at": datetime.now(UTC), "timedout": person is None}  # fmt: skip


def test_what_a_time_out_answers_decides_nothing() -> None:
    ask = Ask(task_id="ask", item=ITEM)
    (silent,) = ask.defaults
    with pytest.raises(AirflowSkipException, match="nobody answered in time: asked again"):
        ask.execute_complete({}, event(silent, None))
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["approve", "--category=judo", "--labels=000003", f"--decision={silent}"])


@pytest.mark.parametrize("option", ["approve", "reject", "not now"])
def test_no_option_is_a_decision_when_nobody_chose_it(option: str) -> None:
    with pytest.raises(AirflowSkipException):
        Ask(task_id="ask", item=ITEM).execute_complete({}, event(option, None))


def test_a_person_may_leave_it_open() -> None:
    with pytest.raises(AirflowSkipException, match="eve leaves it open"):
        Ask(task_id="ask", item=ITEM).execute_complete({}, event("not now", "eve"))


def test_an_answer_becomes_the_item_of_approve() -> None:
    ask = Ask(task_id="ask", item=ITEM)
    decided = ask.execute_complete({}, event("approve", "eve", " -blurry, but fine "))
    assert decided == {**ITEM, "decision": "approve", "reason": "-blurry, but fine", "person": "eve"}
    assert ask.execute_complete({}, event("reject", "eve"))["reason"] == "no reason given"


@dataclass
class Counted:
    """The task instances of a DAG, as the execution API counts them."""

    tasks: list[tuple[str, str]] = field(default_factory=list)

    def get_ti_count(self, *, dag_id: str, task_ids: list[str], states: list[str]) -> int:
        assert dag_id
        return sum(task in task_ids and state in states for task, state in self.tasks)


class Planned(PlanToAsk):
    def listed(self, context: Any) -> list[dict[str, Any]]:
        return [ITEM]


@pytest.mark.parametrize("task", ["ask", "approve"])
@pytest.mark.parametrize("state", UNFINISHED)
def test_nobody_is_asked_while_a_question_or_its_record_is_unfinished(task: str, state: str) -> None:
    plan = Planned(task_id="refused", dag_name="check_labels")
    with pytest.raises(DownstreamTasksSkipped):
        plan.execute({"ti": Counted([(task, state)])})


def test_what_ended_without_an_answer_is_asked_again() -> None:
    plan = Planned(task_id="refused", dag_name="check_labels")
    ended = [
        ("ask", "skipped"),
        ("ask", "success"),
        ("approve", "success"),
        ("approve", "failed"),
        ("report", "running"),
    ]
    assert plan.execute({"ti": Counted(ended)}) == [ITEM]


def test_a_question_waits_for_a_weekend_unless_the_settings_say_otherwise() -> None:
    assert Quality().approve_timeout_sec >= 86_400
