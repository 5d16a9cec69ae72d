"""A stage whose connection to the ledger is ended ends with 75, and run again it does what it would have done."""

import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import cut_ledger
import psycopg2
import pytest
from conftest import MakeJob, administer
from review_work import TWICE, publish_and_answer

from slac_tasks.errors import Temporary
from slac_tasks.forgetting import names_kept
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.quality.settings import Quality
from slac_tasks.stages import aggregate, release, report, sync, validate
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger

STAGES = {module.__name__.rpartition(".")[2]: module for module in (sync, aggregate, validate, report, release)}
SETTINGS = {
    "review": TWICE,
    "quality": Quality(min_labels=1, min_positive_share=0.0, max_positive_share=1.0, min_precision=0.0),
}
EVERY = 9
"""Of so many statements the connection is ended before one; each stage begins with another one."""


class World:
    """A platform whose people have answered, of which copies are made."""

    def __init__(self, server: EmbeddedPostgres, url: str, folder: Path, make_job: MakeJob) -> None:
        self.server, self.url, self.folder, self.make_job = server, url, folder, make_job

    def run(self, stage: str, url: str, folder: Path) -> None:
        given = {"release": "r0001"} if stage == "release" else {}
        settings = {**SETTINGS, "store_url": str(folder)}
        job = self.make_job(stage, settings=settings, environ={"SLAC_DATABASE_URL": url}, **given)
        try:
            with names_kept(job):
                STAGES[stage].run(job)
        finally:
            if "ledger" in vars(job):
                job.ledger.close()

    @contextmanager
    def copy(self) -> Iterator[tuple[str, Path]]:
        """Yield (address of the ledger, folder of the store) of a copy, which is deleted afterwards."""
        database, folder = urlsplit(self.url).path[1:], self.folder.with_name("copy")
        cut_ledger.end_all(self.url)
        administer(self.server, "CREATE DATABASE {} TEMPLATE {}", f"{database}_copy", database)
        shutil.copytree(self.folder, folder)
        try:
            yield self.server.url(f"{database}_copy"), folder
        finally:
            administer(self.server, "DROP DATABASE {} WITH (FORCE)", f"{database}_copy")
            shutil.rmtree(folder)


def held(url: str, folder: Path) -> dict[str, Any]:
    """Return everything that the ledger and the store hold, but for moments, hashes of manifests and serial numbers."""
    found: dict[str, Any] = {}
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT to_jsonb(t) - '{{facet,ordinal}}'::text[] FROM \"{table}\" AS t")
            found[table] = sorted(timeless(str(row)) for (row,) in cursor.fetchall())
    store = FolderStore(folder)
    return found | {name: timeless(store.get(name).decode("latin-1")) for name in store.names("")}


def timeless(text: str) -> str:
    return re.sub(r"20\d\d-\d\d-\d\d[T ][\d:.]+(\+00:00|Z)?|[0-9a-f]{64}|g000\d:[0-9a-f]+", "*", text)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_whose_connection_is_ended_anywhere_ends_with_75_and_can_be_run_again(
    stage: str, postgres: EmbeddedPostgres, ledger_url: str, store: FolderStore, make_job: MakeJob,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    world = World(postgres, ledger_url, Path(store.url), make_job)
    with closing(Ledger(ledger_url)) as ledger:
        publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"})
    for before in list(STAGES)[: list(STAGES).index(stage)]:
        world.run(before, world.url, world.folder)
    with world.copy() as place:
        world.run(stage, *place)
        want = held(*place)
    left, is_cut = list(STAGES).index(stage), True
    while is_cut:
        with world.copy() as place:
            with cut_ledger.cut(monkeypatch, place[0], left) as cuts:
                failed = ended(world, stage, *place)
            is_cut = cuts.left < 0
            # The end of a session gives a lock back as well as the statement would have.
            gives_back = "Let other sessions" in cuts.said[-1]
            assert failed == is_cut or gives_back, cuts.said[-1]
            world.run(stage, *place)
            assert held(*place) == want, cuts.said[-1]
        left += EVERY
    assert left > 2 * EVERY


def ended(world: World, stage: str, url: str, folder: Path) -> bool:
    """Return whether a stage ended with 75."""
    try:
        world.run(stage, url, folder)
    except Temporary:
        return True
    return False
