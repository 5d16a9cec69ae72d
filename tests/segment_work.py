"""Segments in the queue, and people who answer them, on a real ledger."""

import json
import uuid
from pathlib import Path
from typing import Any

from review_work import prepare

from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets

CATEGORY = "high_jump"


def results(path: Path, lines: dict[str, list[tuple[float, float, float]]]) -> Path:
    """Write a `results` json: (start, end, score) of each segment, by video."""
    found = {
        video: [{"label": "High jump", "score": score, "segment": [start, end]} for start, end, score in own]
        for video, own in lines.items()
    }
    path.write_text(json.dumps({"version": "test", "results": found, "external_data": {}}))
    return path


def admit(ledger: Ledger, datasets: Datasets, videos: int = 6) -> list[str]:
    """Admit videos of 60 s at 25 frames a second; return their ids."""
    prepare(ledger, datasets, CATEGORY, clips=videos)
    return [f"{number:016x}" for number in range(videos)]


def lease_segments(ledger: Ledger, person: str, most: int = 100, gold: int = 0) -> list[dict[str, Any]]:
    """The segments in a person's hands, then those that lapsed, then new ones, as the page asks for them."""
    ledger.run("ensure_annotator", annotator=person)
    ledger.run("expire_segment_leases")
    asked = {"annotator": person, "category": CATEGORY, "lease_sec": 60.0}
    found = ledger.rows("held_segments", **asked)
    found += ledger.rows("lease_segments_again", **asked, segments_most=most - len(found))
    found += ledger.rows("lease_segments", **asked, segments_most=most - len(found), gold_most=gold)
    return sorted(found, key=lambda row: (str(row["proxy_256"]), row["start_sec"], row["segment_id"]))


def cast_segment(
    ledger: Ledger, person: str, segment: str, answer: str, ends: tuple[float, float] | None = None, **changes: Any
) -> str | None:
    """Store an answer; return its id where it was stored."""
    start, end = ends or (None, None)
    vote = {
        "vote_id": str(uuid.uuid4()), "seconds": 4.0, "guideline_version": 1, "supersedes": None, "start_sec": start,
        "end_sec": end, **changes,
    }  # fmt: skip
    found = ledger.one("cast_segment_vote", segment_id=segment, annotator=person, answer=answer, **vote)
    return found["vote_id"] if found else None
