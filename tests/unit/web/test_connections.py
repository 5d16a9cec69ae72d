"""Slow, endless and numerous clients, over real sockets."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI, Request

from slac_tasks.web import connections
from slac_tasks.web.connections import Connection
from slac_tasks.web.door import BODY_MOST, Door

GET = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A service with short times."""
    times = {"HEAD_SEC": 0.3, "BODY_SEC": 0.3, "ANSWER_SEC": 0.3, "LAST_SEC": 0.3, "CONNECTIONS_MOST": 8}
    for name, value in times.items():
        monkeypatch.setattr(connections, name, value)
    monkeypatch.setattr("slac_tasks.web.door.REFUSAL_SEC", 0.0)
    app = FastAPI()
    app.add_middleware(Door, headers={})

    @app.get("/health")
    async def health() -> bool:
        return True

    @app.post("/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @app.get("/large")
    async def large() -> str:
        return "x" * 50_000_000

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(
            app, http=Connection, ws="none", lifespan="off", log_level="critical", timeout_keep_alive=1,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(10)


@contextlib.contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        yield client


def everything(client: socket.socket) -> bytes:
    """What comes until the server ends the connection."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while part := client.recv(65_536):
            found += part
    return found


def drop_by_drop(client: socket.socket, drop: bytes) -> None:
    for _ in range(100):
        client.sendall(drop)
        time.sleep(0.05)


def status(answer: bytes) -> int:
    return int(answer.split()[1])


@pytest.mark.parametrize(
    "slowly",
    [b"", b"G", b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"\r\n", b"POST /echo HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"],
)
def test_a_client_that_never_ends_its_request_is_cut(port: int, slowly: bytes) -> None:
    with connected(port) as client:
        began = time.monotonic()
        client.sendall(slowly)
        answer = everything(client)
        assert 0.2 < time.monotonic() - began < 3
        assert b"Traceback" not in answer
        assert answer == b"" or (status(answer) == 408 and b"x-content-type-options: nosniff" in answer)


@pytest.mark.parametrize("drip", [b"x", b"\r\n"])
def test_a_byte_now_and_then_buys_no_time(port: int, drip: bytes) -> None:
    with connected(port) as client:
        client.sendall(GET)
        assert status(client.recv(1000)) == 200
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            drop_by_drop(client, drip)
        assert time.monotonic() - began < 3


def test_an_idle_connection_is_closed_and_one_that_asks_again_is_not(port: int) -> None:
    with connected(port) as client:
        for _ in range(3):
            client.sendall(GET)
            assert status(client.recv(1000)) == 200
            time.sleep(0.5)  # longer than a head may take
        began = time.monotonic()
        assert everything(client) == b""
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000,
    ],
)
def test_headers_without_end_are_refused(port: int, head: bytes) -> None:
    with connected(port) as client, contextlib.suppress(ConnectionError):
        client.sendall(head)
        assert status(everything(client)) == 431


@pytest.mark.parametrize("junk", [b"\x16\x03\x01 hello", b"GET \xff HTTP/1.1\r\n\r\n", b"GET / HTTP/9\r\n\r\n"])
def test_what_is_no_request_is_refused(port: int, junk: bytes) -> None:
    with connected(port) as client:
        client.sendall(junk)
        answer = everything(client)
        assert status(answer) == 400
        assert b"content-security-policy: " in answer


def test_a_client_that_sends_a_long_body_sees_why_it_is_refused(port: int) -> None:
    with connected(port) as client:
        client.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000)
        assert status(everything(client)) == 413


def test_a_body_without_end_is_cut(port: int) -> None:
    chunk, sent = b"10000\r\n" + b"x" * 65_536 + b"\r\n", 0
    with connected(port) as client, contextlib.suppress(ConnectionError):
        client.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        while sent < 200 * 2**20:
            client.sendall(chunk)
            sent += len(chunk)
    assert sent < 30 * 2**20


def test_a_body_that_is_taken_may_come_in_parts(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BODY_SEC", 30.0)  # its time begins when the head is there
    with connected(port) as client:
        client.sendall(f"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {BODY_MOST}\r\n\r\n".encode())
        for _ in range(4):
            client.sendall(b"x" * (BODY_MOST // 4))
            time.sleep(0.1)
        answer = client.recv(1000)
        assert status(answer) == 200
        assert answer.endswith(str(BODY_MOST).encode())


def test_a_client_that_reads_nothing_is_cut(port: int) -> None:
    with connected(port) as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(1.5)
        assert len(everything(client)) < 50_000_000


def test_requests_ahead_of_their_answers_are_counted(port: int) -> None:
    with connected(port) as client:
        client.sendall(GET * 10)
        answers = b""
        while answers.count(b"HTTP/1.1 200") < 10:
            answers += client.recv(10_000)
    with connected(port) as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(GET * 10_000)
        assert everything(client).count(b"HTTP/1.1 200") < 100


def is_open(client: socket.socket) -> bool:
    """Whether the server has not ended the connection."""
    client.setblocking(False)
    with contextlib.suppress(ConnectionError):
        try:
            return bool(client.recv(1))
        except BlockingIOError:
            return True
    return False


def test_strangers_who_wait_give_way_to_whoever_comes(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SEC", 30.0)  # nobody goes for being late
    with contextlib.ExitStack() as stack:
        regular = stack.enter_context(connected(port))
        regular.sendall(GET)
        assert status(regular.recv(1000)) == 200
        strangers = [stack.enter_context(connected(port)) for _ in range(40)]
        for one in strangers[::2]:
            with contextlib.suppress(ConnectionError):
                one.sendall(b"GET / HTTP/1.1\r\nX: ")
        with connected(port) as late:
            late.sendall(GET)
            assert status(late.recv(1000)) == 200
            assert sum(map(is_open, strangers)) == connections.CONNECTIONS_MOST - len((regular, late))
        regular.sendall(GET)
        assert status(regular.recv(1000)) == 200, "she has asked before: those who never did go first"
