"""The Model Context Protocol over two streams: JSON-RPC 2.0, one message a line. Knows no tool of ours.

Of the protocol: `initialize`, `ping`, `tools/list` and `tools/call`, https://modelcontextprotocol.io/specification.
A server without prompts, resources and sampling needs no more. What a tool cannot do is said in its result, where the
model that asked reads it; what is no message, or asks for no tool, is an error of JSON-RPC.
"""

import json
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

VERSIONS = ("2025-11-25", "2025-06-18", "2024-11-05")
"""Versions of the protocol that differ in nothing that is used here, the newest first. 2025-03-26 has batches."""

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, BUG = -32700, -32600, -32601, -32602, -32603

Message = Mapping[str, Any]


class Refused(Exception):
    """The tool cannot do what was asked; the message says why."""


class Tool(Protocol):
    """What a client may call."""

    @property
    def name(self) -> str:
        """Name, in the server unique."""

    @property
    def description(self) -> str:
        """What it answers, for the model that chooses."""

    @property
    def schema(self) -> Message:
        """JSON schema of its arguments: an object."""


class _Wrong(Exception):
    """A request that is answered with an error of JSON-RPC."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(kw_only=True)
class Server:
    """One session with one client."""

    name: str
    version: str
    instructions: str
    """What a model should know before it calls anything."""
    tools: Sequence[Tool]
    call: Callable[[str, Message], Message]
    """Answer a tool, by name, with its arguments; raises `Refused`."""
    _greeted: bool = field(default=False, init=False)

    def serve(self, lines: Iterable[bytes], write: Callable[[str], object]) -> None:
        """Answer every line until the client closes the stream.

        Args:
            lines: one message each, UTF-8.
            write: takes one answer, which ends with a newline and holds no other.

        """
        for line in lines:
            if line.strip() and (answer := self.answer(line)) is not None:
                write(json.dumps(answer, allow_nan=False) + "\n")

    def answer(self, line: bytes) -> Message | None:
        """Return the answer to one line; None: it is a notification, or an answer to nothing that was asked."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return _error(None, PARSE_ERROR, "the line is no JSON")
        identity = message.get("id") if isinstance(message, dict) else None
        if isinstance(identity, bool) or not isinstance(identity, str | int | None):
            return _error(None, INVALID_REQUEST, "id: want a text or a whole number")
        try:
            result = self._result(message)
        except _Wrong as wrong:
            return _error(identity, wrong.code, str(wrong))
        except Exception:
            # It ends this answer and not the session. Standard error is a log that the client keeps.
            traceback.print_exc()
            return _error(identity, BUG, "a bug of this server; its standard error says more")
        return None if result is None else {"jsonrpc": "2.0", "id": identity, "result": result}

    def _result(self, message: Any) -> Message | None:
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            raise _Wrong(INVALID_REQUEST, 'want one object with "jsonrpc": "2.0"')
        method = message.get("method")
        if method is None and ("result" in message or "error" in message):
            return None
        if not isinstance(method, str):
            raise _Wrong(INVALID_REQUEST, "method: want a text")
        if "id" not in message:
            return None
        if message["id"] is None:
            raise _Wrong(INVALID_REQUEST, "id: want a text or a whole number")
        parameters = message.get("params", {})
        if not isinstance(parameters, dict):
            raise _Wrong(INVALID_PARAMS, "params: want an object")
        if not self._greeted and method not in ("initialize", "ping"):
            raise _Wrong(INVALID_REQUEST, f"{method}: came before initialize")
        match method:
            case "initialize":
                return self._initialize(parameters)
            case "ping":
                return {}
            case "tools/list":
                return {"tools": [_described(tool) for tool in self.tools]}
            case "tools/call":
                return self._call(parameters)
        raise _Wrong(METHOD_NOT_FOUND, f"{method}: is no method of this server")

    def _initialize(self, parameters: Message) -> Message:
        asked = parameters.get("protocolVersion")
        if not isinstance(asked, str):
            raise _Wrong(INVALID_PARAMS, f"protocolVersion: want a text, e.g. {VERSIONS[0]}")
        self._greeted = True
        return {
            "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": self.name, "version": self.version},
            "instructions": self.instructions,
        }

    def _call(self, parameters: Message) -> Message:
        name, arguments = parameters.get("name"), parameters.get("arguments", {})
        if name not in [tool.name for tool in self.tools]:
            raise _Wrong(INVALID_PARAMS, f"Unknown tool: {name}")
        if not isinstance(arguments, dict):
            raise _Wrong(INVALID_PARAMS, "arguments: want an object")
        try:
            found = self.call(str(name), arguments)
        except Refused as refused:
            return {"content": [{"type": "text", "text": str(refused)}], "isError": True}
        # The same twice: clients of the oldest version read the text alone.
        text = json.dumps(found, allow_nan=False)
        return {"content": [{"type": "text", "text": text}], "structuredContent": found, "isError": False}


def _described(tool: Tool) -> Message:
    # Hints for people who are asked to allow a call: nothing is changed, and nothing beyond the platform is reached.
    hints = {"readOnlyHint": True, "openWorldHint": False}
    return {
        "name": tool.name, "description": tool.description, "inputSchema": tool.schema, "annotations": hints,
    }  # fmt: skip


def _error(identity: str | int | None, code: int, message: str) -> Message:
    return {"jsonrpc": "2.0", "id": identity, "error": {"code": code, "message": message}}
