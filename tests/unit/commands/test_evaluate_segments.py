"""`slac evaluate segments`: what it prints, and what it says of bad input."""

import json
from pathlib import Path
from typing import Any

import pytest

from slac_tasks.cli import main

DATABASE = {
    name: {"subset": "validation", "duration": 100, "annotations": [{"label": label, "segment": [10, 20]}]}
    for name, label in (("one", "Dive"), ("two", "Dive"), ("three", "Jump"))
}
RESULTS = {
    "one": [{"label": "Dive", "score": 0.9, "segment": [10, 20]}, {"label": "Dive", "score": 0.8, "segment": [10, 19]}],
    "two": [{"label": "Dive", "score": 0.7, "segment": [10, 20]}, {"label": "Dive", "score": 0.1, "segment": [9, 1]}],
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("truth.json").write_text(json.dumps({"database": DATABASE}))
    Path("results.json").write_text(json.dumps({"results": RESULTS}))
    Path("missing.txt").write_text("three\n")
    return tmp_path


def run(*words: str) -> int:
    return main(["evaluate", "segments", "results.json", "--truth", "truth.json", *words])


@pytest.mark.usefixtures("files")
def test_it_prints_scores_kinds_parts_and_categories(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--categories") == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == "3 videos, 3 segments of 2 categories, 3 detections, rules of activitynet"
    # Dive: precision 1 and 2/3; Jump: nothing found.
    assert next(line for line in lines if line.startswith("average mAP ")).split()[2] == "0.4167"
    assert next(line for line in lines if line.startswith("Dive ")).split()[1:4] == ["2", "3", "0.8333"]
    # Two of the three segments are found; in the third video there is no detection.
    assert next(line for line in lines if line.startswith("AR at 100 ")).split()[-3] == "0.6667"
    assert any(line.startswith("surest 1 x segments") for line in lines)
    assert any(line.startswith("coverage 0 to 0.2 of the video") for line in lines)
    assert "set aside video 'two', detection 2: order: starts at 9 and ends at 1" in said.err
    assert "results: set aside: 1 order" in said.err


@pytest.mark.usefixtures("files")
def test_of_a_rotten_benchmark_it_says_what_is_gone_and_how_sure_the_score_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--missing", "missing.txt") == 0
    out = capsys.readouterr().out
    assert "1 of 3 videos gone: the score is that of the other 2." in out
    assert "1 category has no segment left: Jump" in out
    assert next(line for line in out.splitlines() if line.startswith("whole, if lost by chance")).split()[5] == "0.8333"


@pytest.mark.usefixtures("files")
def test_json_holds_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "--tiou", "0.5", "--rules", "thumos14") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["scores"]["average"]["value"] == pytest.approx(0.4167, abs=1e-4)
    assert [each["name"] for each in found["categories"]] == ["Dive", "Jump"]
    assert found["scores"]["at"][0][0] == 0.5


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--split", "testing"), 64, "no segment in the split testing"),
        (("--tiou", "1.5"), 64, "--tiou 1.5: want a number above 0 and up to 1"),
        (("--truth", "nowhere.json"), 64, "nowhere.json: is not there"),
        (("--missing", "all.txt"), 64, "3 of 3 videos gone, and no segment is left"),
        (("--rules", "coco"), 64, "'coco' is unknown, want one of activitynet, thumos14"),
    ],
)
def test_wrong_words_are_refused(
    words: tuple[str, ...], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("all.txt").write_text("one\ntwo\nthree\n")
    try:
        ended = run(*words)
    except SystemExit as stopped:
        ended = stopped.code
    assert ended == code
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("files")
def test_results_of_which_none_can_be_judged_are_broken_data(capsys: pytest.CaptureFixture[str]) -> None:
    Path("results.json").write_text(json.dumps({"results": {"nine": RESULTS["one"]}}))
    assert run() == 65
    assert "none of 2 detections can be judged (2 unknown video)" in capsys.readouterr().err
