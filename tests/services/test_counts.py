"""What the pages count: right after whatever happened, and never by counting the queue or the votes."""

import re
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from review_work import cast, lease, publish_and_answer

from slac_tasks import web
from slac_tasks.stages import sync
from slac_tasks.storage.ledger import SQL, Ledger, query

COUNTED = ("videos", "windows", "asked", "open", "answered", "finished", "votes", "seconds")
LARGE = {"queue", "votes", "admissions", "leases", "outbox", "batch_votes", "videos", "candidates"}
LARGE |= {"segments", "segment_votes", "segment_leases", "segment_outbox", "segment_batch_votes"}
"""Tables that grow with the work: a page must not read one from end to end."""

RECOUNT = """
SELECT
    c.category,
    (SELECT count(*) FROM admissions a WHERE a.category = c.category
        AND a.video_id NOT IN (SELECT video_id FROM tombstones)) AS videos,
    (SELECT count(DISTINCT a."window") FROM admissions a WHERE a.category = c.category) AS windows,
    (SELECT count(*) FROM queue q WHERE q.category = c.category AND q.state <> 'withdrawn') AS asked,
    (SELECT count(*) FROM queue q WHERE q.category = c.category AND q.state = 'open') AS open,
    (SELECT count(DISTINCT v.clip_id) FROM votes v WHERE v.category = c.category) AS answered,
    (SELECT count(*) FROM queue q WHERE q.category = c.category AND q.state = 'finished') AS finished,
    (SELECT count(*) FROM votes v WHERE v.category = c.category AND v.supersedes IS NULL) AS votes,
    (SELECT coalesce(sum(v.seconds), 0) FROM votes v WHERE v.category = c.category) AS seconds
FROM categories c
"""


def recounted(ledger: Ledger) -> dict[str, list[float]]:
    with ledger._connection.cursor() as cursor:
        cursor.execute(RECOUNT)
        return {row[0]: [float(value) for value in row[1:]] for row in cursor.fetchall()}


def shown(ledger: Ledger) -> dict[str, list[float]]:
    return {row["category"]: [float(row[name]) for name in COUNTED] for row in ledger.rows("web_funnel")}


CATEGORIES, VIDEOS, PEOPLE = ("judo", "polo"), [f"v{number}" for number in range(4)], ("ann", "bob", "cid")
category, video = st.sampled_from(CATEGORIES), st.sampled_from(VIDEOS)
acts = st.one_of(
    st.tuples(st.just("admit"), category, st.lists(video, min_size=1, max_size=3, unique=True), st.integers(0, 2)),
    st.tuples(st.just("queue"), category, st.lists(video, min_size=1, max_size=3), st.integers(1, 2)),
    st.tuples(st.just("vote"), category, video, st.sampled_from(PEOPLE)),
    st.tuples(st.just("correct"), category, video, st.sampled_from(PEOPLE)),
    st.tuples(st.just("settle"), category, video, st.sampled_from(("open", "finished"))),
    st.tuples(st.just("withdraw"), video),
    st.tuples(st.just("newer round"), category),
    st.tuples(st.just("fold")),
)


def act(ledger: Ledger, what: str, *with_: Any) -> None:
    if what == "admit":
        whose, videos, week = with_
        ledger.run_many("add_admission", [
            {"video_id": one, "category": whose, "window": f"2026-01-{5 + 7 * week:02d}", "candidate_id": one,
             "source": "test", "source_id": one, "published_at": None} for one in videos
        ])  # fmt: skip
    elif what == "queue":
        whose, videos, number = with_
        ledger.run_many("queue_clip", [
            {"clip_id": f"{one}:0", "category": whose, "video_id": one, "round": f"2026-01-05.p{number}",
             "strategy": "random", "start_sec": 0.0, "end_sec": 2.0, "split": "training", "proxy_256": "p",
             "votes_wanted": 2, "lead": 0, "audit_share": 0.05, "alike": None,
             "queued_at": None} for one in videos
        ])  # fmt: skip
    elif what == "vote":
        whose, one, person = with_
        cast(ledger, person, f"{one}:0", "yes", whose, seconds=1.5)
    elif what == "correct":
        whose, one, person = with_
        with ledger._connection.cursor() as cursor:
            cursor.execute(
                "SELECT vote_id::text FROM votes v WHERE (clip_id, category, annotator) = (%s, %s, %s) AND NOT EXISTS"
                " (SELECT FROM votes n WHERE n.supersedes = v.vote_id)", (f"{one}:0", whose, person),
            )  # fmt: skip
            for (vote,) in cursor.fetchall():
                cast(ledger, person, f"{one}:0", "no", whose, seconds=0.25, supersedes=vote)
    elif what == "settle":
        whose, one, state = with_
        ledger.run("settle_clips", clip_ids=[f"{one}:0"], categories=[whose], votes_wanted=[2], states=[state],
                   were_again=[False], again=[False])  # fmt: skip
    elif what == "withdraw":
        ledger.run("add_tombstone", video_id=with_[0], reason="takedown")
    elif what == "newer round":
        ledger.run("withdraw_unasked", category=with_[0], round="2026-01-05.p2")
    else:
        ledger.run("fold_counts")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(acts, max_size=14))
def test_the_counts_are_those_of_the_rows_whatever_happened(ledger: Ledger, history: list[Any]) -> None:
    with ledger._connection.cursor() as cursor:
        cursor.execute("TRUNCATE categories, videos, tombstones, annotators, category_count_changes CASCADE")
        cursor.executemany("INSERT INTO categories (category, name) VALUES (%s, %s)", [(c, c) for c in CATEGORIES])
        cursor.executemany(
            "INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes)"
            " VALUES (%(v)s, %(v)s, %(v)s, 'training', '{}')", [{"v": name} for name in VIDEOS],
        )  # fmt: skip
        cursor.executemany("INSERT INTO annotators (annotator) VALUES (%s)", [(name,) for name in PEOPLE])
    for what, *with_ in history:
        act(ledger, what, *with_)
        assert shown(ledger) == recounted(ledger), what


def test_many_rows_in_one_statement_are_counted_once_each(ledger: Ledger) -> None:
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO categories (category, name) VALUES ('judo', 'Judo'), ('polo', 'Polo')")
        cursor.execute(
            "INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes)"
            " SELECT n, n, n, 'training', '{}' FROM generate_series(1, 20) n"
        )
        cursor.execute(
            "INSERT INTO admissions SELECT n, c, date '2026-01-05' + 7 * (n %% 3), n, 'test', n"
            " FROM generate_series(1, 20) n, unnest(%s) c", (["judo", "polo"],),
        )  # fmt: skip
        cursor.execute(
            "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
            " votes_wanted, state) SELECT n, 'judo', n, 'r', 'random', 0, 2, 'training', 'p', 2,"
            " (ARRAY['open', 'finished', 'withdrawn'])[1 + n % 3] FROM generate_series(1, 20) n"
        )
        cursor.execute("INSERT INTO annotators (annotator) VALUES ('ann'), ('bob')")
        cursor.execute(
            "INSERT INTO votes (vote_id, clip_id, category, annotator, answer, seconds, guideline_version)"
            " SELECT gen_random_uuid(), n, 'judo', a, 'yes', 2, 1 FROM generate_series(1, 7) n,"
            " unnest(ARRAY['ann', 'bob']) a"
        )
        cursor.execute("INSERT INTO tombstones SELECT n, 'leak' FROM generate_series(1, 5) n")
    assert shown(ledger) == recounted(ledger)
    assert shown(ledger)["judo"] == [15, 3, 13, 6, 7, 7, 14, 28]


def test_a_clip_that_two_people_answer_first_is_answered_once(ledger: Ledger, ledger_url: str, make_job: Any) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=6)
    people = ("ann", "bob", "cid", "dan")
    for person in people:
        ledger.run("ensure_annotator", annotator=person)
    start = threading.Barrier(len(people))

    def answer(person: str) -> None:
        own = Ledger(ledger_url)
        start.wait()
        for clip in clips:
            with own.transaction():
                cast(own, person, clip, "yes")
                threading.Event().wait(0.005)
        own.close()

    threads = [threading.Thread(target=answer, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shown(ledger) == recounted(ledger)
    assert shown(ledger)["high_jump"][COUNTED.index("answered")] == 6


@pytest.mark.parametrize("first", ["admit", "withdraw"])
def test_a_video_that_is_withdrawn_while_it_is_admitted_is_not_counted(
    ledger: Ledger, ledger_url: str, first: str
) -> None:
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO categories (category, name) VALUES ('judo', 'Judo')")
        cursor.execute("INSERT INTO videos VALUES ('v0', 'v0', 'v0', 'training', '{}')")
    acts_ = {"admit": ("admit", "judo", ["v0"], 0), "withdraw": ("withdraw", "v0")}
    other = Ledger(ledger_url)
    second = threading.Thread(target=act, args=(other, *acts_.pop("withdraw" if first == "admit" else "admit")))
    with ledger.transaction():
        act(ledger, *acts_[first])
        second.start()
        second.join(0.5)
    second.join()
    other.close()
    assert shown(ledger) == recounted(ledger)


def test_sync_folds_what_changed(make_job: Any, ledger: Ledger) -> None:
    publish_and_answer(make_job, ledger, {"ann": "yes"})
    before = shown(ledger)
    sync.run(make_job("sync"))
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM category_count_changes")
        assert cursor.fetchone() == (0,)
    assert shown(ledger) == before == recounted(ledger)


def asked_by_pages() -> list[str]:
    """Every query that a module of the pages names."""
    text = "".join(path.read_text() for path in Path(web.__file__).parent.glob("*.py"))
    return [*sorted(path.stem for path in (SQL / "queries").glob("*.sql") if f'"{path.stem}"' in text), "web_account"]


SAMPLES = {
    "text": "judo", "text[]": ["judo"], "uuid": str(uuid.UUID(int=1)), "integer": 12, "double precision": 0.5,
    "timestamptz": "2026-01-05T00:00:00Z", "date": "2026-01-05", "bigint": 100, "boolean": True,
    "uuid[]": [str(uuid.UUID(int=1))], "integer[]": [1],
}  # fmt: skip


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def is_unbounded(node: dict[str, Any]) -> bool:
    """Whether a node of a plan reads a large table without looking rows up in an index."""
    return node.get("Relation Name") in LARGE and "Scan" in node["Node Type"] and not (
        "Index Cond" in node or node["Node Type"] == "Bitmap Heap Scan"
    )  # fmt: skip


def fill(ledger: Ledger) -> None:
    """A ledger of some size: thousands of clips, each answered by one or two of many people, some held by one."""
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO categories (category, name) SELECT c, c FROM unnest(%s) c", (["judo", "polo", "yoga"],)
        )
        cursor.execute(
            "INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes)"
            " SELECT n, n, n, 'training', '{}' FROM generate_series(1, 2000) n"
        )
        cursor.execute(
            "INSERT INTO admissions SELECT video_id, category, '2026-01-05', video_id, 's', video_id"
            " FROM videos, categories"
        )
        cursor.execute(
            "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
            " votes_wanted) SELECT video_id || ':0', category, video_id, 'r', 'random', 0, 2, 'training', 'p', 2"
            " FROM videos, categories"
        )
        cursor.execute("INSERT INTO annotators (annotator) SELECT n FROM generate_series(1, 50) n")
        cursor.execute(
            "INSERT INTO votes (vote_id, clip_id, category, annotator, answer, seconds, guideline_version)"
            " SELECT gen_random_uuid(), clip_id, category, (1 + (hashtext(clip_id || category || n) & 31))::text,"
            " 'yes', 2, 1 FROM queue, generate_series(1, 2) n ON CONFLICT DO NOTHING"
        )
        cursor.execute(
            "INSERT INTO leases SELECT clip_id, category, '50', now() + interval '1 minute' FROM queue LIMIT 200"
        )
        cursor.execute(
            "INSERT INTO segments (segment_id, category, video_id, start_sec, end_sec, score, origin, round, split,"
            " proxy_256, fps, duration_sec, votes_wanted, taken) SELECT md5(clip_id || category), category, video_id,"
            " start_sec, end_sec, 0.5, 'net', 'net.1', split, proxy_256, 25, 60, 2, 0 FROM queue"
        )
        cursor.execute(
            "INSERT INTO segment_votes (vote_id, segment_id, annotator, answer, seconds, guideline_version)"
            " SELECT gen_random_uuid(), segment_id, (1 + (hashtext(segment_id || n) & 31))::text, 'right', 2, 1"
            " FROM segments, generate_series(1, 2) n ON CONFLICT DO NOTHING"
        )
        cursor.execute(
            "INSERT INTO segment_leases SELECT segment_id, '50', now() + interval '1 minute' FROM segments LIMIT 200"
        )
        cursor.execute("ANALYZE")


def test_no_page_reads_a_large_table_from_end_to_end(ledger: Ledger) -> None:
    fill(ledger)
    found = {}
    with ledger._connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        for name in asked_by_pages():
            statement = query(name)
            asked = re.findall(r"%\((\w+)\)s::(double precision|\w+(?:\[\])?)", statement)
            cursor.execute("EXPLAIN (FORMAT JSON) " + statement, {key: SAMPLES[cast] for key, cast in asked})
            ((plan,),) = cursor.fetchall()
            found[name] = [node for node in nodes(plan[0]["Plan"]) if is_unbounded(node)]
    shown = {name: {node["Relation Name"] for node in unbounded} for name, unbounded in found.items() if unbounded}
    # Whoever watches the platform is told how many answers wait: those that no sync has taken yet.
    assert shown.pop("gauges", {"outbox"}) == {"outbox"}
    assert shown == {}


def test_the_pages_name_their_queries() -> None:
    assert {"web_funnel", "web_quality", "lease_clips", "cast_vote", "web_category"} <= set(asked_by_pages())
    assert {path.stem for path in (SQL / "queries").glob("web_*.sql")} <= set(asked_by_pages())


def test_one_view_leaves_withdrawn_videos_out_of_the_queue() -> None:
    # They write or list tombstones, or ask about videos, releases, clips and their map, and not about the queue.
    own = {"web_releases", "add_tombstone", "tombstones", "excluded_media", "queue_clip", "training_videos"}
    own |= {"tombstones_labelled", "unlabelled_tombstones", "queued_on_clips", "duplicates", "tell_apart"}
    own |= {"queue_segment", "web_map"}
    own |= {f"web_clips_{of}" for of in ("newest", "disputed", "unsure", "of_round", "of_person")}
    found = {path.stem for path in (SQL / "queries").glob("*.sql") if "tombstones" in path.read_text()}
    assert found == own


def test_clips_of_a_withdrawn_video_are_in_nobodys_hands(make_job: Any, ledger: Ledger) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=3)
    assert len(lease(ledger, "ann")) == 3
    ledger.run("add_tombstone", video_id=clips[0].split(":")[0], reason="takedown")
    assert [row["clip_id"] for row in lease(ledger, "ann")] == clips[1:]
    assert cast(ledger, "ann", clips[0], "yes") is None
    assert ledger.one("web_clip", annotator="ann", clip_id=clips[0], category="high_jump") is None
    assert [row["clips"] for row in ledger.rows("open_by_category")] == [2]


@pytest.mark.parametrize("seconds", [1.7e308, 1e200])
def test_whatever_seconds_the_ledger_holds_the_pages_count_them_as_a_day(
    make_job: Any, ledger: Ledger, seconds: float
) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=2)
    for clip in clips:
        for person in ("ann", "bob"):
            ledger.run("ensure_annotator", annotator=person)
            cast(ledger, person, clip, "yes", seconds=seconds)
    for _ in range(2):
        (page,) = ledger.rows("web_funnel")
        (totals,) = ledger.rows("queue_totals")
        assert page["seconds"] == totals["seconds"] == ledger.rows("funnel")[0]["seconds"] == 4 * 86_400
        assert ledger.one("answer_pace", category="high_jump") == {"seconds": 60.0}
        ledger.run("fold_counts")
