"""Proof that a release is what it says it is, from the store alone. Pixels and addresses are the command's part."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from slac_tasks.errors import BrokenContract
from slac_tasks.progress import counted
from slac_tasks.release.finished import hash_of, need_release, version_of
from slac_tasks.release.register import register
from slac_tasks.storage.datasets import RELEASED_VIDEOS
from slac_tasks.storage.datasets.releasing import ReleaseVersionRow
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str
    """What was found; where it is wrong, and what is wanted."""


def checks(datasets: Datasets, release: str) -> Iterator[Check]:
    """Yield what is found of a release: its bytes, its hash and counts, what stays for ever, and its files.

    Rows are read as often as there are checks of them, one category at a time.

    Raises:
        NotMade: it does not exist, or is not finished.

    """
    row, rows = need_release(datasets, release)
    try:
        yield Check(
            name="rows",
            ok=True,
            found=f"{counted(_count(datasets, rows), 'row')} in {len(rows.parts)} parts, every byte",
        )
    except BrokenContract as error:
        # Nothing else can be said of rows that are not the ones that were written.
        yield Check(name="rows", ok=False, found=str(error))
        return
    yield from _compared(datasets, row, rows)
    yield _register(datasets, row, rows)
    yield from _files(datasets, row, rows)


def _count(datasets: Datasets, rows: Manifest) -> int:
    return sum(table.num_rows for table in datasets.tables(rows))


def _compared(datasets: Datasets, row: ReleaseVersionRow, rows: Manifest) -> Iterator[Check]:
    """Yield whether what the rows say now is what was recorded of them."""
    now, then = (asdict(one) for one in (version_of(datasets, rows, row.previous), row))
    for name, found in now.items():
        if name not in ("files", "hashes"):
            ok = found == then[name]
            yield Check(name=name, ok=ok, found=_short(found) + ("" if ok else f", want {_short(then[name])}"))


def _short(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"{len(value):,}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _register(datasets: Datasets, row: ReleaseVersionRow, rows: Manifest) -> Check:
    """Return whether names and splits are those of all releases before, and the register says so."""
    try:
        want = register(datasets, row.previous, rows)
    except BrokenContract as error:
        return Check(name="splits", ok=False, found=str(error))
    found = datasets.read(RELEASED_VIDEOS, release=rows.keys["release"])
    ok = found.equals(want)
    wrong = "" if ok else ", which are not those of this release and all before it"
    return Check(name="splits", ok=ok, found=f"{counted(found.num_rows, 'video')} in the register{wrong}")


def _files(datasets: Datasets, row: ReleaseVersionRow, rows: Manifest) -> Iterator[Check]:
    """Yield whether each file beside the rows has the bytes that were written."""
    for name, want in zip(row.files, row.hashes, strict=True):
        try:
            found = hash_of(datasets.store, rows, name)
        except BrokenContract as error:
            yield Check(name=name, ok=False, found=str(error))
            continue
        ok = found == want
        yield Check(name=name, ok=ok, found=f"sha256 {found[:16]}" + ("" if ok else f", want {want[:16]}"))
