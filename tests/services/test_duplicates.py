"""The page of look-alikes over a real ledger: leads tell pairs apart, and nobody else does."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from logged_in import Service, service
from strangers import Answer, ask

from slac_tasks.admission.told_apart import told_apart
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.web import door
from slac_tasks.web.accounts import Account
from slac_tasks.web.passwords import seal

SEALED = seal("analytical")
PEOPLE = {name: Account(name=name, password=SEALED, role=role) for name, role in (("ada", "lead"), ("bob", "reviewer"))}
DROPPED, ADMITTED = "b" * 16, "a" * 16
PAIR = {"video_id": DROPPED, "other_id": ADMITTED}
DIFFER = {**PAIR, "say": "differ", "reason": "two people"}


@dataclass(frozen=True, kw_only=True)
class Place:
    served: Service
    ledger: Ledger

    def ask(self, method: str, who: str | None, body: bytes = b"", *headers: tuple[bytes, bytes]) -> Answer:
        mine = [(b"content-length", str(len(body)).encode()), *headers]
        if who:
            mine.append(self.served.cookie(PEOPLE[who]))
        return ask(self.served.app, method, b"/duplicates", headers=mine, body=[body])

    def post(self, who: str | None, form: dict[str, str], *headers: tuple[bytes, bytes]) -> Answer:
        return self.ask("POST", who, urlencode(form).encode(), *headers)

    @property
    def told(self) -> list[tuple[str, str, str, str]]:
        return [(pair.video_id, pair.other_id, pair.person, pair.reason) for pair in told_apart(self.ledger)]


@pytest.fixture
def place(ledger: Ledger, ledger_url: str, store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(door, "REFUSAL_SEC", 0.0)
    ledger.run("register_category", category="judo", name="Judo", guideline=None)
    ledger.run_many("ensure_annotator", [{"annotator": name} for name in PEOPLE])
    ledger.run(
        "add_duplicate", category="judo", window="2026-01-05", candidate_id="c", evidence="12 of 13 half seconds agree",
        source="folder", source_id="<b>.mp4", proxy_256="media/b/b-256.mp4", **PAIR,
    )  # fmt: skip
    with service(ledger_url, store, *PEOPLE.values()) as served:
        yield Place(served=served, ledger=ledger)


def test_of_a_lead_who_was_forgotten_meanwhile_no_word_is_written(place: Place) -> None:
    with place.ledger._connection.cursor() as cursor:
        cursor.execute("DELETE FROM annotators WHERE annotator = 'ada'")
    assert place.post("ada", DIFFER, (b"origin", b"http://slac.test")).status == 401
    assert place.told == []


def test_a_lead_sees_a_pair_tells_it_apart_and_takes_it_back(place: Place) -> None:
    page = place.ask("GET", "ada").body.decode()
    assert "objects/media/b/b-256.mp4?ends=" in page
    assert "&lt;b&gt;.mp4" in page
    assert "12 of 13 half seconds agree" in page
    answer = place.post("ada", DIFFER, (b"origin", b"http://slac.test"))
    assert (answer.status, answer.headers["location"]) == (303, "duplicates")
    assert place.told == [(ADMITTED, DROPPED, "ada", "two people")]
    assert "told apart" in place.ask("GET", "ada").body.decode()
    assert place.post("ada", {**PAIR, "say": "same"}).status == 303
    assert place.told == []
    assert place.post("ada", {**PAIR, "say": "same"}).status == 404


def test_nobody_but_a_lead_on_our_own_page_tells_apart(place: Place) -> None:
    assert place.post(None, DIFFER).status == 401
    assert place.post("bob", DIFFER).status == 403
    assert place.ask("GET", "bob").status == 403
    for origin in (b"null", b"http://elsewhere.test", b""):
        assert place.post("ada", DIFFER, (b"origin", origin)).status == 403
    assert place.told == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"other_id": "f" * 16}, 404),
        ({"video_id": ""}, 400),
        ({"video_id": "a" * 65}, 400),
        ({"other_id": "\x00"}, 400),
        ({"say": "perhaps"}, 400),
        ({"say": ""}, 400),
        ({"reason": "  "}, 400),
        ({"reason": "x" * 501}, 400),
        ({"reason": "x\x00y"}, 400),
        ({"reason": "x" * 9000}, 413),
    ],
)
def test_what_is_no_word_on_a_pair_is_refused(place: Place, changes: dict[str, str], status: int) -> None:
    answer = place.post("ada", {**DIFFER, **changes})
    assert (answer.status, answer.is_page) == (status, True)
    assert place.told == []
