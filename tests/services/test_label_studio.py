"""Answers from Label Studio's Postgres become votes, each once; an edit supersedes."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from review_work import collected, publish_and_answer, set_aside

from slac_tasks import cli
from slac_tasks.errors import NotConfigured, Temporary
from slac_tasks.stages import sync
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification import label_studio, label_studio_tasks
from slac_tasks.verification.settings import Elsewhere

# What is read of Label Studio's schema (1.x): tables task and task_completion of tasks, htx_user of users.
LABEL_STUDIO = """
CREATE TABLE htx_user (id serial PRIMARY KEY, email varchar(254) NOT NULL);
CREATE TABLE task (id serial PRIMARY KEY, data jsonb NOT NULL, project_id integer NOT NULL);
CREATE TABLE task_completion (
    id serial PRIMARY KEY, result jsonb, was_cancelled boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now() - interval '10 seconds',
    updated_at timestamptz NOT NULL DEFAULT now() - interval '10 seconds',
    lead_time double precision, task_id integer REFERENCES task, completed_by_id integer REFERENCES htx_user
);
INSERT INTO htx_user (email) VALUES ('mara@example.org');
"""
CHOICE = '[{"from_name": "answer", "type": "choices", "value": {"choices": ["%s"]}}]'


@pytest.fixture
def studio(database_url: str) -> Iterator[Any]:
    """A connection to a Label Studio's database, empty but for one person."""
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(LABEL_STUDIO)
        yield cursor
    connection.close()


def annotate(studio: Any, clip_id: str, answer: str, *, seconds: float | None = 2.5, cancelled: bool = False) -> int:
    data = json.dumps({"clip_id": clip_id, "category": "high_jump"})
    studio.execute("INSERT INTO task (data, project_id) VALUES (%s, 7) RETURNING id", (data,))
    (task,) = studio.fetchone()
    studio.execute(
        "INSERT INTO task_completion (result, was_cancelled, lead_time, task_id, completed_by_id)"
        " VALUES (%s, %s, %s, %s, 1) RETURNING id",
        (CHOICE % answer, cancelled, seconds, task),
    )
    return int(studio.fetchone()[0])


def test_annotations_become_votes_once_and_an_edit_supersedes(
    make_job: Any, ledger: Ledger, studio: Any, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=3)
    environ = {label_studio.URL: database_url, label_studio.PROJECT: "7"}
    first = annotate(studio, clips[0], "yes")
    annotate(studio, clips[1], "no", cancelled=True)
    annotate(studio, clips[2], "maybe")
    annotate(studio, clips[2], "yes", seconds=None)
    annotate(studio, "nobody:0", "yes")
    for _ in range(2):
        sync.run(make_job("sync", environ=environ))
    found = {row["clip_id"]: row for row in collected(make_job)}
    assert {clip: row["answer"] for clip, row in found.items()} == {clips[0]: "yes", clips[1]: "unsure"}
    assert {row["annotator"] for row in found.values()} == {"label-studio:mara@example.org"}
    assert set_aside(ledger) == {"annotation 3": "label", "annotation 4": "seconds", "annotation 5": "not asked"}
    said = capsys.readouterr().err
    assert "label-studio project 7: 2 stored, 3 set aside (1 label, 1 not asked, 1 seconds)" in said
    assert "label-studio project 7: 2 known, 3 set aside (1 label, 1 not asked, 1 seconds)" in said
    assert said.count("set aside annotation 3: label: label 'maybe', want one of") == 1
    studio.execute(
        "UPDATE task_completion SET result = %s, updated_at = now() - interval '1 second' WHERE id = %s",
        ((CHOICE % "no")[:-1] + ', {"type": "relation", "from_id": "a", "to_id": "b"}]', first),
    )
    # What is mended there is a vote, and set aside no more.
    studio.execute("UPDATE task_completion SET lead_time = 2, updated_at = now() WHERE id = 4")
    sync.run(make_job("sync", environ=environ))
    edits = [row for row in collected(make_job) if row["supersedes"]]
    assert [(row["answer"], row["supersedes"]) for row in edits] == [("no", found[clips[0]]["vote_id"])]
    assert len(collected(make_job)) == 4
    assert set_aside(ledger) == {"annotation 3": "label", "annotation 5": "not asked"}


STRANGE = [
    # what Label Studio stores, lead time, moment: the reason
    ('[{"from_name": "answer", "value": {"choices": [["yes", "sure"]]}}]', "2", "now()", "label"),
    ('[{"from_name": "answer", "value": {"choices": [{"a": 1}]}}]', "2", "now()", "label"),
    ('[{"from_name": "answer", "value": {"choices": ["yes", "no"]}}]', "2", "now()", "label"),
    ('"text"', "2", "now()", "label"), ("[]", "2", "now()", "label"), ("null", "2", "now()", "label"),
    ("[1, [2]]", "2", "now()", "label"), ('{"from_name": "answer"}', "2", "now()", "label"),
    ("[" * 3000 + "]" * 3000, "2", "now()", "label"),
    *(
        (CHOICE % "yes", lead, "now()", "seconds")
        for lead in ("NULL", "1.7e308", "'NaN'", "'Infinity'", "-1", "86400.1")
    ),
    *(
        (CHOICE % "yes", "2", moment, "time")
        for moment in ("'infinity'", "'-infinity'", "'0044-03-15 BC'", "'9999-12-31 23:59:59-12'", "'294276-01-01'",
                       "NULL")
    ),
]  # fmt: skip


def test_a_strange_annotation_is_set_aside_by_name_and_holds_up_no_other(
    make_job: Any, ledger: Ledger, studio: Any, database_url: str, ledger_url: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    clips = publish_and_answer(make_job, ledger, {}, clips=2)
    studio.execute("ALTER TABLE task_completion ALTER updated_at DROP NOT NULL")
    wanted = {}
    for result, lead, moment, reason in STRANGE:
        number = annotate(studio, clips[0], "yes")
        studio.execute(
            f"UPDATE task_completion SET result = %s, lead_time = {lead}, updated_at = {moment} WHERE id = %s",
            (result, number),
        )
        wanted[f"annotation {number}"] = reason
    gone = annotate(studio, clips[0], "yes")
    studio.execute("UPDATE task_completion SET completed_by_id = NULL WHERE id = %s", (gone,))
    wanted[f"annotation {gone}"] = "person"
    annotate(studio, clips[1], "yes")
    sync.run(make_job("sync", environ={label_studio.URL: database_url, label_studio.PROJECT: "7"}))
    assert [(row["clip_id"], row["answer"]) for row in collected(make_job)] == [(clips[1], "yes")]
    assert set_aside(ledger) == wanted
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    assert cli.main(["votes", "rejected"]) == 0
    listed = capsys.readouterr().out
    assert all(f"{item}  since" in listed for item in wanted)
    assert f"{len(wanted)} answers are set aside: 9 label, 1 person, 6 seconds, 6 time" in listed


def test_an_edit_of_somebody_elses_annotation_is_the_editors_vote(
    make_job: Any, ledger: Ledger, studio: Any, database_url: str
) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=1)
    environ = {label_studio.URL: database_url, label_studio.PROJECT: "7"}
    studio.execute("INSERT INTO htx_user (email) VALUES ('lead@example.org')")
    number = annotate(studio, clips[0], "yes")
    # Sent in by the lead, in the name of its author.
    studio.execute("ALTER TABLE task_completion ADD updated_by_id integer DEFAULT 2")
    sync.run(make_job("sync", environ=environ))
    studio.execute(
        "UPDATE task_completion SET result = %s, updated_at = now() WHERE id = %s",
        (CHOICE % "no", number),
    )
    sync.run(make_job("sync", environ=environ))
    assert [(row["annotator"], row["answer"], row["supersedes"]) for row in collected(make_job)] == [
        ("label-studio:mara@example.org", "yes", None), ("label-studio:lead@example.org", "no", None),
    ]  # fmt: skip


def test_a_person_of_label_studio_joins_a_group(
    make_job: Any, ledger: Ledger, studio: Any, database_url: str, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=1)
    environ = {label_studio.URL: database_url, label_studio.PROJECT: "7"}
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    assert cli.main(["annotator", "assign", "B", "--category", "high_jump"]) == 0
    annotate(studio, clips[0], "yes")
    sync.run(make_job("sync", environ=environ))
    assert set_aside(ledger) == {"annotation 1": "not a reviewer"}
    assert cli.main(["annotator", "add", "label-studio:mara@example.org", "--group", "B"]) == 0
    sync.run(make_job("sync", environ=environ))
    assert len(collected(make_job)) == 1
    assert set_aside(ledger) == {}
    for verb in ("add", "close"):
        assert cli.main(["annotator", verb, "label-studio: mara@example.org "]) == 0, "the same person"
    for name in ("label-studio:", "label-studio:no address", "label-studio:a\x07@b"):
        for verb in ("add", "close"):
            assert cli.main(["annotator", verb, name]) == 64


@pytest.mark.parametrize(("deleted", "answers"), [("stays", ["yes", "yes"]), ("withdrawn", ["yes", "unsure"])])
def test_the_settings_say_what_a_deletion_means(
    make_job: Any, ledger: Ledger, studio: Any, database_url: str, deleted: str, answers: list[str]
) -> None:
    clips = publish_and_answer(make_job, ledger, {"ann": "no"}, clips=2)
    environ = {label_studio.URL: database_url, label_studio.PROJECT: "7"}
    settings = {"elsewhere": Elsewhere(deleted=deleted)}
    for clip in clips:
        annotate(studio, clip, "yes")
    # Imported before origins were noted.
    sync.run(make_job("sync", environ=environ))
    with ledger._connection.cursor() as cursor:
        cursor.execute("DELETE FROM vote_origins")
    sync.run(make_job("sync", environ=environ, settings=settings))
    studio.execute("DELETE FROM task_completion WHERE id = 2")
    for _ in range(2):
        sync.run(make_job("sync", environ=environ, settings=settings))
    superseded = {row["supersedes"] for row in collected(make_job)}
    last = {
        row["clip_id"]: row["answer"] for row in collected(make_job)
        if row["vote_id"] not in superseded and row["annotator"] != "ann"
    }  # fmt: skip
    assert [last[clip] for clip in clips] == answers
    assert len(collected(make_job)) == 4 + (deleted == "withdrawn")
    studio.execute("DELETE FROM task_completion")
    if deleted == "withdrawn":
        with pytest.raises(NotConfigured, match="holds no annotation any more, so no vote is withdrawn"):
            sync.run(make_job("sync", environ=environ, settings=settings))
    assert len(collected(make_job)) == 4 + (deleted == "withdrawn")


AWAY = "postgresql://x:hidden-word@127.0.0.1:1/z"


@pytest.mark.parametrize(
    ("url", "project", "failure", "reason"),
    [
        (AWAY, "7", Temporary, "LABEL_STUDIO: no answer"),
        ("", "7", NotConfigured, "want an address and a number"),
        ("{empty}", "7", NotConfigured, "is no database that sql/label_studio reads: relation"),
        ("{other}", "7", NotConfigured, "is no database that sql/label_studio reads"),
        ("{empty}_absent", "7", NotConfigured, "LABEL_STUDIO: refused"),
        ("no address", "7", NotConfigured, "LABEL_STUDIO: is no Postgres address"),
        ("{empty}?sslmode=perhaps", "7", NotConfigured, "LABEL_STUDIO: refused: invalid sslmode"),
        *(
            ("{empty}", number, NotConfigured, "a number, from 1 to")
            for number in ("0", "-1", "99999999999999", "9" * 5000, "7.0", "\u0667", "seven")
        ),
    ],
)  # fmt: skip
def test_votes_of_the_review_page_wait_for_no_other_system(
    make_job: Any, ledger: Ledger, database_url: str, url: str, project: str, failure: type[Exception], reason: str
) -> None:
    publish_and_answer(make_job, ledger, {"ann": "yes"}, clips=1)
    if "{other}" in url:
        connection = psycopg2.connect(database_url)
        connection.autocommit = True
        tables = (
            "task (id text, data text, project_id text)",
            "task_completion (id text, updated_at text)",
            "htx_user (id text)",
        )
        for table in tables:
            connection.cursor().execute(f"CREATE TABLE {table}")
        connection.close()
    address = url.format(empty=database_url, other=database_url)
    with pytest.raises(failure, match=reason) as refusal:
        sync.run(make_job("sync", environ={label_studio.URL: address, label_studio.PROJECT: project}))
    assert "hidden-word" not in str(refusal.value)
    assert [row["annotator"] for row in collected(make_job)] == ["ann"]


def test_a_database_that_holds_its_answer_back_is_given_up(
    make_job: Any, ledger: Ledger, studio: Any, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_and_answer(make_job, ledger, {"ann": "yes"}, clips=1)
    studio.execute(
        "ALTER DATABASE " + database_url.rpartition("/")[2].partition("?")[0] + " SET lock_timeout = '300ms'"
    )
    studio.execute("BEGIN; LOCK TABLE task_completion IN ACCESS EXCLUSIVE MODE")
    with pytest.raises(Temporary, match="LABEL_STUDIO: canceling statement due to"):
        sync.run(make_job("sync", environ={label_studio.URL: database_url, label_studio.PROJECT: "7"}))
    studio.execute("ROLLBACK")
    assert [row["annotator"] for row in collected(make_job)] == ["ann"]


def test_an_annotation_that_commits_late_is_found_late(
    make_job: Any, ledger: Ledger, studio: Any, database_url: str
) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=2)
    environ = {label_studio.URL: database_url, label_studio.PROJECT: "7"}
    slow = psycopg2.connect(database_url)
    annotate(slow.cursor(), clips[0], "yes")  # earlier, but not committed yet
    annotate(studio, clips[1], "yes")
    sync.run(make_job("sync", environ=environ))
    slow.commit()
    slow.close()
    sync.run(make_job("sync", environ=environ))
    assert [row["clip_id"] for row in collected(make_job)] == [clips[1], clips[0]]


def test_tasks_of_label_studio_name_the_clip() -> None:
    clip = {"clip_id": "v:15500", "category": "judo", "name": "Judo", "guideline": "g", "proxy_256": "media/v/256.mp4",
            "start_sec": 15.5, "end_sec": 17.5}  # fmt: skip
    (task,) = label_studio_tasks.tasks([clip], "https://media.example/slac/")
    assert task["data"]["video"] == "https://media.example/slac/media/v/256.mp4#t=15.5,17.5"
    assert {name: task["data"][name] for name in ("clip_id", "category", "start", "end")} == {
        "clip_id": "v:15500", "category": "judo", "start": 15.5, "end": 17.5,
    }  # fmt: skip
