"""Benchmarks and results from files: what cannot be judged is set aside with its place and reason."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.localization.reading import Judged, benchmark, gone, results

TRUTH = {
    "v_one": {"subset": "validation", "duration": 60, "annotations": [
        {"label": "Dive", "segment": [1, 5]}, {"label": "Dive", "segment": [1, 5]},
        {"label": "Jump", "segment": [7, 7]}, {"label": "Ambiguous", "segment": [9, 12]}]},
    "two": {"subset": "validation", "annotations": [{"label": "Jump", "segment": [1, 5]}]},
    "three": {"subset": "validation", "annotations": []},
    "four": {"subset": "training", "annotations": [{"label": "Swim", "segment": [1, 5]}]},
}  # fmt: skip
GOOD = {"label": "Dive", "score": 0.5, "segment": [1.5, 5]}


def truth(folder: Path, split: Any = "validation") -> Judged:
    (folder / "truth.json").write_text(json.dumps({"database": TRUTH}))
    return benchmark([folder / "truth.json"], split)


def test_a_benchmark_is_one_split_with_all_of_its_videos(tmp_path: Path) -> None:
    found = truth(tmp_path)
    assert found.benchmark.videos == ("v_one", "two", "three")
    assert found.benchmark.categories == ("Dive", "Jump")
    assert found.benchmark.truth.start_sec.tolist() == [1, 1, 1], "what is there twice counts twice"
    assert found.benchmark.ambiguous.start_sec.tolist() == [9]
    assert found.benchmark.duration_sec[0] == 60
    assert found.others == {"four"}
    assert [(one.place, one.reason) for one in found.odd] == [("video 'v_one', segment 3", "order")]
    assert len(truth(tmp_path, None).benchmark.videos) == 4


def test_a_split_without_a_segment_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(WrongArguments, match=r"in the split testing.*training, validation"):
        truth(tmp_path, "testing")


BAD = [
    # video, detection, reason
    ("nine", GOOD, "unknown video"),
    ("four", GOOD, "another split"),
    ("v_four", GOOD, "another split"),
    ("one", GOOD | {"label": "Swim"}, "unknown label"),
    ("one", GOOD | {"label": None}, "label"),
    ("one", GOOD | {"score": float("nan")}, "score"),
    ("one", GOOD | {"score": float("inf")}, "score"),
    ("one", GOOD | {"score": "high"}, "score"),
    ("one", {"label": "Dive", "segment": [1, 2]}, "score"),
    ("one", GOOD | {"segment": [5, 1]}, "order"),
    ("one", GOOD | {"segment": [5, 5]}, "order"),
    ("one", GOOD | {"segment": [float("nan"), 5]}, "time"),
    ("one", GOOD | {"segment": [-1, 5]}, "time"),
    ("one", GOOD | {"segment": [1]}, "segment"),
    ("one", GOOD | {"segment": None}, "segment"),
    ("one", "Dive", "detections"),
]


@pytest.mark.parametrize(("video", "bad", "reason"), BAD, ids=[f"{reason}{at}" for at, (*_, reason) in enumerate(BAD)])
def test_a_bad_detection_is_set_aside_and_holds_up_no_other(tmp_path: Path, video: str, bad: Any, reason: str) -> None:
    judged = truth(tmp_path)
    by_video: dict[str, list[Any]] = {"v_two": [GOOD]}
    by_video.setdefault(video, []).append(bad)
    (tmp_path / "results.json").write_text(json.dumps({"results": by_video}))
    found = results(tmp_path / "results.json", judged)
    assert found.found.video.tolist() == [1], "with or without v_"
    assert [(one.place, one.reason) for one in found.odd] == [(f"video '{video}', detection 1", reason)]
    # Alone there is nothing to judge, and the message says why.
    (tmp_path / "results.json").write_text(json.dumps({"results": {video: [bad]}}))
    with pytest.raises(BrokenContract, match=rf"none of 1 detection can be judged.*1 {reason}"):
        results(tmp_path / "results.json", judged)


def test_a_video_that_is_named_twice_is_set_aside(tmp_path: Path) -> None:
    one = json.dumps([GOOD])
    (tmp_path / "results.json").write_text(f'{{"results": {{"one": {one}, "one": {one}, "two": {one}}}}}')
    found = results(tmp_path / "results.json", truth(tmp_path))
    assert Counter(odd.reason for odd in found.odd) == {"named twice": 1}
    assert len(found.found) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[]", r"begins with '\[\]'"),
        ("{}", "begins with '{}'"),
        ("", "begins with ''"),
        ('{"results": []}', r"found \[\]"),
        ('{"results": {}, "results": {}}', "found there 2 times"),
        ("video,score\n", "begins with 'video,score'"),
    ],
)
def test_what_is_no_json_of_results_is_refused(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(BrokenContract, match=rf"results .*: {found}.*, want an object `results`"):
        results(tmp_path / "results.json", truth(tmp_path))


def test_no_detections_are_results_too(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text('{"results": {"one": []}}')
    assert len(results(tmp_path / "results.json", truth(tmp_path)).found) == 0


def test_clips_that_show_no_action_and_labels_of_whole_videos_are_no_segments_of_the_truth(tmp_path: Path) -> None:
    lines = ["classname,youtube_id,subset,start,end,label", "Dive,a,validation,1,3,1", "Dive,a,validation,5,7,-1"]
    (tmp_path / "hacs.csv").write_text("\n".join(lines))
    coco = {
        "videos": [{"id": 1, "file_name": "b", "split": "validation"}], "categories": [{"id": 1, "name": "Dive"}],
        "annotations": [{"video_id": 1, "category_id": 1}],
    }  # fmt: skip
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    found = benchmark([tmp_path / "hacs.csv", tmp_path / "coco.json"]).benchmark
    assert (found.videos, found.truth.start_sec.tolist()) == (("a", "b"), [1])


def test_a_name_means_the_video_of_that_name_before_one_that_differs_by_its_prefix(tmp_path: Path) -> None:
    video = {"subset": "validation", "annotations": [{"label": "Dive", "segment": [1, 5]}]}
    names = ["v_one", "one", "v_two"]
    (tmp_path / "truth.json").write_text(json.dumps({"database": dict.fromkeys(names, video)}))
    judged = benchmark([tmp_path / "truth.json"])
    for name, number in {"v_one": 0, "one": 1, "v_two": 2, "two": 2}.items():
        (tmp_path / "results.json").write_text(json.dumps({"results": {name: [GOOD]}}))
        assert results(tmp_path / "results.json", judged).found.video.tolist() == [number]
        (tmp_path / "missing.txt").write_text(name)
        assert gone(tmp_path / "missing.txt", judged)[0].nonzero()[0].tolist() == [number]


def test_a_missing_list_may_be_empty(tmp_path: Path) -> None:
    (tmp_path / "missing.txt").write_text("video_id\n")
    assert gone(tmp_path / "missing.txt", truth(tmp_path))[0].tolist() == [False] * 3


def test_a_missing_list_has_one_id_in_a_line_or_is_that_of_hacs(tmp_path: Path) -> None:
    judged = truth(tmp_path)
    (tmp_path / "missing.txt").write_text("one\nnine\n")
    (tmp_path / "missing.csv").write_text("VIDEO_ID,CLASS_NAME\nv_two,Jump\ntwo,Dive\n")
    (tmp_path / "other.txt").write_text("nine\nten\n")
    found = [gone(tmp_path / name, judged) for name in ("missing.txt", "missing.csv")]
    assert [(each.tolist(), unknown) for each, unknown in found] == [
        ([True, False, False], 1), ([False, True, False], 0),
    ]  # fmt: skip
    with pytest.raises(WrongArguments, match="names 2 videos, of which the truth has none"):
        gone(tmp_path / "other.txt", judged)
