"""One loop of the smallest world, watched: every command and every manifest is received by a collector."""

from pathlib import Path

import pytest
from collectors import collecting

from bench.harness.places import platform
from bench.loop import Loop
from slac_tasks.procedure import STAGES
from slac_tasks.storage.datasets import ALL
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets

TRACE, TASK = "5f" * 16, "7a" * 8


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("no_hub")
def test_traces_and_lineage_of_one_loop_are_received(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop(tmp_path, "tiny", 0)
    with collecting() as collector, platform(tmp_path, loop.world / "slac.toml") as store:
        for name, value in (*collector.environ.items(), ("TRACEPARENT", f"00-{TRACE}-{TASK}-01")):
            monkeypatch.setenv(name, value)
        loop.run()
        datasets = Datasets(open_store(store))
        made = {
            manifest.address: manifest
            for dataset in ALL.values()
            for keys in datasets.partitions(dataset)
            for manifest in [datasets.need(dataset, **keys)]
        }
        url = datasets.store.url
    # Every stage that ran is a span of the one trace, and below `slac score` is what it decoded and scored.
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    commands = {span.name for span in collector.spans if span.parent_span_id.hex() == TASK}
    assert commands >= {f"slac {stage}" for stage in loop.seconds if stage in STAGES}
    by_id = {span.span_id: span for span in collector.spans}
    below = {(by_id[span.parent_span_id].name, span.name) for span in by_id.values() if span.parent_span_id in by_id}
    assert below >= {("slac score", "score shard"), ("score shard", "decode")}
    assert {"slac.command.duration", "slac.rows"} <= collector.metrics
    # Every manifest has its event, with its inputs.
    events = {event["outputs"][0]["name"]: event for event in collector.events}
    assert set(events) == set(made)
    for address, manifest in made.items():
        event = events[address]
        assert event["job"] == {**event["job"], "namespace": "slac", "name": manifest.made_by.stage}
        assert {one["name"] for one in event["inputs"]} == set(manifest.made_from)
        assert {one["namespace"] for one in (*event["inputs"], *event["outputs"])} == {url}
        assert event["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == manifest.rows
    assert {"candidates", "fetched", "videos", "clips", "scores", "votes", "labels", "release"} <= {
        name.partition("/")[0] for name in events
    }
