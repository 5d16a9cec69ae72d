"""What a release knows of a video becomes a lesson: clips, segments with their ends, and where people saw nothing."""

from pathlib import Path

import numpy as np

from slac_tasks.localization.features import Clock, Dense, Film
from slac_tasks.localization.labels import Clip
from slac_tasks.localization.releases import (
    ReleasedLabel,
    ReleasedVideo,
    chosen,
    imported_segments,
    lesson_of,
    with_imported,
)
from slac_tasks.model import Split
from slac_tasks.storage.datasets import IMPORTED
from slac_tasks.storage.datasets.labelling import ImportedRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets

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


def released(name: str, *labels: ReleasedLabel) -> ReleasedVideo:
    return ReleasedVideo(
        video_id=name, name=name, origin=("s", name), split=Split.TRAINING, film=Film(name=name, proxy="p"),
        labels=list(labels),
    )  # fmt: skip


def test_of_each_category_those_videos_teach_first_that_show_it() -> None:
    hop, no_hop = label("hop", 0, 2, True), label("hop", 0, 2, False)
    wave, no_wave = label("wave", 4, 6, True), label("wave", 4, 6, False)
    videos = [
        released("a", no_hop), released("b", no_hop, wave), released("c", hop), released("d", hop, no_wave),
        released("e", hop),
    ]  # fmt: skip
    taught = {most: [one.video_id for one in chosen(videos, {}, most)] for most in (1, 2, 3, 9)}
    assert taught == {1: ["c", "b"], 2: ["c", "d", "b"], 3: ["c", "d", "e", "b"], 9: ["c", "d", "e", "a", "b"]}


def test_videos_whose_ends_are_known_teach_before_all_others() -> None:
    hop, no_hop, wave = label("hop", 0, 2, True), label("hop", 0, 2, False), label("wave", 4, 6, True)
    videos = [released("a", hop), released("b", no_hop), released("c", hop), released("d", wave)]
    cut = {"b": [hop], "c": [label("hop", 1, 2, False)], "d": [hop, wave]}
    taught = {most: [one.video_id for one in chosen(videos, cut, most)] for most in (1, 2, 3)}
    assert taught == {1: ["b", "d"], 2: ["b", "d"], 3: ["b", "d", "a"]}


def imported_row(start: float, end: float, *, dense: bool | None = True, sign: int = 1) -> ImportedRow:
    return ImportedRow(
        candidate_id="c", source="anet.jsonl", source_id="v1", category="hop", label=sign, start_sec=start, end_sec=end,
        split=None, name="Hop", place=f"line {start:g}", dense=dense,
    )  # fmt: skip


def test_imported_segments_teach_where_people_say_nothing_else(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    rows = [imported_row(0, 3), imported_row(5, 9), imported_row(11, 14), imported_row(16, 19)]
    others = [imported_row(20, 22, dense=False), imported_row(23, 25, dense=None), imported_row(26, 28, sign=-1)]
    made = {"stage": "import", "settings": {}, "made_from": {}}
    datasets.write(IMPORTED, [IMPORTED.table([*rows, *others])], keys={"origin": "anet"}, **made)
    found = imported_segments(datasets)
    assert [one.start_sec for one in found["anet.jsonl", "v1"]] == [0, 5, 11, 16]
    video = ReleasedVideo(
        video_id="a", name="a", origin=("anet.jsonl", "v1"), split=Split.TRAINING, film=Film(name="a", proxy="p"),
        labels=[label("hop", 8, 10, False), label("wave", 0, 2, False), label("hop", 1, 3, True)],
    )  # fmt: skip
    cut = [label("hop", 11.5, 14.5, True)]
    # The second meets a clip without the action, the third a segment whose ends people gave.
    taught = [(one.start_sec, one.end_sec) for one in with_imported(video, cut, found)]
    assert taught == [(11.5, 14.5), (0, 3), (16, 19)]
    assert with_imported(video, cut, {}) == cut
