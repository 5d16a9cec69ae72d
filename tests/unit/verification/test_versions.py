"""A version of the labels reads the same, whether it is a whole table or changes that build on one."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.storage.datasets import LABEL_CHANGES, LABELS
from slac_tasks.storage.datasets.labelling import LabelChangeRow, LabelRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.versions import label_tables, labels_of, need_labels, newest_labels, read_labels


def row(clip: str, yes: int) -> dict[str, Any]:
    return {
        "clip_id": f"{clip}:0", "video_id": clip, "start_sec": 0.0, "end_sec": 2.0, "split": "training",
        "category": "judo", "round": "2026-01-05.p1", "strategy": "random", "status": "open", "label": None,
        "confidence": None, "method": "two_of_three/1", "yes": yes, "no": 0, "unsure": 0, "broken": 0,
        "first_two_agree": None, "votes": ("x",),
    }  # fmt: skip


def write_whole(datasets: Datasets, version: str, yes: dict[str, int]) -> Manifest:
    rows = [LabelRow(**row(clip, count)) for clip, count in yes.items()]
    return datasets.write(LABELS, [LABELS.table(rows)], keys={"labels": version}, **made())


def write_changes(datasets: Datasets, version: str, yes: dict[str, int | None], on: list[Manifest]) -> Manifest:
    """Write changes; None: the label leaves."""
    rows = [LabelChangeRow(**row(clip, count or 0), withdrawn=count is None) for clip, count in yes.items()]
    table = LABEL_CHANGES.table(rows)
    return datasets.write(LABEL_CHANGES, [table], keys={"labels": version}, **made(*on))


def made(*on: Manifest) -> dict[str, Any]:
    return {"stage": "test", "settings": {}, "made_from": {manifest.address: manifest.mark for manifest in on}}


def read(datasets: Datasets, version: str) -> dict[str, int]:
    rows = read_labels(datasets, version, ["video_id", "yes"]).to_pylist()
    assert len({one["video_id"] for one in rows}) == len(rows), "a clip stands twice"
    return {one["video_id"]: one["yes"] for one in rows}


CHANGES = st.lists(st.dictionaries(st.sampled_from("abcdef"), st.none() | st.integers(1, 9)), max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(first=st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9)), changes=CHANGES)
def test_a_reader_sees_the_last_row_of_each_clip(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, int], changes: list[dict[str, int | None]]
) -> None:
    datasets = Datasets(FolderStore(tmp_path_factory.mktemp("store")))
    written = [write_whole(datasets, "000001", first)]
    wanted: list[dict[str, int | None]] = [{**first}]
    for number, change in enumerate(changes, 2):
        written.append(write_changes(datasets, f"{number:06d}", change, on=written))
        wanted.append({**wanted[-1], **change})
    for number, labels in enumerate(wanted, 1):
        assert read(datasets, f"{number:06d}") == {clip: yes for clip, yes in labels.items() if yes is not None}
    assert newest_labels(datasets) == f"{len(wanted):06d}"


def test_a_version_builds_on_the_generation_that_it_names(store: FolderStore) -> None:
    datasets = Datasets(store)
    whole = write_whole(datasets, "000001", {"a": 1})
    write_changes(datasets, "000002", {"b": 2}, on=[whole])
    write_whole(datasets, "000001", {"a": 9})
    assert read(datasets, "000001") == {"a": 9}
    assert read(datasets, "000002") == {"a": 1, "b": 2}


def test_a_version_that_was_also_written_whole_is_the_whole_table(store: FolderStore) -> None:
    datasets = Datasets(store)
    whole = write_whole(datasets, "000001", {"a": 1})
    write_changes(datasets, "000002", {"b": 2}, on=[whole])
    write_whole(datasets, "000002", {"a": 5})
    assert read(datasets, "000002") == {"a": 5}


def test_a_version_that_does_not_exist_is_named(store: FolderStore) -> None:
    datasets = Datasets(store)
    whole = write_whole(datasets, "000001", {"a": 1})
    changes = write_changes(datasets, "000002", {"b": 2}, on=[whole])
    with pytest.raises(NotMade, match="labels 000003"):
        need_labels(datasets, "000003")
    write_changes(datasets, "000004", {"c": 2}, on=[whole, changes])
    store.delete(f"{changes.address}/g0001/manifest.json")
    with pytest.raises(NotMade, match="label_changes/v1/labels=000002"):
        read(datasets, "000004")


def test_changes_without_a_whole_table_are_refused(store: FolderStore) -> None:
    datasets = Datasets(store)
    write_changes(datasets, "000002", {"b": 2}, on=[])
    with pytest.raises(BrokenContract, match="want one whole table first"):
        list(label_tables(datasets, "000002"))


def test_a_release_names_the_version_of_its_labels_in_either_form(store: FolderStore) -> None:
    datasets = Datasets(store)
    whole = write_whole(datasets, "000001", {"a": 1})
    changes = write_changes(datasets, "000002", {"b": 2}, on=[whole])
    release = write_changes(datasets, "000003", {"b": 2}, on=[changes])
    assert labels_of(release) == "000002"
    with pytest.raises(BrokenContract, match="want one version"):
        labels_of(whole)


@pytest.mark.parametrize(
    ("address", "keys"),
    [
        ("labels/v1/labels=000012", {"labels": "000012"}),
        ("labels/v2/labels=000012", None),
        ("label_changes/v1/labels=000012", None),
        ("labels/v1/labels=000012/g0001", None),
        ("labels/v1/batch=000012", None),
        ("people/hog_faces", None),
    ],
)
def test_an_address_gives_the_keys_of_its_own_dataset_alone(address: str, keys: dict[str, str] | None) -> None:
    assert LABELS.keys_at(address) == keys
