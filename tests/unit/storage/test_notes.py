"""A note that is damaged is named by whoever reads it, or is none where the work can be done again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slac_tasks.admission import withdrawals
from slac_tasks.admission.exclusions import registry
from slac_tasks.collect.outcomes import Outcomes
from slac_tasks.errors import BrokenContract
from slac_tasks.storage import gold_segments
from slac_tasks.storage.checkpoints import Checkpoints
from slac_tasks.storage.datasets.collecting import CandidateRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Drop
from slac_tasks.storage.objects import Media

DAMAGED = [b"", b"{", b"null", b"[]", b"5", b"{}", b'{"x": 1}', b"\xff\xfe", b'{"members": 5}']

READ: dict[str, Callable[[FolderStore], Any]] = {
    "takedowns/a.json": withdrawals.all_withdrawals,
    "exclusions/v1/media/a.json": lambda store: registry.read_video(store, "a"),
    "gold_segments/a.json": lambda store: list(gold_segments.stored(store)),
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("data", DAMAGED, ids=lambda data: repr(data[:16]))
def test_a_damaged_note_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    store = FolderStore(tmp_path)
    store.put(name, data)
    with pytest.raises(BrokenContract, match=f"object {name}: found "):
        READ[name](store)


@pytest.mark.parametrize("data", DAMAGED, ids=lambda data: repr(data[:16]))
def test_a_damaged_list_of_exclusions_is_named(store: FolderStore, ledger: Ledger, data: bytes) -> None:
    store.put("exclusions/v1/lists/a.json", data)
    with pytest.raises(BrokenContract, match=r"object exclusions/v1/lists/a\.json: found "):
        registry.restore(store, ledger)


@pytest.mark.parametrize("data", DAMAGED, ids=lambda data: repr(data[:16]))
def test_a_damaged_outcome_is_none_and_holds_up_no_other(tmp_path: Path, data: bytes) -> None:
    outcomes = Outcomes(store=FolderStore(tmp_path), partition="judo/2026-01-05", limits={})
    good, bad = (
        CandidateRow(
            candidate_id=name, source="s", source_id=name, title=None, licence=None, published_at=None, location="l",
            sha256=None,
        )
        for name in ("good", "bad")
    )  # fmt: skip
    for row in (good, bad):
        outcomes.write(row, Drop(item=row.candidate_id, reason="gone"))
    outcomes.store.put("fetching/judo/2026-01-05/bad.json", data)
    assert list(outcomes.read([bad, good])) == ["good"]


@pytest.mark.parametrize("data", DAMAGED, ids=lambda data: repr(data[:16]))
def test_of_checkpoints_with_a_damaged_manifest_the_one_before_is_taken(tmp_path: Path, data: bytes) -> None:
    media = Media(str(tmp_path / "store"), {})
    kept = Checkpoints(media=media, folder="unfinished", made_of="0a1b")
    (tmp_path / "state").write_bytes(b"state")
    for step in (1, 2):
        kept.write(step, tmp_path / "state")
    (newest,) = [name for name in media.store.names("unfinished/") if "00000002" in name and "manifest" in name]
    media.store.put(newest, data)
    assert list(kept.newest()) == [(1, b"state")]
