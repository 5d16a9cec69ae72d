"""Published lists are read whole: each line is a row, or is odd with its place and reason, and holds up no other."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.readers import READERS
from slac_tasks.annotations.reading import Published, read, recognised
from slac_tasks.annotations.rows import SPLITS
from slac_tasks.errors import BrokenContract, SlacError, WrongArguments

HACS = "classname,youtube_id,subset,start,end,label\n"
THUMOS = "video,type,type_idx,start,end,startFrame,endFrame\n"
NUMBERED = "video-name,t-init,t-end,f-init,f-end,video-duration,frame-rate,video-frames,label-idx\n"
KINETICS = "label,youtube_id,time_start,time_end,split,is_cc\n"
ID = "a2X2hz1G6i8"


def odd(found: Published) -> list[tuple[str, str]]:
    return [(one.place, one.reason) for one in found.odd]


def first(found: Published) -> tuple[Any, ...]:
    row = found.labels[0]
    return (row.video, row.label, row.start_sec, row.end_sec, row.positive, row.split)


LAYOUTS = [
    # format, file, content, the first label
    ("hacs", "a.csv", HACS + f"Archery,{ID},training,15.5,17.5,-1\n", (ID, "Archery", 15.5, 17.5, False, "training")),
    ("mini_hacs", "train.csv", f"train/{ID}_00015 31 184\n", (ID, "184", 15.0, 17.0, True, "training")),
    ("activitynet", "a.json", json.dumps({"database": {ID: {
        "subset": "validation", "duration": "20.5", "annotations": [{"label": "Ballet", "segment": ["1", 2.5]}],
    }}}), (ID, "Ballet", 1.0, 2.5, True, "validation")),
    ("activitynet", "b.json", json.dumps({"v_" + ID: {
        "duration_second": 20.5, "annotations": [{"label": "Ballet", "segment": [1, 2]}],
    }}), ("v_" + ID, "Ballet", 1.0, 2.0, True, None)),
    ("activitynet", "HACS_segments_v1.1.1.json", json.dumps({"database": {ID: {
        "url": "https://www.youtube.com/watch?v=" + ID, "subset": "validation", "duration": "92.166667",
        "annotations": [{"label": "Dodgeball", "segment": [5.40, 11.60]}],
    }}}), (ID, "Dodgeball", 5.4, 11.6, True, "validation")),
    ("charades", "Charades_v1_train.csv", "id,subject,scene,quality,relevance,verified,script,objects,descriptions,"
     'actions,length\n46GP8,HR43,Kitchen,6,7,Yes,"A person cooks, then eats.",food,"Cooking; eating.",'
     "c092 11.90 21.20;c147 0.00 12.60,24.83\n", ("46GP8", "c092", 11.9, 21.2, True, "training")),
    ("multithumos", "m.json", json.dumps({"video_test_0000896": {
        "subset": "testing", "duration": 226.77, "actions": [[12, 18.6, 24.8]],
    }}), ("video_test_0000896", "12", 18.6, 24.8, True, "testing")),
    ("something_something", "something-something-v2-validation.json", json.dumps([
        {"id": "74225", "label": "spinning cube", "template": "Spinning [something] that quickly stops spinning"},
    ]), ("74225", "Spinning something that quickly stops spinning", None, None, True, "validation")),
    ("something_something", "Something_Something_V2_Train.json", json.dumps([{"id": "74", "template": "Tipping"}]),
     ("74", "Tipping", None, None, True, "training")),
    ("kinetics", "k.csv", KINETICS + f"abseiling,{ID},417,427,val,0\n",
     (ID, "abseiling", 417.0, 427.0, True, "validation")),
    ("kinetics", "k.json", json.dumps({ID: {
        "annotations": {"label": "abseiling", "segment": [417.0, 427.0]}, "duration": 10.0, "subset": "validate",
        "url": f"https://www.youtube.com/watch?v={ID}",
    }}), (ID, "abseiling", 417.0, 427.0, True, "validation")),
    ("thumos14", "t.csv", THUMOS + "video_test_0000004,Diving,26,0.2,1.1,6,33\n",
     ("video_test_0000004", "Diving", 0.2, 1.1, True, "testing")),
    ("thumos14", "t.csv", NUMBERED + "video_validation_0000278,0.0,1.4,0,42,215.2,30.0,6455,-1\n",
     ("video_validation_0000278", "-1", 0.0, 1.4, True, "validation")),
    ("thumos14", "Billiards_val.txt", "video_validation_0000051  67.5 75.9\n",
     ("video_validation_0000051", "Billiards", 67.5, 75.9, True, "validation")),
    ("thumos14", "Billiards_test.txt", "video_test_0000051  67.5 75.9\n",
     ("video_test_0000051", "Billiards", 67.5, 75.9, True, "testing")),
    ("ucf101", "trainlist01.txt", "YoYo/v_YoYo_g08_c01.avi 101\r\n",
     ("v_YoYo_g08_c01.avi", "YoYo", None, None, True, "training")),
    ("ucf101", "testlist01.txt", "YoYo/v_YoYo_g01_c01.avi\r\n",
     ("v_YoYo_g01_c01.avi", "YoYo", None, None, True, "testing")),
    ("hmdb51", "brush_hair_test_split1.txt", "#1 (HQ)_brush_0.avi 2 \n",
     ("#1 (HQ)_brush_0.avi", "brush_hair", None, None, True, "testing")),
    ("coco", "c.json", json.dumps({
        "videos": [{"id": 1, "file_name": "a.mp4", "split": "test"}], "categories": [{"id": 7, "name": "Archery"}],
        "annotations": [{"id": 1, "video_id": 1, "category_id": 7, "segment": [15.5, 17.5], "positive": -1}],
    }), ("a.mp4", "Archery", 15.5, 17.5, False, "testing")),
    ("label_studio", "ls.json", json.dumps([{
        "data": {"clip_id": "0f:15500", "category": "judo", "start": 15.5, "end": 17.5},
        "annotations": [{"result": [{"from_name": "answer", "value": {"choices": ["no"]}}]}]}]),
     ("0f", "judo", 15.5, 17.5, False, None)),
    ("label_studio", "lv.json", json.dumps([{"data": {"video": "a.mp4"}, "annotations": [{"result": [
        {"value": {"start": 1.5, "end": 2.5, "labels": ["Dive"]}}, {"value": {"choices": ["Sport"]}}]}]}]),
     ("a.mp4", "Dive", 1.5, 2.5, True, None)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "content", "wanted"), LAYOUTS, ids=[one[0] for one in LAYOUTS])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "BOM"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_layout_is_recognised_and_read(
    tmp_path: Path, name: str, file: str, content: str, wanted: tuple[Any, ...], mark: str, ending: str
) -> None:
    (tmp_path / file).write_text(mark + content.replace("\n", ending), encoding="utf-8", newline="")
    assert recognised(Opened(tmp_path / file)).name == name
    found = read([tmp_path / file])
    assert (first(found), odd(found)) == (wanted, [])


@pytest.mark.parametrize("strange", [{"info": {"annotations": 3, "actions": 1}}, {"version": "annotations"}, {
    ID: {"subset": "training", "annotations": [], "actions": [], "videos": [], "database": {}, "categories": []},
}])  # fmt: skip
@pytest.mark.parametrize("name", ["activitynet", "kinetics", "multithumos", "coco"])
def test_no_single_entry_decides_what_format_a_document_has(tmp_path: Path, name: str, strange: dict[str, Any]) -> None:
    for content, wanted in [
        (content, wanted) for each, _, content, wanted in LAYOUTS if each == name and content[0] == "{"
    ]:
        document = json.loads(content)
        beside = {f"video_{n}": each for n, each in enumerate(document.values())} if name != "coco" else {}
        (tmp_path / "a.json").write_text(json.dumps({**strange, **document, **beside}))
        assert recognised(Opened(tmp_path / "a.json")).name == name
        assert first(read([tmp_path / "a.json"])) == wanted


def test_json_of_kinetics_is_read_whole(tmp_path: Path) -> None:
    videos = {
        "a": {"annotations": {"segment": [1.0, 11.0]}, "duration": 10.0, "subset": "test"},
        "b": {"annotations": {"label": "abseiling", "segment": [417.0, 427.0]}, "duration": 10.0, "subset": "train"},
        "c": {"annotations": {"label": "abseiling", "segment": [1.0]}, "subset": "train"},
        "d": {"subset": "train"},
        "e": ["abseiling", 1.0, 2.0],
    }
    (tmp_path / "k.json").write_text(json.dumps(videos))
    found = read([tmp_path / "k.json"])
    assert [(row.video, row.label, row.end_sec, row.split) for row in found.rows] == [
        ("a", None, None, "testing"), ("b", "abseiling", 427.0, "training"),
    ]  # fmt: skip
    assert [one.place for one in found.odd] == ["video 'c'", "video 'd'", "video 'e'"]
    (tmp_path / "k.json").write_text(json.dumps([videos]))
    with pytest.raises(BrokenContract, match="want videos by name"):
        read([tmp_path / "k.json"], "kinetics")


def test_class_folders_are_read_with_and_without_splits(tmp_path: Path) -> None:
    for name in (
        "flat/judo/b.mp4",
        "flat/judo/.hidden",
        "flat/stray.mp4",
        "parts/train/yoga/a.mp4",
        "parts/val/yoga/b.mp4",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "flat/judo/annexed.mp4").symlink_to(tmp_path / "nothing")
    (tmp_path / "flat/judo" / os.fsdecode(b"caf\xe9.mp4")).touch()
    flat, parts = read([tmp_path / "flat"]), read([tmp_path / "parts"])
    assert first(flat) == ("judo/b.mp4", "judo", None, None, True, None)
    assert odd(flat) == [
        ("file judo/caf\\xe9.mp4", "video"), ("file judo/annexed.mp4", "file"), ("file stray.mp4", "file"),
    ]  # fmt: skip
    assert [(row.video, str(row.split)) for row in parts.labels] == [
        ("train/yoga/a.mp4", "training"), ("val/yoga/b.mp4", "validation"),
    ]  # fmt: skip


def test_a_video_of_charades_without_an_action_is_read_and_a_bad_action_holds_up_no_other(tmp_path: Path) -> None:
    lines = ("id,actions,length", "A,,9.5", "B,c001 1 2;c002 1;c003 4 3;c004 5.0 6.0,9.5")
    (tmp_path / "Charades_v1_test.csv").write_text("\n".join(lines))
    found = read([tmp_path / "Charades_v1_test.csv"])
    assert found.videos == ["A", "B"]
    assert [(row.label, row.start_sec, str(row.split)) for row in found.labels] == [
        ("c001", 1.0, "testing"), ("c004", 5.0, "testing"),
    ]  # fmt: skip
    assert odd(found) == [("line 3, action 2", "segments"), ("line 3, action 3", "order")]


def test_a_label_that_is_there_twice_is_taken_twice_where_that_is_wanted(tmp_path: Path) -> None:
    twice = [{"label": "Ballet", "segment": [1, 2.5]}] * 2
    (tmp_path / "a.json").write_text(json.dumps({"database": {ID: {"subset": "training", "annotations": twice}}}))
    assert len(read([tmp_path / "a.json"]).labels) == 1
    assert len(read([tmp_path / "a.json"], repeated=True).labels) == 2


GOOD = f"Archery,{ID},training,15.5,17.5,1"
ODD_LINES = [
    # a line of a HACS csv, the reason for which it is odd
    (f"Archery,{ID},training,17.5,15.5,1", "order"), (f"Archery,{ID},training,15.5,15.5,1", "order"),
    (f"Archery,{ID},training,-1,2,1", "time"), (f"Archery,{ID},training,nan,2,1", "time"),
    (f"Archery,{ID},training,1,1e400,1", "time"), (f"Archery,{ID},training,,2,1", "time"),
    (f"Archery,{ID},training,0:15,2,1", "time"), (f'Archery,{ID},training,"1,5",2,1', "time"),
    (f"Archery,{ID},dev,1,3,1", "split"), (f"Archery,{ID},,1,3,1", "split"),
    (f"Archery,{ID},training,1,3,2", "verdict"),
    (f"Archery,{ID},training,1,3,", "verdict"), (f",{ID},training,1,3,1", "label"),
    ("Archery, ,training,1,3,1", "video"),
    (f"Archery,{ID},training", "time"), (f"Archery,{ID},training,1,3,1,9", "columns"),
    (f'"Archery,{ID},training,1,3,1', "columns"), (f'Arch"ery,"{ID}"x,training,1,3,1', "columns"),
    (f"Arch\x00ery,{ID},training,1,3,1", "label"), ("A" * 5_000 + f",{ID},training,1,3,1", "label"),
    ("A" * 200_000 + f",{ID},training,1,3,1", "columns"), (f"Arch\udce9ry,{ID},training,1,3,1", "label"),
    (GOOD, "duplicate"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "reason"), ODD_LINES, ids=[f"{n} {reason}" for n, (_, reason) in enumerate(ODD_LINES)]
)
def test_an_odd_line_is_named_with_its_reason_and_holds_up_no_other(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "hacs.csv"
    text = "\n".join([HACS.strip(), GOOD, line, f"Ballet,{ID},training,1,3,1", ""])
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = read([path])
    assert [row.label for row in found.labels] == ["Archery", "Ballet"]
    assert odd(found) == [("line 3", reason)]
    assert found.odd[0].detail.isprintable()


def test_a_video_of_hmdb51_is_of_the_part_that_its_number_names_and_an_odd_number_holds_up_no_other(
    tmp_path: Path,
) -> None:
    path = tmp_path / "brush_hair_test_split3.txt"
    path.write_text("a.avi 0\nb.avi 1\nc.avi 3\nd.avi 2\n")
    found = read([path])
    assert [(row.video, row.label, row.split) for row in found.labels] == [
        ("a.avi", "brush_hair", None), ("b.avi", "brush_hair", "training"), ("d.avi", "brush_hair", "testing"),
    ]  # fmt: skip
    assert odd(found) == [("line 3", "split")]


def test_a_coco_file_may_call_its_videos_images_and_their_files_names(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 1, "name": "a.mp4"}], "categories": [{"id": 7, "name": "Judo"}],
        "annotations": [{"image_id": 1, "category_id": 7, "segment": [1, 3]}],
    }  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(content))
    found = read([tmp_path / "a.json"])
    assert [(row.video, row.label, row.start_sec) for row in found.labels] == [("a.mp4", "Judo", 1.0)]
    assert not found.odd


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("k.csv", f"youtube_id,time_start,time_end\n{ID},1,3\n"),
        ("something-something-v2-test.json", json.dumps([{"id": ID}])),
    ],
)
def test_a_list_without_labels_names_its_videos(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / file).write_text(content)
    found = read([tmp_path / file])
    assert (found.videos, found.labels, found.odd) == ([ID], [], ())


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("t.csv", NUMBERED + "video_test_0000004,0.0,9.5,0,42,9.0,30.0,270,7\n"),
        ("m.json", json.dumps({"video_test_0000004": {"duration": 9.0, "actions": [[7, 0.0, 9.5], [7, 0.0]]}})),
    ],
)
def test_a_segment_behind_the_end_of_its_video_is_taken_with_a_remark(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / file).write_text(content)
    found = read([tmp_path / file])
    assert [(row.label, row.duration_sec) for row in found.labels] == [("7", 9.0)]
    assert [one.reason for one in found.odd if one.taken] == ["past the end"]
    assert {one.reason for one in found.set_aside} <= {"segments"}


def test_words_are_read_without_the_blanks_around_them(tmp_path: Path) -> None:
    path = tmp_path / "hacs.csv"
    path.write_text(HACS + f" Archery , {ID} , Training ,1,3, 1 \n")
    (row,) = read([path]).labels
    assert (row.label, row.video, row.split) == ("Archery", ID, "training")


def test_a_segment_may_end_with_its_video_and_an_address_is_text_as_any_other(tmp_path: Path) -> None:
    segments = [{"label": "Ballet", "segment": [1, 10]}, *[{"label": "Judo", "segment": [1, 10.5]}] * 2]
    known = {"subset": "training", "duration": 10, "annotations": segments}
    database = {ID: known, "other": {**known, "url": "https://a\u0000b"}}
    (tmp_path / "a.json").write_text(json.dumps({"database": database}))
    found = read([tmp_path / "a.json"])
    assert [(row.video, row.label) for row in found.labels] == [(ID, "Ballet"), (ID, "Judo")]
    assert [one.reason for one in found.set_aside] == ["url"] * 4 + ["duplicate"]
    assert [one.reason for one in found.odd if one.taken] == ["past the end"]


def test_a_quoted_cell_may_hold_a_comma_a_quote_and_a_line_break(tmp_path: Path) -> None:
    path = tmp_path / "hacs.csv"
    path.write_text(HACS + f'"Jump, ""high""\nup",{ID},training,1,3,1\n{GOOD}\n')
    found = read([path])
    assert [row.label for row in found.labels] == ['Jump, "high"\nup', "Archery"]
    assert [row.place for row in found.labels] == ["line 2", "line 4"]


def test_lines_that_contradict_each_other_are_both_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "hacs.csv"
    path.write_text(HACS + "\n".join([GOOD, GOOD[:-1] + "-1", f"Archery,{ID},testing,1,3,1"]))
    found = read([path])
    assert (found.labels, sorted(odd(found))) == (
        [], [("line 2", "contradiction"), ("line 3", "contradiction"), ("line 4", "two splits")],
    )  # fmt: skip


def test_odd_parts_of_a_document_hold_up_no_other(tmp_path: Path) -> None:
    good = {"label": "Ballet", "segment": [1, 2]}
    path = tmp_path / "a.json"
    segments = [
        json.dumps(good), '{"label": "x", "segment": [NaN, 2]}', '{"segment": [1, 2]}', "7",
        '{"label": "x", "segment": [1]}', '{"label": "x", "segment": [1, ' + "9" * 5000 + "]}",
        '{"label": "late", "segment": [9, 11]}', '{"label": NaN, "segment": [1, 2]}',
    ]  # fmt: skip
    video = '{"subset": "training", "duration": 10, "annotations": [' + ",".join(segments) + "]}"
    odd_ones = '"twice": {"annotations": []}, "twice": {"annotations": []}, "list": [], "none": {"annotations": 3}'
    path.write_text('{"database": {' + odd_ones + ', "a": ' + video + "}}")
    found = read([path])
    assert [row.label for row in found.labels] == ["Ballet", "late"]
    assert Counter(one.reason for one in found.odd) == {
        "video": 2, "segments": 3, "time": 2, "label": 2, "past the end": 1,
    }  # fmt: skip
    assert ("video 'a', segment 7", "past the end") in odd(found)
    assert len(found.set_aside) == 9, "the late one is taken with a remark"
    path.write_text('{"odd": 3, "a": ' + video + "}")
    assert [row.label for row in read([path]).labels] == ["Ballet", "late"], "without a database too"


def test_odd_parts_of_a_coco_file_hold_up_no_other(tmp_path: Path) -> None:
    good = {"video_id": 1, "category_id": 7}
    annotations = [
        {**good, "segment": [1, 2]}, good, {**good, "positive": -1, "segment": [4, 5]}, {**good, "video_id": 9},
        {**good, "video_id": 2}, {**good, "category_id": 9}, {"segment": [1, 2]}, {**good, "segment": 5},
        {**good, "segment": "12"}, {**good, "segment": []}, {**good, "segment": {"a": 1, "b": 2}}, 7,
    ]  # fmt: skip
    videos = [{"id": 1, "file_name": "a.mp4"}, {"id": 2, "file_name": "b"}, {"id": 2, "file_name": "c"}, {"name": "d"}]
    (tmp_path / "coco.json").write_text(
        json.dumps({"videos": videos, "categories": [{"id": 7, "name": "Judo"}], "annotations": annotations})
    )
    found = read([tmp_path / "coco.json"])
    assert [(row.video, row.label, row.start_sec, row.end_sec, row.positive) for row in found.labels] == [
        ("a.mp4", "Judo", 1, 2, True), ("a.mp4", "Judo", None, None, True), ("a.mp4", "Judo", 4, 5, False)
    ]  # fmt: skip
    assert odd(found) == [
        ("video 3", "video"), ("video 4", "video"), ("annotation 4", "video"), ("annotation 5", "video"),
        ("annotation 6", "category"), ("annotation 7", "video"),
        *((f"annotation {number}", "segments") for number in range(8, 12)), ("annotation 12", "annotation"),
    ]  # fmt: skip


def test_what_annotators_say_in_label_studio_becomes_labels_and_odd_parts_hold_up_no_other(tmp_path: Path) -> None:
    def said(*choices: object, beside: str = "note") -> dict[str, Any]:
        """Return an annotation with an answer, and with another region beside it."""
        other = {"from_name": beside, "value": {"text": ["blurry"]}}
        return {"result": [other, {"from_name": "answer", "value": {"choices": list(choices)}}]}

    wrong = ("maybe", ["yes"])
    skipped = {**said("no"), "was_cancelled": True}
    linked = {"result": [*said("yes")["result"], {"type": "relation", "from_id": "a", "to_id": "b"}, 3]}
    renamed = {"result": [{"from_name": "choice", "value": {"choices": ["yes"]}}]}
    timed = {"clip_id": "0f:15500", "category": "judo", "start": 15.5, "end": 17.5}
    tasks = [
        {"data": timed, "annotations": [said("yes"), said("unsure"), said("broken"), skipped]},
        {"data": {**timed, "clip_id": "1f:0"}, "annotations": [*map(said, wrong), said(), said("yes", "no"), 3]},
        {"data": {**timed, "clip_id": "2f:0"}, "annotations": [said("yes", beside="answer"), {"result": []}]},
        {"data": {"video": "a.mp4", "category": "judo"}, "annotations": [said("no")]},
        {"data": {"video": "b.mp4", "category": "judo", "end": 2}, "annotations": [said("no")]},
        7, {"data": 7}, {"data": {"video": "c.mp4"}, "annotations": 7}, {"data": {"video": "d.mp4"}},
        {"data": {**timed, "clip_id": "4f:0"}, "annotations": [linked]},
        {"data": {**timed, "clip_id": "5f:0"}, "completions": [said(" Yes")]},
        {"data": {**timed, "clip_id": "6f:0"}, "annotations": [{**said("yes"), "was_cancelled": "false"}, renamed]},
    ]  # fmt: skip
    (tmp_path / "ls.json").write_text(json.dumps(tasks))
    found = read([tmp_path / "ls.json"])
    assert [(row.video, row.start_sec, row.positive) for row in found.labels] == [
        ("0f", 15.5, True), ("a.mp4", None, False), ("4f", 15.5, True), ("5f", 15.5, True)
    ]  # fmt: skip
    assert odd(found) == [
        *((f"task 2, annotation {number}", "verdict") for number in (1, 2, 3, 4)),
        ("task 2, annotation 5", "annotation"),
        ("task 3, annotation 1", "verdict"), ("task 3, annotation 2", "verdict"), ("task 5, annotation 1", "time"),
        ("task 6", "task"), ("task 7", "task"), ("task 8", "task"),
        ("task 12, annotation 1", "annotation"), ("task 12, annotation 2", "verdict"),
    ]  # fmt: skip
    assert found.odd[-1].detail.startswith("answer is 'found choice in place of one answer', want one of yes")
    assert found.videos == ["0f", "1f", "2f", "a.mp4", "b.mp4", "d.mp4", "4f", "5f", "6f"]


def test_of_the_short_json_of_label_studio_each_task_says_which_export_is_wanted(tmp_path: Path) -> None:
    task = {"id": 1, "clip_id": "0f:0", "category": "judo", "answer": "yes", "annotator": 1, "annotation_id": 5}
    (tmp_path / "ls.json").write_text(json.dumps([task]))
    (one,) = read([tmp_path / "ls.json"]).odd
    assert "want an object with data and annotations, as in the export named JSON" in one.detail


def test_a_class_may_be_called_as_a_split_where_others_are_not(tmp_path: Path) -> None:
    for name in ("bus/a.mp4", "train/b.mp4"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    found = read([tmp_path])
    assert [(row.video, row.label, row.split) for row in found.labels] == [
        ("bus/a.mp4", "bus", None), ("train/b.mp4", "train", None)
    ]  # fmt: skip


@pytest.mark.parametrize(("seconds", "is_odd"), [("0", True), ("-1", True), ("inf", True), ("1", False), ("", False)])
def test_a_video_is_as_long_as_more_than_nothing_or_of_unknown_length(
    tmp_path: Path, seconds: str, is_odd: bool
) -> None:
    (tmp_path / "info.csv").write_text(f"video,seconds,subset\nv,{seconds},testing\n")
    assert [reason for _, reason in odd(read([tmp_path / "info.csv"]))] == ["length"] * is_odd


def test_what_one_list_knows_of_a_video_holds_in_the_other(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"v": {"annotations": [{"label": "Ballet", "segment": [1, 2]}]}}))
    (tmp_path / "info.csv").write_text("video,seconds,subset\nv,20.5,testing\nw,3,training\nw,3,training\n")
    (tmp_path / "urls.json").write_text(json.dumps({"v": {"url": "https://v.test/v.mp4", "annotations": []}}))
    found = read([tmp_path / "a.json", tmp_path / "info.csv", tmp_path / "urls.json"])
    (row,) = found.labels
    assert (row.split, row.duration_sec, row.url) == ("testing", 20.5, "https://v.test/v.mp4")
    assert [one.video for one in found.rows if one.label is None] == found.videos == ["v", "w"]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.csv", b"classname,youtube_id\nA,b\n", BrokenContract),
        ("a.csv", b"", WrongArguments),
        ("a.csv", b"name,age\nann,3\n", WrongArguments),
        ("a.json", b'{"database": {', BrokenContract),
        ("a.json", b"[" * 100_000, BrokenContract),
        ("a.json", b'{"results": {"x": [{"label": "a", "score": 1}]}}', WrongArguments),
        ("a.csv", HACS.encode("utf-16-le"), BrokenContract),
    ],
)
def test_a_file_that_is_none_of_the_formats_is_refused(
    tmp_path: Path, name: str, content: bytes, error: type[Exception]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=str(tmp_path)):
        read([tmp_path / name])


CELLS = st.one_of(
    st.sampled_from([ID, "Archery", "training", "1.5", "3", "-1", "1", "", '"', "nan", "\x00", "é", "a,b", "\udcff"]),
    st.text(max_size=5),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists")


@given(st.lists(st.lists(CELLS, min_size=1, max_size=8), max_size=8))
@settings(max_examples=150)
def test_no_line_is_lost_or_read_twice_whatever_it_holds(folder: Path, lines: Sequence[Sequence[str]]) -> None:
    path = folder / "any.csv"
    text = HACS + "\n".join(",".join(cells) for cells in lines) + "\n" + f"Last,{ID},training,1,3,1\n"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    found = read([path], "hacs")
    places = [one.place for one in (*found.rows, *found.set_aside)]
    assert len(places) == len(set(places))
    assert found.rows, "the last line is good"
    assert all(row.split in SPLITS.values() and row.end_sec > row.start_sec >= 0 for row in found.labels)


NAMES = st.sampled_from([
    "database", "annotations", "videos", "categories", "images", "actions", "subset", "duration", "label", "segment",
    "id", "template", "data", "result", "value", "labels", "choices", "video", "clip_id", "category", "video_id",
])  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["a", "1", "training", "\ud800", "\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("name", sorted(READERS))
@given(st.one_of(ANY.map(json.dumps), st.sampled_from([content for _, _, content, _ in LAYOUTS]), st.text(max_size=40)))
@settings(max_examples=60)
def test_a_file_of_any_shape_is_read_or_refused_by_each_format(name: str, folder: Path, content: str) -> None:
    path = folder / f"{name}.any"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    refusal = ""
    try:
        read([path], name)
    except SlacError as error:
        refusal = str(error)
    assert not refusal or str(path) in refusal
