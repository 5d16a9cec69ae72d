"""What a release knows of a video becomes a lesson: clips, segments with their ends, and where people saw nothing."""

import numpy as np

from slac_tasks.localization.features import Clock, Dense
from slac_tasks.localization.labels import Clip
from slac_tasks.localization.releases import ReleasedLabel, lesson_of

DENSE = Dense(name="a", clock=Clock(fps=24, frames=240), values=np.zeros((60, 2), np.float32))


def label(category: str, start: float, end: float, positive: bool) -> ReleasedLabel:
    return ReleasedLabel(category=category, start_sec=start, end_sec=end, positive=positive)


def test_segments_that_people_cut_have_their_ends_and_refused_ones_are_a_no() -> None:
    cut = [label("hop", 2.25, 4.5, True), label("wave", 5, 8, False), label("unknown", 0, 1, True)]
    lesson = lesson_of(DENSE, [label("wave", 1, 3, True)], cut, ["hop", "wave"])
    assert lesson.known == ((0, 2.25, 4.5),)
    assert lesson.clips == (
        Clip(category=1, start_sec=1, end_sec=3, positive=True),
        Clip(category=1, start_sec=5, end_sec=8, positive=False),
    )
    assert lesson.spans is None
