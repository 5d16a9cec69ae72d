"""What leads decide: the stages read it, and each decision is a row that says who, when, what and why."""

from typing import Any

import pytest

from slac_tasks.config import Config
from slac_tasks.errors import WrongArguments
from slac_tasks.planning.planner import Planner
from slac_tasks.planning.plans import check_labels
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.objects import FolderStore
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification import rulings


@pytest.fixture
def judged(ledger: Ledger) -> Ledger:
    """Two categories, both refused."""
    for category in ("judo", "polo"):
        ledger.run("register_category", category=category, name=category.title(), guideline=None)
        ledger.run(
            "add_verdict", labels="000001", category=category, verdict="refused", reasons=["agreement is 0.3"],
            failed=["agreement"], shortfalls=[0.4],
        )  # fmt: skip
    return ledger


def planner(ledger: Ledger, store: FolderStore, **fields: Any) -> Planner:
    return Planner(settings=Config(store_url=store.url), datasets=Datasets(store), ledger=ledger, **fields)


def ruled(ledger: Ledger) -> list[tuple[Any, ...]]:
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT kind, category, clip_id, answer, annotator, reason, person FROM rulings ORDER BY ruling")
        return cursor.fetchall()


def test_a_retired_category_is_planned_asked_and_released_no_more(judged: Ledger, store: FolderStore) -> None:
    assert rulings.retire(judged, "judo", person="ada", reason="no source has it")
    assert planner(judged, store).categories == ["polo"]
    assert planner(judged, store, only=("judo", "polo")).categories == ["polo"], "named beside others it fails nobody"
    assert [item.category for item in check_labels(planner(judged, store))] == [("polo",)]
    assert [row["category"] for row in judged.rows("web_quality")] == ["polo"]
    rulings.decide(judged, "judo", labels="000001", decision="approve", person="ada", reason="fine")
    assert judged.rows("accepted_categories", labels="000001") == []
    assert rulings.restore(judged, "judo", person="ada", reason="found some")
    assert [row["category"] for row in judged.rows("accepted_categories", labels="000001")] == ["judo"]
    assert [(kind, reason) for kind, _, _, _, _, reason, _ in ruled(judged)] == [
        ("retire", "no source has it"),
        ("approve", "fine"),
        ("restore", "found some"),
    ]


def test_what_is_sent_twice_is_one_ruling(judged: Ledger) -> None:
    assert rulings.retire(judged, "judo", person="ada", reason="empty")
    assert not rulings.retire(judged, "judo", person="ada", reason="empty")
    for _ in range(2):
        rulings.decide(judged, "polo", labels="000001", decision="reject", person="ada", reason="blurred")
    assert [(kind, category) for kind, category, *_ in ruled(judged)] == [("retire", "judo"), ("reject", "polo")]


@pytest.mark.parametrize(("category", "reason"), [("yudo", "typo"), ("judo", " ")])
def test_without_a_category_or_a_reason_nothing_is_ruled(judged: Ledger, category: str, reason: str) -> None:
    with pytest.raises(WrongArguments):
        rulings.retire(judged, category, person="ada", reason=reason)
    assert ruled(judged) == []
    assert [row["retired_at"] for row in judged.rows("categories")] == [None, None]
