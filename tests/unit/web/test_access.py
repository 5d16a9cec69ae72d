"""Nobody who is not logged in gets anything; what is handed out ends."""

import asyncio
import dataclasses
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from slac_tasks.config import Config
from slac_tasks.errors import NotConfigured, NotMade, Temporary
from slac_tasks.reports.data_docs import Docs, Failing
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.web import passwords
from slac_tasks.web.accounts import COOKIE, REMEMBER_SEC, Account, Accounts, secret_of, secure_of
from slac_tasks.web.app import make_app
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media
from slac_tasks.web.passwords import Turn, matches, seal
from slac_tasks.web.tries import FREE_TRIES, FREE_TRIES_OF_ADDRESS, Tries

PEOPLE = {
    name: Account(name=name, password=seal(password), role=role)
    for name, password, role in [("ada", "analytical", "reviewer"), ("grace", "compilers!", "lead")]
}
OPEN = {"/login", "/login.css", "/logout", "/health", "/ready"}


def no_ledger() -> Ledger:
    raise Temporary("database: no answer at 10.0.0.7")


@pytest.fixture
def accounts() -> Accounts:
    return Accounts(find=PEOPLE.get, secret=b"s" * 32, tries=Tries(now=lambda: 1000.0))


@pytest.fixture
def media(tmp_path: Path) -> Media:
    store = FolderStore(tmp_path)
    store.put("media/v/x-256.mp4", bytes(range(100)))
    return Media(store=store, secret=b"key", now=lambda: 1000.0)


@pytest.fixture
def app(accounts: Accounts, media: Media) -> FastAPI:
    config = Config(store_url=media.store.url)
    return make_app(
        config,
        Ledgers(no_ledger),
        media,
        authenticate=accounts.authenticate,
        oversee=accounts.oversee,
        accounts=accounts,
    )


@dataclasses.dataclass(frozen=True)
class Client:
    """A browser without a network: each call is one request to the application."""

    app: FastAPI
    session: str | None = None

    def request(self, method: str, path: str, **values: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            cookies = {COOKIE: self.session} if self.session else None
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://slac.test", cookies=cookies) as http:
                return await http.request(method, path, **values)

        return asyncio.run(call())

    def get(self, path: str, **values: Any) -> httpx.Response:
        return self.request("GET", path, **values)

    def post(self, path: str, **values: Any) -> httpx.Response:
        return self.request("POST", path, **values)


def test_every_route_but_the_login_refuses_the_unknown(app: FastAPI, media: Media) -> None:
    asked = set()
    for route in app.routes:
        assert isinstance(route, APIRoute), "a mount would stand outside the login"
        if route.path in OPEN:
            continue
        path = re.sub(r"\{\w+(:path)?\}", "slac.css", route.path)
        for method in route.methods:
            answer = Client(app).request(method, path, headers={"X-Requested-With": "slac"})
            assert (answer.status_code, answer.headers.get("location", "login")[:5]) in {(401, "login"), (303, "login")}
            assert answer.status_code == 401 or method == "GET", "what a form sent is not sent again after a login"
            asked.add(path)
    assert len(asked) >= 10
    assert Client(app).get("/" + media.address("media/v/x-256.mp4", "ada")).status_code == 401


def test_a_signed_address_is_for_one_person_one_object_and_ten_minutes(media: Media) -> None:
    query = dict(re.findall(r"(\w+)=(\w+)", media.address("media/v/x-256.mp4", "ada")))
    ends, signature = int(query["ends"]), query["signature"]
    media.check("media/v/x-256.mp4", "ada", ends, signature)
    for name, person, end in [
        ("media/v/x-256.mp4", "grace", ends),
        ("media/v/y-256.mp4", "ada", ends),
        ("media/v/x-256.mp4", "ada", ends + 1),
    ]:
        with pytest.raises(NotMade):
            media.check(name, person, end, signature)
    with pytest.raises(NotMade):
        dataclasses.replace(media, now=lambda: 1600.0).check("media/v/x-256.mp4", "ada", ends, signature)


def test_a_player_can_seek_in_a_local_file(app: FastAPI, accounts: Accounts, media: Media) -> None:
    address = "/" + media.address("media/v/x-256.mp4", "ada")
    answer = Client(app, accounts.session(PEOPLE["ada"])).get(address, headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.content) == (206, bytes(range(10, 20)))
    assert Client(app, accounts.session(PEOPLE["grace"])).get(address).status_code == 404


def test_a_vote_sent_by_another_site_is_refused(app: FastAPI, accounts: Accounts) -> None:
    vote = {
        "vote_id": "5b1f1c2e-8f5b-4c3a-9d58-3f7f2f0e6a11", "clip_id": "v:0", "category": "judo", "answer": "yes",
        "seconds": 1.5, "guideline_version": 1, "supersedes": None,
    }  # fmt: skip
    ada = Client(app, accounts.session(PEOPLE["ada"]))
    assert ada.post("/api/votes", json={"votes": [vote]}).status_code == 403
    ours = {"X-Requested-With": "slac"}
    assert ada.post("/api/votes", json={"votes": [vote | {"answer": "perhaps"}]}, headers=ours).status_code == 422
    answer = ada.post("/api/votes", json={"votes": [vote]}, headers=ours)
    assert (answer.status_code, "10.0.0.7" in answer.text) == (503, False)


def test_a_session_is_nobodys_when_altered_ended_or_of_an_account_that_changed(accounts: Accounts) -> None:
    session = accounts.session(PEOPLE["ada"])
    assert accounts.person(session) == PEOPLE["ada"]
    assert accounts.person(session[:-1] + ("0" if session[-1] != "0" else "1")) is None
    assert accounts.person(session.replace(b"ada".hex(), b"grace".hex())) is None
    assert dataclasses.replace(accounts, now=lambda: accounts.now() + 13 * 3600).person(session) is None
    assert Accounts(find={}.get, secret=accounts.secret).person(session) is None
    changed = dataclasses.replace(PEOPLE["ada"], password=seal("another one"))
    assert Accounts(find={"ada": changed}.get, secret=accounts.secret).person(session) is None
    assert [accounts.person(odd) for odd in (None, "", "a.b", "zz.9.9", "..")] == [None] * 5


@pytest.mark.parametrize("moved", [REMEMBER_SEC, -1, -3600], ids=["passed", "set back", "set back an hour"])
def test_an_account_that_is_closed_is_out_within_half_a_minute(moved: float) -> None:
    people, clock = dict(PEOPLE), [100_000.0]
    accounts = Accounts(find=people.get, secret=b"s" * 32, now=lambda: clock[0])
    session = accounts.session(PEOPLE["ada"])
    assert accounts.person(session) is not None
    del people["ada"]
    clock[0] += moved
    assert accounts.person(session) is None


def test_funnel_quality_and_duplicates_are_for_leads(app: FastAPI, accounts: Accounts) -> None:
    for page in ("/funnel", "/quality", "/duplicates"):
        assert Client(app, accounts.session(PEOPLE["ada"])).get(page).status_code == 403
        assert Client(app, accounts.session(PEOPLE["grace"])).get(page).status_code == 503  # let in; no ledger here
    shown = {name: Client(app, accounts.session(PEOPLE[name])).get("/review").text for name in PEOPLE}
    assert ['href="quality"' in text for text in shown.values()] == [False, True]


def test_the_docs_of_expectations_are_for_leads(app: FastAPI, accounts: Accounts, media: Media) -> None:
    lead = Client(app, accounts.session(PEOPLE["grace"]))
    assert "No hand-over was judged yet" in lead.get("/expectations").text
    failing = Failing(partition="judo.2026-01-05", critical=("<b>off the grid</b>",), warnings=())
    docs = Docs(dataset="clips", inspected_at="today", judged=1, failing=(failing,))
    media.store.put("docs/v1/clips.json", docs.encode())
    assert 'href="expectations?of=clips"' in lead.get("/expectations").text
    page = lead.get("/expectations?of=clips").text
    assert "judo.2026-01-05" in page
    assert "&lt;b&gt;off the grid" in page
    assert lead.get("/expectations?of=labels").status_code == 404
    assert lead.get("/expectations?of=../../media/v/x-256.mp4").status_code == 404
    assert Client(app, accounts.session(PEOPLE["ada"])).get("/expectations").status_code == 403


@pytest.mark.parametrize("page", ["expectations", "expectations?of=clips", "category?of=tai_chi", "quality"])
def test_a_login_leads_to_the_page_that_a_link_named(app: FastAPI, page: str) -> None:
    answer = Client(app).get(f"/{page}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"login?next={quote(page)}")
    shown = Client(app).get(f"/{answer.headers['location']}").text
    assert f'name="next" value="{page}"' in shown
    form = {"name": "grace", "password": "compilers!", "next": page}
    assert Client(app).post("/login", data=form).headers["location"] == page


@pytest.mark.parametrize("page", ["category?of=//elsewhere.test", "quality?of=<b>", "quality#x", "objects/x", ""])
def test_a_login_leads_home_from_what_is_no_page(app: FastAPI, page: str) -> None:
    form = {"name": "grace", "password": "compilers!", "next": page}
    assert Client(app).post("/login", data=form).headers["location"] == "review"


def test_a_password_is_kept_salted_and_known_again() -> None:
    one, other = seal("analytical"), seal("analytical")
    assert one != other
    assert "analytical" not in one
    assert [matches("analytical", one), matches("analytica1", one), matches("analytical", None)] == [True, False, False]


def test_a_login_knows_its_people_and_leads_nowhere_else(app: FastAPI, accounts: Accounts) -> None:
    form = {"name": "ada", "password": "analytical", "next": "//elsewhere.test"}
    answer = Client(app).post("/login", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "review")
    kept = set(answer.headers["set-cookie"].split("; "))
    assert kept >= {"HttpOnly", "SameSite=lax", f"Max-Age={accounts.session_sec}"}
    assert Client(app).post("/login", data=form, headers={"Origin": "http://elsewhere.test"}).status_code == 403
    assert Client(app).post("/login", data=form | {"password": "compilers!"}).status_code == 401


def test_a_secret_may_be_of_any_bytes() -> None:
    assert secret_of({"SLAC_WEB_SECRET": os.fsdecode(b"\xe9" * 32)}) == b"\xe9" * 32


@pytest.mark.parametrize("environ", [{}, {"SLAC_WEB_SECRET": "short"}])
def test_a_missing_secret_is_said_plainly(environ: dict[str, str]) -> None:
    with pytest.raises(NotConfigured, match="SLAC_WEB_SECRET: "):
        secret_of(environ)


def test_the_pages_import_nothing_heavy() -> None:
    code = "import sys, slac_tasks.web.app; print(*{'pandas', 'pyarrow', 'torch', 'numpy', 'av'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


FORM = {"name": "ada", "password": "analytical", "next": "review"}


def log_in(app: FastAPI, base: str = "http://slac.test", address: str = "10.0.0.1", **form: str) -> httpx.Response:
    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url=base) as http:
            return await http.post("/login", data=FORM | form)

    return asyncio.run(call())


@pytest.mark.parametrize(
    ("base", "secure"),
    [
        ("http://review.example", True),  # a proxy ends TLS and speaks http to us
        ("https://review.example", True),
        ("https://localhost", True),
        ("http://localhost:8090", False),
        ("http://127.0.0.1:8090", False),
        ("http://[::1]:8090", False),
    ],
)
def test_a_session_travels_over_https_alone_except_on_this_machine(app: FastAPI, base: str, secure: bool) -> None:
    answer = log_in(app, base)
    assert answer.status_code == 303
    assert ("Secure" in answer.headers["set-cookie"].split("; ")) == secure


@pytest.mark.parametrize("value", ["0", "1"])
@pytest.mark.parametrize("base", ["http://review.example", "http://localhost"])
def test_the_setting_stands_above_what_a_request_looks_like(media: Media, value: str, base: str) -> None:
    accounts = Accounts(find=PEOPLE.get, secret=b"s" * 32, secure=secure_of({"SLAC_WEB_SECURE": value}))
    app = make_app(
        Config(store_url=media.store.url), Ledgers(no_ledger), media, authenticate=accounts.authenticate,
        accounts=accounts,
    )  # fmt: skip
    assert ("Secure" in log_in(app, base).headers["set-cookie"].split("; ")) == (value == "1")


def test_a_setting_that_is_neither_is_refused() -> None:
    assert secure_of({}) is None
    with pytest.raises(NotConfigured, match="SLAC_WEB_SECURE: is 'yes', want 1"):
        secure_of({"SLAC_WEB_SECURE": "yes"})


def test_a_guesser_waits_longer_and_longer_even_for_the_right_password(app: FastAPI) -> None:
    for _ in range(FREE_TRIES):
        assert log_in(app, password="wrong").status_code == 401
    refused = log_in(app)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert "possible in 1 seconds" in refused.text
    assert log_in(app, address="10.0.0.2").status_code == 303, "the person elsewhere is not locked out"
    assert log_in(app, name="grace", password="compilers!").status_code == 303, (
        "nor is somebody else beside the guesser"
    )


def test_an_address_that_guesses_at_many_names_waits_and_who_knows_the_password_starts_anew(
    app: FastAPI, accounts: Accounts
) -> None:
    address = "10.0.0.3"
    for _ in range(FREE_TRIES - 1):
        assert accounts.tries.begin("ada", address) == 0
    assert log_in(app, address=address).status_code == 303
    for _ in range(FREE_TRIES):
        assert accounts.tries.begin("ada", address) == 0, "her failures were forgotten"
    for _ in range(FREE_TRIES_OF_ADDRESS - 1):
        accounts.tries.fail(address)
    assert log_in(app, name="nobody", password="guess", address=address).status_code == 401
    assert log_in(app, name="grace", password="compilers!", address=address).status_code == 429


def test_an_office_behind_one_address_logs_in_at_the_same_moment(media: Media) -> None:
    people = {f"p{number}": dataclasses.replace(PEOPLE["ada"], name=f"p{number}") for number in range(100)}
    accounts = Accounts(find=people.get, secret=b"s" * 32)
    app = make_app(
        Config(store_url=media.store.url), Ledgers(no_ledger), media, authenticate=accounts.authenticate,
        accounts=accounts,
    )  # fmt: skip

    async def all_at_once() -> set[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://slac.test") as http:
            answers = await asyncio.gather(*(http.post("/login", data=FORM | {"name": name}) for name in people))
        return {answer.status_code for answer in answers}

    assert asyncio.run(all_at_once()) == {303}


def test_a_flood_of_logins_leaves_the_pages_alone(
    app: FastAPI, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Turn, "WAITING_MOST", 60)
    held = threading.Event()

    def check_when_let_go(password: str, sealed: str | None) -> bool:
        return held.wait(60) and matches(password, sealed)

    monkeypatch.setattr(passwords, "matches", check_when_let_go)

    async def flood() -> list[int]:
        done: list[int] = []

        async def try_login(number: int) -> None:
            transport = httpx.ASGITransport(app, client=(f"10.0.0.{number}", 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://slac.test") as http:
                answer = await http.post("/login", data=FORM | {"password": "wrong"})
                assert ("retry-after" in answer.headers) == (answer.status_code == 503)
                done.append(answer.status_code)

        tries = [asyncio.create_task(try_login(number)) for number in range(120)]
        try:
            async with asyncio.timeout(30):
                while len(done) < 60:
                    await asyncio.sleep(0.01)
                cookies = {COOKIE: accounts.session(PEOPLE["ada"])}
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url="http://slac.test", cookies=cookies) as http:
                    assert (await http.get("/review")).status_code == 200, "while every check is held"
        finally:
            held.set()
        await asyncio.gather(*tries)
        return done

    assert sorted(asyncio.run(flood())) == [401] * 60 + [503] * 60
