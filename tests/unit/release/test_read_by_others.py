"""Exports are read by the libraries for which they are made; one that is not installed here is skipped."""

import csv
import gc
import io
import json
import tarfile
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from release_rows import release_of, release_row

from slac_tasks.release.exports import EXPORTS, webdataset

ROWS = [
    release_row(video, start, 1 if start < 4 else -1, category=category)
    for video in range(6)
    for start in (0.5, 3.0, 9.5)
    for category in ("high_jump", "yoga")
]


def written(name: str, folder: Path, **more: object) -> Path:
    path = folder / EXPORTS[name].file
    EXPORTS[name].write(release_of(ROWS, **more), path)
    return path


def test_the_table_is_read_by_pandas(tmp_path: Path) -> None:
    import pandas as pd

    found = pd.read_csv(written("kinetics", tmp_path))
    assert (len(found), set(found["split"]), set(found["is_cc"])) == (24, {"train", "val", "test"}, {1})


def test_the_folder_for_the_hub_holds_every_row_in_its_split(tmp_path: Path) -> None:
    folder = written("hugging_face", tmp_path)
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlicense: other\n")
    for split in ("train", "validation", "test"):
        assert f"path: data/{split}-*.parquet" in card
        table = pq.read_table(folder / "data" / f"{split}-00000-of-00001.parquet")
        assert (table.num_rows, table["label"].to_pylist().count(1)) == (12, 8)


@pytest.mark.filterwarnings("ignore")  # The library leaves its files open.
def test_the_folder_for_the_hub_is_read_by_its_library(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="the library datasets is not installed")
    found = datasets.load_dataset(str(written("hugging_face", tmp_path)), cache_dir=str(tmp_path / "cache"))
    assert {name: rows.num_rows for name, rows in found.items()} == {"train": 12, "validation": 12, "test": 12}
    assert found["train"].features["label"].names == ["absent", "present"]


@pytest.mark.filterwarnings("ignore")  # The library leaves its shards open.
def test_the_shards_are_read_by_webdataset(tmp_path: Path) -> None:
    wds = pytest.importorskip("webdataset", reason="webdataset is not installed")
    folder = written("webdataset", tmp_path, licences=("CC BY 4.0",), media=lambda row: row.proxy_256.encode())
    shards = sorted(map(str, folder.iterdir()))
    samples = list(wds.WebDataset(shards, shardshuffle=False).decode())
    gc.collect()
    assert len(samples) == 12
    assert {sample["mp4"].decode() for sample in samples} == {row.proxy_256 for row in ROWS}
    assert sum(len(sample["json"]["clips"]) for sample in samples) == len(ROWS)


def test_media_under_another_licence_stay_out_of_the_shards(tmp_path: Path) -> None:
    folder = written("webdataset", tmp_path, licences=("CC BY-SA 4.0",))
    for shard in folder.iterdir():
        with tarfile.open(shard) as tar:
            assert all(name.endswith(".json") for name in tar.getnames())


def test_a_full_shard_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webdataset, "_SHARD_SAMPLES", 3)
    names = sorted(path.name for path in written("webdataset", tmp_path).iterdir())
    splits = ("testing", "training", "validation")
    assert names == [f"{split}-{number:06d}.tar" for split in splits for number in (0, 1)]


@pytest.mark.filterwarnings("ignore")  # The library calls what others have deprecated.
def test_the_metadata_is_read_by_mlcroissant(tmp_path: Path) -> None:
    mlc = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    known = {"benchmark": False, "certificate": 0.5, "published_at": datetime(2026, 1, 5, 7, 30, tzinfo=UTC)}
    release = release_of([*ROWS, replace(release_row(7, 0.5), title="Ä", **known)])
    EXPORTS["croissant"].write(release, tmp_path / "croissant")
    found = mlc.Dataset(jsonld=str(tmp_path / "croissant" / "croissant.json"))
    assert not found.metadata.issues.errors
    assert str(found.metadata.version) == release.number
    records = list(found.records(record_set="labels"))
    read = [{name.removeprefix("labels/"): value for name, value in record.items()} for record in records]
    texts = [{name: one.decode() if isinstance(one, bytes) else one for name, one in row.items()} for row in read]
    assert texts == [asdict(row) for row in release.rows()]


def test_each_clip_for_fiftyone_is_seconds_of_its_videos_one_file(tmp_path: Path) -> None:
    folder = written("fiftyone", tmp_path, media_address="/data/slac/")
    media = json.loads((folder / "data.json").read_text())
    labels = json.loads((folder / "labels.json").read_text())
    assert media[ROWS[0].name] == f"/data/slac/{ROWS[0].proxy_256}"
    assert set(media) == set(labels["labels"]) == {row.name for row in ROWS}
    said = [(labels["classes"][one["label"]], one["timestamps"]) for one in labels["labels"][ROWS[0].name]]
    assert said[:3] == [("High jump", [0.5, 2.5]), ("High jump", [3.0, 5.0]), ("not: High jump", [9.5, 11.5])]


@pytest.mark.parametrize(
    ("licence", "is_cc"),
    [
        (None, "0"), ("", "0"), ("Standard YouTube License", "0"), ("All rights reserved", "0"), ("by hand", "0"),
        ("CC BY 4.0", "1"), ("cc0", "1"), (" Creative Commons Attribution license (reuse allowed)", "1"),
        ("creativeCommon", "1"), ("https://creativecommons.org/licenses/by-nc-nd/3.0/", "1"), ("by-nc-sa", "1"),
    ],
)  # fmt: skip
def test_a_licence_of_creative_commons_is_one_however_its_site_writes_it(
    licence: str | None, is_cc: str, tmp_path: Path
) -> None:
    path = tmp_path / "kinetics.csv"
    EXPORTS["kinetics"].write(release_of([release_row(0, 0.5, licence=licence)]), path)
    assert [row["is_cc"] for row in csv.DictReader(io.StringIO(path.read_text()))] == [is_cc]
