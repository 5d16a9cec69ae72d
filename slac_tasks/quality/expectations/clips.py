"""What is expected of the clips of a category and window.

Beside them: `admitted` (video_id, group_id, split), `videos` (video_id, duration_sec, shots), `withdrawn` (video_id).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from slac_tasks.quality.expectations.clip_rows import ID_OF_CLIP, of_clips
from slac_tasks.quality.expectations.declared import declared
from slac_tasks.quality.expectations.entries import CRITICAL, WARNING, Bools, Expectation, Finding, Handover, Wanted
from slac_tasks.quality.expectations.measures import not_in, share, wrong_rows
from slac_tasks.storage.datasets import CLIPS

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
)  # fmt: skip
