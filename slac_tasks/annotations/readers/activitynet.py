"""The json of ActivityNet 1.3, HACS Segments and THUMOS14: videos by name, each with its segments in seconds.

    {"database": {"<id>": {"subset": "training", "duration": 82.73, "url": "...",
                           "annotations": [{"label": "Ballet", "segment": [6.2, 77.7]}]}}}

The layout of BMN has no `database` around the videos, and `duration_second`. Times may be numbers or texts. A video
is a row of its own, so that none is lost that has no good segment.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd
from slac_tasks.errors import BrokenContract


def fits(file: Opened) -> bool:
    """Return whether it holds videos with `annotations`, and not more with the `actions` of MultiTHUMOS."""
    found = file.document
    in_database = isinstance(found, Mapping) and isinstance(found.get("database"), Mapping)
    return in_database or 0 < file.names["annotations"] >= file.names["actions"]


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every video, and after it its segments."""
    found = file.document
    database = found.get("database", found) if isinstance(found, Mapping) else None
    if not isinstance(database, Mapping):
        raise BrokenContract(f"annotations {file.path}: want a `database` of videos by name")
    for name, about in database.items():
        if not isinstance(about, Mapping):
            yield odd(f"video {name!r}", "video", f"is {str(about)[:60]}, want an object with annotations")
        else:
            yield from _video(name, about)


def _video(name: str, about: Mapping[str, Any]) -> Iterator[RawRow | OddRow]:
    place = f"video {name!r}"
    known = {
        "video": name, "split": about.get("subset"), "url": about.get("url") or None,
        "duration": about.get("duration", about.get("duration_second")),
    }  # fmt: skip
    yield RawRow(place=place, labelled=False, **known)
    segments = about.get("annotations")
    if not isinstance(segments, list):
        yield odd(place, "segments", f"annotations are {str(segments)[:60]}, want a list")
        return
    for number, segment in enumerate(segments, start=1):
        where = f"{place}, segment {number}"
        times = segment.get("segment") if isinstance(segment, Mapping) else None
        if not isinstance(times, list) or len(times) != 2:
            yield odd(where, "segments", f"is {str(segment)[:60]}, want a label and a segment of two times")
        else:
            yield RawRow(place=where, label=segment.get("label"), start=times[0], end=times[1], **known)
