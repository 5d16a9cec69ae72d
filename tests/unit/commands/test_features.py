"""`slac features`: what it writes of files, a manifest and a release, and what it does not make again."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from learning_world import draw
from released import finish, released

from slac_tasks.cli import main
from slac_tasks.networks.registry import REGISTRY, Classifier
from slac_tasks.networks.weights import encode_network
from slac_tasks.storage.datasets import RELEASED_SEGMENTS
from slac_tasks.storage.datasets.releasing import ReleasedSegmentRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets
from slac_tasks.training.trainer import seeded

SPEEDS = {"one": 1, "two": 3}
SECONDS = 3


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two videos, a broken one, segments of both, and a network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLAC_STORE", FolderStore(tmp_path / "store").url)
    for name, speed in SPEEDS.items():
        draw(tmp_path / f"videos/{name}.mp4", colour=(200, 40, 90), speed=speed, seconds=SECONDS)
    (tmp_path / "videos/broken.mp4").write_bytes(b"no video")
    database = {
        "one": {"subset": "training", "annotations": [{"label": "slow", "segment": [0.5, 2]}]},
        "v_two": {"subset": "validation", "annotations": [{"label": "fast", "segment": [1, 2.5]}]},
    }
    (tmp_path / "truth.json").write_text(json.dumps({"database": database}))
    with seeded(0):
        classifier = Classifier(REGISTRY["small_3d"], 2).eval()
    (tmp_path / "net.safetensors").write_bytes(encode_network(classifier, ["fast", "slow"]))
    return tmp_path


def run(*words: str) -> int:
    return main(["features", *words, "--to", "feats", "--network", "net.safetensors", "--device", "cpu"])


def rows(name: str) -> np.ndarray:
    return np.load(f"feats/features/{name}.npy")


def database() -> dict[str, dict]:
    return json.loads(Path("feats/annotations.json").read_text())["database"]


@pytest.mark.usefixtures("place")
def test_a_folder_is_looked_at_and_a_broken_video_stops_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("videos", "--annotations", "truth.json") == 0
    assert sorted(path.name for path in Path("feats/features").iterdir()) == ["one.npy", "two.npy"]
    assert rows("one").dtype == np.float16
    assert rows("one").shape[0] == 24 * SECONDS / 4
    assert {name: (entry["subset"], entry["fps"]) for name, entry in database().items()} == {
        "one": ("training", 24.0), "two": ("validation", 24.0),
    }  # fmt: skip
    assert Path("feats/missing_files.txt").read_text() == "broken\n"
    said = capsys.readouterr().err
    assert "features: set aside broken: " in said
    assert "features: 2 of 3 videos in feats; opentad.py and actionformer.yaml" in said


@pytest.mark.usefixtures("place")
def test_only_what_is_not_there_or_has_changed_is_made() -> None:
    assert run("videos", "--annotations", "truth.json") == 0
    before = {name: Path(f"feats/features/{name}.npy").stat().st_mtime_ns for name in SPEEDS}
    draw(Path("videos/two.mp4"), colour=(20, 240, 90), speed=5, seconds=SECONDS)
    draw(Path("videos/three.mp4"), colour=(20, 240, 90), speed=2, seconds=SECONDS)
    assert run("videos", "--annotations", "truth.json") == 0
    after = {name: Path(f"feats/features/{name}.npy").stat().st_mtime_ns for name in (*SPEEDS, "three")}
    assert after["one"] == before["one"]
    assert after["two"] != before["two"]
    assert sorted(database()) == ["one", "three", "two"]
    # Another type is another file.
    assert run("videos", "--annotations", "truth.json", "--dtype", "float32") == 0
    assert rows("one").dtype == np.float32


@pytest.mark.usefixtures("place")
def test_features_of_a_file_that_has_changed_and_plays_no_more_are_not_its_own() -> None:
    assert run("videos", "--annotations", "truth.json") == 0
    Path("videos/two.mp4").write_bytes(b"torn")
    assert run("videos", "--annotations", "truth.json") == 0
    assert Path("feats/missing_files.txt").read_text() == "broken\ntwo\n"
    assert sorted(database()) == ["one"]


@pytest.mark.usefixtures("place")
def test_a_network_of_random_weights_is_the_same_in_the_next_run() -> None:
    words = ["features", "videos/one.mp4", "--to", "feats", "--architecture", "small_3d", "--start", "random"]
    assert main([*words, "--device", "cpu"]) == 0
    before = Path("feats/features/one.npy").stat().st_mtime_ns
    assert main([*words, "--device", "cpu"]) == 0
    assert Path("feats/features/one.npy").stat().st_mtime_ns == before


@pytest.mark.usefixtures("place")
def test_a_video_whose_name_no_line_of_a_text_can_hold_is_looked_at_once() -> None:
    Path("odd").mkdir()
    for name in (b"caf\xe9.mp4", "two\u2028lines.mp4".encode(), b"x" * 246 + b".mp4"):
        os.link("videos/one.mp4", b"odd/" + name)
    assert run("odd") == 0
    assert len(database()) == 3
    before = {path.name: path.stat().st_mtime_ns for path in Path("feats/features").iterdir()}
    assert run("odd") == 0
    assert {path.name: path.stat().st_mtime_ns for path in Path("feats/features").iterdir()} == before
    assert Path("feats/missing_files.txt").read_text() == ""


@pytest.mark.usefixtures("place")
def test_parts_that_several_processes_make_fill_one_folder() -> None:
    for part in ("1/2", "2/2"):
        assert run("videos", "--annotations", "truth.json", "--part", part) in (0, 65)
    assert sorted(database()) == ["one", "two"]


@pytest.mark.usefixtures("place")
def test_a_manifest_names_its_videos(capsys: pytest.CaptureFixture[str]) -> None:
    odd = "videos/one.mp4,first/clip\n,x\nvideos/\0.mp4,\na,b,c\n"
    Path("list.csv").write_text(f"location,source_id\nvideos/one.mp4,first/clip\nvideos/nowhere.mp4,\n{odd}")
    assert run("--manifest", "list.csv") == 0
    assert rows("first_clip").shape[0] == 24 * SECONDS / 4
    assert Path("feats/missing_files.txt").read_text() == "nowhere\n"
    said = capsys.readouterr().err
    assert "no config files, since no training video has a segment" in said
    for line, why in ((4, "'first_clip' is there twice"), (5, "location is"), (6, "location '"), (7, "has 3 values")):
        assert f"features: set aside list.csv line {line}: {why}" in said


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("own", ["first/clip", "two\u2028lines", "v_plain", "x" * 240])
def test_a_list_knows_a_video_by_its_own_id_whatever_its_file_is_called(own: str) -> None:
    Path("list.csv").write_text(f"location,source_id\nvideos/one.mp4,{own}\n")
    said = {own: {"subset": "testing", "annotations": [{"label": "slow", "segment": [0.5, 2]}]}}
    Path("own.json").write_text(json.dumps({"database": said}))
    assert run("--manifest", "list.csv", "--annotations", "own.json") == 0
    ((entry),) = database().values()
    assert entry["subset"] == "testing"
    assert [one["label"] for one in entry["annotations"]] == ["slow"]


def test_a_release_gives_its_videos_splits_and_joined_clips(place: Path) -> None:
    store = FolderStore(place / "store")
    labels = []
    for name, split in (("a" * 16, "training"), ("b" * 16, "validation")):
        store.put_file(f"media/{name}/128.mp4", place / "videos/one.mp4")
        kept = {"video": name, "split": split}
        labels += [released(start=0.0, **kept), released(start=1.0, **kept), released(start=5.0, label=-1, **kept)]
    finish(Datasets(store), "r0001", labels)
    assert run("--release", "r0001") == 0
    found = database()
    assert {name: entry["subset"] for name, entry in found.items()} == {"a" * 16: "training", "b" * 16: "validation"}
    assert [each["segment"] for each in found["a" * 16]["annotations"]] == [[0.0, 3.0]]
    assert rows("b" * 16).shape[0] == 24 * SECONDS / 4


def test_a_list_knows_a_video_of_a_release_by_its_youtube_id_or_by_its_own(place: Path) -> None:
    store, videos = FolderStore(place / "store"), ("a" * 16, "b" * 16)
    for video in videos:
        store.put_file(f"media/{video}/128.mp4", place / "videos/one.mp4")
    names = {"name": "dQw4w9WgXcQ", "split": "validation"}
    finish(Datasets(store), "r0001", [released(video=videos[0], **names), released(video=videos[1])])
    said = {
        name: {"subset": "training", "annotations": [{"label": "slow", "segment": [0.5, 2]}]}
        for name in ("v_dQw4w9WgXcQ", videos[1])
    }
    Path("own.json").write_text(json.dumps({"database": said}))
    assert run("--release", "r0001", "--annotations", "own.json") == 0
    assert {name: len(entry["annotations"]) for name, entry in database().items()} == dict.fromkeys(videos, 1)
    # The release says in which split a video is.
    assert [database()[video]["subset"] for video in videos] == ["validation", "training"]


def test_segments_that_people_cut_stand_for_the_clips_of_their_category(place: Path) -> None:
    store = FolderStore(place / "store")
    datasets, video = Datasets(store), "a" * 16
    store.put_file(f"media/{video}/128.mp4", place / "videos/one.mp4")
    rows = [released(start=0.0, video=video), released(start=1.0, video=video, category="judo")]
    written = finish(datasets, "r0001", rows)
    cut = ReleasedSegmentRow(
        segment_id="s1", video_id=video, name=video, split="training", category="high_jump", label=1, start_sec=0.4,
        end_sec=1.7, duration_sec=3.0, kind="people", tiou=0.9, support=2, origin="people", method="median",
        source="a.csv", source_id="judo.mp4", licence=None, url=None,
    )  # fmt: skip
    absent = replace(cut, segment_id="s2", category="judo", label=-1)
    table = RELEASED_SEGMENTS.table([cut, absent])
    of = {written.address: written.mark}
    datasets.write(RELEASED_SEGMENTS, [table], keys={"release": "r0001"}, made_from=of, stage="release", settings={})
    assert run("--release", "r0001") == 0
    segments = {each["label"]: each["segment"] for each in database()[video]["annotations"]}
    assert segments == {"high_jump": [0.4, 1.7], "judo": [1.0, 3.0]}


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("videos", "--stride", "3"), 64, "stride 3: want an even number"),
        (("videos", "--part", "3/2"), 64, "--part 3/2: want K/N"),
        ((), 64, "videos: want one of files or folders, --manifest and --release"),
        (("videos", "--release", "r0001"), 64, "videos: want one of"),
        (("videos/broken.mp4",), 65, "1 video, none of which can be read"),
        (("videos", "--architecture", "small_3d"), 64, "--network and --architecture: want one of them"),
    ],
)
def test_wrong_words_are_refused(
    words: tuple[str, ...], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == code
    assert message in capsys.readouterr().err
