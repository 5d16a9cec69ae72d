"""The Model Context Protocol, one line in and at most one out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.agents.protocol import VERSIONS, Message, Refused, Server
from slac_tasks.agents.tools import TOOLS


def call(name: str, arguments: Message) -> Message:
    if arguments:
        raise Refused("want no arguments")
    return {"asked": name}


def server(*, greeted: bool = True) -> Server:
    made = Server(name="slac", version="1", instructions="ask", tools=[*TOOLS.values()], call=call)
    if greeted:
        ask(made, "initialize", {"protocolVersion": VERSIONS[0], "capabilities": {}, "clientInfo": {"name": "test"}})
    return made


def ask(made: Server, method: str, params: Any = None, **more: Any) -> Any:
    message = {"jsonrpc": "2.0", "id": 7, "method": method, **({} if params is None else {"params": params}), **more}
    return made.answer(json.dumps(message).encode())


@pytest.mark.parametrize(
    ("asked", "answered"), [*((version, version) for version in VERSIONS), ("2025-03-26", VERSIONS[0])]
)
def test_a_known_version_is_agreed_upon_and_for_another_the_newest_is_offered(asked: str, answered: str) -> None:
    result = ask(server(greeted=False), "initialize", {"protocolVersion": asked})["result"]
    assert result["protocolVersion"] == answered
    assert result["capabilities"] == {"tools": {}}
    assert result["serverInfo"] == {"name": "slac", "version": "1"}


def test_every_tool_is_listed_as_one_that_only_reads() -> None:
    tools = ask(server(), "tools/list")["result"]["tools"]
    assert [tool["name"] for tool in tools] == ["funnel", "rounds", "quality", "people", "releases", "clips"]
    assert all(tool["annotations"]["readOnlyHint"] and tool["inputSchema"]["type"] == "object" for tool in tools)


def test_a_tool_answers_as_text_and_as_an_object_and_says_itself_what_it_cannot_do() -> None:
    result = ask(server(), "tools/call", {"name": "funnel"})["result"]
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"] == {"asked": "funnel"}
    refused = ask(server(), "tools/call", {"name": "funnel", "arguments": {"a": 1}})["result"]
    assert refused == {"content": [{"type": "text", "text": "want no arguments"}], "isError": True}


def test_a_bug_of_a_tool_is_said_and_ends_no_session(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(name: str, arguments: Message) -> Message:
        raise TypeError("of a secret kind")

    made = server()
    for made.call in (fail, lambda *given: {"of": float("nan")}, lambda *given: {"of": {1}}):
        answer = ask(made, "tools/call", {"name": "funnel"})
        assert answer["error"] == {"code": -32603, "message": "a bug of this server; its standard error says more"}
        assert "Error: " in capsys.readouterr().err
    assert ask(made, "ping")["result"] == {}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", -32700),
        (b"[" * 100_000, -32700),
        (b"\xff", -32700),
        (b"[]", -32600),
        (b'{"id": 7, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 7, "method": "resources/list"}', -32601),
        (b'{"jsonrpc": "2.0", "id": 7, "method": "ping", "params": []}', -32602),
        (b'{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "delete"}}', -32602),
        (b'{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": ["funnel"]}}', -32602),
    ],
)
def test_what_is_no_request_gets_the_error_of_json_rpc(line: bytes, code: int) -> None:
    answer = server().answer(line)
    assert answer is not None
    assert answer["error"]["code"] == code


def test_nothing_but_a_ping_is_answered_before_initialize() -> None:
    made = server(greeted=False)
    assert ask(made, "ping")["result"] == {}
    assert ask(made, "tools/call", {"name": "funnel"})["error"]["code"] == -32600


def test_notifications_and_answers_get_no_answer() -> None:
    made = server()
    for line in (b'{"jsonrpc":"2.0","method":"notifications/initialized"}', b'{"jsonrpc":"2.0","id":1,"result":{}}'):
        assert made.answer(line) is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["initialize", "ping", "tools/list", "tools/call", "notifications/initialized"])
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | ANYTHING,
        "id": st.integers() | ANYTHING,
        "method": NAMES | ANYTHING,
        "params": st.fixed_dictionaries({"name": st.sampled_from(sorted(TOOLS)) | ANYTHING, "arguments": ANYTHING})
        | ANYTHING,
    },
)


@given(st.lists(st.binary(max_size=20) | (MESSAGES | ANYTHING).map(lambda one: json.dumps(one).encode()), max_size=5))
def test_no_line_ends_the_session_and_each_answer_is_one_line_of_json_rpc(lines: list[bytes]) -> None:
    made, said = server(), []
    made.serve(lines, said.append)
    for line in said:
        answer = json.loads(line)
        assert line.endswith("\n")
        assert line.count("\n") == 1
        assert answer["jsonrpc"] == "2.0"
        assert ("result" in answer) != ("error" in answer)
    assert ask(made, "ping")["result"] == {}
