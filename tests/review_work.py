"""A round in the review queue, and people who answer it, on a real ledger."""

import uuid
from typing import Any

from slac_tasks.model import clip_id
from slac_tasks.stages import publish
from slac_tasks.storage.datasets import (
    FETCHED,
    HARD_CLIPS,
    VIDEOS,
    VOTES,
)
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.settings import Review

WINDOW, ROUND = "2026-01-05", "2026-01-05.p0001"

TWICE = Review(votes_wanted=2, control_votes=2, control_lead=1, audit_share=0.0)
"""Two answers a clip, whatever it was chosen for."""


def prepare(
    ledger: Ledger, datasets: Datasets, category: str = "high_jump", clips: int = 12, round: str = ROUND
) -> list[str]:
    """Register a category, admit a video for every clip and write the hard clips of a round."""
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO categories (category, name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                       (category, category.replace("_", " ").capitalize()))  # fmt: skip
        for index in range(clips):
            video = f"{index:016x}"
            cursor.execute(
                "INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes) "
                "VALUES (%s, %s, %s, 'training', '{}') ON CONFLICT DO NOTHING",
                (video, video * 4, video),
            )
    shared = {"split": "training", "proxy_256": "media/x/256.mp4"}
    hard = [
        {"clip_id": clip_id(f"{index:016x}", 1.5), "video_id": f"{index:016x}", "start_sec": 1.5, "end_sec": 3.5,
         "strategy": ("disagreement", "consensus", "random")[index % 3], "disagreement": 0.5, "consensus": 0.1,
         "scores": [], **shared}
        for index in range(clips)
    ]  # fmt: skip
    made: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}}
    datasets.write(HARD_CLIPS, [HARD_CLIPS.from_records(hard)], keys={"category": category, "round": round}, **made)
    if datasets.manifest(VIDEOS, category=category, window=WINDOW) is None:
        videos = [
            {"candidate_id": f"{category} {index}", "source": "test",
             "source_id": "a2X2hz1G6i8" if index == 0 else f"name {index}", "video_id": f"{index:016x}",
             "group_id": f"{index:016x}", "duration_sec": 60.0, "fps": 25.0, "proxy_128": "media/x/128.mp4",
             "proxy_sha256": "0", "shots": [], **shared}
            for index in range(clips)
        ]  # fmt: skip
        fetched = [
            {**video, "media_sha256": video["video_id"] * 4, "size_bytes": 1, "codec": "h264", "width": 64,
             "height": 48, "frame_hashes": []}
            for video in videos
        ]  # fmt: skip
        keys = {"category": category, "window": WINDOW}
        of = datasets.write(FETCHED, [FETCHED.from_records(fetched)], keys=keys, **made)
        made["made_from"] = {of.address: of.mark}
        datasets.write(VIDEOS, [VIDEOS.from_records(videos)], keys=keys, **made)
    return [row["clip_id"] for row in hard]


def lease(ledger: Ledger, person: str, most: int = 100, category: str = "high_jump") -> list[dict[str, Any]]:
    """The clips in a person's hands, then new ones, as the page asks for them."""
    ledger.run("ensure_annotator", annotator=person)
    ledger.run("expire_leases")
    asked = {"annotator": person, "category": category, "lease_sec": 60.0}
    held = ledger.rows("held_clips", **asked)
    new = ledger.rows("lease_clips", **asked, clips_most=most - len(held), gold_most=0, place=0.5)
    return sorted([*held, *new], key=lambda row: row["clip_id"])


def cast(
    ledger: Ledger, person: str, clip: str, answer: str, category: str = "high_jump", **changes: Any
) -> str | None:
    vote = {
        "vote_id": str(uuid.uuid4()),
        "seconds": 3.5,
        "guideline_version": 1,
        "supersedes": None,
        "set_id": None,
        **changes,
    }
    found = ledger.one("cast_vote", clip_id=clip, category=category, annotator=person, answer=answer, **vote)
    return found["vote_id"] if found else None


def publish_and_answer(make_job: Any, ledger: Ledger, answers: dict[str, str], **kwargs: Any) -> list[str]:
    datasets = make_job("publish").datasets
    clips = prepare(ledger, datasets, **kwargs)
    categories = (kwargs.get("category", "high_jump"),)
    publish.run(make_job("publish", categories=categories, round=ROUND, settings={"review": TWICE}))
    for person, said in answers.items():
        for clip in lease(ledger, person, category=kwargs.get("category", "high_jump")):
            cast(ledger, person, clip["clip_id"], said, clip["category"])
    return clips


def states(ledger: Ledger) -> dict[str, int]:
    rows = ledger.rows("queue_totals")
    return {name: sum(row[name] for row in rows) for name in ("queued", "waiting", "finished", "withdrawn", "votes")}


def collected(make_job: Any) -> list[dict[str, Any]]:
    """Every vote in the store."""
    datasets = make_job("sync").datasets
    return [row for keys in datasets.partitions(VOTES) for row in datasets.read(VOTES, **keys).to_pylist()]


def set_aside(ledger: Ledger) -> dict[str, str]:
    """The reason of each answer that is no vote."""
    return {row["item"]: row["reason"] for row in ledger.rows("rejected_votes")}
