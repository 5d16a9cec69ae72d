"""Exports of a release that exists: each format is written once, beside the release."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from slac_tasks.progress import print_line
from slac_tasks.release.exports import EXPORTS, Export
from slac_tasks.release.exports.contents import Contents
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets


def export_name(manifest: Manifest, export: Export) -> str:
    """Return the object name of an export of a release."""
    return f"{manifest.address}/g{manifest.generation:04d}/exports/{export.file}"


def contents(datasets: Datasets, manifest: Manifest, names: Mapping[str, str]) -> Contents:
    """Return what an export is given of a release.

    Args:
        datasets: where the release is.
        manifest: of the release.
        names: display name of each category; one that has none goes by its key.

    """
    every = {category: names.get(category, category) for category in _categories(datasets, manifest)}
    return Contents(release=manifest.keys["release"], rows=lambda: datasets.rows_of(RELEASES, manifest), names=every)


def _categories(datasets: Datasets, manifest: Manifest) -> set[str]:
    tables = datasets.tables(manifest, ["category"])
    return {category for table in tables for category in table["category"].unique().to_pylist()}


def write_exports(
    datasets: Datasets, manifest: Manifest, names: Mapping[str, str], exports: Iterable[Export] = EXPORTS.values()
) -> None:
    """Write those exports of a generation of a release that are not in the store yet."""
    missing = [export for export in exports if not datasets.store.exists(export_name(manifest, export))]
    if not missing:
        return
    release = contents(datasets, manifest, names)
    with tempfile.TemporaryDirectory(prefix="slac-export-") as folder:
        for export in missing:
            path = Path(folder) / export.file
            export.write(release, path)
            datasets.store.put_file(export_name(manifest, export), path)
            print_line(f"release: wrote {export_name(manifest, export)}")
