"""Keep a dump of the ledger. Run by the chart's CronJob, around `pg_dump`; safe to run again.

backup.py address FILE    write SLAC_DATABASE_URL as a file of Postgres services, which pg_dump reads (`ledger`)
backup.py keep FILE       put the dump FILE into SLAC_BACKUP, read it back, delete all but the newest dumps; then
                          fail with 78 where a pg_dump made it that is newer than the server: no restore would end well
"""

import argparse
import hashlib
import itertools
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from slac_tasks.errors import BrokenContract, NotConfigured, SlacError
from slac_tasks.storage.ledger import parts_of
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.store import Store

START = b"PGDMP"
"""First bytes of a dump in pg_dump's custom format."""
_BYTE_OF_COMPRESSION = (1, 15)
"""The first version of the format in which one byte names the compression; before, it was a number."""


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
            print(keep(store, given.file, datetime.now(UTC), int(environ.get("SLAC_BACKUP_KEEP") or "72")))
    except SlacError as failure:
        print(f"backup: {failure}", file=sys.stderr)
        return failure.exit_code
    return 0


def service(address: str) -> str:
    """Return a Postgres address as the service `ledger`."""
    parts = parts_of(address, "SLAC_DATABASE_URL")
    return "\n".join(["[ledger]", *(f"{name}={value}" for name, value in parts.items()), ""])


def keep(store: Store, dump: Path, at: datetime, newest: int) -> str:
    """Put a dump beside the older ones and delete all but the newest; return a line that says so.

    Raises:
        BrokenContract: the file is no dump, or the store gives back other bytes. No older one is deleted then.
        NotConfigured: it is kept, and the program that made it is newer than the server. The server's own pg_restore
            cannot read it, and the newer one fails there.

    """
    with dump.open("rb") as file:
        server, program = versions(file)
    size = dump.stat().st_size
    name = f"ledger-{at:%Y%m%dT%H%M%SZ}.dump"
    store.put_file(name, dump)
    with store.local(name) as kept:
        if _hash(kept) != _hash(dump):
            raise BrokenContract(f"{store.url}: {name} reads back as other bytes than those that were written")
    dumps = sorted(one for one in store.names("ledger-") if one.endswith(".dump"))
    for old in dumps[:-newest]:
        store.delete(old)
    if program > server:
        raise NotConfigured(
            f"{name}: is kept, but pg_dump {program} made it of a server {server}, where neither pg_restore ends well; "
            f"want backup.image of Postgres {server}"
        )
    return f"backup: {name} has {size:,} bytes; {min(len(dumps), newest)} dumps are kept"


def versions(dump: BinaryIO) -> tuple[int, int]:
    """Return (the major version of the server, that of the pg_dump) which a dump was made of and by.

    The header is that of `WriteHead` in Postgres's pg_backup_archiver.c.

    Raises:
        BrokenContract: this is no dump in pg_dump's custom format.

    """
    start = dump.read(len(START))
    if start != START:
        raise BrokenContract(f"{dump.name}: starts with {start!r}, want {START!r}, a dump in pg_dump's custom format")
    try:
        return _versions(dump)
    except ValueError as error:
        raise BrokenContract(f"{dump.name}: ends within its header, want a whole dump") from error


def _versions(dump: BinaryIO) -> tuple[int, int]:
    def read(size: int) -> bytes:
        found = dump.read(size)
        if len(found) < size:
            raise ValueError
        return found

    major, minor, _, int_bytes, _, _ = read(6)

    def number() -> int:
        sign, *digits = read(1 + int_bytes)
        return (-1 if sign else 1) * int.from_bytes(bytes(digits), "little")

    def text() -> str:
        return read(max(0, number())).decode()

    if (major, minor) < _BYTE_OF_COMPRESSION:
        number()
    else:
        read(1)
    for _ in range(7):  # when it was made
        number()
    text()  # the database
    server, program = text(), text()
    return _major(server), _major(program)


def _major(version: str) -> int:
    """Return the number that a version such as `15.18 (Debian)` or `19beta1` begins with; ValueError: none."""
    return int("".join(itertools.takewhile(str.isdigit, version)))


def _hash(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _variable(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise NotConfigured(f"{name}: not set")
    return environ[name]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
