"""What a demo leaves to its visitor: clips that want one more answer, and words that say where."""

from pathlib import Path
from typing import Any

import pytest
from review_work import cast, lease, publish_and_answer, states

from slac_tasks.launcher import visit
from slac_tasks.model import slug
from slac_tasks.storage.ledger import Ledger
from slac_tasks.world.guidelines import guidelines


def test_a_visitor_is_asked_about_clips_that_others_have_answered_and_only_once(
    make_job: Any, ledger: Ledger, tmp_path: Path
) -> None:
    clips = publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"}, clips=30)
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET state = 'finished'")
        cursor.execute(
            "INSERT INTO verdicts (labels, category, verdict, reasons, failed, shortfalls)"
            " VALUES ('000001', 'high_jump', 'accepted', '{}', '{}', '{}')"
        )
    assert visit.read(tmp_path) is None
    left = visit.leave(tmp_path, ledger)
    assert left == visit.read(tmp_path) == visit.Left(category="high_jump", name="High jump", clips=visit.CLIPS)
    assert states(ledger)["waiting"] == visit.CLIPS
    handed = lease(ledger, "admin")
    assert {clip["clip_id"] for clip in handed} < set(clips)
    assert len(handed) == visit.CLIPS
    assert cast(ledger, "admin", handed[0]["clip_id"], "no")


def test_nothing_is_left_where_nothing_was_accepted(ledger: Ledger, tmp_path: Path) -> None:
    assert visit.leave(tmp_path, ledger) == visit.Left(category="", name="", clips=0)
    assert visit.read(tmp_path) == visit.Left(category="", name="", clips=0)


def test_the_last_lines_say_what_to_do_and_where() -> None:
    left = visit.Left(category="left_leg_lift", name="Left leg lift", clips=24)
    asking = "http://127.0.0.1:8080/dags/check_labels/runs/r/tasks/ask/required_actions"
    refused = visit.Refused(category="slow_head_swing", name="Slow head swing", reasons="share is 0")
    said = list(visit.lines(left, "http://127.0.0.1:8080", [refused], asking, releases=True))
    assert said[0] == "Your turn"
    assert said[1] == "  Review:  http://127.0.0.1:8080/slac/review?category=left_leg_lift"
    assert "Y is yes, N is no, ? shows all keys." in said[3]
    assert said[4] == f"  Decide:  {asking}"
    assert said[5] == "           “Slow head swing” was refused: share is 0."
    assert said[7] == "           The same beside its clips: http://127.0.0.1:8080/slac/desk?of=slow_head_swing"
    assert said[-2:] == [
        "  Report:  http://127.0.0.1:8080/slac/quality", "  Release: http://127.0.0.1:8080/slac/releases",
    ]  # fmt: skip


@pytest.mark.parametrize("size", ["demo", "tiny"])
def test_every_category_of_a_world_has_a_name_and_a_guideline_of_its_own(size: str) -> None:
    found = guidelines(size)
    assert len(found) == len(set(found.values())) == {"demo": 9, "tiny": 3}[size]
    assert "slow_head_swing" in [slug(name) for name in found]
    assert all(text.startswith("Yes when the ") for text in found.values())
