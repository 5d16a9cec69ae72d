"""The page of clips: what it shows of a person, of a round and of withdrawn videos, a part at a time."""

import threading
from collections.abc import Mapping
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa
import pytest
from conftest import MakeJob
from logged_in import LEAD, service
from review_work import ROUND, publish_and_answer
from strangers import ask

from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.label_studio import PREFIX
from slac_tasks.verification.outcome import list_labels
from slac_tasks.verification.people import MOST_LETTERS
from slac_tasks.web import clip_list

CLIPS, LOOKED_AT, TILES = 23, 8, 3


@pytest.fixture
def clips(make_job: MakeJob, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Clips of one round that ann answered at three moments; a page looks at few of them."""
    clips = publish_and_answer(make_job, ledger, {"ann": "yes"}, category="judo", clips=CLIPS)
    with ledger._connection.cursor() as cursor:
        # Many at once, as an import gives them.
        cursor.execute(
            "UPDATE votes SET cast_at = '2026-01-05T10:00:00.123457Z'::timestamptz"
            " + hashtext(clip_id) % 3 * interval '1.5 hours'"
        )
    monkeypatch.setattr(clip_list, "LOOKED_AT", LOOKED_AT)
    monkeypatch.setattr(clip_list, "TILES", TILES)
    return clips


def page(ledger: Ledger, address: object) -> Mapping[str, Any]:
    return clip_list.page(ledger, dict(parse_qsl(urlsplit(str(address)).query)))


def shown(ledger: Ledger, address: object) -> list[list[str]]:
    """Return the tiles of all pages from one on; a list for each part that is looked at."""
    found = []
    following: object = address
    while following:
        of_part, here = [], following
        while here:
            values = page(ledger, here)
            of_part += [tile["clip_id"] for tile in values["tiles"]]
            here, following = values["next"], values["others"]
        found.append(of_part)
    return found


@pytest.mark.parametrize("narrow", ["person=ann", f"round={ROUND}", f"person=ann&round={ROUND}"])
@pytest.mark.parametrize("order", ["newest", "disputed", "unsure"])
def test_every_clip_is_on_one_page(ledger: Ledger, clips: list[str], narrow: str, order: str) -> None:
    parts = shown(ledger, f"?category=judo&order={order}&{narrow}")
    assert [len(part) for part in parts] == [8, 8, 7]
    assert sorted(chain(*parts)) == sorted(clips)


def test_the_newest_answers_come_first(ledger: Ledger, clips: list[str]) -> None:
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT clip_id FROM votes ORDER BY cast_at DESC, clip_id DESC")
        answered = [clip for (clip,) in cursor.fetchall()]
    parts = shown(ledger, "?category=judo&person=ann")
    assert [set(part) for part in parts] == [set(answered[at : at + LOOKED_AT]) for at in range(0, CLIPS, LOOKED_AT)]


def test_where_all_is_looked_at_there_is_nothing_else_and_each_filter_counts_what_the_others_leave(
    ledger: Ledger, clips: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_list, "LOOKED_AT", len(clips))
    assert page(ledger, "?category=judo&person=ann")["others"] is None
    assert page(ledger, f"?category=judo&round={ROUND}")["others"] is None
    assert page(ledger, "?category=judo")["others"] is None
    for some, kind in ((clips[1:], "people"), (clips[:1], "lead")):
        ledger.run(
            "list_clips", clip_ids=some, categories=["judo"] * len(some), verdicts=["yes"] * len(some),
            kinds=[kind] * len(some), disputes=[0.0] * len(some), scores=[0.25] * len(some),
        )  # fmt: skip
    filters = page(ledger, "?category=judo&score=2&verdict=no&person=nobody")["filters"]
    assert {one.value: one.clips for one in filters["verdict"]} == {"answered": CLIPS, "no": 0, "yes": CLIPS}
    assert [(one.value, one.words) for one in filters["score"]] == [("2", "0.2 to 0.3")]
    assert [one.value for one in filters["person"]] == ["ann", "nobody"]
    assert page(ledger, f"?category={'x' * 100}")["tiles"] == []
    assert {tile["clip_id"] for tile in clip_list.disputed(ledger, "judo", CLIPS)} == set(clips[1:]), (
        "a lead settled it"
    )


def test_where_there_are_more_people_than_a_list_holds_a_name_is_typed(
    ledger: Ledger, ledger_url: str, clips: list[str], store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = PREFIX + "b" * MOST_LETTERS
    for one in ("ada", name):
        ledger.run("ensure_annotator", annotator=one)
    with service(ledger_url, store, LEAD) as served:
        cookie = [served.cookie(LEAD)]
        for most, is_typed in ((3, False), (2, True)):
            monkeypatch.setattr(clip_list, "CHOICES_MOST", most)
            for path, field, hint in (("/desk", "annotator", "people"), ("/clips", "person", "person")):
                said = ask(served.app, "GET", path.encode(), headers=cookie).body.decode()
                assert (f'<select name="{field}">' in said) != is_typed
                assert (f'<input name="{field}" list="{hint}"' in said) == is_typed
                assert (name in said) != is_typed
            assert '<select name="round">' in said
        assert ask(served.app, "GET", f"/clips?category=judo&person={name}".encode(), headers=cookie).status == 200
        form = f"category=judo&say=ask+again&annotator={name}&day=2026-01-05&reason=asleep".encode()
        told = ask(
            served.app, "POST", b"/desk", headers=[*cookie, (b"content-length", str(len(form)).encode())], body=[form]
        )
        assert (told.status, "answered no clip of judo" in told.body.decode()) == (409, True)


def test_a_withdrawn_video_is_listed_and_counted_no_more(ledger: Ledger, clips: list[str]) -> None:
    gone = {clips[4], clips[11]}
    assert page(ledger, "?category=judo")["count"] == CLIPS
    ledger.run_many("add_tombstone", [{"video_id": clip[:16], "reason": "takedown"} for clip in gone])
    assert page(ledger, "?category=judo")["count"] == CLIPS - len(gone)
    kinds = ledger.rows("clip_facets", category="judo")
    assert sum(row["clips"] for row in kinds) == CLIPS - len(gone)
    ledger.run(
        "list_clips", clip_ids=clips, categories=["judo"] * CLIPS, verdicts=["yes"] * CLIPS, kinds=["people"] * CLIPS,
        disputes=[0.0] * CLIPS, scores=[0.25] * CLIPS,
    )  # fmt: skip
    assert page(ledger, "?category=judo&verdict=yes")["count"] == CLIPS - len(gone), "a later version of the labels"
    assert set(chain(*shown(ledger, "?category=judo&person=ann"))) == set(clips) - gone


def test_what_is_withdrawn_while_it_is_listed_is_listed_no_more_and_two_who_list_count_once(
    ledger: Ledger, ledger_url: str, clips: list[str]
) -> None:
    other = Ledger(ledger_url)

    def labelled(by: Ledger, answer: int) -> None:
        table = {
            "clip_id": clips, "category": ["judo"] * CLIPS, "status": ["settled"] * CLIPS, "label": [answer] * CLIPS,
            "method": ["two_of_three"] * CLIPS, "yes": [2] * CLIPS, "no": [0] * CLIPS,
        }  # fmt: skip
        list_labels(by, pa.table(table))

    for meanwhile in (
        lambda: labelled(other, -1),
        lambda: other.run("add_tombstone", video_id=clips[4][:16], reason="takedown"),
    ):
        second = threading.Thread(target=meanwhile)
        with ledger.transaction():
            labelled(ledger, 1)
            second.start()
            second.join(0.5)
        second.join()
    other.close()
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT f.facet, f.clips, count(l.facet) FROM clip_facets f LEFT JOIN listed_clips l"
                       " USING (facet) GROUP BY f.facet")  # fmt: skip
        counted = cursor.fetchall()
    assert all(clips == there for _, clips, there in counted), counted
    assert sum(clips for _, clips, _ in counted) == CLIPS - 1
