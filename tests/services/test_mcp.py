"""`slac mcp` as an agent's program has it: a child that answers over pipes, and changes nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from platform_records import add_release
from review_work import cast, lease, publish_and_answer

from slac_tasks.stages import aggregate, report, sync, validate
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger

CATEGORY = "high_jump"


class Client:
    """One client; each request has an id of its own, and waits for its answer."""

    def __init__(self, child: "subprocess.Popen[str]") -> None:
        self.child, self.sent = child, 0

    def send(self, method: str, params: Any = None, **more: Any) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params or {}, **more}
        self.child.stdin.write(json.dumps(message) + "\n")
        self.child.stdin.flush()

    def ask(self, method: str, params: Any = None) -> Any:
        self.sent += 1
        self.send(method, params, id=self.sent)
        answer = json.loads(self.child.stdout.readline())
        assert answer["id"] == self.sent
        return answer["result"]

    def call(self, name: str, **arguments: Any) -> Any:
        return self.ask("tools/call", {"name": name, "arguments": arguments})


@contextmanager
def client(store: FolderStore, url: str) -> Iterator[Client]:
    environ = {**os.environ, "SLAC_STORE": store.url, "SLAC_DATABASE_URL": url}
    words = [sys.executable, "-m", "slac_tasks.cli", "mcp"]
    with subprocess.Popen(
        words, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        made = Client(child)
        greeting = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        assert made.ask("initialize", greeting)["protocolVersion"] == "2025-06-18"
        made.send("notifications/initialized")
        yield made
        child.stdin.close()
        assert child.wait(20) == 0


def test_an_agent_reads_the_numbers_of_the_pages_and_nothing_that_is_secret(
    make_job: Any, ledger: Ledger, ledger_url: str, store: FolderStore
) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=12)
    for person in ("ann", "bob"):
        lease(ledger, person, most=12)
        for index, clip in enumerate(clips):
            assert cast(ledger, person, clip, ("yes", "no")[index % 2])
    for stage in (sync, aggregate, validate, report):
        stage.run(make_job(stage.__name__.rpartition(".")[2]))
    add_release(ledger, CATEGORY)
    with client(store, ledger_url) as agent:
        names = [tool["name"] for tool in agent.ask("tools/list")["tools"]]
        found = {name: agent.call(name, **({"category": CATEGORY} if name == "clips" else {})) for name in names}
        positive = agent.call("clips", category=CATEGORY, label="positive", most=2)["structuredContent"]
        unknown = [agent.call(name, category="high_jum") for name in ("quality", "rounds", "clips")]
        # A tool that was refused does not end the session.
        ledger.run("add_tombstone", video_id=clips[0].partition(":")[0], reason="taken down")
        gone = agent.call("clips", category=CATEGORY)["structuredContent"]
    assert not any(one["isError"] for one in found.values())
    said = {name: one["structuredContent"] for name, one in found.items()}
    metrics = {metric["name"]: metric["value"] for metric in said["funnel"]["metrics"]}
    assert metrics["answered"] == 12
    assert [(one["category"], one["answered"]) for one in said["funnel"]["categories"]] == [(CATEGORY, 12)]
    (asked,) = said["rounds"]["rounds"]
    assert (asked["category"], asked["waits_for_answers"]) == (CATEGORY, False)
    assert [one["category"] for one in said["quality"]["categories"]] == [CATEGORY]
    assert said["quality"]["categories"][0]["measures"]
    assert {one["annotator"] for one in said["people"]["people"]} == {"ann", "bob"}
    assert [one["release"] for one in said["releases"]["releases"]] == ["r0001"]
    assert said["clips"]["matching"] == 12
    assert positive["matching"] == 6
    assert [clip["label"] for clip in positive["clips"]] == [1, 1]
    for refused in unknown:
        assert refused["isError"]
        assert "'high_jum': not registered, did you mean high_jump?" in refused["content"][0]["text"]
    assert gone["matching"] < 12
    for secret in (ledger_url, store.url, "proxy", ".mp4"):
        assert secret not in json.dumps(found)


def test_no_ledger_is_said_without_its_address_and_the_session_goes_on(store: FolderStore) -> None:
    with client(store, "postgresql://slac:hidden@127.0.0.1:1/slac") as agent:
        refused = agent.call("funnel")
        assert refused["isError"]
        assert "no answer" in refused["content"][0]["text"]
        assert "hidden" not in json.dumps(refused)
        assert agent.ask("ping") == {}


def test_a_connection_that_only_reads_refuses_every_write(ledger: Ledger) -> None:
    ledger.rows("read_only")
    with pytest.raises(Exception, match="read-only transaction"):
        ledger.run("register_category", category="judo", name="judo", guideline=None)
    assert ledger.rows("categories") == []
