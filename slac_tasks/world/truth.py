"""What is true of a world's videos: read by simulated people and by measurements, never by a stage."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from slac_tasks.errors import BrokenContract, NotConfigured

FILE = "truth.jsonl"
MIN_OVERLAP_SEC = 1.0
"""A clip shows an action when at least half of its two seconds do (ours)."""

Span = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What one file shows: a line of truth.jsonl."""

    source_id: str
    category: str
    """What it was retrieved for."""
    duration_sec: float
    segments: Mapping[str, Sequence[Span]]
    """Where each action occurs."""
    shots: Sequence[tuple[float, float, bool | None]]
    """Stretches without a cut: start, end, and whether they show people; None: nobody knows."""
    copy_of: str | None = None
    """The source_id of the video that this one repeats."""
    broken: str = ""
    """What is wrong with the file."""

    def line(self) -> dict[str, Any]:
        """Return the line of truth.jsonl."""
        return asdict(self)


def by_action(segments: Iterable[tuple[str, float, float]]) -> dict[str, list[Span]]:
    """Return the spans of each action; segments are (action, start, end) in seconds, in order."""
    found: dict[str, list[Span]] = {}
    for action, start_sec, end_sec in segments:
        found.setdefault(action, []).append((round(start_sec, 3), round(end_sec, 3)))
    return found


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
        raise NotConfigured(
            f"world {folder}: no {FILE}, want a folder made by `slac world make` or `slac rehearse`"
        ) from error
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
