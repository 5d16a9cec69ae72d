"""A file of proposals: what is asked, and why the rest is not."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.verification.segments.proposals import (
    AskableVideo,
    Known,
    Limits,
    Videos,
    askable,
    categories_of,
    queue_records,
    read,
)

LIMITS = Limits(score_least=0.1, video_most=2, tiou_same=0.5, votes_wanted=2)
JUDO = [
    AskableVideo(
        video_id=f"{number:016x}", source_id=name, split="training", proxy_256="media/x.mp4", fps=25.0,
        duration_sec=60.0,
    )
    for number, name in enumerate(("abcdefghijk", "twin", "twin", "gone"))
]  # fmt: skip
KNOWN = Known(
    category_of=categories_of({"judo": "Judo", "clean_and_jerk": "Clean and jerk"}),
    videos={"judo": Videos(JUDO), "clean_and_jerk": Videos([])},
    asked={("judo", f"{1:016x}"): [(0.0, 10.0)]},
    is_withdrawn=lambda video: video.source_id == "gone",
)


def written(folder: Path, results: object) -> Path:
    path = folder / "results.json"
    path.write_text(json.dumps({"version": "1.3", "results": results, "external_data": {}}))
    return path


def line(start: object, end: object, score: object = 0.5, label: object = "Judo") -> dict[str, object]:
    return {"label": label, "score": score, "segment": [start, end]}


def test_every_line_is_asked_or_set_aside_with_its_reason(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {
            "abcdefghijk": [line(1, 9, 0.5), line(2, 9, 0.9), line(20, 30, 0.4), line(40, 50, 0.3), line(55, 99, 0.05)],
            "v_abcdefghijk": [line(59.9, 70)],
            f"{1:016x}": [line(1, 10), line(20, "30.5", "0.25", "judo")],
            "twin": [line(1, 2)],
            "gone": [line(1, 2)],
            "nobody": [line(1, 2, 0.5, "clean and JERK")],
            "odd": [line(3, 2), line(1, None), line(1, 2, "high"), line(1, 2, 0.5, "yoga"), line(1, 2, 0.5, ""), 7, {}],
            "list": 5,
        },
    )
    proposed, drops = read(path)
    assert Counter(drop.reason for drop in drops) == {"segment": 3, "score": 1, "label": 1, "line": 2}
    (score,) = [drop for drop in drops if drop.reason == "score"]
    assert score.item == "video 'odd', segment 3"
    assert "'high'" in score.detail
    rows, refused = askable(proposed, "net", KNOWN, LIMITS)
    assert [(row.video_id[-1], row.start_sec, row.end_sec, row.score) for row in rows] == [
        ("0", 2.0, 9.0, 0.9), ("0", 20.0, 30.0, 0.4), ("1", 20.0, 30.5, 0.25),
    ]  # fmt: skip
    reasons = Counter(drop.reason for drop in refused)
    assert reasons == {
        "the same": 2, "too many": 1, "low score": 1, "too short": 1, "video": 2, "withdrawn": 1, "label": 1,
    }  # fmt: skip
    assert len(rows) + len(drops) + len(refused) == 19
    (same,) = [drop for drop in refused if drop.item == "video 'abcdefghijk', segment 1"]
    assert same.detail == "overlaps 2 to 9, which is asked, by 0.88"
    assert {row.category for row in rows} == {"judo"}
    assert len({row.segment_id for row in rows}) == 3
    assert askable(proposed, "net", KNOWN, LIMITS)[0] == rows
    assert {record["round"] for record in queue_records(rows, "net.1")} == {"net.1"}


def test_an_end_past_the_video_is_cut_there(tmp_path: Path) -> None:
    proposed, _ = read(written(tmp_path, {"abcdefghijk": [line(50, 61)]}))
    ((row,), _) = askable(proposed, "net", KNOWN, LIMITS)
    assert (row.start_sec, row.end_sec, row.duration_sec) == (50.0, 60.0, 60.0)


def test_a_file_that_is_no_results_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongArguments, match="cannot be read"):
        read(tmp_path / "nothing.json")
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(BrokenContract, match="want JSON"):
        read(tmp_path / "a.json")
    (tmp_path / "b.json").write_text('{"database": {}}')
    with pytest.raises(BrokenContract, match="want an object with `results`"):
        read(tmp_path / "b.json")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just("1e400"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TIMES = st.lists(st.floats(0, 70) | ODD, max_size=3) | ODD
LINE = st.fixed_dictionaries({}, optional={"label": st.just("Judo") | ODD, "score": ODD, "segment": TIMES}) | ODD
NAMES = st.sampled_from(["abcdefghijk", "v_abcdefghijk", "gone", f"{1:016x}"]) | st.text(max_size=9)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(results=st.dictionaries(NAMES, st.lists(LINE, max_size=4) | ODD, max_size=4))
def test_every_line_of_any_file_is_asked_or_set_aside_once(tmp_path: Path, results: dict[str, object]) -> None:
    proposed, drops = read(written(tmp_path, results))
    rows, refused = askable(proposed, "net", KNOWN, LIMITS)
    lines = sum(len(own) if isinstance(own, list) else 1 for own in results.values())
    assert len(rows) + len(refused) + len(drops) == lines
    assert all(drop.item and drop.reason and drop.detail for drop in (*drops, *refused))
    assert all(0 <= row.start_sec < row.end_sec <= row.duration_sec for row in rows)
