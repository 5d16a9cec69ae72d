"""Clips are handed out in sets, answered in sets, and what a vote says of its set goes wherever votes go."""

import asyncio
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pyarrow as pa
import pytest
from review_work import cast, prepare

from slac_tasks.config import Config
from slac_tasks.model import Answer
from slac_tasks.stages import publish, sync
from slac_tasks.storage.datasets import VOTES
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.ballots import ALONE, read_ballots
from slac_tasks.verification.sets import SET_LEAST, SET_MOST
from slac_tasks.verification.settings import Review
from slac_tasks.verification.votes import CLIPS, votes_on
from slac_tasks.web.app import make_app
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media
from slac_tasks.world.people import answer_open

CATEGORY = "high_jump"


def fill(ledger: Ledger, *sizes: int, alone: int = 0, wanted: int = 2) -> dict[str, list[str]]:
    """Queue clusters of these sizes, and clips that are asked alone; return the clips of each."""
    groups: dict[str, list[str]] = {}
    names: list[tuple[str, str | None]] = []
    for number, size in enumerate(sizes):
        names += [(f"{number:02d}{clip:014x}:0", f"{number}") for clip in range(size)]
    names += [(f"ff{clip:014x}:0", None) for clip in range(alone)]
    ledger.run("register_category", category=CATEGORY, name="High jump", guideline=None)
    with ledger._connection.cursor() as cursor:
        for name, alike in names:
            video = name[:16]
            cursor.execute("INSERT INTO videos VALUES (%s, %s, %s, 'training', '{}')", (video, video * 4, video))
            cursor.execute(
                "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
                " votes_wanted, votes_first, alike) VALUES"
                " (%s, %s, %s, 'r', 'coverage', 0, 2, 'training', 'p', %s, %s, %s)",
                (name, CATEGORY, video, wanted, wanted, alike),
            )
            groups.setdefault(alike or "", []).append(name)
    return groups


def hand_out(ledger: Ledger, person: str, *, gold: int = 0, place: str = "") -> tuple[str, list[str]]:
    """Return (the set's id, its clips) as the service hands one out; empty: there is none."""
    ledger.run("ensure_annotator", annotator=person)
    rows = ledger.rows(
        "lease_set", annotator=person, category=CATEGORY, lease_sec=60.0, set_id=str(uuid.uuid4()), set_most=SET_MOST,
        set_least=SET_LEAST, gold_most=gold, place=place,
    )  # fmt: skip
    return (rows[0]["set_id"] if rows else ""), [row["clip_id"] for row in rows]


def answer(ledger: Ledger, person: str, set_id: str, said: dict[str, str]) -> None:
    """Send a set as the service stores it."""
    for clip, value in said.items():
        assert cast(ledger, person, clip, value, set_id=set_id)
    ledger.run("split_sets", annotator=person, set_ids=[set_id], set_least=SET_LEAST)


def known(ledger: Ledger, clip: str, value: str = "yes") -> None:
    ledger.run("add_known_answer", clip_id=clip, category=CATEGORY, answer=value, purpose="gold", person="mara")


def alike(ledger: Ledger) -> dict[str, str | None]:
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT clip_id, alike FROM queue")
        return dict(cursor.fetchall())


def test_a_set_is_one_cluster_and_what_somebody_has_begun_comes_first(ledger: Ledger) -> None:
    groups = fill(ledger, 12, 12, 3, alone=4)
    _, first = hand_out(ledger, "ann", place="1")
    assert sorted(first) == groups["1"], "from the place that is drawn on"
    _, met = hand_out(ledger, "bob", place="0")
    assert sorted(met) == groups["1"]
    _, second = hand_out(ledger, "ann", place="1")
    assert sorted(second) == groups["0"], "and round to the first one"
    assert hand_out(ledger, "ann") == ("", []), "three clips are too few, and the control is asked alone"


def test_clips_that_the_person_holds_or_has_answered_are_in_no_set_of_theirs(ledger: Ledger) -> None:
    groups = fill(ledger, 8)
    ledger.run("ensure_annotator", annotator="ann")
    asked = {"annotator": "ann", "category": CATEGORY, "lease_sec": 60.0}
    alone = ledger.rows("lease_clips", **asked, clips_most=3, gold_most=0, place=0.0)
    assert {row["set_id"] for row in alone} == {None}
    cast(ledger, "ann", alone[0]["clip_id"], "yes")
    _, found = hand_out(ledger, "ann")
    assert sorted(found) == sorted(set(groups["0"]) - {row["clip_id"] for row in alone})


def test_gold_takes_the_place_of_one_clip_and_looks_like_the_others(ledger: Ledger) -> None:
    fill(ledger, 12, 12, alone=5)
    golden = {name for name, group in alike(ledger).items() if group is None}
    for name in golden:
        known(ledger, name)
    places = []
    for _ in range(2):
        _, found = hand_out(ledger, "ann", gold=1)
        assert len(found) == 12, "no more clips than without gold"
        assert len(golden & set(found)) == 1
        places += [found.index(name) for name in golden & set(found)]
    held = ledger.rows("held_clips", annotator="ann", category=CATEGORY, lease_sec=60.0)
    assert len({row["set_id"] for row in held}) == 2
    assert hand_out(ledger, "bob", gold=0)[1]
    assert all(len(row) == 6 for row in held)


def test_a_set_of_withdrawn_videos_hides_no_other(ledger: Ledger) -> None:
    groups = fill(ledger, 12, 12)
    for clip in groups["0"]:
        ledger.run("add_tombstone", video_id=clip[:16], reason="takedown")
    _, found = hand_out(ledger, "ann", place="0")
    assert sorted(found) == groups["1"]
    assert sorted(hand_out(ledger, "bob", place="0")[1]) == groups["1"]
    assert hand_out(ledger, "ann", place="0") == ("", [])


def test_gold_alone_is_no_set(ledger: Ledger) -> None:
    fill(ledger, alone=6)
    for name in alike(ledger):
        known(ledger, name)
    assert hand_out(ledger, "ann", gold=1) == ("", [])


def test_a_set_that_was_not_answered_in_time_comes_back_whole_with_its_gold(ledger: Ledger) -> None:
    fill(ledger, 12, alone=2)
    for name in [name for name, group in alike(ledger).items() if group is None]:
        known(ledger, name)
    set_id, found = hand_out(ledger, "ann", gold=1)
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE leases SET expires_at = now() - interval '1 s'")
    ledger.run("expire_leases")
    asked = {"annotator": "ann", "category": CATEGORY, "lease_sec": 60.0}
    back = ledger.rows("lease_again", **asked, clips_most=SET_MOST, in_sets=True)
    assert sorted(row["clip_id"] for row in back) == sorted(found)
    assert {row["set_id"] for row in back} == {set_id}


def test_a_set_of_one_answer_stays_and_a_mixed_one_is_split(ledger: Ledger) -> None:
    groups = fill(ledger, 12, 12)
    for number, exceptions in (("0", 0), ("1", 3)):
        set_id, found = hand_out(ledger, "ann", place=number)
        answer(ledger, "ann", set_id, {clip: "yes" if i < exceptions else "no" for i, clip in enumerate(sorted(found))})
    now = alike(ledger)
    assert [now[clip] for clip in groups["0"]] == ["0"] * 12
    assert [now[clip] for clip in groups["1"]] == [None] * 3 + ["1/no"] * 9
    _, smaller = hand_out(ledger, "bob", place="1/")
    assert sorted(smaller) in (groups["0"], groups["1"][3:])


def test_gold_that_is_marked_splits_no_set(ledger: Ledger) -> None:
    groups = fill(ledger, 12, alone=1)
    (gold,) = groups[""]
    known(ledger, gold)
    set_id, found = hand_out(ledger, "ann", gold=1)
    answer(ledger, "ann", set_id, {clip: "yes" if clip == gold else "no" for clip in found})
    assert {alike(ledger)[clip] for clip in groups["0"]} == {"0"}


def test_a_mixed_set_of_clips_that_want_one_answer_wants_another(ledger: Ledger) -> None:
    fill(ledger, 12, wanted=1)
    set_id, found = hand_out(ledger, "ann")
    for _ in range(2):  # sent again, nothing more is asked
        said = {clip: "yes" if index < 6 else "no" for index, clip in enumerate(found)}
        for clip, value in said.items():
            cast(ledger, "ann", clip, value, set_id=set_id)
        ledger.run("split_sets", annotator="ann", set_ids=[set_id], set_least=SET_LEAST)
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT votes_wanted, votes_first, state, again FROM queue")
        assert cursor.fetchall() == [(2, 1, "open", True)]
    assert len(hand_out(ledger, "bob")[1]) == 6


def test_the_set_of_a_vote_reaches_the_store_and_the_ballots(ledger: Ledger, make_job: Any) -> None:
    groups = fill(ledger, 4, alone=1)
    set_id, found = hand_out(ledger, "ann")
    answer(ledger, "ann", set_id, dict.fromkeys(found, "yes"))
    ledger.run("ensure_annotator", annotator="ann")
    cast(ledger, "ann", groups[""][0], "no")
    job = make_job("sync")
    sync.run(job)
    stored = {row.clip_id: row.set_id for row in job.datasets.rows(VOTES, batch="000001")}
    assert stored == {**dict.fromkeys(groups["0"], set_id), groups[""][0]: None}
    names = [{"clip_id": clip, "category": CATEGORY} for clip in stored]
    ballots = read_ballots(votes_on(ledger, pa.Table.from_pylist(names, schema=CLIPS), until=1))
    assert sorted(ballots.set.tolist()) == [ALONE, 0, 0, 0, 0]
    assert len(ballots.asked_alone().clip) == 1
    assert len(ballots.asked_in_sets().clip) == 4


def test_a_round_is_published_in_sets(ledger: Ledger, make_job: Any) -> None:
    prepare(ledger, make_job("publish").datasets)
    publish.run(make_job("publish", categories=(CATEGORY,), round="2026-01-05.p0001"))
    assert set(alike(ledger).values()) == {None}, "nothing is known of shots or features of these clips"


def test_simulated_people_answer_together_what_may_be_and_split_what_is_mixed(ledger: Ledger) -> None:
    groups = fill(ledger, 12, 12, 3, alone=2)
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO admissions SELECT video_id, %s, '2026-01-05', video_id, 's', video_id FROM videos", (CATEGORY,)
        )
    mixed = set(groups["1"][:6])
    found = answer_open(ledger, lambda clip: clip.clip_id in mixed, 0, in_sets=True)
    assert found.votes == 2 * 29
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT q.alike IS NULL OR q.alike = '2', bool_or(v.set_id IS NULL), bool_and(v.set_id IS NULL)"
                       " FROM votes v JOIN queue q USING (clip_id, category) WHERE NOT v.clip_id = ANY (%s) GROUP BY 1",
                       (groups["0"] + groups["1"],))  # fmt: skip
        assert cursor.fetchall() == [(True, True, True)]
    assert {alike(ledger)[clip] for clip in groups["1"]} != {"1"}
    assert found.seconds < 3.55 * found.votes


@pytest.mark.parametrize("value", list(Answer))
def test_any_answer_may_be_given_in_a_set(ledger: Ledger, value: Answer) -> None:
    fill(ledger, 4)
    set_id, found = hand_out(ledger, "ann", place=f"{random.getrandbits(64):016x}")
    answer(ledger, "ann", set_id, dict.fromkeys(found, value.value))
    assert set(alike(ledger).values()) == {"0"}


@pytest.fixture
def call(ledger: Ledger, ledger_url: str, store: FolderStore) -> Iterator[Callable[..., httpx.Response]]:
    """The review service, asked by ann."""
    ledger.run("ensure_annotator", annotator="ann")
    ledgers = Ledgers(lambda: Ledger(ledger_url))
    media = Media(store=store, secret=b"key")

    def one(method: str, path: str, sets: str = "clusters", gold_share: float = 0.0, **values: Any) -> httpx.Response:
        config = Config(store_url=store.url, review=Review(gold_share=gold_share, sets=sets))
        app = make_app(config, ledgers, media, authenticate=lambda: "ann")

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://slac.test") as http:
                return await http.request(method, path, headers={"X-Requested-With": "slac"}, **values)

        return asyncio.run(ask())

    yield one
    ledgers.close()


def votes(clips: list[dict[str, Any]], said: str = "yes", **changes: Any) -> dict[str, Any]:
    return {
        "votes": [
            {"vote_id": str(uuid.uuid4()), "clip_id": clip["clip_id"], "category": CATEGORY, "answer": said,
             "seconds": 1.0, "guideline_version": 1, "set_id": clip["set_id"], **changes}
            for clip in clips
        ]
    }  # fmt: skip


def test_the_service_hands_out_a_set_holds_it_and_takes_it_in_one_call(
    ledger: Ledger, call: Callable[..., httpx.Response]
) -> None:
    groups = fill(ledger, 12, 12, alone=1)
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET state = 'finished' WHERE alike = '1'")  # until the first one is answered
    found = call("GET", f"/api/set?category={CATEGORY}").json()
    assert sorted(clip["clip_id"] for clip in found) == groups["0"]
    assert len({clip["set_id"] for clip in found}) == 1
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE leases SET expires_at = now() - interval '1 second'")
    late = call("GET", f"/api/set?category={CATEGORY}").json()
    assert {clip["set_id"] for clip in late} == {clip["set_id"] for clip in found}, "what was not answered in time"
    again = call("GET", f"/api/set?category={CATEGORY}&held=true").json()
    assert {clip["clip_id"]: clip["set_id"] for clip in again} == {clip["clip_id"]: clip["set_id"] for clip in found}
    some = [clip["clip_id"] for clip in found[:3]]
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE leases SET expires_at = now() - interval '1 second' WHERE clip_id = ANY (%s)", (some,))
    assert len(call("GET", f"/api/clips?category={CATEGORY}&most=10&held=true").json()) == 10, (
        "nine, and one that lapsed"
    )
    assert len(call("GET", f"/api/set?category={CATEGORY}").json()) == 2, "the others that lapsed"
    sent = votes(found)
    for _ in range(2):  # a repeated send is harmless
        assert set(call("POST", "/api/votes", json=sent).json()["stored"].values()) == {True}
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT set_id) FROM votes")
        assert cursor.fetchall() == [(12, 1)]
    correction = votes(found[:1], "no", supersedes=sent["votes"][0]["vote_id"])
    assert call("POST", "/api/votes", json=correction).status_code == 200, "also in the set in which it was seen"
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET state = 'open' WHERE alike = '1'")
    (gold,) = groups[""]
    known(ledger, gold)
    assert gold in {clip["clip_id"] for clip in call("GET", f"/api/set?category={CATEGORY}", gold_share=1.0).json()}


def test_a_vote_in_a_set_that_was_not_handed_out_is_refused(
    ledger: Ledger, call: Callable[..., httpx.Response]
) -> None:
    fill(ledger, 12, alone=2)
    alone = call("GET", f"/api/clips?category={CATEGORY}&most=24").json()
    assert {clip["set_id"] for clip in alone} == {None}
    answer = call("POST", "/api/votes", json=votes(alone[:1], set_id=str(uuid.uuid4())))
    assert answer.status_code == 422
    assert "was not handed to you in set" in answer.json()["detail"]
    assert call("POST", "/api/votes", json=votes(alone[:1])).status_code == 200


def test_without_sets_the_page_knows_and_nothing_is_handed_out_together(
    ledger: Ledger, call: Callable[..., httpx.Response]
) -> None:
    fill(ledger, 12)
    assert [call("GET", "/api/me", sets).json()["has_sets"] for sets in ("never", "shots")] == [False, True]
    assert call("GET", f"/api/set?category={CATEGORY}", "never").json() == []
