"""What Airflow tells whoever watches: the trace of a command, and messages to people that never hold their address."""

import asyncio
import logging
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import slac_watch
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.serialization.encoders import encode_deadline_reference
from collectors import Collector, collecting
from slac_airflow import Local, PlanToAsk
from slac_command import environment


def context(**changes: Any) -> dict[str, Any]:
    fields = {"dag_id": "score_clips", "run_id": "r1", "task_id": "score", "map_index": 0, "try_number": 1, **changes}
    return {"ti": SimpleNamespace(**fields)}


def test_all_commands_of_a_run_are_one_trace_and_each_task_a_span_of_its_own() -> None:
    first, other, next_run = (
        slac_watch.place(context(**changes))["TRACEPARENT"].split("-")
        for changes in ({}, {"task_id": "propose"}, {"run_id": "r2"})
    )
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", "-".join(first))
    assert first[1] == other[1] != next_run[1]
    assert first[2] != other[2]


def test_the_span_of_airflow_itself_is_the_parent_where_there_is_one() -> None:
    from opentelemetry.sdk.trace import TracerProvider

    with TracerProvider().get_tracer("airflow").start_as_current_span("task") as span:
        known = span.get_span_context()
        told = slac_watch.place(context())["TRACEPARENT"]
        assert told.rpartition("-")[0] == f"00-{known.trace_id:032x}-{known.span_id:016x}"


def test_a_command_hears_of_the_trace_the_bundle_and_the_collectors_and_of_no_address_for_people() -> None:
    told = slac_watch.place(context(bundle_instance=SimpleNamespace(version="4f0c")))
    environ = {
        **told, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318", "OTEL_EXPORTER_OTLP_HEADERS": "key=secret",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "key=secret", "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "key=secret",
        "OPENLINEAGE_URL": "http://lineage", "OPENLINEAGE_API_KEY": "secret", "SLAC_ALERT_URL": "http://chat/secret",
    }  # fmt: skip
    given = environment("score", environ)
    assert (given["SLAC_BUNDLE"], given["TRACEPARENT"]) == ("4f0c", told["TRACEPARENT"])
    assert "SLAC_ALERT_URL" not in given
    # A pod's specification is read by whoever may list pods: keys come from its secret.
    assert set(slac_watch.collectors(environ)) == {"OTEL_EXPORTER_OTLP_ENDPOINT", "OPENLINEAGE_URL"}


def test_a_process_of_a_task_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []

    class Quiet:
        def __init__(self, words: list[str], environ: dict[str, str], log: Any) -> None:
            seen.append(environ)

        def wait(self) -> tuple[int, str, str]:
            return 0, "", ""

    monkeypatch.setattr("slac_airflow.Process", Quiet)
    Local(task_id="sync", stage="sync").execute(context(task_id="sync"))
    assert seen[0]["TRACEPARENT"] == slac_watch.place(context(task_id="sync"))["TRACEPARENT"]


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> Any:
    with collecting() as collector:
        monkeypatch.setenv("SLAC_ALERT_URL", f"{collector.url}/hooks/s3cr3t")
        yield collector


def test_people_hear_of_runs_that_failed_and_runs_that_are_late(people: Collector) -> None:
    run = SimpleNamespace(dag_id="score_clips", run_id="r1")
    slac_watch.run_failed({"dag_run": run, "reason": "task_failure"})
    slac_watch.run_failed({"dag_run": run, "reason": None})
    asyncio.run(slac_watch.run_late(60, context={"dag_run": {"dag_id": "score_clips", "dag_run_id": "r1"}}))
    asyncio.run(slac_watch.run_late(60))
    assert people.messages == [
        "score_clips: the run r1 failed: task_failure",
        "score_clips: the run r1 failed: a task failed",
        "score_clips: the run r1 has not ended 60 h after it was made",
        "a run has not ended 60 h after it was made",
    ]


def test_a_run_has_a_deadline_with_which_it_can_be_cleared() -> None:
    deadline = slac_watch.alerts(hours=2)["deadline"]
    assert deadline.interval == timedelta(hours=2)
    assert (deadline.callback.path, deadline.callback.kwargs) == ("slac_watch.run_late", {"hours": 2})
    reference = deadline.reference
    # Airflow 3.3.2 fails to clear a run whose deadline is of the type DagRunQueuedAtDeadline.
    assert encode_deadline_reference(reference) == {"reference_type": "RunMade", "__class_path": "slac_watch.RunMade"}
    assert abs(reference._evaluate_with() - datetime.now(UTC)) < timedelta(minutes=1)


def test_people_hear_of_a_gate_that_refuses(people: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    item = {"category": ["judo"], "name": "Judo", "labels": "000003", "reasons": ["agreement is 0.500, want 0.8 to 1"]}
    monkeypatch.setattr(PlanToAsk, "listed", lambda self, context: [item])
    task = PlanToAsk(task_id="refused", dag_name="check_labels")
    monkeypatch.setattr(PlanToAsk, "dag_id", "check_labels", raising=False)
    assert task.execute(context(get_ti_count=lambda **_: 0)) == [item]
    assert people.messages == ["the labels of Judo were refused: agreement is 0.500, want 0.8 to 1"]


def test_an_address_that_does_not_answer_fails_nothing_and_is_not_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SLAC_ALERT_URL", "http://127.0.0.1:9/hooks/s3cr3t")
    with caplog.at_level(logging.WARNING):
        slac_watch.tell("judo was refused")
    assert "nobody was told, URLError: judo was refused" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_nobody_is_told_where_no_address_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLAC_ALERT_URL", raising=False)
    slac_watch.tell("nothing happens")


def test_the_address_may_be_a_connection_of_airflow(people: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_ALERT_CONNECTION", "chat")
    monkeypatch.delenv("SLAC_ALERT_URL")
    found = SimpleNamespace(password=f"{people.url}/hooks/other")
    monkeypatch.setattr("airflow.sdk.Connection.get", lambda name: {"chat": found}[name])
    slac_watch.tell("hello")
    assert people.messages == ["hello"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_connection_without_an_address_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_there: bool
) -> None:
    def found(name: str) -> Any:
        if not is_there:
            raise AirflowNotFoundException(name)
        return SimpleNamespace(password=None)

    monkeypatch.setenv("SLAC_ALERT_CONNECTION", "chat")
    monkeypatch.setattr("airflow.sdk.Connection.get", found)
    with caplog.at_level(logging.WARNING):
        slac_watch.tell("judo was refused")
    (said,) = caplog.messages
    assert "no connection chat with a password, want the address there: judo was refused" in said
