"""The lists of other benchmarks: what each names, and which files are refused whole."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.admission.exclusions.lists import Member, MemberList, canonical, read
from slac_tasks.errors import BrokenContract, WrongArguments

KINETICS = """label,youtube_id,time_start,time_end,split
abseiling,0347ZoDXyP0,95,105,validate
abseiling,035LtPeUFTE,59,69,train
archery,-0-sMvVgSBM,1,11,test
"""
ACTIVITYNET = {
    "database": {
        "v1234567890": {"subset": "validation", "annotations": []},
        "tr345678901": {"subset": "training", "annotations": []},
        "te345678901": {"subset": "testing"},
    }
}
THUMOS_JSON = {"database": {"video_test_0000004": {"subset": "Test"}, "video_validation_0000051": {"subset": "Val"}}}
ID = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=11, max_size=11)


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def names(found: MemberList) -> dict[str, str]:
    return {member.name: member.subset for member in found.members}


@pytest.mark.parametrize(
    ("name", "text", "benchmark", "members", "left_out"),
    [
        ("val.csv", KINETICS, "kinetics", {"0347ZoDXyP0": "validation", "-0-sMvVgSBM": "testing"}, 1),
        (
            "activity_net.v1-3.json", json.dumps(ACTIVITYNET), "activitynet",
            {"v1234567890": "validation", "te345678901": "testing"}, 1,
        ),
        (
            "thumos.json", json.dumps(THUMOS_JSON), "thumos14",
            {"video_test_0000004": "testing", "video_validation_0000051": "validation"}, 0,
        ),
        (
            "testlist01.txt", "Archery/v_Archery_g01_c01.avi\nArchery/v_Archery_g01_c02.avi\n", "ucf101",
            {"v_Archery_g01_c01": "listed", "v_Archery_g01_c02": "listed"}, 0,
        ),
        (
            "wave_test_split1.txt", "a_wave_(1)_u_nm.avi 1 \nb_wave_u_nm.avi 2 \nc_wave.avi 0 \n", "hmdb51",
            {"b_wave_u_nm": "testing"}, 2,
        ),
        (
            "Diving_test.txt", "video_test_0000004  67.5 75.2\nvideo_test_0000004  80.0 81.9\n", "thumos14",
            {"video_test_0000004": "testing"}, 0,
        ),
        ("My Test-Set.txt", "0347ZoDXyP0\n\nb.mp4\n", "my_test_set", {"0347ZoDXyP0": "listed", "b": "listed"}, 0),
        ("held_out.csv", "id,label\n7,jump\n8,run\n", "held_out", {"7": "listed", "8": "listed"}, 0),
        ("old.csv", "id,label\r7,jump\r8,run\r", "old", {"7": "listed", "8": "listed"}, 0),
        ("k.txt", KINETICS, "kinetics", {"0347ZoDXyP0": "validation", "-0-sMvVgSBM": "testing"}, 1),
        ("K.CSV", KINETICS.upper().replace("0347ZODXYP0", "0347ZoDXyP0").replace("-0-SMVVGSBM", "-0-sMvVgSBM"),
         "kinetics", {"0347ZoDXyP0": "validation", "-0-sMvVgSBM": "testing"}, 1),
        ("k.tsv", KINETICS.replace(",", "\t"), "kinetics",
         {"0347ZoDXyP0": "validation", "-0-sMvVgSBM": "testing"}, 1),
        ("k", KINETICS.replace(",", ";"), "kinetics", {"0347ZoDXyP0": "validation", "-0-sMvVgSBM": "testing"}, 1),
        ("k.json", json.dumps({"abcdefghij1": {"subset": "test", "annotations": {}}}), "kinetics",
         {"abcdefghij1": "testing"}, 0),
        ("HACS_clips.csv", "classname,youtube_id,subset,start,end,label\nyoga,abcdefghij1,validation,1.0,3.0,1\n",
         "hacs", {"abcdefghij1": "validation"}, 0),
        ("HACS_segments.json", json.dumps(ACTIVITYNET), "hacs",
         {"v1234567890": "validation", "te345678901": "testing"}, 1),
        ("ids.json", '["abcdefghij1","abcdefghij2"]', "ids", {"abcdefghij1": "listed", "abcdefghij2": "listed"}, 0),
        ("ids.json", '[{"id": "a", "split": "test"}, {"id": "b", "split": "train"}]', "ids", {"a": "testing"}, 1),
        ("titles.csv", "youtube_id,title\nabcdefghij1,one\u2028two\nabcdefghij2,\"a\nb\"\n", "titles",
         {"abcdefghij1": "listed", "abcdefghij2": "listed"}, 0),
    ],
)  # fmt: skip
def test_each_list_names_its_validation_and_test_videos(
    tmp_path: Path, name: str, text: str, benchmark: str, members: dict[str, str], left_out: int
) -> None:
    found = read(written(tmp_path, name, text))
    assert (found.benchmark, names(found), found.left_out) == (benchmark, members, left_out)
    assert read(tmp_path / name, "Other Set").benchmark == "other_set"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", KINETICS.replace("test\n", "tset\n"), "line 4: split is 'tset', want one of train"),
        ("a.csv", KINETICS.replace("-0-sMvVgSBM", ""), "line 4: youtube_id is missing or empty"),
        ("a.csv", KINETICS + "archery,x,1,11,test,0,9\n", "line 5: has more values than the 5 columns"),
        ("a.csv", KINETICS + '"archery', "unexpected end of data, want a csv line"),
        ("a.csv", KINETICS.replace("youtube_id", "video"), "line 1: columns ['label', 'video'"),
        ("a.csv", "youtube_id,split\nx,train\n", "holds 1 training and no more, want validation or test videos"),
        ("a.json", "{", "want JSON"),
        ("a.json", "[" * 100_000, "want JSON"),
        ("a.json", '{"database": {"x": {"subset": "val"}, "x": {"subset": "train"}}}', "'x' is there 2 times"),
        ("a.json", '["a\\ud800"]', "name 'a\\ud800' is not UTF-8"),
        ("a.json", '["a\\u0000"]', "name 'a\\x00' holds a NUL"),
        ("a.csv", "youtube_id,split,split\nx,val,train\n", "column split is there twice"),
        ("a.csv", "youtube_id,split\n#NAME?,val\n", "a name is '#NAME?', an error of a spreadsheet"),
        ("a.csv", "youtube_id,split\n1.23457E+11,val\n", "a name is '1.23457E+11', a number that a spreadsheet has"),
        ("a.txt", "ok\n#NAME?\n", "a name is '#NAME?'"),
        ("a.csv", "x" * 200_000, "line 1: columns [], want one of youtube_id"),
        ("a.json", '{"videos": []}', "has ['videos'], want a `database`"),
        ("a.json", '{"x": {"subset": "test"}, "y": {"split": "test"}}', "'y' has no subset of train"),
        ("a.json", '{"database": {"x": {"subset": "dev"}, "y": 1}}', "'x' has no subset of train"),
        ("trainlist01.txt", "Archery/v_Archery_g08_c01.avi 3\n", "line 1: is a training list of UCF-101"),
        ("a.txt", "Archery/v_Archery_g01_c01.avi\nArchery/v_Archery_g01_c02.avi 1\n", "line 2: 'Archery/v_Archery_g01"),
        ("a.txt", "a.avi 2\nb.avi 3\n", "line 2: 'b.avi 3', want a line of hmdb51"),
        ("a.txt", "one\ntwo words\n", "line 2: 'two words', want one id"),
        ("a.txt", "ok\n" + "two words\n" * 9, "and 4 more"),
        ("a.txt", " \n", "is empty, want at least one video"),
        ("a.txt", "abcdefghij1,0,10,test\n", "line 1: 'abcdefghij1,0,10,test', want one id"),
        ("a.txt", "one\ntwo;3\n", "line 2: 'two;3', want one id"),
        ("a.txt", '"abcdefghij1"\n', "want one id"),
        ("a.txt", "ok\nhttps://youtu.be/\n", "a name is 'https://youtu.be/', want one that names a video"),
        ("a.txt", "ok\n..\n", "a name is '..', want one that names a video"),
        ("a.json", '["ok", "/.mp4"]', "a name is '/.mp4', want one that names a video"),
        ("a.txt", "a" * 1_001, "want one that names a video, in 1,000 letters at most"),
        ("a.json", "[1, 2]", "entry 1: '1', want an id"),
        ("a.json", '["a", NaN]', "entry 2: 'NaN, no number', want an id"),
        ("a.json", '[{"id": "a", "split": "test"}, {"id": Infinity, "split": "test"}]', "entry 2: "),
        ("a.json", '["a", {"id": "b", "split": "dev"}]', "entry 2: "),
    ],
)
def test_a_file_with_a_bad_line_is_refused_whole(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(BrokenContract) as error:
        read(written(tmp_path, name, text))
    assert said in str(error.value)
    assert str(tmp_path / name) in str(error.value)


def test_a_file_that_is_no_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BrokenContract, match="want a text in UTF-8: csv"):
        read(tmp_path / "a.csv")
    with pytest.raises(WrongArguments, match="No such file"):
        read(tmp_path / "b.csv")


@given(ID)
def test_every_way_to_name_a_youtube_video_is_one_name(name: str) -> None:
    ways = [
        name, f"{name}.mp4", f"v_{name}.mkv", f"/data/{name}_000012_000022.webm", f"https://youtu.be/{name}?t=3",
        f"https://www.youtube.com/watch?feature=x&v={name}", f"yt-dlp+https://m.youtube.com/shorts/{name}",
        f"https://www.youtube-nocookie.com/embed/{name}",
    ]  # fmt: skip
    assert {canonical(way) for way in ways} == {name}


def test_other_names_are_those_of_the_files() -> None:
    assert canonical("s3://bucket/a/v_Archery_g01_c01.avi") == "v_Archery_g01_c01"
    assert canonical("https://videos.example/x.mp4?v=0347ZoDXyP0") == "x"
    assert canonical("https://[broken/x") == "https://[broken/x"
    assert canonical("notyoutube.com/a/b.m4v") == "b"
    assert Member(name="a", subset="testing") < Member(name="b", subset="testing")


@given(
    st.lists(ID, min_size=1, unique=True),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["csv", "CSV", "txt", "list"]),
)
def test_a_table_names_the_same_videos_whatever_its_ending_and_delimiter(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], delimiter: str, ending: str
) -> None:
    lines = [["label", "youtube_id", "split"], *(["a b", name, "test"] for name in ids)]
    text = "".join(delimiter.join(line) + "\n" for line in lines)
    found = read(written(tmp_path_factory.mktemp("lists"), f"a.{ending}", text))
    assert {member.name for member in found.members} == set(ids)
