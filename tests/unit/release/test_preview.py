"""The clips that the page of a release plays: of each category one, of as many categories as fit."""

import json
from pathlib import Path

from released import released, write_rows

from slac_tasks.release.preview import MOST, preview
from slac_tasks.storage.datasets.releasing import ReleaseRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets

CATEGORIES = [f"c{number:02d}" for number in range(MOST + 8)]


def shown(folder: Path, rows: list[ReleaseRow]) -> list[dict[str, object]]:
    datasets = Datasets(FolderStore(folder))
    found: list[dict[str, object]] = json.loads(preview(datasets, write_rows(datasets, "r0001", rows)))
    return found


def test_each_category_shows_a_clip_with_its_action_where_it_has_one(tmp_path: Path) -> None:
    of_judo = [released(start=float(start), category="judo", label=1 if start == 7 else -1) for start in range(10)]
    without = [released(start=float(start), category="wave", label=-1) for start in range(3)]
    judo, wave = shown(tmp_path, [*of_judo, *without])
    assert (judo["category"], judo["label"], judo["start_sec"]) == ("judo", 1, 7.0)
    assert (wave["category"], wave["label"]) == ("wave", -1)


def test_of_many_categories_a_lot_of_them_is_shown_in_their_order(tmp_path: Path) -> None:
    found = [row["category"] for row in shown(tmp_path, [released(category=one) for one in CATEGORIES])]
    assert len(found) == MOST
    assert found == sorted(found)
    assert found != CATEGORIES[:MOST], "the last ones would never be seen"
