"""Cut candidate clips of 2 seconds on a half-second grid, each inside one shot.

Reads: dataset videos; some of their 128 renditions, drawn by lot, which are decoded from start to end; the 256 ones
when a people filter is chosen.
Writes: dataset clips. A drawn video that cannot be decoded has none.
Safe to run again: it writes nothing but its dataset, and that once.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.job import Job, Partition
from slac_tasks.model import CLIP_SEC, GRID_SEC, MISSING_FRAMES, clip_id
from slac_tasks.networks import person_detectors
from slac_tasks.progress import track
from slac_tasks.quality.expectations.clips import BROKEN, drawn
from slac_tasks.storage.datasets import CLIPS, VIDEOS
from slac_tasks.storage.datasets.collecting import ClipRow, Span, VideoRow
from slac_tasks.storage.manifests import Drop
from slac_tasks.video.frames import read_clips
from slac_tasks.video.lost import Lost

_EPSILON = 1e-6
_FRAMES, _PIXELS, _AT_ONCE = 8, 112, 60
"""What is read of a rendition to see whether it can be decoded: frames of a clip, their side, clips at once."""


def clip_starts(start_sec: float, end_sec: float) -> list[float]:
    """Return where clips of 2 s start on the 0.5 s grid so that each lies inside [start, end] (HACS v3, section 3)."""
    first = math.ceil((start_sec - _EPSILON) / GRID_SEC)
    last = math.floor((end_sec - CLIP_SEC + _EPSILON) / GRID_SEC)
    return [number * GRID_SEC for number in range(first, last + 1)]


def long_shots(video: VideoRow, min_shot_sec: float) -> Iterator[tuple[int, Span]]:
    """Yield (index, shot) of the shots of a video that may hold a clip.

    A video of one shot that is a clip but for MISSING_FRAMES counts as long as one.
    """
    missing_sec = CLIP_SEC - video.duration_sec
    shots = video.shots
    if len(shots) == 1 and 0 < missing_sec <= MISSING_FRAMES / video.fps + _EPSILON:
        shots = (replace(shots[0], end_sec=max(shots[0].end_sec, shots[0].start_sec + CLIP_SEC)),)
    for index, span in enumerate(shots):
        if span.end_sec - span.start_sec >= min_shot_sec - _EPSILON and clip_starts(span.start_sec, span.end_sec):
            yield index, span


def clips_of(video: VideoRow, shot: int, span: Span, people: int | None) -> list[ClipRow]:
    """Return the clips of one shot."""
    return [
        ClipRow(
            clip_id=clip_id(video.video_id, start), video_id=video.video_id, start_sec=start,
            end_sec=start + CLIP_SEC, split=video.split, proxy_128=video.proxy_128, proxy_256=video.proxy_256,
            shot=shot, people=people,
        )
        for start in clip_starts(span.start_sec, span.end_sec)
    ]  # fmt: skip


def run(job: Job) -> None:
    """Write the clips of each category."""
    # Opened by the first category that has work: finished ones need no weights.
    opened = cache(lambda: person_detectors.detector(job.config.proposal, job.config.device))

    def work(category: str) -> None:
        keys = {"category": category, "window": job.key("window")}
        videos = job.datasets.need(VIDEOS, **keys)
        with job.partition(CLIPS, keys, inputs=[videos]) as made:
            if not made.finished:
                withdrawals = Withdrawals.read(job.store)
                rows = [row for row in job.datasets.rows_of(VIDEOS, videos) if not withdrawals.covers(row)]
                _propose(job, rows, opened(), made, f"propose {category}")

    job.each_category(work)


def _fault(job: Job, video: VideoRow) -> str | None:
    """Return why the small rendition of a video cannot be decoded from start to end; None: it can."""
    try:
        with job.store.local(video.proxy_128) as path:
            for start in _stretches(video.duration_sec):
                read_clips(Path(path), start, frames=_FRAMES, size=_PIXELS)
    except (BrokenContract, NotMade) as error:
        return str(error)
    return None


def _stretches(duration_sec: float) -> Iterator[list[float]]:
    """Yield where clips start that cover a video, some at a time: memory holds the pixels of these."""
    starts = clip_starts(0.0, duration_sec)[:: round(CLIP_SEC / GRID_SEC)]
    for place in range(0, len(starts), _AT_ONCE):
        yield starts[place : place + _AT_ONCE]


def _people(
    job: Job, video: VideoRow, shots: list[Span], detector: person_detectors.Detector | None
) -> Sequence[int | None]:
    """Return how many people each shot shows; None where no detector looks.

    Raises:
        BrokenContract: the large rendition cannot be decoded, or is not there.

    """
    if detector is None:
        return [None] * len(shots)
    with job.store.local(video.proxy_256) as path:
        return detector.in_shots(Path(path), [(shot.start_sec, shot.end_sec) for shot in shots])


def _set_aside(job: Job, video: VideoRow, lost: Lost, made: Partition[ClipRow]) -> None:
    """Drop a video that cannot be read, unless it was withdrawn meanwhile: a takedown removes the bytes at once."""
    if not Withdrawals.read(job.store).covers(video):
        made.drops.append(lost.drop(video.video_id))


def _propose(
    job: Job, videos: list[VideoRow], detector: person_detectors.Detector | None, made: Partition[ClipRow], what: str
) -> None:
    """Write the clips of the videos; a detector sets aside shots without people, and videos that it cannot read."""
    if detector and detector.weights:
        made.weights[f"people/{detector.name}"] = detector.weights
    chosen = drawn(video.video_id for video in videos)
    for video in track(videos, len(videos), what):
        if video.video_id in chosen and (fault := _fault(job, video)):
            _set_aside(job, video, Lost(BROKEN, fault), made)
            continue
        spans = list(long_shots(video, job.config.proposal.min_shot_sec))
        if not spans:
            made.drops.append(Drop(item=video.video_id, reason="no shot long enough"))
            continue
        try:
            found = _people(job, video, [span for _, span in spans], detector)
        except BrokenContract as error:
            _set_aside(job, video, Lost.of(error), made)
            continue
        for (shot, span), people in zip(spans, found, strict=True):
            if people == 0:
                made.drops.append(Drop(item=f"{video.video_id}#{shot}", reason="no people in the shot"))
            else:
                made.write(clips_of(video, shot, span, people))
