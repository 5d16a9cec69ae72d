"""The imported labels of a category, as datasets hold them, and the clips of which they speak."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.storage.columns import from_table
from slac_tasks.storage.datasets import IMPORTED, VIDEOS
from slac_tasks.storage.datasets.labelling import ImportedRow
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.label_errors import Given, given_on

_NAMES = ["candidate_id", "video_id"]


def imported_labels(datasets: Datasets) -> list[tuple[Manifest, pa.Table]]:
    """Return the imported labels of all categories, by the manifest that holds them."""
    manifests = [datasets.need(IMPORTED, **keys) for keys in datasets.partitions(IMPORTED)]
    return [(manifest, datasets.read_all(IMPORTED, [manifest])) for manifest in manifests]


def imported_of(labels: Iterable[tuple[Manifest, pa.Table]], category: str) -> list[tuple[Manifest, list[ImportedRow]]]:
    """Return those of one category, by the manifest that holds them; manifests without any are left out."""
    own = ((manifest, table.filter(pc.equal(table["category"], category))) for manifest, table in labels)
    return [(manifest, from_table(table, ImportedRow)) for manifest, table in own if table.num_rows]


def given_in(datasets: Datasets, rows: Iterable[ImportedRow], videos: Iterable[Manifest], clips: pa.Table) -> Given:
    """Return what imported rows say of clips.

    Args:
        datasets: where the videos are.
        rows: of one category.
        videos: manifests of the videos of that category, of the windows of the clips.
        clips: of that category: columns video_id, start_sec and end_sec.

    """
    admitted = datasets.read_all(VIDEOS, videos, _NAMES)
    names = dict(zip(*(admitted[name].to_pylist() for name in _NAMES), strict=True))
    return given_on(clips, list(rows), names)
