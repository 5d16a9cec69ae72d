"""The csv of Kinetics, and its json, which says the same; times in seconds.

    abseiling,0wR5jVB-WPk,417,427,val,0

    {"0wR5jVB-WPk": {"annotations": {"label": "abseiling", "segment": [417.0, 427.0]}, "duration": 10.0,
                     "subset": "validate", "url": "..."}}

A video has one clip, whose `duration` that is. The list of the test part says no label.
"""

from collections.abc import Iterator, Mapping

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd
from slac_tasks.errors import BrokenContract

NEEDED = ("youtube_id", "time_start", "time_end")


def fits(file: Opened) -> bool:
    """Return whether its columns are those of Kinetics, or most of its videos with `annotations` have one alone."""
    alone = sum(isinstance(each.get("annotations"), Mapping) for each in file.objects)
    return set(NEEDED) <= file.columns or 2 * alone > file.names["annotations"]


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every clip."""
    return _videos(file) if file.is_json else _lines(file)


def _videos(file: Opened) -> Iterator[RawRow | OddRow]:
    if not isinstance(file.document, Mapping):
        raise BrokenContract(f"annotations {file.path}: want videos by name")
    for name, about in file.document.items():
        place = f"video {name!r}"
        clip = about.get("annotations") if isinstance(about, Mapping) else None
        times = clip.get("segment") if isinstance(clip, Mapping) else None
        if not isinstance(clip, Mapping) or not isinstance(times, list) or len(times) != 2:
            yield odd(place, "segments", f"is {str(about)[:60]}, want annotations with a segment of two times")
        else:
            yield RawRow(
                place=place, video=name, label=clip.get("label"), labelled="label" in clip, start=times[0],
                end=times[1], split=about.get("subset"), url=about.get("url") or None,
            )  # fmt: skip


def _lines(file: Opened) -> Iterator[RawRow | OddRow]:
    labelled, has_split = "label" in file.columns, "split" in file.columns
    for line in file.table(needed=NEEDED, known=("label", *NEEDED, "split")):
        place, cells = f"line {line.number}", line.cells
        if line.fault:
            yield odd(place, "columns", line.fault)
        else:
            yield RawRow(
                place=place, video=cells.get("youtube_id"), label=cells.get("label"), labelled=labelled,
                start=cells.get("time_start"), end=cells.get("time_end"),
                split=cells.get("split", "") if has_split else None,
            )  # fmt: skip
