"""Features in a folder are read as OpenTAD's and ActionFormer's own loaders read theirs.

`opentad` and `actionformer` below do what these loaders do with names, shapes, offsets and labels (opentad/datasets/
base/padding_dataset.py, thumos.py and transforms/loading.py; libs/datasets/anet.py and libs/core/config.py), in words
of our own: neither is a package.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from slac_tasks.errors import BrokenContract, WrongArguments, is_disk_full
from slac_tasks.localization.features import Clock, Dense
from slac_tasks.localization.layouts import (
    VIDEOS,
    Featured,
    Labelled,
    Missing,
    check_stride,
    featured,
    file_of,
    write_features,
    write_lists,
)
from slac_tasks.model import Split

RATES = {"one": 24.0, "two": 30.0, "three": 25.0}
LABELS = {
    "one": Labelled(split=Split.TRAINING, segments=(("wave", 1.0, 3.0), ("jump", 9.0, 99.0))),
    "two": Labelled(split=Split.VALIDATION, segments=(("jump", 2.0, 4.0),)),
}
LOST = Missing(name="four", reason="undecodable", detail="no frames")


def dense(name: str, fps: float, dtype: str = "float16") -> tuple[Dense, Featured]:
    clock = Clock(fps=fps, frames=round(10 * fps))
    # Each row holds the moment for which it stands.
    moments = clock.offset_sec + np.arange(clock.count) * clock.stride_sec
    values = np.repeat(moments[:, None], 5, axis=1).astype(np.float32)
    one = Dense(name=name, clock=clock, values=values)
    return one, Featured.of(one, source=f"{name}.mp4", network="abc", dtype=dtype)


@pytest.mark.parametrize("step", ["write_bytes", "unlink", "open", "replace"])
def test_a_kill_leaves_no_line_beside_other_features(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (dense("again", 25.0, dtype=dtype) for dtype in ("float32", "float16"))
    write_features(tmp_path, *old)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killing:
        killing.setattr(Path, step, killed)
        with pytest.raises(KeyboardInterrupt):
            write_features(tmp_path, *new)
    for one in featured(tmp_path).values():
        assert one.dtype == np.load(file_of(tmp_path, "again")).dtype
    write_features(tmp_path, *new)
    assert featured(tmp_path)["again"].dtype == "float16"


def test_features_that_the_disk_cannot_hold_are_known_as_that(tmp_path: Path) -> None:
    part = file_of(tmp_path, "full").with_name(".full.npy.part")
    part.parent.mkdir()
    part.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        write_features(tmp_path, *dense("full", 25.0))
    assert is_disk_full(caught.value)
    assert caught.value.filename == str(file_of(tmp_path, "full"))
    file_of(tmp_path, "full").with_name(".full.npy.part").unlink()
    (tmp_path / VIDEOS).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        write_features(tmp_path, *dense("full", 25.0))
    assert caught.value.filename == str(tmp_path / VIDEOS)
    assert not file_of(tmp_path, "full").exists()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, fps in RATES.items():
        write_features(tmp_path, *dense(name, fps))
    assert write_lists(tmp_path, featured(tmp_path).values(), LABELS, [LOST], "Made up.") != ()
    return tmp_path


def opentad(folder: Path, part: str) -> list[dict[str, Any]]:
    """Return what OpenTAD's dataset gives of each video of a part of its config."""
    text = (folder / "opentad.py").read_text().replace("{{ fileDirname }}", str(folder))
    config: dict[str, Any] = {}
    exec(text, config)
    own = config["dataset"][part]
    assert own["type"] == "ThumosPaddingDataset"
    classes = Path(own["class_map"]).read_text().splitlines()
    blocked = Path(own["block_list"]).read_text().splitlines()
    assert config["model"]["rpn_head"]["num_classes"] == len(classes)
    found = []
    for name, video in json.loads(Path(own["ann_file"]).read_text())["database"].items():
        if name in blocked or video["subset"] not in own["subset_name"]:
            continue
        segments = [
            [int(second / video["duration"] * video["frame"]) for second in each["segment"]]
            for each in video["annotations"]
        ]
        if not segments and not own.get("test_mode"):
            continue
        values = np.load(os.path.join(own["data_path"], f"{name}.npy")).astype(np.float32)
        assert values.shape[1] == config["model"]["projection"]["in_channels"]
        places = (np.array(segments, np.float32) - int(own["offset_frames"])) / int(own["feature_stride"])
        labels = [classes.index(each["label"]) for each in video["annotations"]]
        found.append({"name": name, "values": values, "places": places, "labels": labels, "video": video})
    return found


def actionformer(folder: Path, part: str) -> list[dict[str, Any]]:
    """Return what ActionFormer's dataset `anet` gives of each video of a part of its config."""
    config = yaml.safe_load((folder / "actionformer.yaml").read_text())
    own = config["dataset"]
    assert config["dataset_name"] == "anet"
    database = json.loads(Path(own["json_file"]).read_text())["database"]
    labels = {each["label"]: each["label_id"] for video in database.values() for each in video["annotations"]}
    assert len(labels) == own["num_classes"]
    assert sorted(labels.values()) == list(range(len(labels)))
    found = []
    for name, video in database.items():
        if video["subset"].lower() not in config[part]:
            continue
        fps = own["default_fps"] if own["default_fps"] is not None else video["fps"]
        values = np.load(os.path.join(own["feat_folder"], (own["file_prefix"] or "") + name + own["file_ext"]))
        assert values.shape[1] == own["input_dim"]
        seconds = np.array([each["segment"] for each in video["annotations"]], np.float32)
        places = (seconds * fps - 0.5 * own["num_frames"]) / own["feat_stride"]
        numbers = [labels[each["label"]] for each in video["annotations"]]
        found.append({"name": name, "values": values, "places": places, "labels": numbers, "video": video})
    return found


LOADERS = [(opentad, "train", "val"), (actionformer, "train_split", "val_split")]


@pytest.mark.parametrize(("loader", "train", "val"), LOADERS, ids=["opentad", "actionformer"])
def test_a_segment_lies_on_the_rows_of_its_moments(folder: Path, loader: Any, train: str, val: str) -> None:
    for part, names in ((train, ["one"]), (val, ["two"])):
        found = loader(folder, part)
        assert [each["name"] for each in found] == names
        for each in found:
            for (start, end), wanted in zip(each["places"], each["video"]["annotations"], strict=True):
                rows = np.arange(len(each["values"]))
                moments = [np.interp(place, rows, each["values"][:, 0]) for place in (start, end)]
                frame_sec = 1 / each["video"]["fps"]
                # A row's moment is half precision, and OpenTAD cuts a moment to a frame.
                for moment, second in zip(moments, wanted["segment"], strict=True):
                    last = each["values"][-1, 0]
                    assert moment == pytest.approx(min(second, last), abs=frame_sec + 0.01)


@pytest.mark.parametrize(("loader", "train", "val"), LOADERS, ids=["opentad", "actionformer"])
def test_labels_are_numbered_as_the_class_map(folder: Path, loader: Any, train: str, val: str) -> None:
    assert (folder / "category_idx.txt").read_text() == "jump\nwave\n"
    assert [each["labels"] for part in (train, val) for each in loader(folder, part)] == [[1, 0], [0]]


def test_all_videos_of_the_part_that_judges_are_looked_at(folder: Path) -> None:
    assert [each["name"] for each in opentad(folder, "test")] == ["two"]
    assert json.loads((folder / "annotations.json").read_text())["database"]["three"]["subset"] == "training_unlabelled"


def test_segments_end_with_their_video(folder: Path) -> None:
    database = json.loads((folder / "annotations.json").read_text())["database"]
    assert [each["segment"] for each in database["one"]["annotations"]] == [[1.0, 3.0], [9.0, 10.0]]


def test_a_category_whose_segments_all_begin_behind_the_end_is_no_class(folder: Path) -> None:
    late = Labelled(split=Split.TRAINING, segments=(("wave", 1.0, 3.0), ("late", 11.0, 12.0)))
    write_lists(folder, featured(folder).values(), {**LABELS, "one": late}, [], "Made up.")
    assert (folder / "category_idx.txt").read_text() == "jump\nwave\n"
    assert [each["labels"] for each in actionformer(folder, "train_split")] == [[1]]


def test_what_is_missing_is_listed_with_its_reason_and_in_no_annotation(folder: Path) -> None:
    assert (folder / "missing_files.txt").read_text() == "four\n"
    assert json.loads((folder / "missing.jsonl").read_text()) == vars(LOST)
    assert "four" not in json.loads((folder / "annotations.json").read_text())["database"]


def test_each_video_has_its_clock(folder: Path) -> None:
    one = featured(folder)["two"]
    assert (one.fps, one.frames, one.duration_sec, one.count, one.dimensions) == (30.0, 300, 10.0, 75, 5)
    assert one.stride_sec == pytest.approx(4 / 30)
    assert one.offset_sec == pytest.approx(2 / 30)
    assert np.load(file_of(folder, "two")).dtype == np.float16


def test_a_video_whose_line_or_file_is_lost_is_not_there(folder: Path) -> None:
    with (folder / "videos.jsonl").open("a") as file:
        file.write('{"name": "five", "sour')
    file_of(folder, "three").unlink()
    assert sorted(featured(folder)) == ["one", "two"]


def test_a_line_that_a_kill_has_torn_takes_no_other_with_it(folder: Path) -> None:
    videos = folder / "videos.jsonl"
    videos.write_bytes(videos.read_bytes()[:-20])
    write_features(folder, *dense("five", 24.0))
    assert set(featured(folder)) == {"one", "two", "five"}
    write_features(folder, *dense("three", 25.0))
    assert set(featured(folder)) == {"one", "two", "three", "five"}
    assert "" not in videos.read_text().splitlines()


def test_without_training_segments_there_is_no_config(folder: Path) -> None:
    assert write_lists(folder, featured(folder).values(), {"two": LABELS["two"]}, [], "Made up.") == ()
    assert not (folder / "opentad.py").exists()


def test_numbers_that_the_type_cannot_hold_are_refused(tmp_path: Path) -> None:
    one, about = dense("big", 25.0)
    one.values[3, 2] = 1e5
    with pytest.raises(BrokenContract, match=r"features of big: up to 100000, want finite numbers of float16"):
        write_features(tmp_path, one, about)
    assert featured(tmp_path) == {}
    write_features(tmp_path, one, Featured.of(one, source="big.mp4", network="abc", dtype="float32"))
    assert np.load(file_of(tmp_path, "big"))[3, 2] == 1e5


@pytest.mark.parametrize("stride", [0, 1, 3, -2])
def test_a_stride_that_is_not_even_is_refused(stride: int) -> None:
    with pytest.raises(WrongArguments, match=f"stride {stride}: want an even number"):
        check_stride(stride)
