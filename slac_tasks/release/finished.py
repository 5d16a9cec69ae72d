"""When a release is finished, and what is said of it then.

A release is finished when its row of `release_versions` is there. It is written last: after the rows, the register of
videos, every format and the data sheet. It names the very generation of the rows that it is about. Whoever hands a
release on asks `need_release`.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, replace

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.errors import NotMade
from slac_tasks.release.changes import FIRST, Changes, count, differences, next_version
from slac_tasks.release.content import by_category, content_of
from slac_tasks.storage.datasets import RELEASE_VERSIONS, RELEASES
from slac_tasks.storage.datasets.releasing import ReleaseVersionRow
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.store import Store
from slac_tasks.storage.tables import Datasets


def need_release(datasets: Datasets, release: str) -> tuple[ReleaseVersionRow, Manifest]:
    """Return (what a finished release is, the manifest of its rows).

    Raises:
        NotMade: it does not exist, or is not finished.

    """
    found = datasets.manifest(RELEASE_VERSIONS, release=release)
    rows = datasets.manifest(RELEASES, release=release)
    wanted = f"want `slac release --release {release}"
    if found is None or rows is None:
        raise NotMade(f"release {release}: {'does not exist' if rows is None else 'is not finished'}, {wanted}`")
    if found.made_from.get(rows.address) != rows.mark:
        raise NotMade(f"release {release}: is not finished, its rows were made again, {wanted} --remake`")
    (row,) = datasets.rows_of(RELEASE_VERSIONS, found)
    return row, rows


def version_of(datasets: Datasets, rows: Manifest, before: str | None) -> ReleaseVersionRow:
    """Return what a release is, without what lies beside its rows; its rows are read once, category by category.

    Args:
        datasets: where the releases are.
        rows: manifest of its rows.
        before: the release before; None: there is none.

    """
    changes = Changes(added=rows.rows)
    if before is not None:
        old = datasets.need(RELEASES, release=before)
        changes = sum((count(found) for _, found in differences(datasets, old, rows)), Changes())
    counts = Counts()
    content = content_of(counts.through(table) for _, table in by_category(datasets, rows))
    return ReleaseVersionRow(
        version=next_version(_number(datasets, before), changes),
        content=content,
        previous=before,
        labels=rows.rows,
        positive=counts.positive,
        videos=len(pc.unique(counts.videos)),
        groups=len(pc.unique(counts.groups)),
        categories=tuple(counts.categories),
        **asdict(changes),
        files=(),
        hashes=(),
    )


def with_files(store: Store, rows: Manifest, row: ReleaseVersionRow, files: Iterable[str]) -> ReleaseVersionRow:
    """Return what a release is, with the hashes of what lies beside its rows.

    Args:
        store: where it is.
        rows: manifest of its rows.
        row: what it is.
        files: names below the folder of the rows.

    Raises:
        NotMade: one of them is not there.

    """
    names = sorted(files)
    return replace(row, files=tuple(names), hashes=tuple(hash_of(store, rows, name) for name in names))


def hash_of(store: Store, rows: Manifest, name: str) -> str:
    """Return the SHA-256 (hex) of a file beside the rows.

    Raises:
        NotMade: it is not there.

    """
    with store.local(f"{rows.folder}/{name}") as path, open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _number(datasets: Datasets, release: str | None) -> str | None:
    """Return the number of a release; one from the time before there were numbers counts as the first."""
    if release is None:
        return None
    found = datasets.manifest(RELEASE_VERSIONS, release=release)
    return next(datasets.rows_of(RELEASE_VERSIONS, found)).version if found else FIRST


class Counts:
    """Counts over the rows of a release, taken while they pass."""

    def __init__(self) -> None:
        self.positive = 0
        self.categories: list[str] = []
        self.videos = self.groups = pa.array([], pa.string())

    def through(self, rows: pa.Table) -> pa.Table:
        """Count the rows of one category, and return them."""
        self.positive += pc.sum(pc.equal(rows["label"], 1)).as_py() or 0
        self.categories += rows["category"].unique().to_pylist()
        self.videos = pc.unique(pa.concat_arrays([self.videos, rows["video_id"].unique()]))
        self.groups = pc.unique(pa.concat_arrays([self.groups, rows["group_id"].drop_null().unique()]))
        return rows
