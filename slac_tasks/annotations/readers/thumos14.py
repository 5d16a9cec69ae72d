"""Segments of THUMOS14, in its three layouts; times in seconds.

    csv   video,type,type_idx,start,end,startFrame,endFrame
    csv   video-name,t-init,t-end,f-init,f-end,video-duration,frame-rate,video-frames,label-idx     classes by number
    txt   video_validation_0000051  67.5  75.9      in Billiards_val.txt, whose name is the class

The split is in a video's name. `Ambiguous` is a class of the lists (number -1), and no action.
"""

import re
from collections.abc import Iterator

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd

_NAMED = ("video", "type", "start", "end")
_NUMBERED = ("video-name", "t-init", "t-end", "video-duration", "label-idx")
_NAME = re.compile(r"video_(?P<split>validation|test)_\d{7}", re.ASCII)
_LINE = re.compile(r"(?P<video>video_(validation|test)_\d{7})\s+(?P<start>\S+)\s+(?P<end>\S+)", re.ASCII)
_FILE = re.compile(r"(?P<label>\w+?)_(val|test)", re.ASCII)


def fits(file: Opened) -> bool:
    """Return whether it has one of the three layouts."""
    return set(_NAMED) <= file.columns or set(_NUMBERED) <= file.columns or _LINE.fullmatch(file.first) is not None


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every segment."""
    if _LINE.fullmatch(file.first):
        yield from _texts(file)
        return
    numbered = set(_NUMBERED) <= file.columns
    columns = _NUMBERED if numbered else _NAMED
    video, label, start, end = ("video-name", "label-idx", "t-init", "t-end") if numbered else _NAMED
    for line in file.table(needed=columns, known=columns):
        place, cells = f"line {line.number}", line.cells
        if line.fault:
            yield odd(place, "columns", line.fault)
        else:
            yield RawRow(
                place=place, video=cells.get(video), label=cells.get(label), start=cells.get(start),
                end=cells.get(end), duration=cells.get("video-duration"), split=_split(cells.get(video)),
            )  # fmt: skip


def _texts(file: Opened) -> Iterator[RawRow | OddRow]:
    named = _FILE.fullmatch(file.path.stem)
    for number, text in file.lines:
        match = _LINE.fullmatch(text)
        if match is None:
            yield odd(f"line {number}", "columns", f"found {text[:60]!r}, want a video and two times")
        else:
            yield RawRow(
                place=f"line {number}", video=match["video"], label=named["label"] if named else file.path.stem,
                start=match["start"], end=match["end"], split=_split(match["video"]),
            )  # fmt: skip


def _split(video: object) -> str | None:
    named = _NAME.fullmatch(video) if isinstance(video, str) else None
    return named["split"] if named else None
