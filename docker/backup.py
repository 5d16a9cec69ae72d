"""Keep a dump of the ledger. Run by the chart's CronJob, around `pg_dump`; safe to run again.

backup.py address FILE    write SLAC_DATABASE_URL as a file of Postgres services, which pg_dump reads (`ledger`)
backup.py keep FILE       put the dump FILE into SLAC_BACKUP, read it back, delete all but the newest dumps
"""

import argparse
import hashlib
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
from psycopg2.extensions import parse_dsn

from slac_tasks.errors import BrokenContract, NotConfigured, SlacError
from slac_tasks.storage.objects import Store, open_store

START = b"PGDMP"
"""First bytes of a dump in pg_dump's custom format."""


def main(words: list[str], environ: Mapping[str, str]) -> int:
    """Return 0, or the exit code of what failed, with its reason."""
    parser = argparse.ArgumentParser(prog="backup.py", description=__doc__)
    parser.add_argument("what", choices=("address", "keep"))
    parser.add_argument("file", type=Path)
    given = parser.parse_args(words)
    try:
        if given.what == "address":
            given.file.write_text(service(_variable(environ, "SLAC_DATABASE_URL")), encoding="utf-8")
        else:
            store = open_store(_variable(environ, "SLAC_BACKUP"), environ)
            print(keep(store, given.file, datetime.now(UTC), int(environ.get("SLAC_BACKUP_KEEP", "72"))))
    except SlacError as failure:
        print(f"backup: {failure}", file=sys.stderr)
        return failure.exit_code
    return 0


def service(address: str) -> str:
    """Return a Postgres address as the service `ledger`."""
    try:
        parts = parse_dsn(address)
    except psycopg2.ProgrammingError as error:
        # Its text holds the address, and that the password.
        raise NotConfigured("SLAC_DATABASE_URL: is no address of Postgres") from error
    return "\n".join(["[ledger]", *(f"{name}={value}" for name, value in parts.items()), ""])


def keep(store: Store, dump: Path, at: datetime, newest: int) -> str:
    """Put a dump beside the older ones and delete all but the newest; return a line that says so.

    Raises:
        BrokenContract: the file is no dump, or the store gives back other bytes. No older one is deleted then.

    """
    with dump.open("rb") as file:
        start, size = file.read(len(START)), dump.stat().st_size
    if start != START:
        raise BrokenContract(f"{dump}: starts with {start!r}, want {START!r}, a dump in pg_dump's custom format")
    name = f"ledger-{at:%Y%m%dT%H%M%SZ}.dump"
    store.put_file(name, dump)
    with store.local(name) as kept:
        if _hash(kept) != _hash(dump):
            raise BrokenContract(f"{store.url}: {name} reads back as other bytes than those that were written")
    dumps = sorted(one for one in store.names("ledger-") if one.endswith(".dump"))
    for old in dumps[:-newest]:
        store.delete(old)
    return f"backup: {name} has {size:,} bytes; {min(len(dumps), newest)} dumps are kept"


def _hash(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _variable(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise NotConfigured(f"{name}: not set")
    return environ[name]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
