"""Cut candidate clips of 2 seconds on a half-second grid, each inside one shot.

Reads: dataset videos; the 256 renditions when a people filter is chosen.
Writes: dataset clips.
Safe to run again: it writes nothing but its dataset, and that once.
"""

import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from slac_tasks.admission.withdrawals import Takedowns
from slac_tasks.job import Job
from slac_tasks.model import CLIP_SEC, GRID_SEC, clip_id
from slac_tasks.networks import person_detectors
from slac_tasks.progress import track
from slac_tasks.storage.datasets import CLIPS, VIDEOS
from slac_tasks.storage.tables import Drop

_EPSILON = 1e-6


def clip_starts(start_sec: float, end_sec: float) -> list[float]:
    """Return where clips of 2 s start on the 0.5 s grid so that each lies inside [start, end] (HACS v3, section 3)."""
    first = math.ceil((start_sec - _EPSILON) / GRID_SEC)
    last = math.floor((end_sec - CLIP_SEC + _EPSILON) / GRID_SEC)
    return [number * GRID_SEC for number in range(max(first, 0), last + 1)]


def long_shots(video: dict[str, Any], min_shot_sec: float) -> Iterator[tuple[int, float, float]]:
    """Yield (index, start, end) of the shots of a video that may hold a clip."""
    for index, span in enumerate(video["shots"]):
        if span["end_sec"] - span["start_sec"] >= min_shot_sec - _EPSILON:
            if clip_starts(span["start_sec"], span["end_sec"]):
                yield index, span["start_sec"], span["end_sec"]


def clips_of(
    video: dict[str, Any], shot: int, start_sec: float, end_sec: float, found: int | None
) -> list[dict[str, Any]]:
    """Return the rows of the clips of one shot."""
    return [
        {
            "clip_id": clip_id(video["video_id"], start),
            "start_sec": start,
            "end_sec": start + CLIP_SEC,
            "shot": shot,
            "people": found,
            **{name: video[name] for name in ("video_id", "split", "proxy_128", "proxy_256")},
        }
        for start in clip_starts(start_sec, end_sec)
    ]


def run(job: Job) -> None:
    """Write the clips of each category."""
    window = job.key("window")
    proposal = job.config.proposal
    # Opened by the first category that has work: finished ones need no weights.
    opened = cache(lambda: person_detectors.detector(proposal, job.config.device))

    def work(category: str) -> None:
        keys = {"category": category, "window": window}
        videos = job.datasets.need(VIDEOS, **keys)
        if job.finished(CLIPS, keys, inputs=[videos], sections=("proposal",)):
            return
        detector = opened()
        takedowns = Takedowns.read(job.store)
        rows = [row for row in job.datasets.read(VIDEOS, **keys).to_pylist() if not takedowns.cover(row)]
        records: list[dict[str, Any]] = []
        drops: list[Drop] = []
        for video in track(rows, len(rows), f"propose {category}"):
            spans = list(long_shots(video, proposal.min_shot_sec))
            if not spans:
                drops.append(Drop(item=video["video_id"], reason="no shot long enough"))
                continue
            found: list[int | None] = [None] * len(spans)
            if detector is not None:
                with job.store.local(video["proxy_256"]) as path:
                    found = list(detector.in_shots(Path(path), [(a, b) for _, a, b in spans]))
            for (shot, start, end), number in zip(spans, found, strict=True):
                if number == 0:
                    drops.append(Drop(item=f"{video['video_id']}#{shot}", reason="no people in the shot"))
                else:
                    records += clips_of(video, shot, start, end, number)
        weights = {f"people/{detector.name}": detector.weights} if detector and detector.weights else {}
        job.finish(
            CLIPS, [CLIPS.rows(records)], keys, inputs=[videos], sections=("proposal",), drops=drops, weights=weights
        )

    job.each_category(work)
