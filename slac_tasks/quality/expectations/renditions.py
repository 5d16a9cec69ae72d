"""What is expected of rows that describe a rendition: of fetched media, and of admitted videos."""

import numpy as np
import pyarrow.compute as pc

from slac_tasks.quality.expectations.candidates import HEX_16, HEX_64
from slac_tasks.quality.expectations.entries import CRITICAL, Bools, Expectation, Handover
from slac_tasks.quality.expectations.measures import not_like, outside, wrong_rows

_LONGEST_SEC = 86_400.0
_RATES = (24.0, 25.0, 30.0)
_SLACK_SEC = 0.1
"""Two frames and a rounding."""


def _other_rate(handover: Handover) -> Bools:
    return ~np.isin(handover.numbers("fps"), _RATES)


def _strange_shots(handover: Handover) -> Bools:
    """Return which videos have no shot, shots that end before they start, overlap, or end after the video."""
    shots = handover.column("shots")
    sizes = pc.list_value_length(shots).fill_null(0).to_numpy()
    spans = shots.flatten()
    starts, ends = (spans.field(name).to_numpy(zero_copy_only=False) for name in ("start_sec", "end_sec"))
    row = np.repeat(np.arange(len(sizes)), sizes)
    length = handover.numbers("duration_sec")[row]
    wrong = ~((starts >= -_SLACK_SEC) & (ends > starts) & (ends <= length + _SLACK_SEC))
    if len(row) > 1:
        wrong[1:] |= (row[1:] == row[:-1]) & (starts[1:] < ends[:-1] - _SLACK_SEC)
    return np.asarray((sizes == 0) | (np.bincount(row[wrong], minlength=len(sizes)) > 0))


RENDITIONS: tuple[Expectation, ...] = (
    Expectation(
        name="id_of_video", severity=CRITICAL, reads=("video_id",), measure=not_like("video_id", HEX_16),
        sentence="Every video_id is 16 hex digits.",
    ),
    Expectation(
        name="length_of_video", severity=CRITICAL, reads=("duration_sec",),
        measure=outside("duration_sec", 1e-3, _LONGEST_SEC), sentence="Every video is between a moment and a day long.",
    ),
    Expectation(
        name="frame_rate", severity=CRITICAL, reads=("fps",), measure=wrong_rows(_other_rate),
        sentence="Every rendition has 24, 25 or 30 frames a second.",
    ),
    Expectation(
        name="shots_in_order", severity=CRITICAL, reads=("shots", "duration_sec"), measure=wrong_rows(_strange_shots),
        sentence="The shots of a video are in order and inside it.",
    ),
    Expectation(
        name="hash_of_rendition", severity=CRITICAL, reads=("proxy_sha256",), measure=not_like("proxy_sha256", HEX_64),
        sentence="The hash of every rendition is 64 hex digits.",
    ),
)  # fmt: skip
