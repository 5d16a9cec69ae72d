"""Whoever hands clips or segments out waits for nobody who answers at this moment, and nobody waits for each other."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import segment_work
from queued_clips import CATEGORY, cast, fill, known, lease, people
from segment_work import cast_segment, lease_segments

from slac_tasks import cli
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.objects import FolderStore
from slac_tasks.storage.tables import Datasets


@pytest.fixture
def impatient(ledger_url: str) -> Iterator[Ledger]:
    """Another connection, which fails where it would wait for long."""
    with closing(Ledger(f"{ledger_url}{'&' if '?' in ledger_url else '?'}options=-c%20lock_timeout%3D200")) as other:
        yield other


@pytest.fixture
def segments(
    ledger: Ledger, ledger_url: str, store: FolderStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> list[str]:
    """Six segments that people are asked about."""
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    videos = segment_work.admit(ledger, Datasets(store))
    asked = segment_work.results(tmp_path / "results.json", {video: [(10.0, 20.0, 0.9)] for video in videos})
    assert cli.main(["segments", "ask", str(asked), "--as", "net"]) == 0
    people(ledger, "ann", "bob")
    return sorted(row["segment_id"] for row in lease_segments(ledger, "ann"))


def set_for(ledger: Ledger, person: str, gold: int) -> list[str]:
    rows = ledger.rows(
        "lease_set", annotator=person, category=CATEGORY, lease_sec=60.0, set_most=6, set_least=3, gold_most=gold,
        place="", set_id="00000000-0000-0000-0000-000000000001",
    )  # fmt: skip
    return [row["clip_id"] for row in rows]


@pytest.mark.parametrize("handed", [lambda *asked: lease(*asked, gold=1), lambda *asked: set_for(*asked[:2], gold=1)])
def test_gold_that_somebody_answers_at_this_moment_holds_up_nobody_who_gets_clips(
    ledger: Ledger, impatient: Ledger, handed: Callable[..., list[str]]
) -> None:
    gold, *others = fill(ledger, 7)
    people(ledger, "ann", "bob")
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET alike = 'a' WHERE clip_id = ANY (%s)", (others,))
    known(ledger, gold, "gold")
    assert lease(ledger, "ann", 1, gold=1) == [gold]
    with ledger.transaction():
        assert cast(ledger, "ann", gold)
        assert sorted(handed(impatient, "bob", 6)) == others
        assert cast(ledger, "ann", others[0])


def test_gold_that_somebody_answers_at_this_moment_holds_up_nobody_who_gets_segments(
    ledger: Ledger, impatient: Ledger, segments: list[str]
) -> None:
    gold, *others = segments
    ledger.rows("add_gold_segment", segment_id=gold, start_sec=10.0, end_sec=20.0, person="eve")
    with ledger.transaction():
        assert cast_segment(ledger, "ann", gold, "right")
        assert sorted(row["segment_id"] for row in lease_segments(impatient, "bob", gold=1)) == others


def while_held(ledger: Ledger, ledger_url: str, ask: Callable[[Ledger], Any], answers: list[Callable[[], Any]]) -> Any:
    """Give answers in one transaction, of which the first is there before the other call asks and the others after."""
    found: list[Any] = []
    other = Ledger(ledger_url)
    calling = threading.Thread(target=lambda: found.append(ask(other)))
    with ledger.transaction():
        assert answers[0]()
        calling.start()
        calling.join(0.3)
        for answer in answers[1:]:
            assert answer()
    calling.join()
    other.close()
    return found


def test_a_page_that_is_opened_again_and_the_answers_that_it_kept_do_not_wait_for_each_other(
    ledger: Ledger, ledger_url: str
) -> None:
    names = fill(ledger, 4)
    people(ledger, "ann")
    with ledger._connection.cursor() as cursor:
        for name in reversed(names):
            cursor.execute("INSERT INTO leases VALUES (%s, %s, 'ann', now() + interval '1 min')", (name, CATEGORY))
        cursor.execute("UPDATE queue SET taken = 1")

    def held(other: Ledger) -> list[str]:
        rows = other.rows("held_clips", annotator="ann", category=CATEGORY, lease_sec=60.0)
        return [row["clip_id"] for row in rows]

    answers = [lambda name=name: cast(ledger, "ann", name) for name in names[:3]]
    assert while_held(ledger, ledger_url, held, answers) == [names[3:]]


def test_a_page_of_segments_that_is_opened_again_and_the_answers_that_it_kept_do_not_wait_for_each_other(
    ledger: Ledger, ledger_url: str, segments: list[str]
) -> None:
    with ledger._connection.cursor() as cursor:
        cursor.execute("DELETE FROM segment_leases")
        for name in reversed(segments):
            cursor.execute("INSERT INTO segment_leases VALUES (%s, 'ann', now() + interval '1 min')", (name,))

    def held(other: Ledger) -> list[str]:
        rows = other.rows("held_segments", annotator="ann", category=segment_work.CATEGORY, lease_sec=60.0)
        return [row["segment_id"] for row in rows]

    answers = [lambda name=name: cast_segment(ledger, "ann", name, "absent") for name in segments[:5]]
    assert while_held(ledger, ledger_url, held, answers) == [segments[5:]]
