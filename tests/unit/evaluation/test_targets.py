"""Published layouts become targets: every video is found by its name, and classes are matched by name."""

import json
from pathlib import Path

import pytest

from slac_tasks.errors import NotConfigured
from slac_tasks.evaluation.targets import Listing, listing

ID = "a2X2hz1G6i8"


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def write(folder: Path, **texts: str) -> list[Path]:
    paths = []
    for name, text in texts.items():
        path = folder / name.replace("__", ".")
        path.write_text(text)
        paths.append(path)
    return paths


def shown(found: Listing, folder: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return (file, class) of what is learned from, and of what judges."""
    train, test = ([(str(one.path.relative_to(folder)), one.label) for one in part]
                   for part in (found.train, found.test))  # fmt: skip
    return train, test


def test_ucf101(tmp_path: Path) -> None:
    videos = touch(
        tmp_path / "UCF-101", "YoYo/v_YoYo_g08_c01.avi", "YoYo/v_YoYo_g08_c02.avi", "YoYo/v_YoYo_g01_c01.avi"
    )
    lists = write(tmp_path, trainlist01__txt="YoYo/v_YoYo_g08_c01.avi 101\nYoYo/v_YoYo_g08_c02.avi 101\n",
                  testlist01__txt="YoYo/v_YoYo_g01_c01.avi\n")  # fmt: skip
    found = listing(videos, lists)
    assert shown(found, videos) == (
        [("YoYo/v_YoYo_g08_c01.avi", "yoyo"), ("YoYo/v_YoYo_g08_c02.avi", "yoyo")],
        [("YoYo/v_YoYo_g01_c01.avi", "yoyo")],
    )
    # Clips of one group were recorded in one go.
    assert [one.recording for one in found.train] == ["yoyo/v_YoYo_g08"] * 2


def test_hmdb51(tmp_path: Path) -> None:
    stem = "April_09_brush_hair_u_nm_np1_ba_goo_"
    videos = touch(tmp_path / "videos", *(f"brush hair/{stem}{number}.avi" for number in range(3)))
    lists = write(tmp_path, brush_hair_test_split1__txt=f"{stem}0.avi 1 \n{stem}1.avi 2 \n{stem}2.avi 0 \n")
    found = listing(videos, lists)
    assert shown(found, videos) == (
        [(f"brush hair/{stem}0.avi", "brush hair")], [(f"brush hair/{stem}1.avi", "brush hair")],
    )  # fmt: skip
    assert found.train[0].recording == found.test[0].recording == "brush hair/April_09_brush_hair_u_nm_np1_ba_goo"


def test_kinetics_is_judged_on_its_validation_part(tmp_path: Path) -> None:
    videos = touch(tmp_path / "k", f"train/ice skating/{ID}_000417_000427.mp4", "val/ice_skating/b.mp4")
    header = "label,youtube_id,time_start,time_end,split\n"
    lists = write(tmp_path, train__csv=f"{header}ice skating,{ID},417,427,train\nyoga,gone,1,2,train\n",
                  val__csv=f"{header}ice skating,b,3,13,val\n")  # fmt: skip
    found = listing(videos, lists)
    assert shown(found, videos) == (
        [(f"train/ice skating/{ID}_000417_000427.mp4", "ice skating")], [("val/ice_skating/b.mp4", "ice skating")],
    )  # fmt: skip
    # A trimmed file shows the class throughout; of a whole video the stretch of the list does.
    assert (found.train[0].start_sec, found.test[0].start_sec, found.test[0].end_sec) == (None, 3.0, 13.0)
    assert (found.missing, found.unmatched) == (("yoga/gone",), ())


def test_something_something(tmp_path: Path) -> None:
    videos = touch(tmp_path / "20bn-something-something-v2", "7.webm", "8.webm")
    template = "Holding [something] next to [something]"
    lists = [tmp_path / name for name in ("train.json", "validation.json", "test.json")]
    for path, number in zip(lists, (7, 8, 9), strict=True):
        entry = {"id": str(number)} | ({} if number == 9 else {"label": "holding a", "template": template})
        path.write_text(json.dumps([entry]))
    label = "holding something next to something"
    assert shown(listing(videos, lists), videos) == ([("7.webm", label)], [("8.webm", label)])


def test_hacs(tmp_path: Path) -> None:
    videos = touch(tmp_path / "hacs", f"Archery/v_{ID}.mp4", "Archery/v_bbbbbbbbbbb.mp4")
    lists = write(tmp_path, hacs__csv="classname,youtube_id,subset,start,end,label\n"
                  f"Archery,{ID},training,15.5,17.5,1\nArchery,{ID},training,1,3,-1\n"
                  "Archery,bbbbbbbbbbb,validation,2,4,1\n")  # fmt: skip
    found = listing(videos, lists)
    # A clip that does not show the action is of no class.
    assert [(one.start_sec, one.end_sec) for one in found.train] == [(15.5, 17.5)]
    assert found.test[0].path.name == "v_bbbbbbbbbbb.mp4"


def test_of_videos_of_one_name_the_one_in_the_folder_of_its_class_is_taken(tmp_path: Path) -> None:
    videos = touch(tmp_path / "v", "judo/1.mp4", "yoga/1.mp4", "yoga/2.mp4", "judo/2.mp4")
    header = "label,youtube_id,time_start,time_end,split\n"
    lists = write(tmp_path, a__csv=f"{header}Yoga,1,0,2,train\nYoga,2,0,2,test\n")
    assert shown(listing(videos, lists), videos) == ([("yoga/1.mp4", "yoga")], [("yoga/2.mp4", "yoga")])


def test_classes_are_matched_by_name_whatever_the_other_part_lacks(tmp_path: Path) -> None:
    folder = touch(tmp_path, "train/Archery/a.mp4", "train/judo/b.mp4", "train/yoga/c.mp4", "test/archery/d.mp4",
                   "test/yoga/e.mp4", "test/zumba/f.mp4")  # fmt: skip
    found = listing(folder)
    assert (found.classes, found.unmatched) == (("archery", "yoga"), ("judo", "zumba"))
    assert shown(found, folder) == (
        [("train/Archery/a.mp4", "archery"), ("train/yoga/c.mp4", "yoga")],
        [("test/archery/d.mp4", "archery"), ("test/yoga/e.mp4", "yoga")],
    )


def test_lists_whose_videos_are_elsewhere_are_refused_with_their_number(tmp_path: Path) -> None:
    lists = write(
        tmp_path, trainlist01__txt="YoYo/v_YoYo_g08_c01.avi 101\n", testlist01__txt="YoYo/v_YoYo_g01_c01.avi\n"
    )
    with pytest.raises(NotConfigured, match="2 listed videos are not in it"):
        listing(touch(tmp_path / "empty", "readme.txt"), lists)
