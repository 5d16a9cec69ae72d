"""What a demo leaves to its visitor: clips that want one more answer, and words that say where."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from platform_records import add_release
from review_work import cast, lease, publish_and_answer, states

from slac_tasks.launcher import visit
from slac_tasks.launcher.subjects import GeneratedWorld
from slac_tasks.model import slug
from slac_tasks.storage.ledger import Ledger
from slac_tasks.world import disk
from slac_tasks.world.catalogue import SPARE, make_catalogue
from slac_tasks.world.guidelines import guidelines
from slac_tasks.world.people import answer_open, review

NAMED = {"category": "high_jump", "name": "High jump"}


def answered(make_job: Any, ledger: Ledger, category: str = "high_jump") -> list[str]:
    """Publish a round that two people answered, and whose category was accepted."""
    clips = publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"}, category=category, clips=30)
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET state = 'finished' WHERE category = %s", (category,))
        cursor.execute(
            "INSERT INTO verdicts (labels, category, verdict, reasons, failed, shortfalls)"
            " VALUES ('000001', %s, 'accepted', '{}', '{}', '{}')",
            (category,),
        )
    return clips


def admit(ledger: Ledger) -> None:
    """Say where the videos of all queued clips came from: simulated people look there for the truth."""
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO admissions SELECT DISTINCT video_id, category, date '2026-01-05', video_id, 'folder', video_id"
            " FROM queue ON CONFLICT DO NOTHING"
        )


def test_a_visitor_is_asked_as_soon_as_a_round_is_answered_and_only_once(
    make_job: Any, ledger: Ledger, tmp_path: Path
) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=30)
    left = visit.begin(tmp_path, ledger)
    assert left == visit.Left(**NAMED, clips=0, closed=False)
    assert visit.ask(ledger, left) == left, "others have not answered yet"
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET state = 'finished'")
    left = visit.ask(ledger, left)
    assert left == visit.ask(ledger, left) == visit.begin(tmp_path, ledger)
    assert left == visit.Left(**NAMED, clips=visit.CLIPS, closed=False)
    handed = lease(ledger, "admin")
    assert {clip["clip_id"] for clip in handed} < set(clips)
    assert len(handed) == visit.CLIPS
    assert cast(ledger, "admin", handed[0]["clip_id"], "no")


def test_simulated_people_leave_the_visitors_clips(make_job: Any, ledger: Ledger, tmp_path: Path) -> None:
    answered(make_job, ledger)
    admit(ledger)
    visit.ask(ledger, visit.begin(tmp_path, ledger))
    assert answer_open(ledger, lambda clip: True, 0, leave="high_jump").votes == 0
    assert answer_open(ledger, lambda clip: True, 0, leave="judo").votes == visit.CLIPS


def test_simulated_people_stop_when_there_is_a_release(
    make_job: Any, ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_and_answer(make_job, ledger, {}, clips=2)
    admit(ledger)
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    ask = partial(review, None, seed=0, follow=False, assume_right=True, in_sets=False, until_release=True)
    ask()
    assert states(ledger)["votes"] == 4
    publish_and_answer(make_job, ledger, {}, clips=2, category="judo")
    admit(ledger)
    add_release(ledger, "high_jump")
    ask()
    assert states(ledger)["votes"] == 4


def test_at_the_end_clips_are_left_where_none_waits(make_job: Any, ledger: Ledger, tmp_path: Path) -> None:
    answered(make_job, ledger)
    left = visit.close(tmp_path, ledger, visit.begin(tmp_path, ledger))
    assert left == visit.begin(tmp_path, ledger) == visit.Left(**NAMED, clips=visit.CLIPS)
    assert states(ledger)["waiting"] == visit.CLIPS
    assert visit.close(tmp_path, ledger, left) == left, "they wait already"


def test_nothing_is_left_where_nothing_was_accepted(ledger: Ledger, tmp_path: Path) -> None:
    nothing = visit.Left(category="", name="", clips=0)
    assert visit.close(tmp_path, ledger, visit.begin(tmp_path, ledger)) == nothing
    assert visit.begin(tmp_path, ledger) == nothing


def test_the_last_lines_say_what_to_do_and_where() -> None:
    left = visit.Left(category="left_leg_lift", name="Left leg lift", clips=24)
    asking = "http://127.0.0.1:8080/dags/check_labels/runs/r/tasks/ask/required_actions"
    refused = visit.Refused(category="slow_head_swing", name="Slow head swing", reasons="share is 0")
    said = list(visit.lines(left, "http://127.0.0.1:8080", [refused], asking, True, "Head lift", 201))
    assert said[0] == "Your turn"
    assert said[1] == "  Review:  http://127.0.0.1:8080/slac/review?category=left_leg_lift"
    assert "Y is yes, N is no, ? shows all keys." in said[3]
    assert "201 clips of all categories" in said[4]
    assert said[5] == f"  Decide:  {asking}"
    assert said[6] == "           “Slow head swing” was refused: share is 0."
    assert said[8] == "           The same beside its clips: http://127.0.0.1:8080/slac/desk?of=slow_head_swing"
    assert "/dags/add_category" in said[-4]
    assert "“Head lift”" in said[-3]
    assert said[-2:] == [
        "  Report:  http://127.0.0.1:8080/slac/quality", "  Release: http://127.0.0.1:8080/slac/releases",
    ]  # fmt: skip


@pytest.mark.parametrize("size", ["demo", "tiny"])
def test_every_category_of_a_world_has_a_name_and_a_guideline_of_its_own(size: str) -> None:
    found = guidelines(size)
    assert len(found) == len(set(found.values())) == {"demo": 9, "tiny": 3}[size]
    assert "slow_head_swing" in [slug(name) for name in found]
    assert all(text.startswith("Yes when the ") for text in found.values())


def test_a_world_names_what_its_videos_show_and_nobody_collects(tmp_path: Path) -> None:
    catalogue = make_catalogue(0, "quick")
    rows = [{"category": entry.category} for entry in catalogue.entries]
    disk.write_rows(tmp_path / disk.MANIFEST, rows)
    disk.write(tmp_path / disk.GUIDELINES, json.dumps(dict(guidelines("quick"))))
    assert GeneratedWorld(size="quick").spare(tmp_path) == SPARE.name
    disk.write_rows(tmp_path / disk.MANIFEST, [row for row in rows if row["category"] != SPARE.key])
    assert GeneratedWorld(size="quick").spare(tmp_path) is None
