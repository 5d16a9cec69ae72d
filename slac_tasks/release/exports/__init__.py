"""The formats in which a release goes out, one file each. To add one: its file, and its entry in `EXPORTS`.

An export reads the release's rows in their fixed order, part by part, and writes one file or one folder, so memory
stays bounded.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from slac_tasks.release.exports import (
    activitynet,
    coco,
    croissant,
    fiftyone,
    hacs,
    hugging_face,
    kinetics,
    label_studio,
    parquet,
    segments,
    webdataset,
)
from slac_tasks.release.exports.contents import Contents

__all__ = ["EXPORTS", "Export"]


@dataclass(frozen=True, kw_only=True)
class Export:
    """One format."""

    name: str
    """What `slac export --as` calls it."""
    file: str
    """Name of the file or folder that it becomes."""
    help: str
    write: Callable[[Contents, Path], None]
    """Writes the release to a local path, where nothing is yet."""
    folder: bool = False
    """Whether it becomes a folder."""
    goes_on: bool = False
    """Whether `write` goes on with a folder of which an earlier run has written a part."""
    always: bool = False
    """Whether `slac release` writes it; the others are written where somebody asks for them."""


def _named(exports: Iterable[Export]) -> Mapping[str, Export]:
    return {export.name: export for export in exports}


EXPORTS: Mapping[str, Export] = _named(
    (
        Export(name="parquet", file="labels.parquet", help="all columns of the release", write=parquet.write,
               always=True),
        Export(name="hacs", file="clips.csv", help="clips csv of HACS 1.1.1", write=hacs.write, always=True),
        Export(name="activitynet", file="activitynet.json", help="json of ActivityNet 1.3", write=activitynet.write,
               always=True),
        Export(name="segments", file="segments.json", help="dense labels, json of ActivityNet 1.3 and HACS Segments",
               write=segments.write, always=True),
        Export(name="kinetics", file="kinetics.csv", help="csv of Kinetics; positive clips", write=kinetics.write),
        Export(name="coco", file="coco.json", help="COCO-style json of videos and segments", write=coco.write),
        Export(name="label_studio", file="label_studio.json", help="tasks of Label Studio, with the labels",
               write=label_studio.write),
        Export(name="croissant", file="croissant", help="Croissant metadata beside the Parquet file",
               write=croissant.write, folder=True),
        Export(name="hugging_face", file="hugging_face", help="folder for the library datasets and its hub",
               write=hugging_face.write, folder=True),
        Export(name="fiftyone", file="fiftyone", help="temporal detections for FiftyOne, on the renditions",
               write=fiftyone.write, folder=True),
        Export(name="webdataset", file="webdataset", help="tar shards; with media of the licences that --licence names",
               write=webdataset.write, folder=True, goes_on=True),
    )
)  # fmt: skip
"""Every format by name."""
