"""Clips and segments that wait for a person who is not there are named: to leads, in the plan, and to who answered."""

import re
from pathlib import Path
from typing import Any

import pytest
from logged_in import LEAD, service
from queued_clips import CATEGORY, cast, fill, known, lease, people
from segment_work import CATEGORY as SEGMENTS_OF
from segment_work import admit, cast_segment, lease_segments, results
from strangers import ask

from slac_tasks import cli
from slac_tasks.config import Config
from slac_tasks.planning.notes import notes
from slac_tasks.planning.planner import Planner
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets


def waiting(ledger: Ledger) -> dict[tuple[str, str], tuple[int, int]]:
    """Return (people who may answer, how many wait) by category and by what waits."""
    rows = ledger.rows("waiting_for_nobody")
    return {(row["category"], row["what"]): (row["people"], row["waiting"]) for row in rows}


def own(ledger: Ledger, person: str) -> dict[str, Any]:
    """Return what a person answered that waits for others."""
    return ledger.rows("web_waiting", annotator=person, count_most=1000)[0]


def assign(ledger: Ledger, group: str | None) -> None:
    ledger.run("assign_category", category=CATEGORY, reviewers=group)


def account(ledger: Ledger, name: str, *groups: str) -> None:
    ledger.run("add_account", annotator=name, password=None, groups=list(groups), role="reviewer")


def test_what_one_person_answered_alone_waits_for_a_second(ledger: Ledger) -> None:
    fill(ledger, 5)
    people(ledger, "ann")
    assert waiting(ledger) == {}, "she can answer them all"
    known(ledger, "judo-0004:0", "gold")
    for clip in lease(ledger, "ann", 3):
        cast(ledger, "ann", clip)
    assert waiting(ledger) == {(CATEGORY, "clips"): (1, 3)}
    assert own(ledger, "ann") == {"clips": 3, "segments": 0}
    people(ledger, "bob")
    assert waiting(ledger) == {}
    assert own(ledger, "bob") == {"clips": 0, "segments": 0}


def test_a_group_without_people_answers_nothing(ledger: Ledger) -> None:
    fill(ledger, 4)
    people(ledger, "ann", "bob")
    assign(ledger, "judo_club")
    assert waiting(ledger) == {(CATEGORY, "clips"): (0, 4)}
    account(ledger, "cid", "judo_club")
    assert waiting(ledger) == {}
    ledger.run("close_account", annotator="cid")
    assert waiting(ledger) == {(CATEGORY, "clips"): (0, 4)}
    ledger.run("retire_category", category=CATEGORY)
    assert waiting(ledger) == {}, "nobody is asked about a retired category"


def test_an_answer_of_somebody_who_left_counts_and_she_does_not(ledger: Ledger) -> None:
    fill(ledger, 4)
    people(ledger, "ann", "bob")
    for clip in lease(ledger, "ann", 4):
        cast(ledger, "ann", clip)
    ledger.run("close_account", annotator="ann")
    assert waiting(ledger) == {}, "bob gives the second answer"
    first, *_ = lease(ledger, "bob", 1)
    cast(ledger, "bob", first)
    assert waiting(ledger) == {}, "and what has two waits for nobody"


def test_segments_wait_in_the_same_way(
    ledger: Ledger, ledger_url: str, store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url}.items():
        monkeypatch.setenv(name, value)
    (video, *_) = admit(ledger, Datasets(store))
    asked = results(tmp_path / "found.json", {video: [(1.0, 4.0, 0.9), (10.0, 14.0, 0.8)]})
    assert cli.main(["segments", "ask", str(asked), "--as", "net"]) == 0
    account(ledger, "ann", "club")
    assert cli.main(["annotator", "assign", "club", "--category", SEGMENTS_OF]) == 0
    assert (SEGMENTS_OF, "segments") not in waiting(ledger)
    for segment in lease_segments(ledger, "ann"):
        cast_segment(ledger, "ann", segment["segment_id"], "right")
    assert waiting(ledger)[SEGMENTS_OF, "segments"] == (1, 2)
    assert own(ledger, "ann")["segments"] == 2
    account(ledger, "bob", "club")
    assert (SEGMENTS_OF, "segments") not in waiting(ledger)


def test_leads_are_told(
    ledger: Ledger,
    ledger_url: str,
    store: FolderStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    fill(ledger, 4)
    people(ledger, "ann")
    said = (
        "judo: 4 clips wait, and nobody may answer in its group judo_club; "
        "`slac annotator add NAME --group judo_club` lets somebody"
    )
    assert cli.main(["annotator", "assign", "judo_club", "--category", CATEGORY]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [f"annotator: {said}"]
    assert cli.main(["annotator", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [f"annotator: {said}"]
    planner = Planner(settings=Config(store_url=store.url), datasets=Datasets(store), ledger=ledger)
    assert notes(planner, "send_hard_clips") == [said]
    assign(ledger, None)
    for clip in lease(ledger, "ann", 4):
        cast(ledger, "ann", clip)
    assert notes(planner, "send_hard_clips") == [
        "judo: 4 clips wait for one more person; 1 may answer, and did; `slac annotator add NAME` lets somebody"
    ]


def desk(ledger_url: str, store: FolderStore) -> list[str]:
    """Return what the desk says of what waits for nobody, as a lead reads it."""
    with service(ledger_url, store, LEAD) as served:
        answer = ask(served.app, "GET", b"/desk", headers=[served.cookie(LEAD)])
    assert answer.status == 200
    (part,) = re.findall("person who is not there</h2>(.*?)</section>", answer.body.decode(), re.DOTALL) or [""]
    return [re.sub("<.*?>", "", line) for line in re.findall("<li>(.*?)</li>", part)]


def test_the_desk_names_what_waits_and_how_much_more(ledger: Ledger, ledger_url: str, store: FolderStore) -> None:
    fill(ledger, 4)
    people(ledger, "ann", "ada")
    assert desk(ledger_url, store) == []
    assign(ledger, "<b>&club")
    group = "&lt;b&gt;&amp;club"
    said = f"4 clips wait, and nobody may answer in its group {group}. slac annotator add NAME --group {group}"
    assert desk(ledger_url, store) == [f"judo: {said} lets somebody."]
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO categories (category, name, reviewers)"
            " SELECT 'k' || n, 'K ' || n, 'club' FROM generate_series(1, 6) n"
        )
        cursor.execute(
            "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
            " votes_wanted) SELECT clip_id, 'k' || n, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
            " votes_wanted FROM queue, generate_series(1, 6) n WHERE clip_id = (SELECT min(clip_id) FROM queue)"
        )
    *shown, more = desk(ledger_url, store)
    assert [line.partition(":")[0] for line in shown] == ["judo", "K 1", "K 2", "K 3", "K 4"]
    assert more == "2 more; slac annotator list names them."
    planner = Planner(settings=Config(store_url=store.url), datasets=Datasets(store), ledger=ledger)
    assert notes(planner, "send_hard_clips")[5:] == ["2 categories more wait so; `slac annotator list` names all"]
    for category in ("k5", "k6"):
        ledger.run("retire_category", category=category)
    assert len(desk(ledger_url, store)) == len(notes(planner, "send_hard_clips")) == 5
