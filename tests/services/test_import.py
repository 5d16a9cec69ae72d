"""An existing dataset enters the loop: its videos as candidates, its labels as rows; what is none is set aside."""

import json
from pathlib import Path
from typing import Any

import pytest

from slac_tasks import cli
from slac_tasks.collect.sources import ManifestSource, Unreadable
from slac_tasks.commands import import_labels
from slac_tasks.model import Window
from slac_tasks.storage.datasets import IMPORTED
from slac_tasks.storage.datasets.labelling import ImportedRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

HACS = """classname,youtube_id,subset,start,end,label
High Jump,a2X2hz1G6i8,training,15.5,17.5,1
High Jump,a2X2hz1G6i8,training,19.0,21.0,-1
Jumping high,a2X2hz1G6i8,training,15.5,17.5,-1
Jumping high,b2X2hz1G6i8,training,1.0,3.0,1
Yoga,c2X2hz1G6i8,testing,1.0,3.0,1
Yoga,c2X2hz1G6i8,testing,9.0,3.0,1
Boxing,d2X2hz1G6i8,testing,1.0,3.0,1
"""
MAP = "label,category\nHigh Jump,High jump\nJumping high,High jump\nYoga,Yoga\n"


@pytest.fixture
def place(tmp_path: Path, store: FolderStore, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "hacs.csv").write_text(HACS)
    (tmp_path / "map.csv").write_text(MAP)
    return tmp_path


def imported(place: Path, *more: str, files: tuple[str, ...] = ("hacs.csv",)) -> int:
    words = [str(place / file) for file in files]
    return cli.main(["import", *words, "--as", "hacs", "--manifest", str(place / "hacs.jsonl"), *more])


def made(store: FolderStore) -> tuple[Manifest, list[ImportedRow]]:
    datasets = Datasets(store)
    return datasets.need(IMPORTED, origin="hacs"), datasets.rows(IMPORTED, origin="hacs")


def test_labels_become_rows_and_what_is_none_is_listed_with_its_reason(
    place: Path, store: FolderStore, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported(place, "--category-map", str(place / "map.csv")) == 0
    manifest, rows = made(store)
    assert [(row.category, row.source_id, row.start_sec, row.label, row.name, row.place) for row in rows] == [
        ("high_jump", "a2X2hz1G6i8", 19.0, -1, "High Jump", "line 3"),
        ("high_jump", "b2X2hz1G6i8", 1.0, 1, "Jumping high", "line 5"),
        ("yoga", "c2X2hz1G6i8", 1.0, 1, "Yoga", "line 6"),
    ]
    assert manifest.dropped == {"contradiction": 2, "order": 1, "not mapped": 1}
    (record,) = [row for row in ledger.rows("current_datasets", dataset="imported", versions=[2], window=None)]
    assert record["row_count"] == 3
    capsys.readouterr()
    assert cli.main(["show", "imported", "origin=hacs"]) == 0
    assert "dropped line 7: order: starts at 9 and ends at 3, want an end after the start" in capsys.readouterr().out


def test_the_same_files_again_change_nothing_and_others_are_the_next_generation(
    place: Path, store: FolderStore
) -> None:
    assert imported(place) == imported(place) == 0
    before, _ = made(store)
    assert before.generation == 1
    (place / "hacs.csv").write_text(HACS.replace("Boxing,", "Judo,"))
    assert imported(place) == 0
    assert made(store)[0].generation == 2


def test_of_lines_none_of_which_can_be_used_the_first_of_each_reason_is_said(
    place: Path, store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one line that is odd had hidden why all others were of no use."""
    lines = ["classname,youtube_id,subset,start,end,label", "Judo,a,training,3.0,1.0,1"]
    lines += [f"Judo,video_{number},training,1.0,3.0,1" for number in range(5)] + ["Judo,.mp4,training,1.0,3.0,1"]
    (place / "hacs.csv").write_text("\n".join(lines))
    assert imported(place) == 64
    last = capsys.readouterr().err.splitlines()[-1]
    assert "; line 3: no media: nobody says where video video_0 is; --media does; line 2: order: starts at 3" in last
    assert imported(place, "--media", "videos/{id}.mp4") == 0
    manifest, _ = made(store)
    assert [drop.detail for drop in manifest.drops if drop.item == "line 8"] == [
        "source_id is '', want the source's own name of the video"
    ]


@pytest.mark.parametrize("files", [("caf\udce9.csv",), ("caf\udce9.csv", "hacs.csv")])
def test_a_list_whose_own_name_is_no_utf_8_is_read(place: Path, store: FolderStore, files: tuple[str, ...]) -> None:
    (place / files[0]).write_text(HACS.replace("2X2hz1G6i8", "3X3hz1G6i8"))
    assert imported(place, files=files) == 0
    manifest, rows = made(store)
    assert "file caf\\xe9.csv" in manifest.made_from
    assert {row.place.startswith("caf\\xe9.csv line ") for row in rows[:2]} == {len(files) > 1}


def test_lines_of_two_lists_of_one_name_are_told_apart(place: Path, store: FolderStore) -> None:
    """The class of a line had been that of the same line of the other list."""
    files = ("train/list.csv", "val/list.csv")
    for file, name in zip(files, ("Archery", "Bowling"), strict=True):
        (place / file).parent.mkdir()
        (place / file).write_text(f"{HACS.splitlines()[0]}\n{name},{name[0].lower()}2X2hz1G6i8,training,1.0,3.0,1\n")
    assert imported(place, files=files) == 0
    manifest, rows = made(store)
    assert [(row.name, row.place) for row in rows] == [
        ("Archery", f"{place}/train/list.csv line 2"),
        ("Bowling", f"{place}/val/list.csv line 2"),
    ]
    assert sorted(manifest.made_from) == [f"file {place}/{file}" for file in files]


def test_of_two_imports_under_one_name_at_once_one_goes_on(
    place: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest had been of one, and the labels of the other."""
    (place / "other.csv").write_text(HACS.replace("2X2hz1G6i8", "3X3hz1G6i8"))
    codes = []

    def stored(*given: Any) -> Manifest:
        if not codes:
            codes.append(0)
            codes.append(imported(place, files=("other.csv",)))
        return write(*given)

    write = import_labels._stored
    monkeypatch.setattr(import_labels, "_stored", stored)
    assert imported(place) == 0
    assert codes == [0, 75]
    lines = [json.loads(line) for line in (place / "hacs.jsonl").read_text().splitlines()]
    assert {line["source_id"] for line in lines} >= {row.source_id for row in made(store)[1]}
    assert imported(place, files=("other.csv",)) == 0


def test_the_manifest_offers_the_videos_as_candidates_with_the_ids_of_the_labels(
    place: Path, store: FolderStore
) -> None:
    assert imported(place, "--category-map", str(place / "map.csv"), "--media", "https://media.example/{id}.mp4") == 0
    source = ManifestSource(place / "hacs.jsonl")
    offers = [offer for key in ("high_jump", "yoga") for offer in source.candidates(key, Window.parse("2026-01-05"))]
    assert not any(isinstance(offer, Unreadable) for offer in offers)
    _, rows = made(store)
    assert {offer.candidate_id for offer in offers} == {row.candidate_id for row in rows}
    assert offers[0].location == "https://media.example/a2X2hz1G6i8.mp4"


def test_one_video_under_two_names_is_one_and_says_one_thing(place: Path, store: FolderStore) -> None:
    lines = ["classname,youtube_id,subset,start,end,label"]
    lines += [f"Judo,{name},training,1.0,3.0,1" for name in ("a2X2hz1G6i8", "v_a2X2hz1G6i8.mp4")]
    (place / "hacs.csv").write_text("\n".join(lines))
    assert imported(place) == 0
    manifest, rows = made(store)
    assert [row.place for row in rows] == ["line 2"]
    assert manifest.dropped == {"duplicate": 1}
    assert len((place / "hacs.jsonl").read_text().splitlines()) == 1


def test_class_folders_are_candidates_where_they_lie(place: Path, store: FolderStore) -> None:
    for name in ("set/judo/a.mp4", "set/yoga/b.mp4"):
        (place / name).parent.mkdir(parents=True)
        (place / name).touch()
    assert imported(place, files=("set",)) == 0
    assert [(row.category, row.label, row.start_sec) for row in made(store)[1]] == [
        ("judo", 1, None),
        ("yoga", 1, None),
    ]
    lines = [json.loads(line) for line in (place / "hacs.jsonl").read_text().splitlines()]
    assert [line["location"] for line in lines] == [str(place / "set/judo/a.mp4"), str(place / "set/yoga/b.mp4")]
    (place / "set/judo/.DS_Store").touch()
    assert imported(place, files=("set",)) == 0
    assert made(store)[0].generation == 1


def test_two_folders_of_classes_are_refused(
    place: Path, store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """The videos of the second one had been looked for in the first."""
    for name in ("train/judo/a.mp4", "val/judo/b.mp4"):
        (place / name).parent.mkdir(parents=True)
        (place / name).touch()
    assert imported(place, files=("train", "val")) == 64
    assert "import hacs: 2 folders are given, want one of all classes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--media", "/data"), "want {id} or {name} in it"),
        (("--media", "/data/{id}.mp4"), "the location is '/data/video.mp4', want a path inside the manifest's folder"),
        (("--media", "../{name}"), "the location is '../video', want a path inside the manifest's folder"),
        (("--media", "ftp://host/{id}"), "the location is 'ftp://host/video', want a path, http(s):// or s3://"),
        (("--category-map", "{place}/none.csv"), "cannot be read"),
        (("--category-map", "{place}/other.csv"), "holds no label that can be used"),
        (("--category-map", "{place}/half.csv"), "line 2: a word is missing, want a label and a category"),
        (("--category-map", "{place}/latin.csv"), "line 2: 'Yoga,caf\\xe9' is not UTF-8"),
        (("--category-map", "{place}/clash.csv"), "'C' and 'C++' are different names with the same key 'c'"),
        (("--category-map", "{place}/saved.csv"), "line 2: a word is '#N/A', an error of a spreadsheet"),
    ],
)
def test_a_wrong_wish_ends_with_its_reason(
    place: Path, words: tuple[str, ...], wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "other.csv").write_text("label,category\nNobody,Judo\n")
    (place / "half.csv").write_text("label,category\nYoga,\n")
    (place / "clash.csv").write_text("label,category\nYoga,C\nHigh jump,C++\n")
    (place / "saved.csv").write_text("label,category\nYoga,#N/A\n")
    (place / "latin.csv").write_bytes(b"label,category\nYoga,caf\xe9\n")
    assert imported(place, *(word.format(place=place) if "{place}" in word else word for word in words)) == 64
    assert wanted in capsys.readouterr().err
    assert not (place / "hacs.jsonl").exists()


def test_times_are_those_of_the_action_where_a_person_says_so(place: Path, store: FolderStore) -> None:
    assert imported(place) == 0
    assert {row.dense for row in made(store)[1]} == {False}
    assert imported(place, "--segments") == 0
    manifest, rows = made(store)
    assert {row.dense for row in rows} == {True}
    assert manifest.generation == 2
