"""The formats of published lists, one file each. To add one: its file, and its entry in `READERS`.

A reader says whether a file is of its format (`fits`) and hands on its lines (`rows`). What a line is worth is decided
in one place, `slac_tasks.annotations.rows`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.readers import (
    activitynet,
    charades,
    class_folders,
    coco,
    hacs,
    hmdb51,
    kinetics,
    label_studio,
    mini_hacs,
    multithumos,
    something_something,
    thumos14,
    ucf101,
    videos,
)
from slac_tasks.annotations.rows import OddRow, RawRow

__all__ = ["READERS", "Reader"]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One format."""

    name: str
    """What `slac import --format` calls it."""
    help: str
    fits: Callable[[Opened], bool]
    """Whether a file looks like this format; what it holds decides, not how its name ends."""
    rows: Callable[[Opened], Iterator[RawRow | OddRow]]
    """Yields every line of the file, in order."""
    is_document: bool = False
    """Whether it reads a JSON document as a whole; of another shape there is nothing to read."""


def _named(readers: Iterable[Reader]) -> Mapping[str, Reader]:
    return {reader.name: reader for reader in readers}


READERS: Mapping[str, Reader] = _named(
    (
        Reader(name="hacs", help="clips csv of HACS 1.1.1", fits=hacs.fits, rows=hacs.rows),
        Reader(name="mini_hacs", help="list of mini-HACS", fits=mini_hacs.fits, rows=mini_hacs.rows),
        Reader(name="coco", help="COCO-style json of videos and segments", fits=coco.fits, rows=coco.rows,
               is_document=True),
        Reader(name="kinetics", help="csv or json of Kinetics", fits=kinetics.fits, rows=kinetics.rows),
        Reader(name="activitynet", help="json of ActivityNet 1.3 and HACS", fits=activitynet.fits,
               rows=activitynet.rows),
        Reader(name="multithumos", help="json of MultiTHUMOS", fits=multithumos.fits, rows=multithumos.rows,
               is_document=True),
        Reader(name="label_studio", help="json that Label Studio exports", fits=label_studio.fits,
               rows=label_studio.rows, is_document=True),
        Reader(name="something_something", help="json of Something-Something v2", fits=something_something.fits,
               rows=something_something.rows, is_document=True),
        Reader(name="charades", help="csv of Charades", fits=charades.fits, rows=charades.rows),
        Reader(name="thumos14", help="csv or txt of THUMOS14", fits=thumos14.fits, rows=thumos14.rows),
        Reader(name="ucf101", help="train or test list of UCF-101", fits=ucf101.fits, rows=ucf101.rows),
        Reader(name="hmdb51", help="split list of HMDB-51", fits=hmdb51.fits, rows=hmdb51.rows),
        Reader(name="videos", help="csv of videos with their splits, as beside ActivityNet's json", fits=videos.fits,
               rows=videos.rows),
        Reader(name="class_folders", help="a folder with one sub-folder of videos per class", fits=class_folders.fits,
               rows=class_folders.rows),
    )
)  # fmt: skip
"""Every format by name, in the order in which a file is tried."""
