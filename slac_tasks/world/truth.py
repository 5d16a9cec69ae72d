"""What is true of a world's videos: read by simulated people and by measurements, never by a stage."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.world.catalogue import Entry

FILE = "truth.jsonl"
MIN_OVERLAP_SEC = 1.0
"""A clip shows an action when at least half of its two seconds do (ours)."""

Span = tuple[float, float]


def line(entry: Entry) -> dict[str, Any]:
    """Return what is true of one file, as written to truth.jsonl."""
    segments: dict[str, list[Span]] = {}
    for segment in entry.script.segments:
        segments.setdefault(segment.action.key, []).append((round(segment.start_sec, 3), round(segment.end_sec, 3)))
    return {
        "source_id": entry.source_id,
        "category": entry.category,
        "duration_sec": entry.script.duration_sec,
        "segments": segments,
        "shots": [(shot.start_sec, shot.end_sec, shot.people) for shot in entry.script.shots],
        "copy_of": entry.copy_of,
        "broken": entry.broken,
    }


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Where every action occurs in every video, by the source's own name of the video."""

    segments: Mapping[str, Mapping[str, tuple[Span, ...]]]
    """source_id -> action -> spans in seconds."""

    def contains(self, source_id: str, category: str, start_sec: float, end_sec: float) -> bool:
        """Return whether the clip shows the action for at least a second.

        Raises:
            BrokenContract: the video is not in the world.

        """
        if source_id not in self.segments:
            raise BrokenContract(f"truth: video {source_id!r} is not in the world")
        spans = self.segments[source_id].get(category, ())
        shown = sum(max(0.0, min(end, end_sec) - max(start, start_sec)) for start, end in spans)
        return shown >= MIN_OVERLAP_SEC - 1e-6


def read_truth(folder: Path) -> Truth:
    """Read the truth of the world in `folder`.

    Raises:
        NotConfigured: there is no world.

    """
    try:
        lines = (folder / FILE).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise NotConfigured(f"world {folder}: no {FILE}, want a folder made by `slac world make`") from error
    rows = [json.loads(text) for text in lines]
    return Truth(
        segments={
            row["source_id"]: {
                action: tuple((float(start), float(end)) for start, end in spans)
                for action, spans in row["segments"].items()
            }
            for row in rows
        }
    )
