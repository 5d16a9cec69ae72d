"""A folder that was not copied into the store to its end is no finished export; media may go while one is written."""

import hashlib
import json
from pathlib import Path

import pytest
from release_rows import release_of, release_row

from slac_tasks.errors import NotMade
from slac_tasks.release.exporting import LIST, contents, export_name, write_exports
from slac_tasks.release.exports import EXPORTS
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets


def test_a_folder_that_was_cut_off_is_written_again_and_its_list_comes_last(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    rows = list(release_of([release_row(video, 0.5) for video in range(3)]).rows())
    manifest = datasets.write(
        RELEASES, [RELEASES.table(rows)], keys={"release": "r0001"}, stage="release", settings={}, made_from={},
    )  # fmt: skip
    export = EXPORTS["hugging_face"]
    release, name = contents(datasets, manifest, "1.0.0", {}), export_name(manifest, export)
    write_exports(datasets, manifest, release, [export])
    listed = json.loads(datasets.store.get(f"{name}/{LIST}"))
    files = {one.removeprefix(f"{name}/") for one in datasets.store.names(f"{name}/")} - {LIST}
    assert files == set(listed)
    for one, about in listed.items():
        data = datasets.store.get(f"{name}/{one}")
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (about["sha256"], about["size_bytes"])
    for lost in (LIST, "README.md"):
        datasets.store.delete(f"{name}/{lost}")
    # Of a category that had another name then.
    datasets.store.put(f"{name}/data/left.parquet", b"half")
    write_exports(datasets, manifest, release, [export])
    assert {one.removeprefix(f"{name}/") for one in datasets.store.names(f"{name}/")} == {LIST, *listed}
    assert json.loads(datasets.store.get(f"{name}/{LIST}")) == listed
    assert datasets.store.exists(f"{name}/README.md")
    datasets.store.put(f"{name}/README.md", b"read by somebody")
    write_exports(datasets, manifest, release, [export])
    assert datasets.store.get(f"{name}/README.md") == b"read by somebody", "what is finished is left alone"


@pytest.mark.parametrize("is_withdrawn", [True, False])
def test_media_of_a_video_that_is_withdrawn_while_an_export_is_written_hold_it_up_no_more(
    tmp_path: Path, is_withdrawn: bool
) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    rows = [release_row(video, 0.5) for video in range(2)]
    manifest = datasets.write(
        RELEASES, [RELEASES.table(rows)], keys={"release": "r0001"}, stage="release", settings={}, made_from={},
    )  # fmt: skip
    datasets.store.put(rows[0].proxy_256, b"bytes")
    reads = iter([lambda row: False, lambda row: is_withdrawn])
    release = contents(datasets, manifest, "1.0.0", {}, withdrawn=lambda: next(reads))
    assert release.media(rows[0]) == b"bytes"
    if is_withdrawn:
        assert release.media(rows[1]) is None
    else:
        with pytest.raises(NotMade, match=r"256\.mp4"):
            release.media(rows[1])
