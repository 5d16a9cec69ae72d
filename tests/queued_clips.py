"""A queue of clips without media, and what people and leads do with them, by the ledger's own statements."""

import random
import uuid
from typing import Any

from slac_tasks.storage.ledger import Ledger

CATEGORY = "judo"


def fill(ledger: Ledger, clips: int, *, category: str = CATEGORY, votes_wanted: int = 2) -> list[str]:
    names = [f"{category}-{number:04d}:0" for number in range(clips)]
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO categories (category, name) VALUES (%s, %s)", (category, category))
        cursor.execute(
            "INSERT INTO videos VALUES (%(v)s, %(v)s, %(v)s, 'training', '{}') ON CONFLICT DO NOTHING", {"v": category}
        )
        cursor.executemany(
            "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
            " votes_wanted) VALUES (%s, %s, %s, 'r', 'random', 0, 2, 'training', 'p', %s)",
            [(name, category, category, votes_wanted) for name in names],
        )
    return names


def lease(
    ledger: Ledger, person: str, most: int = 6, *, gold: int = 0, category: str = CATEGORY, place: float | None = None
) -> list[str]:
    rows = ledger.rows(
        "lease_clips", annotator=person, category=category, clips_most=most, gold_most=gold, lease_sec=60.0,
        place=random.random() if place is None else place,
    )  # fmt: skip
    return [row["clip_id"] for row in rows]


def cast(ledger: Ledger, person: str, clip: str, answer: str = "yes", **changes: Any) -> bool:
    vote = {
        "vote_id": str(uuid.uuid4()),
        "seconds": 3.0,
        "guideline_version": 1,
        "supersedes": None,
        "set_id": None,
        **changes,
    }
    return bool(ledger.rows("cast_vote", clip_id=clip, category=CATEGORY, annotator=person, answer=answer, **vote))


def known(ledger: Ledger, clip: str, purpose: str, answer: str = "yes") -> None:
    ledger.run("add_known_answer", clip_id=clip, category=CATEGORY, answer=answer, purpose=purpose, person="mara")


def settle(ledger: Ledger, clip: str, wanted: int, state: str) -> None:
    ledger.run(
        "settle_clips", clip_ids=[clip], categories=[CATEGORY], votes_wanted=[wanted], states=[state],
        were_again=[False], again=[False],
    )  # fmt: skip


def people(ledger: Ledger, *names: str) -> None:
    for name in names:
        ledger.run("ensure_annotator", annotator=name)


def queue(ledger: Ledger, round_: str, *clips: str, audit_share: float = 0.05) -> None:
    ledger.run_many(
        "queue_clip",
        [
            {"clip_id": clip, "category": CATEGORY, "video_id": CATEGORY, "round": round_, "strategy": "random",
             "start_sec": 0.0, "end_sec": 2.0, "split": "training", "proxy_256": "p", "votes_wanted": 2, "lead": 0,
             "audit_share": audit_share, "alike": None, "queued_at": None}
            for clip in clips
        ],
    )  # fmt: skip
    ledger.run("withdraw_unasked", category=CATEGORY, round=round_)
