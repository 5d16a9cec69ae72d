"""Answers from a file and from Label Studio's Postgres become votes, each once; an edit supersedes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from review_work import publish_and_answer

from slac_tasks import cli
from slac_tasks.commands import votes
from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.stages import sync
from slac_tasks.storage.datasets import VOTES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification import label_studio

# What is read of Label Studio's schema (1.x): tables task and task_completion of tasks, htx_user of users.
LABEL_STUDIO = """
CREATE TABLE htx_user (id serial PRIMARY KEY, email varchar(254) NOT NULL);
CREATE TABLE task (id serial PRIMARY KEY, data jsonb NOT NULL, project_id integer NOT NULL);
CREATE TABLE task_completion (
    id serial PRIMARY KEY, result jsonb, was_cancelled boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
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


def collected(make_job: Any) -> list[dict[str, Any]]:
    datasets = make_job("sync").datasets
    return [row for keys in datasets.partitions(VOTES) for row in datasets.read(VOTES, **keys).to_pylist()]


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
    said = capsys.readouterr().err
    assert "label-studio: 2 malformed, 2 stored, 1 refused" in said
    assert "label-studio: 2 malformed, 2 known, 1 refused" in said
    studio.execute(
        "UPDATE task_completion SET result = %s, updated_at = now() + interval '1 second' WHERE id = %s",
        (CHOICE % "no", first),
    )
    sync.run(make_job("sync", environ=environ))
    edits = [row for row in collected(make_job) if row["supersedes"]]
    assert [(row["answer"], row["supersedes"]) for row in edits] == [("no", found[clips[0]]["vote_id"])]
    assert len(collected(make_job)) == 3


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


def test_half_a_label_studio_is_refused(make_job: Any) -> None:
    with pytest.raises(NotConfigured, match="want an address and a number"):
        sync.run(make_job("sync", environ={label_studio.PROJECT: "seven"}))


def test_tasks_of_label_studio_name_the_clip() -> None:
    clip = {"clip_id": "v:15500", "category": "judo", "name": "Judo", "guideline": "g", "proxy_256": "media/v/256.mp4",
            "start_sec": 15.5, "end_sec": 17.5}  # fmt: skip
    (task,) = label_studio.tasks([clip], "https://media.example/slac/")
    assert task["data"]["video"] == "https://media.example/slac/media/v/256.mp4#t=15.5,17.5"
    assert {name: task["data"][name] for name in ("clip_id", "category", "start", "end")} == {
        "clip_id": "v:15500", "category": "judo", "start": 15.5, "end": 17.5,
    }  # fmt: skip


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_exported_comes_back_and_a_second_import_adds_nothing(
    make_job: Any, ledger: Ledger, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "no"}, clips=3)
    sync.run(make_job("sync"))
    before = collected(make_job)
    file = tmp_path / f"votes{suffix}"
    assert votes.export(make_job("sync").datasets, file) == 6
    answers = votes.checked(file)
    assert [(a.vote_id, a.clip_id, a.answer, a.seconds, a.cast_at) for a in answers] == [
        (row["vote_id"], row["clip_id"], row["answer"], row["seconds"], row["cast_at"]) for row in before
    ]
    assert votes.bring(ledger, answers) == {"known": 6}


def test_answers_of_a_file_are_votes_like_any_other(
    make_job: Any, ledger: Ledger, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=2)
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    file = tmp_path / "votes.csv"
    head = "task,worker,label,time,seconds\n"
    file.write_text(head + f"high_jump/{clips[0]},ann,yes,2026-01-05T12:00:00+00:00,3.1\n")
    assert cli.main(["votes", "import", str(file)]) == 0
    sync.run(make_job("sync"))
    (row,) = collected(make_job)
    assert (row["clip_id"], row["annotator"], row["answer"], row["seconds"]) == (clips[0], "ann", "yes", 3.1)
    # A clip that nobody asks about: the whole file is refused.
    file.write_text(
        head
        + f"high_jump/{clips[1]},ann,yes,2026-01-05T12:00:00+00:00,3.1\n"
        + "high_jump/v:0,ann,yes,2026-01-05T12:00:00+00:00,3.1\n"
    )
    assert cli.main(["votes", "import", str(file)]) == 65
    sync.run(make_job("sync"))
    assert len(collected(make_job)) == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("task,worker,label,time\n", "has no column seconds"),
        ("task,worker,label,time,seconds\njudo/v:0,a,perhaps,2026-01-05T12:00:00Z,1\n", "line 2: label 'perhaps'"),
        ("task,worker,label,time,seconds\njudo/v:0,a,yes,noon,1\n", "line 2: time 'noon'"),
        ("task,worker,label,time,seconds\njudo/v:0,a,yes,2026-01-05T12:00:00,1\n", "has no time zone"),
        ("task,worker,label,time,seconds\njudo/v:0,a,yes,2026-01-05T12:00:00Z,-1\n", "seconds -1.0: want 0 or more"),
        ("task,worker,label,time,seconds\njudo/v:0,a,yes,2026-01-05T12:00:00Z,nan\n", "seconds nan"),
        ("task,worker,label,time,seconds\nv:0,,yes,2026-01-05T12:00:00Z,1\n", "without person, clip or category"),
    ],
)
def test_a_file_with_a_line_that_makes_no_sense_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "votes.csv"
    file.write_text(text)
    with pytest.raises(BrokenContract, match=reason):
        votes.checked(file)
