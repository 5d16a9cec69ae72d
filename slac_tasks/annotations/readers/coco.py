"""COCO-style json: `videos` and `categories` by id, and `annotations` that name both, with a `segment` in seconds.

    {"videos": [{"id": 1, "file_name": "a.mp4", "duration": 82.7, "split": "training"}],
     "categories": [{"id": 7, "name": "Archery"}],
     "annotations": [{"id": 1, "video_id": 1, "category_id": 7, "segment": [15.5, 17.5], "positive": 1}]}

An annotation without a segment is of its whole video. `images` and `image_id` are read as `videos` and `video_id`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd

_Entry = Mapping[str, Any]
_Entries = Mapping[str, _Entry]


def fits(file: Opened) -> bool:
    """Return whether it holds COCO's three lists."""
    found = file.document
    return isinstance(found, Mapping) and isinstance(found.get("annotations"), list) and "categories" in found


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every video, then every annotation."""
    found = file.document
    videos, odd_videos = _by_id(found.get("videos", found.get("images")), "video")
    categories, odd_categories = _by_id(found.get("categories"), "category")
    yield from (*odd_videos, *odd_categories)
    for video_id, video in videos.items():
        yield RawRow(place=f"video {video_id}", labelled=False, **_known(video))
    for number, annotation in enumerate(found["annotations"], start=1):
        place = f"annotation {number}"
        if isinstance(annotation, Mapping):
            yield _annotation(place, annotation, videos, categories)
        else:
            yield odd(place, "annotation", f"is {str(annotation)[:60]}, want an object")


def _annotation(place: str, annotation: _Entry, videos: _Entries, categories: _Entries) -> RawRow | OddRow:
    video_id = str(annotation.get("video_id", annotation.get("image_id")))
    category_id = str(annotation.get("category_id"))
    segment = annotation.get("segment")
    if video_id not in videos:
        return odd(place, "video", f"is of video {video_id[:40]!r}, want one that is listed once")
    if category_id not in categories:
        return odd(place, "category", f"is of category {category_id[:40]!r}, want one that is listed once")
    if segment is not None and not (isinstance(segment, list) and len(segment) == 2):
        return odd(place, "segments", f"segment is {str(segment)[:60]}, want two times")
    start, end = segment or (None, None)
    return RawRow(
        place=place, label=categories[category_id].get("name"), start=start, end=end, timed=segment is not None,
        verdict=annotation.get("positive", 1), **_known(videos[video_id]),
    )  # fmt: skip


def _by_id(entries: Any, what: str) -> tuple[dict[str, Mapping[str, Any]], list[OddRow]]:
    """Return the entries of a list by their ids, and those that are none or that are there twice."""
    found: dict[str, Mapping[str, Any]] = {}
    wrong: list[OddRow] = []
    twice: set[str] = set()
    for number, entry in enumerate(entries if isinstance(entries, Sequence) else (), start=1):
        if not isinstance(entry, Mapping) or "id" not in entry:
            wrong.append(odd(f"{what} {number}", what, f"is {str(entry)[:60]}, want an object with an id"))
        elif str(entry["id"]) in found:
            twice.add(str(entry["id"]))
            wrong.append(odd(f"{what} {number}", what, f"id {str(entry['id'])[:40]!r} is there twice, want one"))
        else:
            found[str(entry["id"])] = entry
    return {key: entry for key, entry in found.items() if key not in twice}, wrong


def _known(video: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "video": video.get("file_name", video.get("name")), "split": video.get("split"),
        "duration": video.get("duration"), "url": video.get("url") or None,
    }  # fmt: skip
