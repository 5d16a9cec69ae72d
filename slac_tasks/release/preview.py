"""Clips of a release that its page plays: one of each category, drawn by a fixed hash, of as many categories as fit."""

import json

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.model import unit_hash
from slac_tasks.release.content import by_category
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

PREVIEW = "preview.json"
MOST = 12
"""Clips of one release."""
_COLUMNS = ("clip_id", "video_id", "start_sec", "end_sec", "category", "label", "kind", "strategy", "split", "licence",
            "proxy_256")  # fmt: skip


def preview(datasets: Datasets, rows: Manifest) -> str:
    """Return the clips as a JSON list of objects with `_COLUMNS`, in the order of their categories.

    Args:
        datasets: where the release is.
        rows: manifest of its rows.

    """
    found = [_drawn(category, table) for category, table in by_category(datasets, rows, _COLUMNS)]
    chosen = sorted(found, key=lambda one: unit_hash("preview", str(one["category"])))[:MOST]
    return json.dumps(sorted(chosen, key=lambda one: str(one["category"])), indent=1) + "\n"


def _drawn(category: str, table: pa.Table) -> dict[str, object]:
    """Return one label of a category, a positive one where there is one."""
    positive = table.filter(pc.equal(table["label"], 1))
    some = positive if positive.num_rows else table
    place = int(unit_hash("preview", category) * some.num_rows)
    row: dict[str, object] = some.slice(place, 1).to_pylist()[0]
    return row
