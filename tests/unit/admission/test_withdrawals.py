"""Withdrawals: by whatever name, in whatever stage, for good; bytes go only where somebody asked for it."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.admission.withdrawals import (
    Withdrawals,
    all_withdrawals,
    delete_media,
    videos_named,
    withdraw,
    write_withdrawal,
)  # fmt: skip
from slac_tasks.model import content_hash
from slac_tasks.storage.datasets import FETCHED
from slac_tasks.storage.datasets.collecting import CandidateRow, FetchedRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets

PAGE = "yt-dlp+https://videos.example/watch?v=1"


def fetched(video_id: str, location: str | None = PAGE) -> FetchedRow:
    return FetchedRow(
        candidate_id=f"c-{video_id}", source="s", source_id=f"id-{video_id}", video_id=video_id,
        media_sha256=video_id * 4, size_bytes=1, codec="h264", width=64, height=64, duration_sec=3.0, fps=24.0,
        proxy_256="p", proxy_128="p", proxy_sha256="0", shots=(), frame_hashes=(), location=location,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["a" * 16, "a" * 64, "id-" + "a" * 16, PAGE, PAGE.removeprefix("yt-dlp+")])
def test_a_video_is_covered_by_each_of_its_names(store: FolderStore, name: str) -> None:
    write_withdrawal(store, name, "asked")
    found = Withdrawals.read(store)
    assert found.covers(fetched("a" * 16))
    assert [one.named for one in found.of(store, fetched("a" * 16))] == [name]
    assert not found.covers(fetched("b" * 16, None))
    candidate = CandidateRow(candidate_id="c", source="s", source_id="id-" + "a" * 16, location=PAGE)
    assert found.covers(candidate) == (name in (candidate.source_id, PAGE, PAGE.removeprefix("yt-dlp+")))


@given(st.sets(st.text(min_size=1, max_size=5)), st.lists(st.text(min_size=1, max_size=5) | st.none()))
def test_a_row_is_covered_when_and_only_when_one_of_its_names_is(named: set[str], names: list[str | None]) -> None:
    found = Withdrawals(frozenset(map(content_hash, named)))
    spelled = [(name, unicodedata.normalize("NFC", name)) for name in names if name]
    assert found.covers_any(*names) == any(not named.isdisjoint(each) for each in spelled)


@pytest.mark.parametrize(("typed", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_is_found_however_its_accents_are_composed(store: FolderStore, typed: str, stored: str) -> None:
    name = "judo/Übung.mp4"
    write_withdrawal(store, unicodedata.normalize(typed, name), "asked")
    row = replace(fetched("a" * 16), source_id=unicodedata.normalize(stored, name))
    assert Withdrawals.read(store).covers(row)
    assert len(Withdrawals.read(store).of(store, row)) == 1


def test_a_name_that_an_older_version_withdrew_as_it_was_typed_stays_withdrawn() -> None:
    name = unicodedata.normalize("NFD", "judo/Übung.mp4")
    older = Withdrawals(frozenset([content_hash(name)]))
    assert older.covers(replace(fetched("a" * 16), source_id=name))


@pytest.mark.parametrize("wishes", [(False, False), (False, True), (True, False), (True, True)])
def test_the_first_reason_stands_and_whoever_wishes_it_has_the_bytes_deleted(
    store: FolderStore, wishes: tuple[bool, bool]
) -> None:
    for reason, deletes in zip(("leak", "asked"), wishes, strict=True):
        write_withdrawal(store, "v", reason, deletes=deletes)
    (found,) = all_withdrawals(store)
    assert (found.named, found.reason, found.deletes) == ("v", "leak", any(wishes))


def test_a_takedown_finds_the_videos_that_it_names_and_no_other_withdrawn_ones(
    store: FolderStore, ledger: Ledger
) -> None:
    datasets = Datasets(store)
    rows = [fetched("a" * 16, "https://videos.example/a"), fetched("b" * 16, "https://videos.example/b")]
    keys = {"category": "judo", "window": "2026-01-05"}
    datasets.write(FETCHED, [FETCHED.table(rows)], keys=keys, stage="fetch", settings={}, made_from={})
    for video_id in ("a" * 16, "b" * 16):
        store.put(f"media/{video_id}/x-256.mp4", b"bytes")
    with ledger.transaction():
        assert withdraw(datasets, ledger, {"b" * 16}, "leak") == []
    write_withdrawal(store, "https://videos.example/a", "asked", deletes=True)
    found = videos_named(datasets, ledger, ["https://videos.example/a"])
    assert found == {"a" * 16}
    assert sum(delete_media(store, video_id) for video_id in found) == 1
    assert list(store.names("media/")) == [f"media/{'b' * 16}/x-256.mp4"]
