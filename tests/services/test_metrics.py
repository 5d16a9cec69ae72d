"""What machines ask of the service, on a real ledger: whether it can work, and the gauges for who has the token."""

import asyncio
import os
import threading
from collections.abc import Mapping

import httpx
import pytest
from fastapi import FastAPI
from platform_records import WEEKS, Platform

from slac_tasks.config import Config
from slac_tasks.errors import Temporary
from slac_tasks.storage.datasets import VIDEOS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger, Row
from slac_tasks.web import watching
from slac_tasks.web.app import make_app
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media

TOKEN = {"Authorization": "Bearer t0ken"}


def get(app: FastAPI, path: str, headers: Mapping[str, str | bytes] | None = None) -> httpx.Response:
    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://slac.test") as http:
            return await http.get(path, headers=headers)

    return asyncio.run(call())


def application(store: FolderStore, ledgers: Ledgers, token: str) -> FastAPI:
    media = Media(store=store, secret=b"key")
    return make_app(
        Config(store_url=store.url), ledgers, media, authenticate=lambda: "ann", metrics_token=token
    )  # fmt: skip


def test_gauges_are_told_to_who_has_the_token(store: FolderStore, ledger: Ledger, ledger_url: str) -> None:
    ledger.run("register_category", category="judo", name="judo", guideline=None)
    ledgers = Ledgers(lambda: Ledger(ledger_url))
    app = application(store, ledgers, "t0ken")
    assert get(app, "/ready").status_code == 200
    told = get(app, "/metrics", TOKEN)
    assert told.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "slac_categories 1" in told.text.splitlines()
    # Asked again at once, the same is told and nothing is read.
    ledger.run("register_category", category="polo", name="polo", guideline=None)
    assert get(app, "/metrics", TOKEN).text == told.text
    for headers in (None, {"Authorization": "Bearer other"}, {"Authorization": "Bearer "}):
        assert get(app, "/metrics", headers).status_code == 401
    assert get(application(store, ledgers, ""), "/metrics", {"Authorization": "Bearer "}).status_code == 401
    # A token of any bytes is that of the header.
    app = application(store, ledgers, os.fsdecode(b"t\xe9ken"))
    for given, status in ((b"t\xe9ken", 200), (b"t\xc3\xa9ken", 401)):
        assert get(app, "/metrics", {"Authorization": b"Bearer " + given}).status_code == status
    ledgers.close()


def test_a_paused_category_is_late_with_the_windows_that_came_later(store: FolderStore, ledger: Ledger) -> None:
    platform = Platform(store=store, ledger=ledger)
    platform.register("judo")

    def age() -> float:
        (row,) = [row for row in ledger.rows("gauges") if row["name"] == "slac_unscored_window_age_seconds"]
        return float(row["value"])

    platform.record(VIDEOS, category="judo", window=WEEKS[0])
    assert age() != 0
    ledger.run("set_category_state", category="judo", state="paused", newest=WEEKS[1])
    assert age() == 0
    platform.record(VIDEOS, category="judo", window=WEEKS[2])
    assert age() != 0


def test_who_asks_often_whether_it_is_ready_costs_the_ledger_one_look_a_second(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Ledger] = []
    asked, let_go = threading.Event(), threading.Event()

    class Slow(Ledger):
        """A ledger that answers when it is let."""

        def __init__(self) -> None:
            looks.append(self)

        def rows(self, name: str, /, **parameters: object) -> list[Row]:
            asked.set()
            assert let_go.wait(20)
            return []

        def close(self) -> None:
            """Nothing is open."""

    app = application(store, Ledgers(Slow), "t0ken")
    first: list[int] = []
    waiting = threading.Thread(target=lambda: first.append(get(app, "/ready").status_code))
    waiting.start()
    assert asked.wait(20)
    # Nobody waits behind the one who looks: the threads are there for people.
    assert {get(app, "/ready").status_code for _ in range(50)} == {503}
    let_go.set()
    waiting.join(20)
    monkeypatch.setattr(watching, "LOOK_SEC", 60.0)
    assert (first, {get(app, "/ready").status_code for _ in range(50)}) == ([200], {200})
    assert len(looks) == 1


def test_a_ledger_that_is_away_is_said(store: FolderStore) -> None:
    def away() -> Ledger:
        raise Temporary("database: no answer")

    app = application(store, Ledgers(away), "t0ken")
    assert (get(app, "/health").status_code, get(app, "/ready").status_code) == (200, 503)
    with pytest.raises(Temporary, match="no answer"), Ledgers(away).borrow():
        pass
