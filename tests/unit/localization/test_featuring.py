"""What published lists say of videos whose features are written."""

import json
from pathlib import Path

import pytest

from slac_tasks.localization.featuring import labels_of_lists
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
