"""The json of Something-Something v2: ``{"id": "78687", "template": "Holding [something]", ...}``; files are id.webm.

The class is the template, without its brackets, as in the list of classes. The part is what the file's name says. The
list of the test part names videos alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd

_PARTS = ("train", "validation", "test")


def fits(file: Opened) -> bool:
    """Return whether it is a list of videos by number, with or without templates."""
    found = file.document
    return isinstance(found, list) and any(isinstance(entry, Mapping) and _is_video(entry) for entry in found)


def _is_video(entry: Mapping[str, Any]) -> bool:
    return set(entry) == {"id"} or {"id", "template"} <= set(entry)


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every video."""
    words = file.path.stem.casefold().replace("_", "-").split("-")
    split = next((part for part in _PARTS if part in words), None)
    for number, entry in enumerate(file.document, start=1):
        place = f"video {number}"
        if not isinstance(entry, Mapping) or not _is_video(entry):
            yield odd(place, "video", f"is {str(entry)[:60]}, want an object with id and template")
            continue
        template = entry.get("template")
        label = template.replace("[", "").replace("]", "") if isinstance(template, str) else template
        yield RawRow(
            place=place, video=entry["id"], label=label, labelled="template" in entry, timed=False, split=split
        )
