"""The published lists beside the checkout are read whole: their counts are those that are known of them."""

from collections import Counter

import pytest

from bench.harness.places import SHARED
from slac_tasks.annotations.reading import read

FOLDER = SHARED / "annotations"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no folder shared/annotations beside the checkout")
PAST = "past the end"

LISTS = [
    # files, videos, labels, classes, odd lines by reason
    (("mini_hacs/train.csv",), 7_277, 7_944, 200, {}),
    (("mini_hacs/test.csv",), 1_105, 1_986, 200, {}),
    (("activitynet/anet_anno_action.json", "activitynet/video_info_new.csv"), 19_228, 22_152, 200,
     {"duplicate": 45, "order": 12, PAST: 215}),
    (("thumos14/val_Annotation.csv",), 200, 3_096, 21, {}),
    (("thumos14/test_Annotation.csv",), 213, 3_457, 21, {}),
    (("thumos14/thumos14_test_groundtruth.csv",), 213, 3_457, 21, {PAST: 26}),
    (("thumos14/thumos_gt.json",), 410, 6_318, 20, {}),
    (("multithumos/multithumos.json",), 413, 38_690, 65, {"order": 7, PAST: 65}),
    (("kinetics/kinetics-400_val.csv",), 19_906, 19_906, 400, {}),
]  # fmt: skip


@pytest.mark.parametrize(("names", "videos", "labels", "classes", "odd"), LISTS, ids=[names[0] for names, *_ in LISTS])
def test_a_list_holds_what_is_known_of_it(
    names: tuple[str, ...], videos: int, labels: int, classes: int, odd: dict[str, int]
) -> None:
    found = read([FOLDER / name for name in names])
    assert len(found.videos) == videos
    assert len(found.labels) + len(found.set_aside) == labels
    assert len({row.label for row in found.labels}) == classes
    assert Counter(one.reason for one in found.odd) == odd


def test_the_parts_of_activitynet_are_those_of_its_second_list() -> None:
    found = read([FOLDER / "activitynet" / name for name in ("anet_anno_action.json", "video_info_new.csv")])
    parts = Counter(str(split) for split in {row.video: row.split for row in found.rows}.values())
    assert parts == {"training": 9_649, "validation": 4_728, "testing": 4_851}


def test_each_class_of_hmdb51_has_70_videos_to_train_on_and_30_to_test_on() -> None:
    files = sorted((FOLDER / "ucf101_hmdb51" / "hmdb51").glob("*.txt"))
    found = read(files)
    assert (len(files), len(found.labels), found.odd) == (6, 663, ())
    parts = Counter((row.label, str(row.split)) for row in found.labels)
    assert {count for (_, split), count in parts.items() if split == "training"} == {70}
    assert {count for (_, split), count in parts.items() if split == "testing"} == {30}
