"""Rows of releases, and releases that are finished, without all the stages before them."""

from collections.abc import Iterable, Mapping
from typing import Any

from slac_tasks.model import clip_id
from slac_tasks.release.finished import version_of, with_files
from slac_tasks.release.register import register
from slac_tasks.storage.datasets import RELEASE_VERSIONS, RELEASED_VIDEOS, RELEASES
from slac_tasks.storage.datasets.releasing import ReleaseRow
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

MADE: dict[str, Any] = {"stage": "release", "settings": {}}


def released(video: str = "a" * 16, start: float = 1.0, **changes: Any) -> ReleaseRow:
    """Return a label of high_jump by people."""
    fields: dict[str, Any] = {
        "clip_id": clip_id(video, start), "video_id": video, "start_sec": start, "end_sec": start + 2,
        "split": "training", "category": "high_jump", "label": 1, "confidence": 1.0, "strategy": "random",
        "round": "2026-01-05.p1", "source": "a.csv", "source_id": "judo.mp4", "duration_sec": 60.0,
        "proxy_128": f"media/{video}/128.mp4", "proxy_256": f"media/{video}/256.mp4", "kind": "people", "support": 2,
        "certificate": None, "benchmark": None, "name": video, "group_id": video, "title": None,
        "licence": "CC BY 4.0", "url": None, "published_at": None, "proxy_sha256": "0",
    }  # fmt: skip
    return ReleaseRow(**{**fields, **changes})


def write_rows(
    datasets: Datasets, release: str, rows: Iterable[ReleaseRow], made_from: Mapping[str, str] | None = None
) -> Manifest:
    """Write the rows of a release, a part for each category, in their fixed order."""
    ordered = sorted(rows, key=lambda row: (row.category, row.video_id, row.start_sec))
    parts = [[row for row in ordered if row.category == one] for one in sorted({row.category for row in ordered})]
    tables = map(RELEASES.table, parts)
    return datasets.write(RELEASES, tables, keys={"release": release}, made_from=made_from or {}, **MADE)


def finish(
    datasets: Datasets,
    release: str,
    rows: Iterable[ReleaseRow],
    before: str | None = None,
    files: Mapping[str, bytes] | None = None,
    made_from: Mapping[str, str] | None = None,
) -> Manifest:
    """Write a release as the stage does, with these files beside it; return the manifest of its rows."""
    keys = {"release": release}
    written = write_rows(datasets, release, rows, made_from)
    for name, data in (files or {}).items():
        datasets.store.put(f"{written.folder}/{name}", data)
    of = {written.address: written.mark}
    datasets.write(RELEASED_VIDEOS, [register(datasets, before, written)], keys=keys, made_from=of, **MADE)
    row = with_files(datasets.store, written, version_of(datasets, written, before), files or {})
    table = RELEASE_VERSIONS.table([row])
    datasets.write(RELEASE_VERSIONS, [table], keys=keys, made_from=of, **MADE)
    return written
