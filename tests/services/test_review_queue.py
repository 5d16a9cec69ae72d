"""The queue as many people see it: who gets which clip, what is counted, and what nobody may learn."""

import asyncio
import io
import random
import threading
import uuid
from datetime import date
from typing import Any

import httpx
import pyarrow as pa
import pytest
from queued_clips import CATEGORY, cast, fill, known, lease, people, queue, settle

from slac_tasks import cli
from slac_tasks.config import Config
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger, query
from slac_tasks.verification.settings import Review
from slac_tasks.verification.votes import queued
from slac_tasks.web.app import make_app
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media


def miscounted(ledger: Ledger) -> list[Any]:
    """Clips whose `taken` is not the number of their answers and leases."""
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "SELECT q.clip_id, q.taken, v.answers, l.hands FROM queue q"
            " CROSS JOIN LATERAL (SELECT count(*) AS answers FROM votes WHERE clip_id = q.clip_id"
            "   AND supersedes IS NULL) v"
            " CROSS JOIN LATERAL (SELECT count(*) AS hands FROM leases WHERE clip_id = q.clip_id) l"
            " WHERE q.taken <> v.answers + l.hands"
        )
        return cursor.fetchall()


def test_clips_that_somebody_began_come_first(ledger: Ledger) -> None:
    fill(ledger, 500)
    people(ledger, "ann", "bob", "cid")
    first = lease(ledger, "ann")
    assert set(lease(ledger, "bob")) == set(first)
    assert not set(lease(ledger, "cid")) & set(first)
    assert not set(lease(ledger, "ann")) & set(first), "never the same clip again"


def test_everything_is_handed_out_once_to_each_and_no_oftener_than_wanted(ledger: Ledger) -> None:
    names = fill(ledger, 40)
    people(ledger, "ann", "bob", "cid")
    for person in ("ann", "bob"):
        got: list[str] = []
        while batch := lease(ledger, person, 7):
            got += batch
        assert sorted(got) == names
    assert lease(ledger, "cid") == []
    assert miscounted(ledger) == []


@pytest.mark.parametrize("place", [0.0, 0.99, 1.0])
def test_as_many_are_handed_out_as_are_wanted_wherever_the_drawn_place_lies(ledger: Ledger, place: float) -> None:
    fill(ledger, 400)
    people(ledger, "ann", "bob")
    begun = set(lease(ledger, "ann", 10, place=place))
    mine = lease(ledger, "bob", 25, place=place)
    assert (len(begun), len(mine)) == (10, 25)
    assert begun < set(mine)


def test_what_was_not_answered_in_time_comes_back_and_a_late_answer_still_counts(ledger: Ledger) -> None:
    names = fill(ledger, 1, votes_wanted=1)
    people(ledger, "ann", "bob")
    assert lease(ledger, "ann") == names
    assert lease(ledger, "bob") == []
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE leases SET expires_at = now() - interval '1 s'")
    ledger.run("expire_leases")
    assert lease(ledger, "bob") == names
    assert cast(ledger, "ann", names[0])
    assert cast(ledger, "bob", names[0], "no")
    assert miscounted(ledger) == []


def test_what_was_swept_comes_back_once_to_whoever_held_it_and_to_nobody_else(ledger: Ledger) -> None:
    fill(ledger, 9, votes_wanted=1)
    people(ledger, "ann", "bob", "cid")

    def again(person: str, *, in_sets: bool = False) -> list[str]:
        asked = {"annotator": person, "category": CATEGORY, "lease_sec": 60.0, "clips_most": 9, "in_sets": in_sets}
        return [row["clip_id"] for row in ledger.rows("lease_again", **asked)]

    def sweep() -> None:
        with ledger._connection.cursor() as cursor:
            cursor.execute("UPDATE leases SET expires_at = now() - interval '1 s'")
        ledger.run("expire_leases")

    held = {person: set(lease(ledger, person, 3)) for person in ("ann", "bob")}
    assert not held["ann"] & held["bob"]
    sweep()
    assert again("cid") == again("ann", in_sets=True) == []
    for person, clips in held.items():
        assert set(again(person)) == clips
        assert again(person) == []
    assert miscounted(ledger) == []
    sweep()
    ledger.run("close_account", annotator="ann")
    assert again("ann") == []
    assert set(again("bob")) == held["bob"]


def test_a_correction_is_of_ones_own_answer_to_the_clip_until_its_gold_was_told(ledger: Ledger) -> None:
    names = fill(ledger, 3)
    people(ledger, "ann", "bob")
    first, other, last = (str(uuid.uuid4()) for _ in range(3))
    assert cast(ledger, "ann", names[0], vote_id=first)
    assert cast(ledger, "ann", names[1], vote_id=other)
    assert not cast(ledger, "ann", names[1], "no", supersedes=first), "it was about another clip"
    assert not cast(ledger, "ann", names[2], "no", supersedes=first)
    assert not cast(ledger, "bob", names[0], "no", supersedes=first), "it was somebody else's"
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO feedbacks VALUES ('bob', %s, now(), 2)", (CATEGORY,))
    assert cast(ledger, "ann", names[0], "no", supersedes=first, vote_id=last), "bob alone was told"
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO feedbacks VALUES ('ann', %s, now(), 2)", (CATEGORY,))
    assert not cast(ledger, "ann", names[0], "yes", supersedes=last)
    assert not cast(ledger, "ann", names[1], "no", supersedes=other)


def test_a_persons_answers_of_one_day_are_asked_again_and_no_others(ledger: Ledger) -> None:
    names = fill(ledger, 7, votes_wanted=1)
    people(ledger, "ann", "bob")
    moments = ("05 00:00", "05 23:59:59.999999", "04 23:59:59.999999", "06 00:00", "05 12:00", "05 12:00")
    for name, moment, person in zip(names, moments, ["ann"] * 5 + ["bob"], strict=False):
        assert cast(ledger, person, name)
        settle(ledger, name, 1, "finished")
        with ledger._connection.cursor() as cursor:
            cursor.execute("UPDATE votes SET cast_at = %s WHERE clip_id = %s", (f"2026-01-{moment}+00:00", name))
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET state = 'withdrawn' WHERE clip_id = %s", (names[4],))
    asked = {"annotator": "ann", "category": CATEGORY, "day": date(2026, 1, 5)}
    assert (ledger.run("ask_person_again", **asked), ledger.run("ask_person_again", **asked)) == (2, 0)
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT clip_id FROM queue WHERE again ORDER BY clip_id")
        assert [row[0] for row in cursor.fetchall()] == names[:2]
    assert sorted(lease(ledger, "bob", 9)) == [*names[:2], names[6]]


def test_of_a_retired_category_nothing_is_handed_out_and_what_is_in_hands_is_still_taken(ledger: Ledger) -> None:
    fill(ledger, 40, votes_wanted=3)
    people(ledger, "ann", "bob")
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET alike = 'a'")
    lapsed, held = lease(ledger, "ann", 2), lease(ledger, "ann", 3)
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE leases SET expires_at = now() - interval '1 s' WHERE clip_id = ANY (%s)", (lapsed,))
    ledger.run("expire_leases")
    ledger.run("retire_category", category=CATEGORY)

    asked = {"category": CATEGORY, "lease_sec": 60.0}
    drawn = {"set_id": str(uuid.uuid4()), "set_most": 12, "set_least": 2, "gold_most": 0, "place": "0"}

    def handed(person: str) -> list[int]:
        """Count what each way of handing out gives."""
        own = {"annotator": person, **asked}
        return [
            len(ledger.rows("lease_again", **own, clips_most=9, in_sets=False)),
            len(lease(ledger, person)),
            len(ledger.rows("lease_set", **own, **drawn)),
            len(ledger.rows("clips_to_ask", category=CATEGORY)),
        ]

    def remaining(person: str) -> int:
        found = ledger.one("web_category", annotator=person, category=CATEGORY, count_most=1000)
        assert found is not None
        return int(found["remaining"])

    assert [handed(person) for person in ("ann", "bob")] == [[0] * 4] * 2
    assert (remaining("ann"), remaining("bob")) == (5, 0)
    assert {row["clip_id"] for row in ledger.rows("held_clips", annotator="ann", **asked)} == set(held)
    assert all(cast(ledger, "ann", clip) for clip in [*held, *lapsed])
    assert miscounted(ledger) == []
    ledger.run("unretire_category", category=CATEGORY)
    assert handed("bob") == [0, 6, 12, 40]


def test_one_group_of_people_reviews_a_category(ledger: Ledger) -> None:
    names = fill(ledger, 4)
    fill(ledger, 2, category="tai_chi")
    account = {"password": "x", "role": "reviewer"}
    ledger.run("add_account", annotator="ann", groups=["judo_club"], **account)
    ledger.run("add_account", annotator="bob", groups=[], **account)
    assert ledger.run("assign_category", category=CATEGORY, reviewers="judo_club") == 1
    assert [row["category"] for row in ledger.rows("web_categories", annotator="bob")] == ["tai_chi"]
    assert [row["category"] for row in ledger.rows("web_categories", annotator="ann")] == [CATEGORY, "tai_chi"]
    asked = {"category": CATEGORY, "count_most": 1000}
    assert ledger.one("web_category", annotator="bob", **asked) is None
    assert ledger.one("web_category", annotator="ann", **asked)["remaining"] == 4  # type: ignore[index]
    assert lease(ledger, "bob") == []
    assert not cast(ledger, "bob", names[0])
    assert len(lease(ledger, "ann")) == 4
    ledger.run("close_account", annotator="ann")
    assert ledger.one("web_account", annotator="ann") is None
    assert ledger.rows("held_clips", annotator="ann", category=CATEGORY, lease_sec=60.0) == []
    assert not cast(ledger, "ann", names[0])


@pytest.mark.parametrize("name", ["lease_clips", "web_categories", "web_category"])
def test_what_was_answered_is_looked_up_by_its_key(ledger: Ledger, name: str) -> None:
    asked = {
        "annotator": "ann", "category": CATEGORY, "clips_most": 6, "gold_most": 1, "place": 0.5, "lease_sec": 60.0,
        "count_most": 1000,
    }  # fmt: skip
    with ledger._connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        cursor.execute("EXPLAIN " + query(name), asked)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "queue_available" in plan
    assert "votes_once" in plan
    assert "clip_id = q" in plan


@pytest.mark.parametrize("seed", range(3))
def test_counts_stay_right_while_many_hand_out_answer_expire_and_reopen(
    ledger: Ledger, ledger_url: str, seed: int
) -> None:
    names = fill(ledger, 60)
    crew = [f"p{number}" for number in range(8)]
    people(ledger, *crew)
    failures: list[BaseException] = []
    handed: dict[str, list[str]] = {person: [] for person in crew}

    def work(person: str) -> None:
        chance = random.Random(f"{seed} {person}")
        try:
            own = Ledger(ledger_url)
            for _ in range(25):
                got = lease(own, person, 4)
                handed[person] += got
                for clip in got:
                    if chance.random() < 0.7:
                        assert cast(own, person, clip, chance.choice(["yes", "no"]))
                if chance.random() < 0.3:
                    clip = chance.choice(names)
                    settle(own, clip, 3, "open")
                own.run("expire_leases")
            own.close()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(person,)) for person in crew]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert miscounted(ledger) == []
    assert all(len(got) == len(set(got)) for got in handed.values())
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM queue WHERE taken > votes_wanted")
        assert cursor.fetchone() == (0,)


def test_another_group_gets_no_clip_no_vote_and_no_name(ledger: Ledger, ledger_url: str, store: FolderStore) -> None:
    names = fill(ledger, 6)
    for name in names[:2]:
        known(ledger, name, "gold")
    account = {"password": "x", "role": "reviewer"}
    ledger.run("add_account", annotator="ann", groups=["judo_club"], **account)
    ledger.run("add_account", annotator="bob", groups=["choir"], **account)
    ledger.run("assign_category", category=CATEGORY, reviewers="judo_club")
    who = ["bob"]
    ledgers = Ledgers(lambda: Ledger(ledger_url))
    media = Media(store=store, secret=b"key")
    config = Config(store_url=store.url, review=Review(gold_share=1.0))
    app = make_app(config, ledgers, media, authenticate=lambda: who[0])

    def call(method: str, path: str, **values: Any) -> httpx.Response:
        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://slac.test") as http:
                return await http.request(method, path, headers={"X-Requested-With": "slac"}, **values)

        return asyncio.run(one())

    vote = {
        "vote_id": str(uuid.uuid4()), "clip_id": names[0], "category": CATEGORY, "answer": "yes", "seconds": 2.0,
        "guideline_version": 1, "supersedes": None,
    }  # fmt: skip
    assert call("GET", "/api/me").json()["categories"] == []
    assert call("GET", f"/api/category?category={CATEGORY}").status_code == 404
    assert call("GET", f"/api/clips?category={CATEGORY}&held=true").json() == []
    assert call("GET", f"/api/media?category={CATEGORY}&clip_id={names[0]}").status_code == 404
    assert call("POST", "/api/votes", json={"votes": [vote]}).json() == {"stored": {vote["vote_id"]: False}}
    who[0] = "ann"
    clips = call("GET", f"/api/clips?category={CATEGORY}&most=6").json()
    assert sorted(clip["clip_id"] for clip in clips) == names
    assert {frozenset(clip) for clip in clips} == {
        frozenset({"clip_id", "category", "start_sec", "end_sec", "media", "set_id"})
    }
    again = call("GET", f"/api/clips?category={CATEGORY}&most=6&held=true").json()
    assert sorted(clip["clip_id"] for clip in again) == names
    for _ in range(2):  # a repeated send is harmless
        assert call("POST", "/api/votes", json={"votes": [vote]}).json() == {"stored": {vote["vote_id"]: True}}
    other = {"votes": [{**vote, "category": "discus throw"}]}  # the same id is no repeat of another answer
    assert call("POST", "/api/votes", json=other).json() == {"stored": {vote["vote_id"]: False}}
    assert ledger.one("outbox_size") == {"votes": 1}
    ledgers.close()


def test_the_commands_make_accounts_and_known_answers(
    ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = fill(ledger, 2)
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)

    def slac(*words: str, typed: str = "") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return cli.main(list(words))

    assert slac("annotator", "add", "ada", "--group", "judo_club", typed="short\n") == 64
    assert slac("annotator", "add", "ada", "--group", "judo_club", typed="long enough\n") == 0
    assert slac("annotator", "assign", "judo_club", "--category", CATEGORY) == 0
    assert slac("annotator", "assign", "judo_club", "--category", "nothing") == 64
    assert slac("annotator", "list") == 0
    assert "judo_club" in capsys.readouterr().out.splitlines()[-1]
    assert slac("annotator", "close", "ada") == 0
    assert slac("annotator", "close", "eve") == 64
    clip = ("--category", CATEGORY, "--clip", names[0])
    assert slac("known", "add", *clip, "--answer", "no", "--as", "gold", "--person", "mara") == 0
    assert slac("known", "list") == 0
    assert slac("known", "drop", *clip) == 0
    assert slac("known", "drop", *clip) == 64


def test_a_clip_keeps_the_audit_share_of_its_round_and_one_that_comes_back_gets_that_of_the_new_one(
    ledger: Ledger,
) -> None:
    fill(ledger, 1)
    answered, left, new = (f"{CATEGORY}:{start}" for start in (2000, 4000, 6000))
    people(ledger, "ann")
    queue(ledger, "2026-01-05.p1", answered, left, audit_share=0.4)
    cast(ledger, "ann", answered, "yes")
    queue(ledger, "2026-01-05.p2", answered, new, audit_share=0.0)
    queue(ledger, "2026-01-05.p3", left, audit_share=0.1)
    clips = pa.table({"clip_id": [answered, left, new], "category": [CATEGORY] * 3})
    found = queued(ledger, clips, until=0)
    shares = dict(zip(found["clip_id"].to_pylist(), found["audit_share"].to_pylist(), strict=True))
    assert shares == {answered: 0.4, left: 0.1, new: 0.0}
