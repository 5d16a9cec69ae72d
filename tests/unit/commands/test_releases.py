"""`slac release diff` and `slac release verify`: what is wrong with a release is found, and nothing else."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from learning_world import draw
from released import finish, released

from slac_tasks import cli
from slac_tasks.admission.withdrawals import write_withdrawal
from slac_tasks.storage.datasets import RELEASE_VERSIONS, RELEASED_VIDEOS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

PROXY = f"media/{'a' * 16}/256.mp4"


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Datasets:
    """A store with a release of two clips of one video that can be decoded, and one label in the release before."""
    store = FolderStore(tmp_path / "store")
    monkeypatch.setenv("SLAC_STORE", store.url)
    draw(tmp_path / "drawn.mp4", colour=(200, 40, 40), speed=2, seconds=8)
    store.put_file(PROXY, tmp_path / "drawn.mp4")
    seen = hashlib.sha256((tmp_path / "drawn.mp4").read_bytes()).hexdigest()
    rows = [released(start=start, proxy_256=PROXY, proxy_sha256=seen) for start in (1.0, 5.0)]
    found = Datasets(store)
    finish(found, "r0001", rows[:1])
    finish(found, "r0002", rows, before="r0001", files={"exports/clips.csv": b"classname\n"})
    return found


def wrong(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """Verify the later release; return the names of the checks that failed."""
    code = cli.main(["release", "verify", "r0002", "--json", *words])
    found = json.loads(capsys.readouterr().out)
    assert found["release"] == "r0002"
    failed = [check["name"] for check in found["checks"] if not check["ok"]]
    assert code == (65 if failed else 0)
    return failed


def part(manifest: Manifest) -> str:
    return f"{manifest.folder}/{manifest.parts[0].name}"


def flip(datasets: Datasets, name: str) -> None:
    """Alter one byte in the middle of an object."""
    data = bytearray(datasets.store.get(name))
    data[len(data) // 2] ^= 1
    datasets.store.put(name, bytes(data))


def rewrite(datasets: Datasets, **changes: Any) -> None:
    """Let the release say something else of itself."""
    manifest = datasets.need(RELEASE_VERSIONS, release="r0002")
    (row,) = datasets.rows_of(RELEASE_VERSIONS, manifest)
    table = RELEASE_VERSIONS.table([replace(row, **changes)])
    datasets.write(
        RELEASE_VERSIONS, [table], keys={"release": "r0002"}, stage="release", settings={}, made_from=manifest.made_from
    )


def move(datasets: Datasets) -> None:
    """Let the register say that a video is tested."""
    rows = [replace(row, split="testing") for row in datasets.rows(RELEASED_VIDEOS, release="r0002")]
    table = RELEASED_VIDEOS.table(rows)
    datasets.write(RELEASED_VIDEOS, [table], keys={"release": "r0002"}, stage="release", settings={}, made_from={})


def rows_of(datasets: Datasets) -> Manifest:
    from slac_tasks.release.finished import need_release

    return need_release(datasets, "r0002")[1]


FAULTS: dict[str, tuple[Callable[[Datasets], None], list[str]]] = {
    "nothing": (lambda datasets: None, []),
    "a byte of the rows": (lambda datasets: flip(datasets, part(rows_of(datasets))), ["rows"]),
    "a part is gone": (lambda datasets: datasets.store.delete(part(rows_of(datasets))), ["rows"]),
    "a byte of a file": (
        lambda datasets: flip(datasets, f"{rows_of(datasets).folder}/exports/clips.csv"), ["exports/clips.csv"],
    ),
    "a file is gone": (
        lambda datasets: datasets.store.delete(f"{rows_of(datasets).folder}/exports/clips.csv"),
        ["exports/clips.csv"],
    ),
    "the hash": (lambda datasets: rewrite(datasets, content="0" * 64), ["content"]),
    "the number": (lambda datasets: rewrite(datasets, version="1.0.1"), ["version"]),
    "the counts": (lambda datasets: rewrite(datasets, labels=3, added=2), ["labels", "added"]),
    "a split of the register": (move, ["splits"]),
    "a byte of a rendition": (lambda datasets: flip(datasets, PROXY), ["media"]),
    "a rendition is gone": (lambda datasets: datasets.store.delete(PROXY), ["media"]),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_by_the_check_that_is_meant_for_it(
    datasets: Datasets, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    plant, found = FAULTS[fault]
    plant(datasets)
    assert wrong(capsys) == found


def test_what_was_withdrawn_since_is_counted_and_no_fault(
    datasets: Datasets, capsys: pytest.CaptureFixture[str]
) -> None:
    write_withdrawal(datasets.store, "a" * 16, "asked", deletes=True)
    datasets.store.delete(PROXY)
    assert cli.main(["release", "verify", "r0002"]) == 0
    assert "0 of 2 clips decoded, 2 withdrawn since" in capsys.readouterr().out
    assert cli.main(["release", "verify", "r0002", "--decode", "0"]) == 0
    assert "decoded" not in capsys.readouterr().out


def test_a_release_that_does_not_exist_or_is_not_finished_is_65(
    datasets: Datasets, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["release", "verify", "r0009"]) == 65
    assert "release r0009: does not exist" in capsys.readouterr().err
    for name in list(datasets.store.names("release_versions/v1/release=r0002")):
        datasets.store.delete(name)
    assert cli.main(["release", "verify", "r0002"]) == 65
    assert cli.main(["release", "diff", "r0001", "r0002"]) == 65
    assert "slac release diff: release r0002: is not finished" in capsys.readouterr().err


def test_a_diff_is_a_table_json_or_clips(datasets: Datasets, capsys: pytest.CaptureFixture[str]) -> None:
    def shown(*words: str) -> str:
        assert cli.main(["release", "diff", "r0001", "r0002", *words]) == 0
        return capsys.readouterr().out

    table = [line.split() for line in shown().splitlines()]
    assert table[0] == ["r0001", "(1.0.0)", "to", "r0002", "(1.1.0)"]
    assert table[1:] == [
        ["category", "added", "changed", "withdrawn", "corrected"],
        ["high_jump", "1", "0", "0", "0"],
        ["all", "categories", "1", "0", "0", "0"],
    ]
    found = json.loads(shown("--json"))
    assert found["total"] == {"added": 1, "changed": 0, "withdrawn": 0, "corrected": 0}
    assert found["versions"] == {"r0001": "1.0.0", "r0002": "1.1.0"}
    assert json.loads(shown("--clips")) == {
        "category": "high_jump", "clip_id": f"{'a' * 16}:5000", "change": "added", "before": None, "now": 1,
    }  # fmt: skip
