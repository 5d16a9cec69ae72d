"""What is expected of the clips of a category and window.

Beside them: `admitted` (video_id, group_id, split), `videos` (video_id, duration_sec, shots), `withdrawn` (video_id).

An inspection opens no media. So `propose`, which may, decodes some renditions that are drawn by lot, and sets aside the
videos of those that break; the share of the others is judged here.
"""

import heapq
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow.compute as pc

from slac_tasks.model import unit_hash
from slac_tasks.quality.expectations.clip_rows import ID_OF_CLIP, of_clips
from slac_tasks.quality.expectations.declared import declared
from slac_tasks.quality.expectations.entries import CRITICAL, WARNING, Bools, Expectation, Finding, Handover, Wanted
from slac_tasks.quality.expectations.measures import not_in, share, wrong_rows
from slac_tasks.storage.datasets import CLIPS

DRAWN = 20
"""Videos of a category and window whose rendition is decoded."""
BROKEN = "broken rendition"
"""Reason for which such a video is set aside."""
_SLACK_SEC = 0.1
"""Two frames and a rounding: a shot that is some frames shorter than a clip is one."""


def _outside_shot(handover: Handover) -> Bools:
    """Return which clips do not lie inside the shot that they name."""
    shots = handover.beside["videos"]["shots"].combine_chunks()
    sizes = pc.list_value_length(shots).fill_null(0).to_numpy()
    first = np.cumsum(sizes) - sizes
    spans = shots.flatten()
    starts, ends = (np.append(spans.field(name).to_numpy(), np.nan) for name in ("start_sec", "end_sec"))
    video, shot = handover.place_in("video_id", "videos"), handover.numbers("shot")
    exists = (video >= 0) & (shot >= 0) & (shot < np.append(sizes, 0)[video])
    place = np.where(exists, np.append(first, 0)[video] + np.nan_to_num(shot), len(starts) - 1).astype(np.int64)
    inside = (handover.numbers("start_sec") >= starts[place] - _SLACK_SEC) & (
        handover.numbers("end_sec") <= ends[place] + _SLACK_SEC
    )
    return np.asarray((video >= 0) & ~inside)


def drawn(videos: Iterable[str]) -> frozenset[str]:
    """Return the videos of which the rendition is decoded: a few of all, the same at every call."""
    return frozenset(heapq.nsmallest(DRAWN, set(videos), key=lambda video: unit_hash("decoded", video)))


def _decoded(handover: Handover) -> Iterator[Finding]:
    """Yield the share of the drawn renditions that could be decoded; those of withdrawn videos are not opened."""
    videos, withdrawn = (set(handover.beside[name]["video_id"].to_pylist()) for name in ("videos", "withdrawn"))
    broken = handover.dropped.get(BROKEN, 0)
    opened = max(min(DRAWN, len(videos - withdrawn)), broken)
    yield share(opened - broken, opened)


def _fewer_than_none(handover: Handover) -> Bools:
    return handover.known("people") & ~(handover.numbers("people") >= 0)


def _with_clips(handover: Handover) -> Iterator[Finding]:
    places = handover.place_in("video_id", "videos")
    yield share(len(np.unique(places[places >= 0])), handover.beside["videos"].num_rows)


EXPECTATIONS: tuple[Expectation, ...] = (
    *declared(CLIPS),
    *of_clips(),
    ID_OF_CLIP,
    Expectation(
        name="of_a_video", severity=CRITICAL, reads=("video_id",), needs=("videos",),
        measure=not_in("video_id", "videos"), sentence="Every clip is of an admitted video of this window.",
    ),
    Expectation(
        name="clip_inside_shot", severity=CRITICAL, reads=("video_id", "start_sec", "end_sec", "shot"),
        needs=("videos",), measure=wrong_rows(_outside_shot), sentence="Every clip lies inside one shot.",
    ),
    Expectation(
        name="people_counted", severity=CRITICAL, reads=("people",), measure=wrong_rows(_fewer_than_none),
        sentence="The number of people in a shot is none or more.",
    ),
    Expectation(
        name="videos_with_clips", severity=WARNING, reads=("video_id",), needs=("videos",),
        wanted=Wanted(low="min_with_clips"), measure=_with_clips,
        sentence="Some videos of the window gave clips.",
    ),
    Expectation(
        name="renditions_decoded", severity=WARNING, reads=(), needs=("videos", "withdrawn"),
        wanted=Wanted(low="min_decoded"), measure=_decoded,
        sentence=f"Of {DRAWN} renditions that are drawn by lot, most can be decoded from start to end.",
    ),
)  # fmt: skip
