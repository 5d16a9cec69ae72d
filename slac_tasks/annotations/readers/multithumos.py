"""The json of MultiTHUMOS: videos by name, each with `actions` of (class's number, start, end), several at a time."""

from collections.abc import Iterator, Mapping
from typing import Any

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd


def fits(file: Opened) -> bool:
    """Return whether it holds videos with `actions`, and not more with the `annotations` of ActivityNet."""
    return 0 < file.names["actions"] >= file.names["annotations"]


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every video, and after it its actions."""
    for name, about in file.document.items():
        place = f"video {name!r}"
        actions = about.get("actions") if isinstance(about, Mapping) else None
        if not isinstance(actions, list):
            yield odd(place, "segments", f"is {str(about)[:60]}, want an object with a list of actions")
        else:
            yield from _actions(place, actions, {
                "video": name, "split": about.get("subset"), "duration": about.get("duration"),
            })  # fmt: skip


def _actions(place: str, actions: list[Any], known: Mapping[str, Any]) -> Iterator[RawRow | OddRow]:
    yield RawRow(place=place, labelled=False, **known)
    for number, action in enumerate(actions, start=1):
        where = f"{place}, segment {number}"
        if not isinstance(action, list) or len(action) != 3:
            yield odd(where, "segments", f"is {str(action)[:60]}, want [class, start, end]")
        else:
            yield RawRow(place=where, label=action[0], start=action[1], end=action[2], **known)
