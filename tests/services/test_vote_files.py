"""Answers from a file become votes, each once; a line that is none is set aside by its number."""

import csv
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from review_work import collected, publish_and_answer, set_aside

from slac_tasks import cli
from slac_tasks.commands import votes
from slac_tasks.errors import BrokenContract
from slac_tasks.stages import sync
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification import imports
from slac_tasks.verification.answers import GivenAnswer


def test_lines_that_are_set_aside_are_listed_in_their_order(
    ledger: Ledger, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "votes.csv"
    file.write_text(HEAD + "judo,ann,yes,2026-02-01T10:00:00Z,1\n" * 10)
    assert imported(ledger, ledger_url, monkeypatch, file)[0] == 65
    lines = [f"line {number}" for number in range(2, 12)]
    assert [row["item"] for row in ledger.rows("rejected_votes")] == lines
    # Another file of the same name, in another folder, from within it.
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    Path("votes.csv").write_text(HEAD + "polo,ann,yes,2026-02-01T10:00:00Z,1\n")
    assert imported(ledger, ledger_url, monkeypatch, Path("votes.csv"))[0] == 65
    assert [(row["source"], row["item"]) for row in ledger.rows("rejected_votes")] == [
        (str(tmp_path / "other" / "votes.csv"), "line 2"), *((str(file), line) for line in lines)
    ]  # fmt: skip


def test_a_file_whose_own_name_is_no_utf_8_is_read_and_what_is_set_aside_of_it_is_listed(
    ledger: Ledger, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "vot\udce9s.csv"
    file.write_text(HEAD + "judo,ann,yes,2026-02-01T10:00:00Z,1\n")
    assert imported(ledger, ledger_url, monkeypatch, file)[0] == 65
    assert [row["source"] for row in ledger.rows("rejected_votes")] == [str(tmp_path / "vot\\xe9s.csv")]


def test_a_task_that_names_no_clip_is_told_as_it_was_found(tmp_path: Path) -> None:
    file = tmp_path / "votes.csv"
    file.write_text(HEAD + "".join(f"{task},ann,yes,2026-02-01T10:00:00Z,1\n" for task in ("judo\x07", "judo/", " ")))
    assert [str(found) for found in votes.read(file)] == [
        "line 2: task: task is 'judo\\x07', want category/clip_id", "line 3: clip: clip is missing or blank",
        "line 4: task: task is missing or blank, want category/clip_id",
    ]  # fmt: skip
    file.write_text('{"task": 1.5, "worker": "ann", "label": "yes", "time": "2026-02-01T10:00:00Z", "seconds": 1}\n')
    assert [str(found) for found in votes.read(file)] == ["line 1: task: task is the number 1.5, want text"]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_exported_comes_back_and_a_second_import_adds_nothing(
    make_job: Any, ledger: Ledger, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "no"}, clips=3)
    sync.run(make_job("sync"))
    before = collected(make_job)
    # No UTF-8, as names in old archives.
    file = tmp_path / os.fsdecode(b"caf\xe9" + suffix.encode())
    assert votes.export(make_job("sync").datasets, file) == 6
    answers = [answer for answer in votes.read(file) if isinstance(answer, GivenAnswer)]
    assert [(a.vote_id, a.clip_id, a.answer, a.seconds, a.cast_at) for a in answers] == [
        (row["vote_id"], row["clip_id"], row["answer"], row["seconds"], row["cast_at"]) for row in before
    ]
    assert str(votes.import_answers(ledger, f"votes{suffix}", answers)) == "6 known"


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
    # A clip that nobody asks about holds up no other line.
    file.write_text(
        head
        + f"high_jump/{clips[1]},ann,yes,2026-01-05T12:00:00+00:00,3.1\n"
        + "high_jump/v:0,ann,yes,2026-01-05T12:00:00+00:00,3.1\n"
    )
    assert cli.main(["votes", "import", str(file)]) == 65
    sync.run(make_job("sync"))
    assert len(collected(make_job)) == 2


def imported(
    ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch, file: Path
) -> tuple[int, list[tuple[str, str]], dict[str, str]]:
    """Exit code, votes as (person, answer) and lines that are set aside of an import."""
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    code = cli.main(["votes", "import", str(file)])
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT annotator, answer FROM votes ORDER BY annotator, cast_at")
        return code, cursor.fetchall(), set_aside(ledger)


HEAD = "task,worker,label,time,seconds\n"


def test_a_file_that_is_imported_twice_at_once_is_stored_once_and_nothing_of_it_is_set_aside(
    make_job: Any, ledger: Ledger, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=3)
    file = tmp_path / "votes.csv"
    file.write_text(HEAD + "".join(f"high_jump/{clip},ann,yes,2026-01-05T12:00:00+00:00,3.1\n" for clip in clips))
    store = imports._store

    def meanwhile(*of: Any) -> Any:
        monkeypatch.setattr(imports, "_store", store)
        assert imported(ledger, ledger_url, monkeypatch, file)[0] == 0
        return store(*of)

    monkeypatch.setattr(imports, "_store", meanwhile)
    assert imported(ledger, ledger_url, monkeypatch, file) == (0, [("ann", "yes")] * 3, {})


def test_one_person_is_one_vote_however_the_name_is_typed(
    make_job: Any, ledger: Ledger, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clip,) = publish_and_answer(make_job, ledger, {"ann": "yes"}, clips=1)
    workers = ["bob", "bob ", "\u00a0bob", '"\tbob"', "  ", "Ann", "Bob", "josé", "jose\u0301", "\u200bzoe"]
    file = tmp_path / "v.csv"
    rows = [f"high_jump/{clip},{worker},yes,2026-02-01T10:00:00Z,1\n" for worker in workers]
    file.write_text(HEAD + "".join(rows[:5]))
    assert imported(ledger, ledger_url, monkeypatch, file) == (
        65,
        [("ann", "yes"), ("bob", "yes")],
        {"line 6": "person"},
    )
    file.write_text(HEAD + "".join(rows))
    code, votes, aside = imported(ledger, ledger_url, monkeypatch, file)
    assert (code, [person for person, _ in votes]) == (65, ["ann", "bob", "josé", "zoe"])
    assert aside == {"line 6": "person", "line 7": "two spellings", "line 8": "two spellings"}


def test_lines_that_say_two_things_at_one_moment_are_both_set_aside(
    make_job: Any, ledger: Ledger, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clip,) = publish_and_answer(make_job, ledger, {}, clips=1)
    file = tmp_path / "v.csv"
    rows = [f"high_jump/{clip},{who},{said},2026-02-01T10:00:00Z,1\n" for who, said in
            (("ann", "yes"), ("ann", "no"), ("bob", "yes"), ("bob", "yes"))]  # fmt: skip
    file.write_text(HEAD + "".join(rows))
    wanted = {"line 2": "contradiction", "line 3": "contradiction"}
    assert imported(ledger, ledger_url, monkeypatch, file) == (65, [("bob", "yes")], wanted)
    file.write_text(HEAD + rows[3].replace("yes", "no"))
    assert imported(ledger, ledger_url, monkeypatch, file) == (65, [("bob", "yes")], {"line 2": "changed"})
    file.write_text(HEAD + rows[3])
    assert imported(ledger, ledger_url, monkeypatch, file) == (0, [("bob", "yes")], {})


def test_each_edit_takes_the_place_of_the_one_before_and_nobody_answers_what_is_not_asked(
    make_job: Any, ledger: Ledger, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited, taken_down, shown, left = publish_and_answer(make_job, ledger, {}, clips=4)
    ledger.run("add_tombstone", video_id=taken_down.partition(":")[0], reason="taken down")
    known = {"category": "high_jump", "clip_id": shown, "answer": "yes", "purpose": "example", "person": "mara"}
    ledger.run("add_known_answer", **known)
    ledger.run("ensure_annotator", annotator="bob")
    ledger.run("close_account", annotator="bob")
    given = [(edited, "ann", "yes", 10), (edited, "ann", "no", 11), (edited, "ann", "unsure", 12),
             (taken_down, "ann", "yes", 10), (shown, "ann", "yes", 10), (left, "bob", "yes", 10)]  # fmt: skip
    file = tmp_path / "v.csv"
    line = "high_jump/{},{},{},2026-02-01T{:02}:00:00Z,1\n"
    file.write_text(HEAD + "".join(line.format(*answer) for answer in given))
    votes = [("ann", "yes"), ("ann", "no"), ("ann", "unsure")]
    aside = {"line 5": "withdrawn", "line 6": "withdrawn", "line 7": "closed account"}
    assert imported(ledger, ledger_url, monkeypatch, file) == (65, votes, aside)
    file.write_text(HEAD + line.format(edited, "ann", "broken", 9))
    assert imported(ledger, ledger_url, monkeypatch, file) == (65, votes, {"line 2": "older"})
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "SELECT answer FROM votes AS v WHERE NOT EXISTS (SELECT FROM votes AS n WHERE n.supersedes = v.vote_id)"
        )
        assert cursor.fetchall() == [("unsure",)]


WHATEVER = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(WHATEVER, WHATEVER, WHATEVER, WHATEVER), max_size=4), st.sampled_from(["utf-8-sig", "utf-16"])
)
@example([("a\x00n", "yes", "1", "2026-02-01T10:00:00Z")], "utf-8-sig")
@example([("ann", "yes", "1e308", "2026-02-01T10:00:00Z"), ("bob", "no", "2", "2026-02-01T10:00:00Z")], "utf-16")
def test_each_line_of_any_file_is_a_vote_or_set_aside_by_number(
    ledger: Ledger, tmp_path: Path, rows: list[tuple[str, ...]], encoding: str
) -> None:
    file = tmp_path / "v.csv"
    with file.open("w", newline="", encoding=encoding) as out:
        csv.writer(out).writerows([("task", "worker", "label", "seconds", "time"), *(("j/v:0", *row) for row in rows)])
    answers = votes.read(file)
    found = votes.import_answers(ledger, file.name, answers)
    assert found.stored + found.known + len(found.rejected) == len(answers) == len(rows)
    assert set_aside(ledger) == {rejection.item: rejection.reason for rejection in found.rejected}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"task,worker,label,time\n", "want also \\['seconds'\\]"),
        (b"", "is empty"),
        (b"caf\xe9,worker,label,time,seconds\n", "want also \\['task'\\]"),
        (b"PAR1", "is no whole parquet file"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_whole(tmp_path: Path, data: bytes, reason: str) -> None:
    file = tmp_path / "votes.csv"
    file.write_bytes(data)
    with pytest.raises(BrokenContract, match=reason):
        votes.read(file)
