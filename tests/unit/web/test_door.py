"""What every request passes, and what every answer carries."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send
from strangers import SECURITY, ask

from slac_tasks.config import Config
from slac_tasks.errors import Temporary
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.web import accounts as accounts_module
from slac_tasks.web import door
from slac_tasks.web.accounts import COOKIE, Account, Accounts
from slac_tasks.web.app import make_app
from slac_tasks.web.door import BODY_MOST
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.listing import ADDRESS_MOST
from slac_tasks.web.media import Media
from slac_tasks.web.passwords import Turn, seal
from slac_tasks.web.tries import FREE_TRIES

ADA = Account(name="ada", password=seal("analytical"), role="lead")
ROUTES = [
    b"/",
    b"/review",
    b"/login",
    b"/logout",
    b"/health",
    b"/api/me",
    b"/api/votes",
    b"/static/x/slac.css",
    b"/none",
]


def no_ledger() -> Ledger:
    raise Temporary("database: no answer at 10.0.0.7")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(door, "REFUSAL_SEC", 0.0)
    monkeypatch.setattr(accounts_module, "REFUSAL_SEC", 0.0)
    return


@pytest.fixture
def accounts() -> Accounts:
    return Accounts(find={"ada": ADA}.get, secret=b"s" * 32)


def application(accounts: Accounts, folder: Path) -> FastAPI:
    media = Media(store=FolderStore(folder), secret=b"key")
    return make_app(
        Config(store_url=str(folder)), Ledgers(no_ledger), media, authenticate=accounts.authenticate,
        oversee=accounts.oversee, accounts=accounts,
    )  # fmt: skip


@pytest.fixture
def app(accounts: Accounts, tmp_path: Path) -> FastAPI:
    return application(accounts, tmp_path)


def cookie(accounts: Accounts) -> tuple[bytes, bytes]:
    return b"cookie", f"{COOKIE}={accounts.session(ADA)}".encode()


def test_head_says_what_get_says_without_the_body_but_of_calls_that_hand_out_clips(
    app: FastAPI, accounts: Accounts
) -> None:
    for target in (b"/health", b"/login", b"/review", b"/static/x/slac.css", b"/none", b"/reports/1/x"):
        got, head = (ask(app, method, target, headers=[cookie(accounts)]) for method in ("GET", "HEAD"))
        assert (head.status, head.body) == (got.status, b""), target
        assert head.headers["content-length"] == got.headers["content-length"] != "0"
    assert ask(app, "HEAD", b"/review").headers["location"] == "login?next=review"
    told = ask(app, "HEAD", b"/api/clips?category=judo", headers=[cookie(accounts)])
    assert (told.status, told.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize("target", ROUTES)
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
def test_a_long_body_is_refused_on_every_route_without_a_cookie(app: FastAPI, method: str, target: bytes) -> None:
    told = ask(app, method, target, headers=[(b"content-length", b"400000000")])
    chunked = ask(app, method, target, headers=[(b"transfer-encoding", b"chunked")], body=[b"x" * 1000] * 1000)
    for answer in (told, chunked):
        assert (answer.status, answer.is_page) == (413, not target.startswith(b"/api/"))
        assert all(header in answer.headers for header in SECURITY)


def test_no_more_of_a_body_is_read_than_is_taken(app: FastAPI) -> None:
    read = 0
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        nonlocal read
        read += 1000
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": "/api/votes",
        "raw_path": b"/api/votes", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"a"), (b"transfer-encoding", b"chunked")], "client": None, "server": None,
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 413
    assert read <= BODY_MOST + 1000


@pytest.mark.parametrize("length", [b"", b"65536"])
def test_a_body_of_the_most_bytes_is_read(app: FastAPI, accounts: Accounts, length: bytes) -> None:
    sized = (b"content-length", length) if length else (b"transfer-encoding", b"chunked")
    headers = [cookie(accounts), (b"x-requested-with", b"slac"), sized]
    assert ask(app, "POST", b"/api/votes", headers=headers, body=[b" " * BODY_MOST]).status == 400, "it is no JSON"


def test_a_stranger_who_is_refused_waits(app: FastAPI, accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (door, accounts_module):
        monkeypatch.setattr(module, "REFUSAL_SEC", 3600.0)
    monkeypatch.setattr(Turn, "WAITING_MOST", 0)
    for _ in range(FREE_TRIES):
        accounts.tries.begin("guesser", "127.0.0.1")

    async def refused() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://slac.test") as http:
            calls = [
                asyncio.create_task(http.get("/login", headers={"Host": "a/b"})),
                *(asyncio.create_task(http.post("/login", data={"name": name})) for name in ("guesser", "ada")),
            ]
            for _ in range(1000):
                await asyncio.sleep(0)
            assert not any(call.done() for call in calls)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    asyncio.run(refused())


def test_who_is_unknown_is_refused_before_anything_is_parsed(app: FastAPI, accounts: Accounts) -> None:
    broken = [b'{"votes": [']
    headers = [(b"content-type", b"application/json"), (b"content-length", b"11"), (b"x-requested-with", b"slac")]
    assert ask(app, "POST", b"/api/votes", headers=headers, body=broken).status == 401
    assert ask(app, "POST", b"/api/votes", headers=[*headers, cookie(accounts)], body=broken).status == 400


@pytest.mark.parametrize(
    "host", [b"[", b"a]b", b"[::zz]", b"a:b", b"a:99999", b"a/b", b"u@a", b"a?b", b"\xff[", b"a b:"]
)
def test_a_host_that_is_none_is_refused(app: FastAPI, host: bytes) -> None:
    for target in ROUTES:
        assert ask(app, "GET", target, host=host).status == 400


@pytest.mark.parametrize(
    "header", [(b"host", b"a/b"), (b"content-length", b"-1"), (b"content-length", b"1" * 5000)], ids=lambda one: one[0]
)
def test_a_second_host_and_a_length_that_is_no_number_are_refused(app: FastAPI, header: tuple[bytes, bytes]) -> None:
    assert ask(app, "GET", b"/login", headers=[header]).status == 400


@pytest.mark.parametrize("host", [b"", b"localhost:8090", b"[::1]:8090", b"review.example", b"10.0.0.7", b"a_b.c"])
def test_a_host_is_taken(app: FastAPI, host: bytes) -> None:
    assert ask(app, "GET", b"/login", host=host).status == 200


def test_a_fault_of_ours_is_answered_with_the_headers_and_without_its_words(app: FastAPI) -> None:
    @app.get("/api/fault")
    def fault() -> None:
        raise RuntimeError("postgresql://user:secret@10.0.0.7")

    answer = ask(app, "GET", b"/api/fault")
    assert (answer.status, answer.json) == (500, {"detail": "This is a fault of the service."})
    assert all(header in answer.headers for header in SECURITY)


@pytest.mark.parametrize(
    "text", ["00.9999999999.aa", "61\x0062.1.2", "zz.1.2", "é.1", "a", "." * 600, "6" * 4000, "-1.0x.1", "efbfbd.1.a"]
)
def test_a_cookie_that_is_none_of_ours_is_malformed_and_dropped(app: FastAPI, text: str) -> None:
    for target in (b"/api/me", b"/review"):
        answer = ask(app, "GET", target, headers=[(b"cookie", f"{COOKIE}={text}".encode("latin-1"))])
        assert (answer.status, answer.is_page) == (400, target == b"/review")
        assert answer.headers["set-cookie"].startswith(f'{COOKIE}=""; ')


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/api/clips?category=%00", 400),
        (b"/api/clips?category=%ff", 400),
        (b"/api/clips?category=" + b"a" * 81, 422),
        (b"/api/media?category=judo&clip_id=%00", 400),
        (b"/login?next=%00", 400),
        (b"/login?next=" + b"a" * (ADDRESS_MOST + 1), 422),
        (b"/nowhere/else", 404),
    ],
)
def test_what_is_malformed_is_refused_in_the_form_of_its_place(
    app: FastAPI, accounts: Accounts, target: bytes, status: int
) -> None:
    answer = ask(app, "GET", target, headers=[cookie(accounts)])
    assert (answer.status, answer.is_page) == (status, not target.startswith(b"/api/"))
    assert answer.is_page or isinstance(answer.json["detail"], str)


VOTE = (
    '{"votes": [{"vote_id": "5b1f1c2e-8f5b-4c3a-9d58-3f7f2f0e6a11", "clip_id": "v:0", "category": "judo",'
    ' "answer": "yes", "seconds": 1.5, "guideline_version": 1}]}'
)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("v:0", "v\\u0000", 400),
        ("v:0", "\\ud800", 400),
        ("1.5", "NaN", 400),
        ("1.5", "-Infinity", 400),
        ("1.5", "1e999", 400),
        ("5b1f1c2e-", "", 400),
        ("}]}", "", 400),
        ("v:0", "\xff", 400),
        ('"yes"', '"perhaps"', 422),
        ("1.5", "-1", 422),
        (": 1}]}", ": 9999999999}]}", 422),
        ("v:0", "v:0", 503),
    ],
)
def test_an_answer_that_is_malformed_is_told_from_one_out_of_range(
    app: FastAPI, accounts: Accounts, old: str, new: str, status: int
) -> None:
    body = VOTE.replace(old, new).encode("latin-1")
    headers = [cookie(accounts), (b"x-requested-with", b"slac"), (b"content-length", str(len(body)).encode())]
    answer = ask(app, "POST", b"/api/votes", headers=headers, body=[body])
    assert answer.status == status
    assert answer.json["detail"].partition(":")[0], "where it is"


FORM = b"name=ada&password=analytical&next=review"


@pytest.mark.parametrize(
    "origin", [b"null", b"http://[evil", b"http://elsewhere.test", b"", b"slac.test", b"http://slac.test.evil"]
)
def test_a_form_of_another_site_neither_logs_in_nor_out(app: FastAPI, accounts: Accounts, origin: bytes) -> None:
    headers = [(b"origin", origin), (b"content-length", str(len(FORM)).encode())]
    assert ask(app, "POST", b"/login", headers=headers, body=[FORM]).status == 403
    session = cookie(accounts)
    assert ask(app, "POST", b"/logout", headers=[(b"origin", origin), session]).status == 403
    assert ask(app, "GET", b"/review", headers=[session]).status == 200


def test_our_own_form_logs_in(app: FastAPI) -> None:
    headers = [(b"origin", b"https://slac.test"), (b"content-length", str(len(FORM)).encode())]
    assert ask(app, "POST", b"/login", headers=headers, body=[FORM]).status == 303


@pytest.mark.parametrize("name", [b"%00", b"%ff", b"a" * 65, b"%0A", b"%c2%85"])
def test_a_name_that_is_none_is_refused_before_it_is_counted(app: FastAPI, accounts: Accounts, name: bytes) -> None:
    form = b"password=x&name=" + name
    answer = ask(app, "POST", b"/login", headers=[(b"content-length", str(len(form)).encode())], body=[form])
    assert (answer.status, answer.is_page) == (400, True)
    assert not accounts.tries._failures


@pytest.mark.parametrize("form", [b"name=ada&password=caf%e9", b"name=ada&password=caf\xe9"])
def test_a_form_that_is_no_utf_8_is_refused(app: FastAPI, form: bytes) -> None:
    answer = ask(app, "POST", b"/login", headers=[(b"content-length", str(len(form)).encode())], body=[form])
    assert answer.status == 400
    assert b"This form is not in UTF-8." in answer.body


@pytest.mark.parametrize(("secure", "sent"), [(True, True), (False, False), (None, False)])
def test_https_alone_is_asked_for_where_the_setting_says_so(tmp_path: Path, secure: bool | None, sent: bool) -> None:
    app = application(Accounts(find={"ada": ADA}.get, secret=b"s" * 32, secure=secure), tmp_path)
    answer = ask(app, "GET", b"/login")
    assert ("strict-transport-security" in answer.headers) == sent


def test_a_logout_ends_the_session_on_the_server(app: FastAPI, accounts: Accounts) -> None:
    session, other = cookie(accounts), cookie(accounts)
    assert ask(app, "GET", b"/review", headers=[session]).status == 200
    ended = ask(app, "POST", b"/logout", headers=[session])
    assert (ended.status, ended.headers["set-cookie"].partition(";")[0]) == (303, f'{COOKIE}=""')
    assert ask(app, "GET", b"/review", headers=[session]).status == 303
    assert ask(app, "GET", b"/api/me", headers=[session]).status == 401
    assert ask(app, "GET", b"/review", headers=[other]).status == 200, "another browser of hers stays logged in"


def test_a_clock_set_back_revives_no_session() -> None:
    clock = [1000.0]
    accounts = Accounts(find={"ada": ADA}.get, secret=b"s" * 32, now=lambda: clock[0])
    session = accounts.session(ADA)
    clock[0] += accounts.session_sec
    assert accounts.person(session) is None
    clock[0] -= accounts.session_sec / 2
    assert accounts.person(session) is None


def test_a_cookie_that_was_not_signed_here_asks_nobody() -> None:
    asked: list[str] = []
    accounts = Accounts(find=lambda name: asked.append(name), secret=b"s" * 32)  # type: ignore[func-returns-value]
    forged = Accounts(find={"ada": ADA}.get, secret=b"t" * 32).session(ADA)
    assert accounts.person(forged) is None
    assert asked == []


def test_an_answer_keeps_a_header_of_its_own_and_gets_those_that_it_lacks() -> None:
    app = door.Door(
        PlainTextResponse("a report", headers={"Content-Security-Policy": "default-src 'none'"}),
        {"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff"},
    )
    found = ask(app, "GET", b"/").headers
    assert found["content-security-policy"] == "default-src 'none'"
    assert (found["x-content-type-options"], found["cache-control"]) == ("nosniff", "no-store")


def test_a_bug_is_an_answer_to_the_client_and_a_failure_to_the_server_which_logs_it() -> None:
    sent: list[Message] = []

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a bug")

    async def nothing() -> Message:
        raise AssertionError

    async def keep(message: Message) -> None:
        sent.append(message)

    async def broken_midway(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await broken(scope, receive, send)

    scope = {"type": "http", "method": "GET", "path": "/review", "headers": [(b"host", b"slac.test")]}
    for app in (broken, broken_midway):
        with pytest.raises(RuntimeError, match="a bug"):
            asyncio.run(door.Door(app, {})(scope, nothing, keep))
    assert [message["status"] for message in sent if message["type"] == "http.response.start"] == [500, 200]
