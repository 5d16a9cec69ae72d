"""Spans and lineage cost nothing without a collector, and a collector that is away costs a command a line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from collectors import collecting

from slac_tasks.storage.datasets import VIDEOS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets
from slac_tasks.telemetry import lineage, spans

HEAVY = "sorted(name for name in sys.modules if name.partition('.')[0] in ('opentelemetry', 'openlineage'))"
KEYS = {"category": "judo", "window": "2026-01-05"}


def write(store: FolderStore) -> None:
    Datasets(store).write(
        VIDEOS, [VIDEOS.table([])], keys=KEYS, stage="deduplicate", settings={},
        made_from={"fetched/v1/category=judo": "g0001:abc"},
    )  # fmt: skip


def test_without_a_collector_nothing_is_imported(tmp_path: Path) -> None:
    code = f"import sys; from slac_tasks import cli; cli.main(['plan', '--for', 'judge']); print({HEAVY})"
    environ = {"PATH": os.environ["PATH"], "SLAC_STORE": str(tmp_path), "HOME": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_a_manifest_names_the_bundle_and_is_one_event(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        for name, value in {**collector.environ, spans.BUNDLE: "4f0c"}.items():
            monkeypatch.setenv(name, value)
        write(store)
    manifest = Datasets(store).need(VIDEOS, **KEYS)
    assert manifest.made_by.bundle == "4f0c"
    (event,) = collector.events
    assert event["eventType"] == "COMPLETE"
    assert [one["name"] for one in event["inputs"]] == ["fetched/v1/category=judo"]
    assert event["outputs"][0]["name"] == manifest.address
    assert event["outputs"][0]["facets"]["version"]["datasetVersion"] == manifest.mark


def test_a_server_that_is_away_is_said_once_and_fails_nothing(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "s3cr3t")
    monkeypatch.setattr(lineage._Gave, "up", False)
    write(store)
    write(store)
    said = capsys.readouterr().err
    assert said.count("none is sent any more") == 1
    assert "s3cr3t" not in said
    assert Datasets(store).need(VIDEOS, **KEYS).generation == 2


def work_and_fail() -> None:
    with spans.watched("slac score"):
        with spans.span("score shard", category="judo"):
            spans.add_span("decode", 0.5)
        spans.count("slac.rows", 3, dataset="scores")
        raise ValueError("broken")


def test_a_command_is_a_span_below_its_task_and_what_it_does_is_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("TRACEPARENT", f"00-{'5f' * 16}-{'7a' * 8}-01")
        with pytest.raises(ValueError, match="broken"):
            work_and_fail()
    found = {span.name: span for span in collector.spans}
    assert {span.trace_id.hex() for span in collector.spans} == {"5f" * 16}
    assert found["slac score"].parent_span_id.hex() == "7a" * 8
    assert found["score shard"].parent_span_id == found["slac score"].span_id
    assert found["decode"].parent_span_id == found["score shard"].span_id
    assert found["decode"].end_time_unix_nano - found["decode"].start_time_unix_nano == 500_000_000
    assert found["slac score"].status.code == 2, "an error"
    assert {"slac.rows", "slac.command.duration"} <= collector.metrics
    with spans.span("nothing"):
        spans.add_span("nothing", 1.0)


def test_waits_are_counted_since_they_were_asked_for_last() -> None:
    waits = spans.Waits(iter([1, 2]))
    assert list(waits) == [1, 2]
    assert waits.taken() >= 0
    assert waits.taken() == 0
