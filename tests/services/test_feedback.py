"""What a person is told of gold, while answers of another tab are being stored: each answer is in one batch."""

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from queued_clips import CATEGORY, cast, fill, known, people
from starlette.types import ASGIApp
from strangers import ask
from waiting import until_blocked

from slac_tasks.config import Config
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.settings import Review
from slac_tasks.web.app import make_app
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media


@pytest.fixture
def names(ledger: Ledger) -> list[str]:
    """Eight clips, all of them gold."""
    found = fill(ledger, 8)
    people(ledger, "ann")
    for name in found:
        known(ledger, name, "gold")
    return found


@pytest.fixture
def app(ledger_url: str, store: FolderStore) -> Iterator[ASGIApp]:
    ledgers = Ledgers(lambda: Ledger(ledger_url))
    config = Config(store_url=store.url, review=Review(feedback_after=2))
    yield make_app(config, ledgers, Media(store=store, secret=b"key"), authenticate=lambda: "ann")
    ledgers.close()


def posted(app: ASGIApp, where: str, body: dict[str, Any] | None = None) -> Any:
    headers = [(b"x-requested-with", b"slac")]
    answer = ask(app, "POST", where.encode(), headers=headers, body=[json.dumps(body).encode()] if body else ())
    assert answer.status in (200, 204), answer.body
    return answer.json if answer.body else None


def told(app: ASGIApp) -> int:
    """Return how many answers the next batch has, and show it."""
    batch = posted(app, f"/api/feedback?category={CATEGORY}")
    posted(app, f"/api/feedback/seen?category={CATEGORY}")
    assert batch.get("known", 0) == batch.get("answers", 0), "all of them are gold"
    assert batch.get("differ", []) == [], "an expert said the same"
    return batch.get("answers", 0)


def test_an_answer_that_is_being_stored_when_a_batch_is_closed_is_in_it(
    ledger: Ledger, app: ASGIApp, names: list[str]
) -> None:
    for name in names[:2]:
        assert cast(ledger, "ann", name)
    found: list[int] = []
    closing_one = threading.Thread(target=lambda: found.append(told(app)))
    with ledger.transaction():
        assert cast(ledger, "ann", names[2])
        closing_one.start()
        until_blocked(ledger, closing_one)
    closing_one.join()
    assert found == [3]
    for name in names[3:5]:
        assert cast(ledger, "ann", name)
    assert told(app) == 2


def test_an_answer_of_a_call_that_began_before_a_batch_was_closed_is_in_the_next_one(
    ledger: Ledger, ledger_url: str, app: ASGIApp, names: list[str]
) -> None:
    with closing(Ledger(ledger_url)) as other, other.transaction():
        other.rows("session")
        for name in names[:2]:
            assert cast(ledger, "ann", name)
        assert told(app) == 2
        assert cast(other, "ann", names[2])
    assert cast(ledger, "ann", names[3])
    assert told(app) == 2


def test_no_answer_is_corrected_that_is_told_meanwhile(ledger: Ledger, app: ASGIApp, names: list[str]) -> None:
    first = str(uuid.uuid4())
    assert cast(ledger, "ann", names[0], "no", vote_id=first)
    assert cast(ledger, "ann", names[1])
    vote = {
        "vote_id": str(uuid.uuid4()), "clip_id": names[0], "category": CATEGORY, "answer": "yes", "seconds": 1.0,
        "guideline_version": 1, "supersedes": first,
    }  # fmt: skip
    found: list[Any] = []
    correcting = threading.Thread(target=lambda: found.append(posted(app, "/api/votes", {"votes": [vote]})))
    with ledger.transaction():
        ledger.rows("lock_reviewer", annotator="ann")
        correcting.start()
        until_blocked(ledger, correcting)
        assert ledger.one("add_feedback", annotator="ann", category=CATEGORY, answers_least=2)
    correcting.join()
    assert found == [{"stored": {vote["vote_id"]: False}}]
