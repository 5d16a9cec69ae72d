"""The formats in which a release goes out, one file each. To add one: its file, and its entry in `EXPORTS`.

An export reads the release's rows in their fixed order, part by part, and writes one file, so memory stays bounded.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from slac_tasks.release.exports import activitynet, hacs, parquet
from slac_tasks.release.exports.contents import Contents

__all__ = ["EXPORTS", "Export"]


@dataclass(frozen=True, kw_only=True)
class Export:
    """One format."""

    name: str
    """What `slac export --as` calls it."""
    file: str
    """Name of the file that it becomes."""
    help: str
    write: Callable[[Contents, Path], None]
    """Writes the release to a local path."""


def _named(exports: Iterable[Export]) -> Mapping[str, Export]:
    return {export.name: export for export in exports}


EXPORTS: Mapping[str, Export] = _named(
    (
        Export(name="parquet", file="labels.parquet", help="all columns of the release", write=parquet.write),
        Export(name="hacs", file="clips.csv", help="clips csv of HACS 1.1.1", write=hacs.write),
        Export(name="activitynet", file="activitynet.json", help="json of ActivityNet 1.3", write=activitynet.write),
    )
)
"""Every format by name."""
