"""Releases on a real ledger: numbers, what is cut off, two at once, and what is taken down."""

import itertools
import re
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cut_store import CutStore
from review_work import cast, lease, publish_and_answer

from slac_tasks import cli
from slac_tasks.admission.withdrawals import withdraw
from slac_tasks.errors import BrokenContract, NotMade, Temporary
from slac_tasks.quality.settings import Quality
from slac_tasks.release.exports import EXPORTS
from slac_tasks.release.finished import need_release
from slac_tasks.stages import aggregate, release, sync, validate
from slac_tasks.storage.datasets import LABELS, RELEASE_VERSIONS, RELEASES
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.store import Store
from slac_tasks.storage.tables import Datasets

GATE = {"quality": Quality(min_labels=1, min_positive_share=0.0, max_positive_share=1.0, min_precision=0.0)}


def judged(make_job: Any) -> None:
    """Turn the votes that are there into judged labels."""
    sync.run(make_job("sync"))
    aggregate.run(make_job("aggregate"))
    validate.run(make_job("validate", settings=GATE))


@pytest.fixture
def answered(make_job: Any, ledger: Ledger) -> list[str]:
    """Twelve clips that two people have answered yes."""
    clips = publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"})
    judged(make_job)
    return clips


def correct(ledger: Ledger, clip: str, answer: str) -> None:
    """Let everybody who answered a clip give another answer instead."""
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT vote_id, annotator FROM votes WHERE clip_id = %s", (clip,))
        votes = cursor.fetchall()
    for vote, person in votes:
        assert cast(ledger, person, clip, answer, supersedes=str(vote))


def test_each_release_says_how_it_differs_from_the_one_before(
    make_job: Any, ledger: Ledger, answered: list[str]
) -> None:
    datasets = make_job("release").datasets

    def made(name: str) -> Any:
        release.run(make_job("release", release=name))
        return need_release(datasets, name)[0]

    first, same = made("r0001"), made("r0002")
    assert (first.version, first.labels, first.added, first.positive, first.videos) == ("1.0.0", 12, 12, 12, 12)
    assert (same.version, same.content) == (first.version, first.content)
    correct(ledger, answered[3], "no")
    withdraw(datasets, ledger, {answered[5].split(":")[0]}, "asked")
    judged(make_job)
    third = made("r0003")
    assert (third.version, third.added, third.changed, third.withdrawn, third.labels) == ("2.0.0", 0, 1, 1, 11)
    # The earlier release stays as it was, a takedown ends in the next one and in all of its formats.
    assert made("r0001") == first
    exports = [name for name in datasets.store.names("release/") if "/exports/" in name]
    for export in exports:
        held = answered[5].split(":")[0].encode() in datasets.store.get(export)
        # Parquet packs its texts, and nobody answered a segment.
        assert held == ("release=r0003" not in export) or export.endswith((".parquet", "segments.json")), export
    assert any("release=r0003" in export for export in exports)
    shown = ledger.rows("web_releases", most=9)
    assert [row["release"] for row in shown] == ["r0003", "r0002", "r0001"]
    assert all(row["folder"].endswith(f"release={row['release']}/g0001") for row in shown)
    assert [clip["name"] for clip in shown[0]["clips"]] == ["High jump"]
    recorded = ledger.one("last_release")
    assert recorded is not None
    assert {name: recorded[name] for name in ("release", "version", "content", "previous", "withdrawn")} == {
        "release": "r0003", "version": "2.0.0", "content": third.content, "previous": "r0002", "withdrawn": 1,
    }  # fmt: skip


def test_a_video_that_is_withdrawn_while_a_release_is_made_is_not_in_it(
    make_job: Any, ledger: Ledger, answered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = make_job("release").datasets
    gone = answered[5].split(":")[0]
    names_of = release.names_of

    def meanwhile(*given: Any) -> Any:
        withdraw(datasets, ledger, {gone}, "asked")
        return names_of(*given)

    monkeypatch.setattr(release, "names_of", meanwhile)
    release.run(make_job("release", release="r0001"))
    version, rows = need_release(datasets, "r0001")
    assert version.labels == 11
    assert gone not in datasets.read_all(RELEASES, [rows])["video_id"].to_pylist()


def test_a_release_waits_for_who_withdraws_videos_until_their_tombstones_are_there(
    make_job: Any, ledger: Ledger, ledger_url: str, answered: list[str]
) -> None:
    datasets = make_job("release").datasets
    gone = answered[5].split(":")[0]
    impatient = f"{ledger_url}{'&' if '?' in ledger_url else '?'}options=-c%20lock_timeout%3D200"
    with ledger.transaction():
        ledger.rows("lock_admission")
        # No release is there yet, so none of them gets a note of it.
        assert withdraw(datasets, ledger, {gone}, "leak") == []
        with pytest.raises(Temporary, match="lock timeout"):
            release.run(make_job("release", release="r0001", environ={"SLAC_DATABASE_URL": impatient}))
    release.run(make_job("release", release="r0001"))
    _, rows = need_release(datasets, "r0001")
    assert gone not in datasets.read_all(RELEASES, [rows])["video_id"].to_pylist()


def texts_of(path: Path) -> str:
    """Return everything that an export says, with what its Parquet files hold."""
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    return "".join(
        str(pq.read_table(each).to_pylist()) if each.read_bytes()[:4] == b"PAR1" else each.read_text("latin-1")
        for each in files
    )


def test_a_takedown_ends_in_every_format_of_later_releases(
    make_job: Any, ledger: Ledger, answered: list[str], ledger_url: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    store = make_job("release").store
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    gone = answered[5].split(":")[0]
    release.run(make_job("release", release="r0001"))
    assert cli.main(["takedown", "--named", gone, "--reason", "uploader asked"]) == 0
    release.run(make_job("release", release="r0002"))
    # Nobody answered a segment here; test_segments.py says the same of dense labels.
    for name in sorted(set(EXPORTS) - {"segments"}):
        for version, held in (("r0001", True), ("r0002", False)):
            path = tmp_path / f"{version} {name}"
            assert cli.main(["export", "--release", version, "--as", name, "--to", str(path)]) == 0
            assert (gone in texts_of(path)) == held, (version, name)
            assert answered[6].split(":")[0] in texts_of(path), (version, name)


def through(job: Any, store: Store) -> Any:
    """Let a job write through another store."""
    vars(job)["store"] = store
    return job


def objects(store: Store) -> dict[str, bytes]:
    """Return what a release wrote, without moments."""
    found = {name: store.get(name) for name in store.names("release")}
    return {name: re.sub(rb'"written_at": "[^"]+"|"[^"]*[0-9a-f]{64}"', b"", data) for name, data in found.items()}


def test_a_release_that_is_cut_off_anywhere_never_looks_finished_and_can_be_finished(
    make_job: Any, ledger: Ledger, answered: list[str]
) -> None:
    store = make_job("release").store
    assert isinstance(store, FolderStore)
    release.run(make_job("release", release="r0001"))
    want = objects(store)
    for cuts in itertools.count():
        for name in list(store.names("release")):
            store.delete(name)
        with ledger._connection.cursor() as cursor:
            cursor.execute("TRUNCATE releases, promotions")
            cursor.execute("DELETE FROM datasets WHERE dataset LIKE 'release%'")
        try:
            release.run(through(make_job("release", release="r0001"), CutStore(Path(store.url), cuts)))
            break
        except Temporary:
            assert ledger.one("last_release") is None, cuts
            # The last write of all moves a pointer past a manifest that is there.
            if cuts < len(want) - 1:
                with pytest.raises(NotMade, match=r"release r0001: (does not exist|is not finished)"):
                    need_release(Datasets(store), "r0001")
        release.run(make_job("release", release="r0001"))
        assert objects(store) == want, cuts
        assert [row["label_count"] for row in ledger.rows("last_release")] == [12]
    assert cuts == len(want)


def test_of_two_at_once_one_makes_the_release_and_the_other_says_so(
    make_job: Any, ledger: Ledger, answered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go_on = threading.Event(), threading.Event()
    write = release.write_exports

    def slow(*given: Any) -> None:
        inside.set()
        assert go_on.wait(30)
        write(*given)

    monkeypatch.setattr(release, "write_exports", slow)
    first = make_job("release", release="r0001")
    thread = threading.Thread(target=release.run, args=(first,))
    thread.start()
    try:
        assert inside.wait(30)
        for name in ("r0001", "r0002"):
            with pytest.raises(Temporary, match="another process makes it now"):
                release.run(make_job("release", release=name))
    finally:
        go_on.set()
        thread.join()
    datasets = make_job("release").datasets
    assert datasets.partitions(RELEASE_VERSIONS) == datasets.partitions(RELEASES) == [{"release": "r0001"}]
    release.run(make_job("release", release="r0002"))
    assert need_release(datasets, "r0002")[0].previous == "r0001"


@pytest.mark.parametrize("is_finished", [False, True])
def test_until_a_release_is_recorded_no_other_is_made(
    make_job: Any, ledger: Ledger, answered: list[str], monkeypatch: pytest.MonkeyPatch, is_finished: bool
) -> None:
    record, others = release.record_release, []

    def meanwhile(*given: Any) -> None:
        # The one would be recorded over what is made again here, the other would follow what came before it.
        for name in ("r0001", "r0002"):
            with pytest.raises(Temporary, match="another process makes it now"):
                release.run(make_job("release", release=name, remake=name == "r0001"))
            others.append(name)
        record(*given)

    if is_finished:
        release.run(make_job("release", release="r0001"))
    with monkeypatch.context() as patched:
        patched.setattr(release, "record_release", meanwhile)
        release.run(make_job("release", release="r0001"))
    assert others == ["r0001", "r0002"]
    release.run(make_job("release", release="r0002"))
    release.run(make_job("release", release="r0001", remake=True))
    datasets = make_job("release").datasets
    assert need_release(datasets, "r0002")[0].previous == "r0001"
    shown = {row["release"]: row["folder"] for row in ledger.rows("web_releases", most=9)}
    assert shown == {name: need_release(datasets, name)[1].folder for name in ("r0001", "r0002")}


def test_a_release_that_is_made_again_and_cut_off_is_not_finished(
    make_job: Any, ledger: Ledger, answered: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    release.run(make_job("release", release="r0001"))
    store = make_job("release").store
    with pytest.raises(Temporary):
        release.run(through(make_job("release", release="r0001", remake=True), CutStore(Path(store.url), 3)))
    with pytest.raises(NotMade, match="r0001: is not finished"):
        need_release(make_job("release").datasets, "r0001")
    with pytest.raises(NotMade):
        release.run(make_job("release", release="r0001"))
    release.run(make_job("release", release="r0001", remake=True))
    assert need_release(make_job("release").datasets, "r0001")[1].generation == 3
    assert lease(ledger, "cid") == []


def write_labels(job: Any, rows: pa.Table) -> None:
    job.datasets.write(LABELS, [rows], keys={"labels": "000001"}, stage="aggregate", settings={}, made_from={})


def test_a_release_with_wrong_rows_is_not_finished_until_its_labels_are_mended(
    make_job: Any, ledger: Ledger, answered: list[str]
) -> None:
    job = make_job("release", release="r0001")
    sound = job.datasets.read(LABELS, labels="000001")
    place = sound.schema.get_field_index("end_sec")
    write_labels(job, sound.set_column(place, sound.schema.field("end_sec"), pa.array([9.0] * sound.num_rows)))
    for _ in range(2):
        with pytest.raises(BrokenContract, match=r"release r0001: 1 expectation fails: .*Every clip is 2 s long"):
            release.run(make_job("release", release="r0001"))
        assert job.datasets.manifest(RELEASE_VERSIONS, release="r0001") is None
        assert ledger.one("last_release") is None
    write_labels(job, sound)
    release.run(make_job("release", release="r0001"))
    version, rows = need_release(job.datasets, "r0001")
    assert version.labels == 12
    assert set(job.datasets.read_all(RELEASES, [rows])["end_sec"].to_pylist()) == {3.5}
