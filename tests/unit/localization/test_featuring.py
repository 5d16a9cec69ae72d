"""What published lists say of videos whose features are written."""

import json
from pathlib import Path

import pytest

from slac_tasks.localization.featuring import labels_of_lists, segments_of
from slac_tasks.localization.releases import ReleasedLabel
from slac_tasks.model import Split


@pytest.mark.parametrize("own", ["sJFgo9H6zNo", "v_Fgo9H6zNo"])
@pytest.mark.parametrize("listed", ["", "v_"])
@pytest.mark.parametrize("named", ["", "v_"])
def test_a_list_and_a_file_may_have_v_before_an_id_that_may_begin_so_itself(
    own: str, listed: str, named: str, tmp_path: Path
) -> None:
    video = {"subset": "validation", "duration": 60, "annotations": [{"label": "Judo", "segment": [1, 2]}]}
    (tmp_path / "a.json").write_text(json.dumps({"database": {listed + own: video}, "version": "1"}))
    found = labels_of_lists([tmp_path / "a.json"], [named + own, "other"], Split.TRAINING)
    assert found[named + own].segments == (("Judo", 1.0, 2.0),)
    assert (found[named + own].split, found["other"].segments) == (Split.VALIDATION, ())


def test_of_clips_only_those_that_show_an_action_are_segments_and_the_first_split_that_is_known_counts(
    tmp_path: Path,
) -> None:
    rows = ["Judo,abcdefghijk,,1,3,-1", "Judo,abcdefghijk,validation,4,6,1", "Judo,abcdefghijk,validation,7,9,1"]
    (tmp_path / "a.csv").write_text("\n".join(["classname,youtube_id,subset,start,end,label", *rows]))
    (found,) = labels_of_lists([tmp_path / "a.csv"], ["abcdefghijk"], Split.TRAINING).values()
    assert found.split is Split.VALIDATION
    assert found.segments == (("Judo", 4.0, 6.0), ("Judo", 7.0, 9.0))


def test_a_release_shows_what_people_cut_and_of_other_categories_positive_clips_that_are_joined_where_they_touch() -> (
    None
):
    def label(category: str, start: float, positive: bool = True) -> ReleasedLabel:
        return ReleasedLabel(category=category, start_sec=start, end_sec=start + 2, positive=positive)

    clips = [label("judo", 8), label("polo", 0), label("polo", 2), label("polo", 3), label("polo", 5.5, False)]
    clips += [label("archery", 4), label("polo", 6)]
    assert segments_of(clips) == (
        ("archery", 4, 6), ("judo", 8, 10), ("polo", 0, 5), ("polo", 6, 8),
    )  # fmt: skip
    dense = [label("polo", 1), label("archery", 0, False)]
    assert segments_of(clips, dense) == (("polo", 1, 3), ("archery", 4, 6), ("judo", 8, 10))
