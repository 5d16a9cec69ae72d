"""What a reader sees when a writer dies, loses a race, or somebody alters bytes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pytest

from slac_tasks.errors import BrokenContract, NotMade, Temporary, WrongArguments
from slac_tasks.storage.checkpoints import Checkpoints
from slac_tasks.storage.datasets import FETCHED, HARD_CLIPS, SCORES
from slac_tasks.storage.declarations import Dataset, Upgrade
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.objects import Media
from slac_tasks.storage.tables import Datasets

KEYS = {"category": "judo", "window": "2026-01-05", "weights": "w1"}


class Dying(FolderStore):
    """A store whose process dies before it writes a name that ends so."""

    ends = ""

    def _die(self, name: str) -> None:
        if self.ends and name.endswith(self.ends):
            raise SystemExit(137)

    def put(self, name: str, data: bytes) -> None:
        self._die(name)
        super().put(name, data)

    def create(self, name: str, data: bytes) -> bool:
        self._die(name)
        return super().create(name, data)


def rows(*scores: float) -> pa.Table:
    return SCORES.from_records(
        {"clip_id": f"v:{index}", "video_id": "v", "member": "m", "score": score} for index, score in enumerate(scores)
    )


def write(datasets: Datasets, *scores: float, **changes: Any) -> Manifest:
    fields = {"keys": KEYS, "stage": "score", "settings": {}, "made_from": {}, **changes}
    return datasets.write(SCORES, [rows(*scores)], **fields)


@pytest.fixture
def dying(tmp_path: Path) -> Dying:
    return Dying(tmp_path / "store")


def test_the_address_can_be_computed_by_a_person() -> None:
    assert SCORES.address(KEYS) == "scores/v2/category=judo/window=2026-01-05/weights=w1"
    with pytest.raises(WrongArguments, match="keys"):
        SCORES.address({"category": "judo"})
    with pytest.raises(WrongArguments, match=r"\.\./x"):
        SCORES.address({**KEYS, "weights": "../x"})


@pytest.mark.parametrize("ends", [".parquet", "manifest.json"])
def test_a_writer_that_dies_early_leaves_nothing_to_see(dying: Dying, ends: str) -> None:
    dying.ends = ends
    with pytest.raises(SystemExit):
        write(Datasets(dying), 0.1)
    dying.ends = ""
    datasets = Datasets(dying)
    assert datasets.manifest(SCORES, **KEYS) is None
    assert datasets.partitions(SCORES) == []
    assert write(datasets, 0.1).generation == 1


def test_a_generation_without_its_pointer_is_whole(dying: Dying) -> None:
    dying.ends = "current.json"
    with pytest.raises(SystemExit):
        write(Datasets(dying), 0.5)
    dying.ends = ""
    datasets = Datasets(dying)
    assert datasets.read(SCORES, **KEYS)["score"].to_pylist() == [0.5]
    assert write(datasets, 0.75).generation == 2
    assert datasets.read(SCORES, **KEYS)["score"].to_pylist() == [0.75]


def test_generations_stand_beside_each_other(store: FolderStore) -> None:
    datasets = Datasets(store)
    first = write(datasets, 0.1, drops=[Drop(item="v:9", reason="no frames", retryable=True)])
    assert (first.dropped, first.retryable) == ({"no frames": 1}, 1)
    write(datasets, 0.2, 0.3)
    assert datasets.need(SCORES, **KEYS).rows == 2
    assert [table.num_rows for table in datasets.tables(first)] == [1]
    assert datasets.partitions(SCORES, window="2026-01-05") == [KEYS]
    assert datasets.partitions(SCORES, category="golf") == []


def test_the_loser_of_a_race_discards_its_work(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Datasets(store)
    winner = write(Datasets(store), 0.1)
    # It looked before the winner had finished.
    monkeypatch.setattr(slow, "_own_manifest", lambda *_: None)
    with pytest.raises(Temporary, match="finished it first"):
        write(slow, 0.9)
    assert Datasets(store).need(SCORES, **KEYS) == winner


@pytest.mark.parametrize("file", ["parquet", "manifest"])
def test_altered_bytes_are_refused(store: FolderStore, file: str) -> None:
    datasets = Datasets(store)
    write(datasets, 0.1)
    (name,) = (name for name in store.names("scores/") if name.endswith((".parquet", "manifest.json")) and file in name)
    store.put(name, store.get(name).replace(b"v", b"w", 1))
    with pytest.raises(BrokenContract, match="altered"):
        datasets.read(SCORES, **KEYS)


def test_strange_manifests_and_pointers_are_refused(store: FolderStore) -> None:
    datasets = Datasets(store)
    folder = write(datasets, 0.1).address
    manifest = json.loads(store.get(f"{folder}/g0001/manifest.json"))
    store.delete(f"{folder}/current.json")
    store.put(f"{folder}/g0001/manifest.json", json.dumps({**manifest, "version": 9}).encode())
    with pytest.raises(BrokenContract, match="scores v9, want scores v2"):
        datasets.need(SCORES, **KEYS)
    store.put(f"{folder}/g0001/manifest.json", b"{}")
    with pytest.raises(BrokenContract, match="not a manifest"):
        datasets.need(SCORES, **KEYS)
    store.put(f"{folder}/current.json", b"[]")
    with pytest.raises(BrokenContract, match="not a pointer"):
        datasets.need(SCORES, **KEYS)


def test_rows_must_fit(store: FolderStore) -> None:
    datasets = Datasets(store)
    whole = rows(0.1)
    for table, word in (
        (whole.drop_columns(["score"]), "missing"),
        (whole.append_column("x", pa.array([1])), "not declared"),
        (whole.set_column(3, "score", pa.array([None], pa.float32())), "null values"),
        (whole.set_column(3, "score", pa.array(["much"])), "scores"),
        (pa.concat_tables([whole, whole]), "stands twice"),
    ):
        with pytest.raises(BrokenContract, match=word):
            datasets.write(SCORES, [table], keys=KEYS, stage="score", settings={}, made_from={})
    with pytest.raises(NotMade):
        datasets.need(SCORES, **KEYS)


@dataclass(frozen=True, kw_only=True)
class Thing1:
    thing: Annotated[str, "what it is"]


@dataclass(frozen=True, kw_only=True)
class Thing2(Thing1):
    colour: Annotated[str | None, "how it looks"] = None


@dataclass(frozen=True, kw_only=True)
class Thing3(Thing2):
    size: Annotated[str | None, "how large it is"] = None


def _version(number: int, row: type, upgrade: Upgrade | None = None) -> Dataset:
    keys, unique = ("category",), ("thing",)
    return Dataset(name="things", version=number, keys=keys, unique=unique, row=row, meaning="", upgrade=upgrade)


FIRST = _version(1, Thing1)
SECOND = _version(2, Thing2, Upgrade(previous=FIRST))
THIRD = _version(3, Thing3, Upgrade(previous=SECOND))


def _write(datasets: Datasets, dataset: Dataset, category: str, **values: str) -> Manifest:
    table = dataset.table([dataset.row(**values)])
    return datasets.write(dataset, [table], keys={"category": category}, stage="s", settings={}, made_from={})


def test_a_partition_of_the_version_before_is_read_through_the_upgrade(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    _write(datasets, FIRST, "judo", thing="belt")
    _write(datasets, SECOND, "polo", thing="ball", colour="white")
    assert datasets.partitions(SECOND) == [{"category": "judo"}, {"category": "polo"}]
    assert datasets.read(SECOND, category="judo").to_pylist() == [{"thing": "belt", "colour": None}]
    assert datasets.read(SECOND, ["colour"], category="polo").to_pylist() == [{"colour": "white"}]


def test_what_is_made_again_is_of_the_new_version_and_hides_the_old(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    _write(datasets, FIRST, "judo", thing="belt")
    assert _write(datasets, SECOND, "judo", thing="belt", colour="black").generation == 1
    assert datasets.partitions(SECOND) == [{"category": "judo"}]
    assert datasets.read(SECOND, category="judo")["colour"].to_pylist() == ["black"]


def test_an_upgraded_partition_is_still_checked_byte_by_byte(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    manifest = _write(datasets, FIRST, "judo", thing="belt")
    (tmp_path / manifest.address / "g0001" / manifest.parts[0].name).write_bytes(b"other")
    with pytest.raises(BrokenContract, match="was altered"):
        datasets.read(SECOND, category="judo")


def test_a_version_older_than_the_one_before_is_not_read(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    _write(datasets, FIRST, "judo", thing="belt")
    with pytest.raises(NotMade):
        datasets.read(THIRD, category="judo")


def test_hard_clips_of_version_1_are_still_read(store: FolderStore) -> None:
    assert HARD_CLIPS.upgrade is not None
    old = HARD_CLIPS.upgrade.previous
    scores = [{"member": "m", "weights": "w", "score": 0.5}]
    clip = {"clip_id": "v:0", "video_id": "v", "start_sec": 0.0, "end_sec": 2.0, "split": "training", "proxy_256": "p",
            "strategy": "random", "disagreement": 0.1, "consensus": 0.2, "scores": scores}  # fmt: skip
    keys = {"category": "judo", "round": "2026-01-05.p1"}
    Datasets(store).write(old, [old.from_records([clip])], keys=keys, stage="mine", settings={}, made_from={})
    (found,) = Datasets(store).read(HARD_CLIPS, **keys).to_pylist()
    assert {name: found[name] for name in clip} == clip
    assert found["coherence"] is None
    assert found["vote_entropy"] is None


def test_the_address_of_fetched_videos_of_version_2_is_unknown(store: FolderStore) -> None:
    assert FETCHED.upgrade is not None
    old = FETCHED.upgrade.previous
    kinds = {pa.string(): "x", pa.float64(): 2.0, pa.int32(): 2, pa.int64(): 2}
    row = {column.name: kinds.get(column.dtype) for column in old.columns}
    rows = old.from_records([{**row, "shots": [], "frame_hashes": [1, 2]}])
    keys = {"category": "judo", "window": "2026-01-05"}
    Datasets(store).write(old, [rows], keys=keys, stage="fetch", settings={}, made_from={})
    (found,) = Datasets(store).rows(FETCHED, **keys)
    assert (found.frame_hashes, found.location) == ((1, 2), None)


def test_the_checkpoints_of_an_unfinished_partition_are_no_generations_of_it(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path / "store"))
    (tmp_path / "state").write_bytes(b"state")
    kept = Checkpoints(Media(datasets.store.url, {}), f"{SCORES.address(KEYS)}/unfinished", "0a1b")
    kept.write(10, tmp_path / "state")
    assert datasets.partitions(SCORES) == []
    write(datasets, 0.5)
    assert list(datasets.generations(SCORES)) == [(KEYS, [1])]
