"""Exports of a release that exists: each format is written once, beside the release."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from slac_tasks import __version__
from slac_tasks.errors import NotMade
from slac_tasks.model import content_hash
from slac_tasks.progress import print_line, track
from slac_tasks.release.exports import EXPORTS, Export
from slac_tasks.release.exports.contents import Contents
from slac_tasks.scratch import Scratch
from slac_tasks.storage.datasets import RELEASED_SEGMENTS, RELEASES
from slac_tasks.storage.datasets.releasing import ReleaseRow
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

WITH_EVERY_RELEASE = tuple(export for export in EXPORTS.values() if export.always)
LIST = "files.json"
"""Written last into a folder of the store: each of its files, with its SHA-256. Without it the folder is unfinished."""


def export_name(manifest: Manifest, export: Export) -> str:
    """Return the object name of an export of a release; of a folder, what the names of its files begin with."""
    return f"{manifest.folder}/exports/{export.file}"


def contents(
    datasets: Datasets, manifest: Manifest, number: str, names: Mapping[str, str], *,
    media: str = "", licences: Iterable[str] = (),
    withdrawn: Callable[[], Callable[[ReleaseRow], bool]] = lambda: lambda row: False,
) -> Contents:  # fmt: skip
    """Return what an export is given of a release.

    Args:
        datasets: where the release is.
        manifest: of the release.
        number: of the release, MAJOR.MINOR.PATCH.
        names: display name of each category; one that has none goes by its key.
        media: folder or address below which the store's objects are found; empty: the store's own.
        licences: under which media may be handed on.
        withdrawn: reads which videos were withdrawn since.

    """
    every = {category: names.get(category, category) for category in _categories(datasets, manifest)}
    version, is_withdrawn = manifest.keys["release"], withdrawn()

    def bytes_of(row: ReleaseRow) -> bytes | None:
        if is_withdrawn(row):
            return None
        try:
            return datasets.store.get(row.proxy_256)
        except NotMade:
            if withdrawn()(row):  # while this export is written
                return None
            raise

    dense = datasets.manifest(RELEASED_SEGMENTS, release=version)
    return Contents(
        release=version, number=number, names=every,
        rows=lambda: track(datasets.rows_of(RELEASES, manifest), manifest.rows, f"rows of {version}"),
        segments=lambda: datasets.rows_of(RELEASED_SEGMENTS, dense) if dense else iter(()),
        media=bytes_of, is_withdrawn=is_withdrawn, media_address=media or datasets.store.url, licences=tuple(licences),
    )  # fmt: skip


def _categories(datasets: Datasets, manifest: Manifest) -> set[str]:
    tables = datasets.tables(manifest, ["category"])
    return {category for table in tables for category in table["category"].unique().to_pylist()}


def mark_of(manifest: Manifest, release: Contents) -> str:
    """Return a hash of all that an export is made of."""
    names = json.dumps(release.names, sort_keys=True)
    media = (release.media_address, *sorted(release.licences))
    return content_hash(__version__, manifest.mark, release.number, names, *media)


def write_exports(
    datasets: Datasets, manifest: Manifest, release: Contents, exports: Iterable[Export] = WITH_EVERY_RELEASE
) -> None:
    """Write those exports of a generation of a release that are not in the store yet."""
    with Scratch() as folder:
        for export in exports:
            name = export_name(manifest, export)
            if datasets.store.exists(f"{name}/{LIST}" if export.folder else name):
                continue
            path = folder / export.file
            export.write(release, path)
            if export.folder:
                _put_folder(datasets, name, path)
            else:
                datasets.store.put_file(name, path)
            print_line(f"release: wrote {name}")


def _put_folder(datasets: Datasets, name: str, folder: Path) -> None:
    """Copy a folder into the store, and the list of its files last; what a call that was cut off left there goes."""
    listed = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        relative = path.relative_to(folder).as_posix()
        with path.open("rb") as file:
            listed[relative] = {
                "sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size_bytes": path.stat().st_size,
            }  # fmt: skip
        datasets.store.put_file(f"{name}/{relative}", path)
    for other in {*datasets.store.names(f"{name}/")} - {f"{name}/{relative}" for relative in listed}:
        datasets.store.delete(other)
    datasets.store.put(f"{name}/{LIST}", json.dumps(listed, indent=1, sort_keys=True).encode())
