"""`slac export` hands out a release as it was, and media of those of its videos that still may be."""

import tarfile
from pathlib import Path
from typing import Any

import pytest
from released import finish, released

from slac_tasks import cli
from slac_tasks.admission.withdrawals import write_withdrawal
from slac_tasks.release import exporting
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets


@pytest.mark.parametrize("named", ["a" * 16, "taken.mp4"])
def test_media_of_a_video_that_was_withdrawn_since_hold_up_no_export(
    store: FolderStore, ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    rows = [released("a" * 16, source_id="taken.mp4"), released("b" * 16)]
    finish(Datasets(store), "r0001", rows)
    store.put(rows[1].proxy_256, b"bytes")

    def export(to: Path) -> int:
        words = ["--release", "r0001", "--as", "webdataset", "--to", str(to), "--licence", "CC BY 4.0"]
        return cli.main(["export", *words])

    # Bytes that are lost for no known reason are a failure.
    assert export(tmp_path / "lost") == 65
    assert not (tmp_path / "lost").exists()
    store.put(rows[0].proxy_256, b"found")
    assert export(tmp_path / "lost") == 0
    assert not [one for one in tmp_path.iterdir() if "unfinished" in one.name]
    store.delete(rows[0].proxy_256)
    assert export(tmp_path / "nowhere" / "shards") == 64
    assert export(tmp_path / ("n" * 300)) == 64
    write_withdrawal(store, named, "uploader asked", deletes=True)
    assert export(tmp_path / "shards") == 0
    (shard,) = (tmp_path / "shards").iterdir()
    with tarfile.open(shard) as tar:
        names = [f"high_jump-{'a' * 16}.json", f"high_jump-{'b' * 16}.json", f"high_jump-{'b' * 16}.mp4"]
        assert sorted(tar.getnames()) == names


def test_of_two_that_write_one_format_into_the_store_the_second_ends_with_75(
    store: FolderStore, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of different display names would have left files of both, and the list of one."""
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    finish(Datasets(store), "r0001", [released("b" * 16)])
    words = ["export", "--release", "r0001", "--as", "hugging_face"]
    codes: list[int] = []
    put_folder = exporting._put_folder

    def meanwhile(*given: Any) -> None:
        codes.append(cli.main(words))
        put_folder(*given)

    monkeypatch.setattr(exporting, "_put_folder", meanwhile)
    assert cli.main(words) == 0
    assert codes == [75]
    assert cli.main(words) == 0
