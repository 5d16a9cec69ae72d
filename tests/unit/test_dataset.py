"""A release as a PyTorch dataset: ids beside tensors, unknown targets masked, withdrawn videos left out."""

import subprocess
import sys
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from learning_world import draw
from released import finish, released
from torch.utils.data import DataLoader

from slac_tasks.admission.withdrawals import write_withdrawal
from slac_tasks.dataset import Batches, Clips
from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets
from slac_tasks.training.index import COLUMNS
from slac_tasks.video.frames import read_clips

A, B, C = ("a" * 16, "b" * 16, "c" * 16)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """A release of two training videos and a tested one; the first video was found for two categories."""
    made = FolderStore(tmp_path / "store")
    rows = [
        released(A, 1.0), released(A, 1.0, category="judo", label=-1), released(A, 4.0, label=-1), released(B, 2.0),
        released(C, 2.0, split="testing", category="surfing"),
    ]  # fmt: skip
    for number, video in enumerate((A, B, C)):
        draw(tmp_path / "drawn.mp4", colour=(200, 40 * number, 40), speed=1 + number)
        for size in (128, 256):
            made.put_file(f"media/{video}/{size}.mp4", tmp_path / "drawn.mp4")
    finish(Datasets(made), "r0001", rows)
    pq.write_table(RELEASES.table(rows), tmp_path / "labels.parquet")
    return made


def test_an_item_is_a_clip_with_its_ids_and_all_of_its_labels(store: FolderStore) -> None:
    clips = Clips(store.url, "r0001", frames=4, size=32)
    assert clips.categories == ("high_jump", "judo", "surfing")
    assert [(one["clip_id"], one["targets"].tolist()) for one in clips] == [
        (f"{A}:1000", [1, -1, 0]), (f"{A}:4000", [-1, 0, 0]), (f"{B}:2000", [1, 0, 0]),
    ]  # fmt: skip
    one = clips[0]
    assert one["mask"].tolist() == [True, True, False]
    assert (one["pixels"].shape, one["pixels"].dtype) == ((3, 4, 32, 32), torch.uint8)
    with store.local(f"media/{A}/128.mp4") as path:
        (want,) = read_clips(path, [1.0], frames=4, size=32)
    assert torch.equal(one["pixels"], torch.from_numpy(want).permute(3, 0, 1, 2))
    (tested,) = Clips(store.url, "r0001", split="testing", frames=4, size=32)
    assert tested["targets"].tolist() == [0, 0, 1]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loader_gives_each_clip_once_with_its_own_pixels(store: FolderStore, workers: int) -> None:
    clips = Clips(store.url, "r0001", frames=2, size=16)
    own = {one["clip_id"]: one["pixels"] for one in clips}
    context = "forkserver" if workers else None
    loader = DataLoader(clips, batch_size=2, shuffle=True, num_workers=workers, multiprocessing_context=context)
    found = {name: pixels for batch in loader for name, pixels in zip(batch["clip_id"], batch["pixels"], strict=True)}
    assert found.keys() == own.keys()
    assert all(torch.equal(found[name], own[name]) for name in own)


@pytest.mark.parametrize("workers", [0, 2])
def test_by_iteration_each_epoch_gives_each_clip_once_with_its_own_pixels(store: FolderStore, workers: int) -> None:
    clips = Clips(store.url, "r0001", frames=2, size=16)
    batches = Batches(clips, batch_size=2, workers=workers)
    own = {one["clip_id"]: one for one in clips}
    for _ in range(2):
        found = [
            (name, pixels, targets)
            for batch in batches
            for name, pixels, targets in zip(batch["clip_id"], batch["pixels"], batch["targets"], strict=True)
        ]
        assert sorted(name for name, _, _ in found) == sorted(own)
        assert all(torch.equal(pixels, own[name]["pixels"]) for name, pixels, _ in found)
        assert all(torch.equal(targets, own[name]["targets"]) for name, _, targets in found)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), size=st.integers(1, 3), world=st.integers(1, 2), balance=st.sampled_from([0.0, 1.0]))
def test_resumed_in_the_middle_of_an_epoch_it_gives_the_same_ids(
    store: FolderStore, data: st.DataObject, size: int, world: int, balance: float
) -> None:
    clips = Clips(store.url, "r0001", frames=1, size=8)
    ranks = [
        [Batches(clips, batch_size=size, seed=3, balance=balance, rank=rank, world=world) for rank in range(world)]
        for _ in range(2)
    ]
    given_ids: list[str] = []
    for whole, resumed in zip(*ranks, strict=True):
        ids = [batch["clip_id"] for _ in range(3) for batch in whole]
        if not ids:
            continue  # three clips are fewer than the ranks want of a batch
        epoch, stop = data.draw(st.integers(0, 2)), data.draw(st.integers(1, len(whole)))
        state: dict = {}
        before = [batch["clip_id"] for _ in range(epoch) for batch in resumed]
        for number, batch in enumerate(resumed, start=1):
            before.append(batch["clip_id"])
            if number == stop:
                state = resumed.state_dict()
                break
        fresh = Batches(clips, batch_size=size, seed=3, balance=balance, rank=whole.rank, world=world)
        fresh.load_state_dict(state)
        after = [batch["clip_id"] for _ in range(epoch, 3) for batch in fresh]
        assert before + after == ids
        given_ids += chain.from_iterable(ids[: len(whole)])
    if balance == 0.0:
        assert len(set(given_ids)) == len(given_ids)  # ranks share no clip


def test_a_state_of_other_batches_is_refused(store: FolderStore) -> None:
    clips = Clips(store.url, "r0001", frames=1, size=8)
    with pytest.raises(BrokenContract, match="seed 0, want 1"):
        Batches(clips, batch_size=2, seed=1).load_state_dict(Batches(clips, batch_size=2).state_dict())


def test_a_clip_that_cannot_be_decoded_is_named_in_its_batch_and_masked(store: FolderStore) -> None:
    store.put(f"media/{B}/128.mp4", b"no video")
    clips = Clips(store.url, "r0001", frames=2, size=16)
    (batch,) = Batches(clips, batch_size=3)
    assert batch["lost"].keys() == {f"{B}:2000"}
    lost = batch["clip_id"].index(f"{B}:2000")
    assert not batch["mask"][lost].any()
    assert batch["mask"].any(1).sum() == 2
    with pytest.raises(BrokenContract):
        clips[2]


def test_a_parquet_file_beside_the_media_is_read_alike(store: FolderStore, tmp_path: Path) -> None:
    one = Clips(store.url, "r0001", frames=2, size=16)
    other = Clips(tmp_path / "labels.parquet", media=store.url, frames=2, size=16)
    assert [clip["clip_id"] for clip in one] == [clip["clip_id"] for clip in other]
    assert torch.equal(one[2]["pixels"], other[2]["pixels"])
    assert other.release == "labels"
    # As pandas may write it again: categories, and numbers as wide as there are.
    table = pq.read_table(tmp_path / "labels.parquet")
    for number, field in enumerate(table.schema):
        if pa.types.is_string(field.type) and field.name in COLUMNS:
            table = table.set_column(number, field.name, table[field.name].dictionary_encode())
        elif pa.types.is_integer(field.type):
            table = table.set_column(number, field.name, table[field.name].cast(pa.int64()))
    pq.write_table(table, tmp_path / "pandas.parquet")
    again = Clips(tmp_path / "pandas.parquet", media=store.url, frames=2, size=16)
    assert [clip["clip_id"] for clip in again] == [clip["clip_id"] for clip in one]


def test_what_is_no_parquet_file_of_a_release_is_refused_by_name(store: FolderStore, tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    whole = path.read_bytes()
    pq.write_table(pq.read_table(path).drop_columns(["split"]), tmp_path / "other.parquet")
    latin = whole.replace(b"split", b"spl\xe9t")
    for data in (b"", b"PAR1", whole[:-20], whole[:200], latin, (tmp_path / "other.parquet").read_bytes()):
        path.write_bytes(data)
        with pytest.raises(BrokenContract, match=f"release {path}: "):
            Clips(path, media=store.url)
    for missing in (tmp_path / "nowhere.parquet", tmp_path):
        with pytest.raises(BrokenContract, match=f"release {missing}: "):
            Clips(missing, media=store.url)


def test_what_was_withdrawn_since_is_left_out(store: FolderStore) -> None:
    write_withdrawal(store, A, "asked")
    clips = Clips(store.url, "r0001", frames=2, size=16)
    assert [clip["video_id"] for clip in clips] == [B]
    assert clips.withdrawn == 1
    write_withdrawal(store, B, "asked")
    with pytest.raises(BrokenContract, match="no clips in split training, 2 videos withdrawn"):
        Clips(store.url, "r0001")
    with pytest.raises(NotMade, match="r0002: does not exist"):
        Clips(store.url, "r0002")


def test_it_is_imported_with_torch_alone() -> None:
    script = """
import sys
class Lacking:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"pyarrow", "av", "cv2", "pandas", "psycopg2", "minio", "jinja2"}:
            raise ImportError(name)
sys.meta_path.insert(0, Lacking())
from slac_tasks.dataset import Batches, Clips
print(Clips.__name__)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.stdout == "Clips\n", done.stderr
