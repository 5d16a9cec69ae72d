"""The review service among strangers: whatever they send is refused in its own form, and nothing of it is a fault."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp
from strangers import SECURITY, Answer, ask

from slac_tasks.config import Config
from slac_tasks.launcher.postgres import free_port
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.web import accounts as accounts_module
from slac_tasks.web import door
from slac_tasks.web.accounts import COOKIE, Account, Accounts
from slac_tasks.web.app import make_app
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.listing import PAGES, PARTS
from slac_tasks.web.media import Media
from slac_tasks.web.passwords import seal
from slac_tasks.web.sessions import LedgerSessions

CATEGORY = "judo"
ADA = Account(name="ada", password=seal("analytical"), role="lead")


def fill(ledger: Ledger, clips: int = 6) -> list[str]:
    names = [f"{number:016x}:0" for number in range(clips)]
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO categories (category, name, guideline_version) VALUES ('judo', 'Judo', 2)")
        cursor.execute("INSERT INTO videos VALUES ('v', 'v', 'v', 'training', '{}')")
        cursor.executemany(
            "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
            " votes_wanted) VALUES (%s, 'judo', 'v', 'r', 'random', 0, 2, 'training', 'p', 2)",
            [(name,) for name in names],
        )
        cursor.execute(
            "INSERT INTO segments (segment_id, category, video_id, start_sec, end_sec, score, origin, round, split,"
            " proxy_256, fps, duration_sec, votes_wanted)"
            " SELECT 's' || n, 'judo', 'v', n, n + 2, 0.5, 'net', 'net.1', 'training', 'p', 25, 60, 2"
            " FROM generate_series(0, 2) AS n"
        )
    account = {"groups": [], "role": "lead"}
    ledger.run("add_account", annotator="ada", password=ADA.password, **account)
    return names


@dataclass(frozen=True, kw_only=True)
class Place:
    app: ASGIApp
    session: tuple[bytes, bytes]
    names: list[str]
    ledger: Ledger

    def get(self, target: str) -> Answer:
        return ask(self.app, "GET", target.encode(), headers=[self.session])

    def vote(self, clip: str, **changes: Any) -> Answer:
        vote = {
            "vote_id": str(uuid.uuid4()), "clip_id": clip, "category": CATEGORY, "answer": "yes", "seconds": 2.0,
            "guideline_version": 1, "supersedes": None, **changes,
        }  # fmt: skip
        return self.votes([vote])

    def votes(self, votes: list[dict[str, Any]]) -> Answer:
        body = json.dumps({"votes": votes}).encode()
        headers = [self.session, (b"x-requested-with", b"slac"), (b"content-length", str(len(body)).encode())]
        return ask(self.app, "POST", b"/api/votes", headers=headers, body=[body])


@pytest.fixture
def place(ledger: Ledger, ledger_url: str, store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(door, "REFUSAL_SEC", 0.0)
    monkeypatch.setattr(accounts_module, "REFUSAL_SEC", 0.0)
    names = fill(ledger)
    ledgers = Ledgers(lambda: Ledger(ledger_url))
    accounts = Accounts(find={"ada": ADA}.get, secret=b"s" * 32, sessions=LedgerSessions(ledgers))
    app = make_app(
        Config(store_url=store.url), ledgers, Media(store=store, secret=b"key"), authenticate=accounts.authenticate,
        oversee=accounts.oversee, accounts=accounts,
    )  # fmt: skip
    yield Place(app=app, session=(b"cookie", f"{COOKIE}={accounts.session(ADA)}".encode()), names=names, ledger=ledger)
    ledgers.close()


def test_a_clip_is_answered_by_whoever_held_it_and_by_nobody_else(place: Place) -> None:
    guessed = place.names[0]
    answer = place.vote(guessed)
    assert (answer.status, answer.json) == (422, {"detail": f"{guessed} (judo): was never in your hands"})
    assert place.vote("nothing:0").status == 422
    handed = [clip["clip_id"] for clip in place.get("/api/clips?category=judo&most=2").json]
    assert place.vote(handed[0]).json["stored"].popitem()[1] is True
    with place.ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE leases SET expires_at = now() - interval '1 s'")
    place.ledger.run("expire_leases")
    first = {"vote_id": str(uuid.uuid4())}
    assert place.vote(handed[1], **first).json == {"stored": {first["vote_id"]: True}}, "late, without a connection"
    assert place.vote(handed[1], **first).json == {"stored": {first["vote_id"]: True}}, "sent again"
    second = {"vote_id": str(uuid.uuid4()), "answer": "no", "supersedes": first["vote_id"]}
    assert place.vote(handed[1], **second).json == {"stored": {second["vote_id"]: True}}, "corrected"


def test_a_call_with_one_answer_nobody_asked_for_stores_none(place: Place) -> None:
    handed = [clip["clip_id"] for clip in place.get("/api/clips?category=judo&most=1").json]
    guessed = next(name for name in place.names if name not in handed)
    votes = [
        {"vote_id": str(uuid.uuid4()), "clip_id": clip, "category": CATEGORY, "answer": "yes", "seconds": 1.0,
         "guideline_version": 1} for clip in (*handed, guessed)
    ]  # fmt: skip
    assert place.votes(votes).status == 422
    assert place.ledger.one("outbox_size") == {"votes": 0}


@pytest.mark.parametrize(("version", "status"), [(1, 200), (2, 200), (3, 422), (0, 422), (2_147_483_647, 422)])
def test_an_answer_names_a_version_of_the_guideline_that_exists(place: Place, version: int, status: int) -> None:
    (clip,) = place.get("/api/clips?category=judo&most=1").json
    assert place.vote(clip["clip_id"], guideline_version=version).status == status


def test_what_was_not_answered_in_time_comes_back_first(place: Place) -> None:
    first = {clip["clip_id"] for clip in place.get("/api/clips?category=judo&most=3").json}
    with place.ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE leases SET expires_at = now() - interval '1 s'")
        cursor.execute("UPDATE queue SET state = 'finished' WHERE clip_id = %s", (min(first),))
    place.ledger.run("expire_leases")
    again = {clip["clip_id"] for clip in place.get("/api/clips?category=judo&most=3").json}
    assert again == first, "also one that others have settled meanwhile: gold is never settled"
    assert place.ledger.rows("held_clips", annotator="ada", category=CATEGORY, lease_sec=9.0)
    with place.ledger._connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM lapsed_leases")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT sum(taken) FROM queue")
        assert cursor.fetchone() == (3,)


def test_no_more_segments_come_than_are_asked_for_where_some_are_in_hand_and_others_lapsed(place: Place) -> None:
    first = {segment["segment_id"] for segment in place.get("/api/segments?category=judo&most=3").json}
    assert len(first) == 3
    with place.ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE segment_leases SET expires_at = now() - interval '1 s' WHERE segment_id <> 's0'")
    place.ledger.run("expire_segment_leases")
    again = {segment["segment_id"] for segment in place.get("/api/segments?category=judo&most=2&held=true").json}
    assert "s0" in again
    assert len(again) == 2


def test_a_form_that_lacks_what_its_answer_needs_writes_nothing(place: Place) -> None:
    form = b"category=judo&say=retire&reason=enough&back=clip"
    headers = [place.session, (b"content-length", str(len(form)).encode())]
    assert ask(place.app, "POST", b"/desk", headers=headers, body=[form]).status == 400
    assert [row["retired_at"] for row in place.ledger.rows("categories")] == [None]


def test_a_reason_may_be_as_long_as_its_field_in_any_script(place: Place) -> None:
    form = urlencode({"category": "judo", "say": "retire", "reason": "\u67d4" * 500}).encode()
    headers = [place.session, (b"content-length", str(len(form)).encode())]
    assert ask(place.app, "POST", b"/desk", headers=headers, body=[form]).status == 303
    (ruling,) = place.ledger.rows("web_rulings", category="judo", clip_id=None, most=9)
    assert ruling["reason"] == "\u67d4" * 500


def test_two_processes_share_the_sessions(place: Place, ledger_url: str) -> None:
    ledgers = Ledgers(lambda: Ledger(ledger_url))
    other = Accounts(find={"ada": ADA}.get, secret=b"s" * 32, sessions=LedgerSessions(ledgers))
    cookie = place.session[1].decode().partition("=")[2]
    elsewhere = other.session(ADA)
    assert other.person(cookie) == other.person(elsewhere) == ADA, "a login ends no other session"
    other.logout(cookie)
    assert place.get("/api/me").status == 401
    assert other.person(elsewhere) == ADA, "nor does a logout"
    ledgers.close()


# Anything at all ---------------------------------------------------------------------------------------------------

NASTY = st.sampled_from(
    ["\x00", "a\x00b", "\ud800", "\uffff", "\u2028", "é", "judo", "%s", "'; --", "../../etc/passwd", "9" * 400, "",
     "NaN", "[", "{}"]
)  # fmt: skip
RAW = st.one_of(st.binary(max_size=40), NASTY.map(lambda text: text.encode("utf-8", "surrogatepass")))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | NASTY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
VOTE = st.fixed_dictionaries(
    {
        "vote_id": st.uuids().map(str) | NASTY,
        "clip_id": NASTY | st.just(f"{0:016x}:0"),
        "category": NASTY | st.just("judo"),
        "answer": st.sampled_from(["yes", "no", "unsure", "broken", "\x00"]),
        "seconds": st.floats() | st.integers() | NASTY,
        "guideline_version": st.integers() | NASTY,
    },
    optional={"supersedes": st.none() | st.uuids().map(str) | NASTY},
)
NUMBER = st.none() | st.floats() | st.integers() | NASTY
SEGMENT_VOTE = st.fixed_dictionaries(
    {"vote_id": st.uuids().map(str), "segment_id": st.sampled_from(["s0", "s1", "\x00", "x" * 99]) | NASTY,
     "answer": st.sampled_from(["right", "moved", "absent", "unsure"]) | NASTY, "seconds": NUMBER,
     "guideline_version": st.just(1) | st.integers()},
    optional={"start_sec": NUMBER, "end_sec": NUMBER, "supersedes": st.none() | st.uuids().map(str) | NASTY},
)  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=300),
    ANY_JSON.map(lambda value: json.dumps(value).encode()),
    st.lists(VOTE, max_size=3).map(lambda votes: json.dumps({"votes": votes}).encode()),
    st.lists(SEGMENT_VOTE, max_size=3).map(lambda votes: json.dumps({"votes": votes}).encode()),
    st.lists(st.tuples(st.sampled_from(["name", "password", "next"]), RAW), max_size=4).map(
        lambda pairs: "&".join(f"{key}={quote_from_bytes(value)}" for key, value in pairs).encode()
    ),
)
PATHS = st.one_of(
    st.sampled_from(
        [*(f"/{name}" for name in (*PAGES, *PARTS)), "/", "/login", "/login.css", "/logout", "/health", "/api/me",
         "/api/category", "/api/clips", "/api/media", "/api/votes", "/review/", "//", "/api", "/segments",
         "/api/segments", "/api/segments/me", "/api/segments/category", "/api/segments/media", "/api/segments/votes"]
    ).map(str.encode),
    st.tuples(st.sampled_from([b"/objects/", b"/static/", b"/api/", b"/"]), RAW).map(
        lambda pair: pair[0] + quote_from_bytes(pair[1]).encode()
    ),
)  # fmt: skip
QUERIES = st.lists(
    st.tuples(
        st.sampled_from(
            "category clip_id segment_id most held next ends signature x of person round score order rank after begin"
            " begin_at drawing within start".split()
        ),
        RAW | st.sampled_from([b"judo", b"ada", b"newest", b"1", b"-1e10", b"9" * 19]),
    ),
    max_size=4,
).map(lambda pairs: "&".join(f"{key}={quote_from_bytes(value)}" for key, value in pairs).encode())
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [b"cookie", b"origin", b"content-type", b"content-length", b"x-requested-with", b"range", b"accept",
             b"if-none-match", b"if-range", b"referer", b"transfer-encoding", b"x-forwarded-for", b"upgrade"]
        ),
        RAW | st.sampled_from([b"slac", b"bytes=0-", b"bytes=9-1", b"slac_session=00.9999999999.aa", b"null", b"http://[evil"]),
    ),
    max_size=4,
)  # fmt: skip


@settings(max_examples=600, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"]),
    path=PATHS, query=QUERIES, headers=HEADERS, body=BODIES, logged_in=st.booleans(), ours=st.booleans(),
    host=RAW | st.just(b"slac.test"),
)  # fmt: skip
def test_nothing_that_a_stranger_sends_is_a_fault(
    place: Place, method: str, path: bytes, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes,
    logged_in: bool, ours: bool, host: bytes,
) -> None:  # fmt: skip
    extra = [place.session] * logged_in + [(b"x-requested-with", b"slac"), (b"transfer-encoding", b"chunked")] * ours
    answer = ask(place.app, method, path + b"?" + query, headers=[*extra, *headers], body=[body], host=host)
    assert answer.status < 500, (answer.status, answer.body[-300:])
    assert all(header in answer.headers for header in SECURITY)
    if answer.status >= 400 and path.startswith(b"/api/") and method != "HEAD":
        assert isinstance(answer.json["detail"], str)


# The processes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Running:
    process: "subprocess.Popen[str]"
    url: str

    @property
    def workers(self) -> list[int]:
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [pid for pid in map(int, text.split()) if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def start(
    ledger_url: str, store: FolderStore, port: int, host: str = "127.0.0.1", workers: int = 2
) -> "subprocess.Popen[str]":
    environ = os.environ | {
        "SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_WEB_SECRET": "s" * 32, "SLAC_CONFIG": "",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "slac_tasks.cli", "web", "--host", host, "--port", str(port), "--workers", str(workers)],
        env=environ, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip


@pytest.fixture
def from_a_terminal() -> Iterator[None]:
    """Start programs as from a terminal: who starts tests with `nohup` has them go on when theirs is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(params=[2])
def running(
    from_a_terminal: None, ledger_url: str, store: FolderStore, request: pytest.FixtureRequest
) -> Iterator[Running]:
    port = free_port()
    process = start(ledger_url, store, port, workers=request.param)
    found = Running(process=process, url=f"http://127.0.0.1:{port}")

    def answers() -> bool:
        try:
            return httpx.get(f"{found.url}/health").status_code == 200
        except httpx.TransportError:
            return False

    assert until(answers)
    yield found
    for pid in found.workers if is_alive(process.pid) else ():
        os.kill(pid, signal.SIGKILL)
    process.kill()
    process.communicate()


def test_workers_end_with_the_first_process_and_the_port_is_free(
    running: Running, ledger_url: str, store: FolderStore
) -> None:
    port = int(running.url.rpartition(":")[2])
    second = start(ledger_url, store, port)
    assert second.communicate(timeout=60)[1].splitlines()[-1] == (
        f"slac web: 127.0.0.1 port {port}: another process listens there, want a free port (--port)"
    )
    assert second.returncode == 75
    workers = running.workers
    assert len(workers) == 2
    running.process.kill()
    assert until(lambda: not any(map(is_alive, workers)), 10)

    def is_free() -> bool:
        with socket.socket() as listener, suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            return True
        return False

    assert until(is_free, 10)


@pytest.mark.parametrize(("host", "port"), [("192.0.2.7", 8090), ("no.such.host.invalid", 8090)])
def test_an_address_of_no_machine_of_ours_is_said_plainly(
    ledger_url: str, store: FolderStore, host: str, port: int
) -> None:
    process = start(ledger_url, store, port, host)
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, "Traceback" in said) == (78, False)
    assert said.splitlines()[-1].startswith(f"slac web: {host} port {port}: ")


def test_a_stop_ends_the_service_though_clients_hang(running: Running) -> None:
    port = int(running.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as hanging:
        hanging.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\nx")
        time.sleep(0.3)
        workers = running.workers
        running.process.send_signal(signal.SIGTERM)
        assert until(lambda: running.process.poll() is not None, 20)
        assert not any(map(is_alive, workers))


@pytest.mark.parametrize("running", [1], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_service_that_is_stopped_has_done_what_it_was_started_for(running: Running, number: signal.Signals) -> None:
    running.process.send_signal(number)
    assert running.process.wait(60) == 0
    assert running.process.stderr
    assert running.process.stderr.read() == "slac web: stopped\n"
