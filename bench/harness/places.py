"""Where benchmarks work: the real data beside the checkout, a Postgres, a ledger, a platform's environment."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.harness.running import Absent
from slac_tasks.errors import SlacError
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.storage.ledger import open_ledger

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
"""Real videos and other data that are not part of the project: a folder beside the checkout."""


def shared(name: str) -> Path | None:
    """Return a folder of the real data, such as `videos`; None, and a line that says so, where it is not there."""
    folder = SHARED / name
    if folder.is_dir():
        return folder
    print(f"no folder shared/{name} beside the checkout: generated data alone")
    return None


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    """Start a Postgres with fsync on; remove it afterwards.

    Raises:
        Absent: this machine has none.

    """
    server = EmbeddedPostgres(folder / "postgres")
    try:
        try:
            server.start()
        except SlacError as failure:
            raise Absent(str(failure)) from failure
        yield server
    finally:
        # As root the cluster is kept outside the folder: only `remove` deletes it.
        server.remove()


def ledger(server: EmbeddedPostgres) -> str:
    """Make an empty ledger; return its address."""
    url = server.url("slac")
    migrate({"SLAC_DATABASE_URL": url})
    return url


def migrate(environ: Mapping[str, str]) -> None:
    """Bring the ledger that an environment names to the present schema."""
    made = open_ledger(environ, migrated=False)
    made.migrate()
    made.close()


@contextlib.contextmanager
def platform(folder: Path, settings: Path | None = None) -> Iterator[str]:
    """Give this process and its children a platform of their own: an empty ledger and a store in `folder`.

    Args:
        folder: where both lie; everything is removed afterwards.
        settings: the slac.toml; None: every setting has its default.

    Yields:
        The store's address.

    """
    store = str(folder / "store")
    with postgres(folder) as server:
        wanted = {"SLAC_STORE": store, "SLAC_DATABASE_URL": ledger(server), "SLAC_CONFIG": str(settings or "")}
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield store
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
