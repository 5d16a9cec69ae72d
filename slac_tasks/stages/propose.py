"""Cut candidate clips: 2 seconds each, on a 0.5 s grid, inside one shot that shows people.

Reads: videos (category, window) and, when a people filter is chosen, two frames of each shot from the proxies.
Writes: clips (category, window).
Safe to run again: a finished partition is left alone.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from slac_tasks.datasets import CLIPS, VIDEOS, Drop
from slac_tasks.errors import BrokenContract
from slac_tasks.frames import read_clips
from slac_tasks.job import Job
from slac_tasks.model import CLIP_SEC, GRID_SEC, clip_id
from slac_tasks.people import Detector, detector
from slac_tasks.progress import track

SECTIONS = ("proposal",)

_LOOK_SEC = 0.1
"""A stretch short enough that its one frame is a still."""


def starts(start_sec: float, end_sec: float, duration_sec: float) -> Iterator[float]:
    """Yield where clips start inside a shot, in seconds: points of the grid whose clip ends inside shot and video."""
    last = min(end_sec, duration_sec) - CLIP_SEC
    first = math.ceil(round(start_sec / GRID_SEC, 6))
    for step in range(first, math.floor(round(last / GRID_SEC, 6)) + 1):
        yield step * GRID_SEC


def run(job: Job) -> None:
    """Propose clips for every category of the job."""
    settings = job.config.proposal
    look = detector(settings.people, settings.people_weights)
    job.each_category(lambda category: _propose(job, category, look))


def _propose(job: Job, category: str, look: Detector | None) -> None:
    keys = {"category": category, "window": job.need_window()}
    videos = job.datasets.need(VIDEOS, **keys)
    if job.finished(CLIPS, keys, inputs=[videos], sections=SECTIONS):
        return
    drops: list[Drop] = []
    rows: list[dict[str, Any]] = []
    table = job.datasets.read(VIDEOS, **keys).to_pylist()
    for video in track(table, len(table), f"propose {category}"):
        rows += _clips(job, video, look, drops)
    tables: list[pa.Table] = [CLIPS.rows(rows)]
    job.finish(CLIPS, tables, keys, inputs=[videos], sections=SECTIONS, drops=drops)


def _clips(job: Job, video: dict[str, Any], look: Detector | None, drops: list[Drop]) -> list[dict[str, Any]]:
    """Return the clips of one video; what holds none is dropped with a reason."""
    shots = [
        (index, shot["start_sec"], shot["end_sec"])
        for index, shot in enumerate(video["shots"])
        if shot["end_sec"] - shot["start_sec"] >= job.config.proposal.min_shot_sec
    ]
    people: dict[int, int | None] = {index: None for index, _, _ in shots}
    if look is not None and shots:
        try:
            with job.store.local(video["proxy_256"]) as path:
                people = dict(_people(path, shots, look))
        except BrokenContract as failure:
            drops.append(Drop(item=video["video_id"], reason="cannot be decoded", detail=str(failure)))
            return []
        for index, count in people.items():
            if not count:
                drops.append(Drop(item=f"{video['video_id']} shot {index}", reason="no people"))
        shots = [shot for shot in shots if people[shot[0]]]
    found = [
        {
            "clip_id": clip_id(video["video_id"], start),
            "video_id": video["video_id"],
            "start_sec": start,
            "end_sec": start + CLIP_SEC,
            "split": video["split"],
            "proxy_128": video["proxy_128"],
            "proxy_256": video["proxy_256"],
            "shot": index,
            "people": people[index],
        }
        for index, begin, end in shots
        for start in starts(begin, end, video["duration_sec"])
    ]
    if not found:
        drops.append(Drop(item=video["video_id"], reason="no clip", detail="no shot with people holds 2 seconds"))
    return found


def _people(path: Path, shots: list[tuple[int, float, float]], look: Detector) -> Iterator[tuple[int, int]]:
    """Yield (shot, most people on one of two frames: a third and two thirds into it), as HACS v3 looks at two."""
    for index, begin, end in shots:
        length = end - begin
        stills = read_clips(path, [begin + length / 3, begin + 2 * length / 3], frames=1, size=256, clip_sec=_LOOK_SEC)
        yield index, max(look.count(still[0]) for still in stills)
