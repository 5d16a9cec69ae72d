"""One line of a published list: a video, and what it shows when. Every value is checked here, whatever the format.

A reader hands on what the file holds (`RawRow`). It becomes a `Row`, or an `OddRow` with the reason for people. An odd
row never holds up the others.
"""

from dataclasses import dataclass
from typing import Any

from slac_tasks.given import cells
from slac_tasks.given.words import fault_of, printable
from slac_tasks.model import Split

SPLITS = {
    "train": Split.TRAINING, "training": Split.TRAINING, "val": Split.VALIDATION, "valid": Split.VALIDATION,
    "validate": Split.VALIDATION, "validation": Split.VALIDATION, "test": Split.TESTING, "testing": Split.TESTING,
}  # fmt: skip
"""The words by which lists name the parts of a benchmark."""

LONGEST_SEC = 30 * 86_400.0
"""No video is longer than a month; a larger time is a number of frames or a slip."""
_MOST_LETTERS = 1_000
"""Of a video's name, a label or an address."""
_VERDICTS = {"1": True, "-1": False}
"""HACS 1.1.1: the clip shows the action, or it does not."""

PAST_END = "past the end"


@dataclass(frozen=True, kw_only=True, slots=True)
class RawRow:
    """One line as a file holds it. Each value may be anything; None where the format has none."""

    place: str
    """Where it stands, for people: `line 12`, or `video v_x, segment 2`."""
    video: Any
    label: Any = None
    labelled: bool = True
    """False: the line names a video and says nothing of what it shows."""
    start: Any = None
    end: Any = None
    timed: bool = True
    """False: the label is of the whole video."""
    verdict: Any = "1"
    """1: the action is there; -1: it is not."""
    split: Any = None
    duration: Any = None
    url: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One checked line of a published list."""

    place: str
    video: str
    """The file's own name of the video."""
    label: str | None = None
    """The file's own name of the class; None: the line names a video alone."""
    start_sec: float | None = None
    """None: the label is of the whole video."""
    end_sec: float | None = None
    positive: bool = True
    """Whether the action is there; HACS lists clips where it is not."""
    split: Split | None = None
    duration_sec: float | None = None
    """Length of the video in seconds, where the file says it."""
    url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OddRow:
    """A line that is not what its format promises."""

    place: str
    reason: str
    """In one or two words; reasons are counted."""
    detail: str
    """What was found, and what is wanted."""
    taken: bool = False
    """It was taken all the same: what is odd of it changes no label."""


class _Odd(Exception):
    """A value is not what the format promises; becomes an `OddRow`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def odd(place: str, reason: str, detail: str, *, taken: bool = False) -> OddRow:
    """Return an odd row whose words any terminal can show."""
    return OddRow(place=place, reason=reason, detail=printable(detail)[:300], taken=taken)


def checked(raw: RawRow) -> Row | OddRow:
    """Return the row that a line stands for, or what is wrong with it."""
    try:
        start, end = _span(raw)
        return Row(
            place=raw.place, video=_word("video", raw.video), label=_word("label", raw.label) if raw.labelled else None,
            start_sec=start, end_sec=end, positive=_verdict(raw.verdict), split=_split(raw.split),
            duration_sec=_length(raw.duration), url=_word("url", raw.url) if raw.url else None,
        )  # fmt: skip
    except _Odd as wrong:
        return odd(raw.place, wrong.reason, str(wrong))


def past_end(row: Row) -> OddRow | None:
    """Return what is odd of a segment that ends behind the end of its video: it is taken up to there."""
    if row.end_sec is None or row.duration_sec is None or row.end_sec <= row.duration_sec:
        return None
    return odd(row.place, PAST_END, f"ends at {row.end_sec:g}, the video at {row.duration_sec:g}", taken=True)


def _word(what: str, value: Any) -> str:
    try:
        found = cells.text(value)
    except cells.Unclear as error:
        raise _Odd(what, f"{what} {error}") from error
    if found is None or not found.strip():
        raise _Odd(what, f"{what} is missing or blank")
    if fault := fault_of(found):
        raise _Odd(what, f"{what} '{found[:60]}' {fault}")
    if len(found) > _MOST_LETTERS:
        raise _Odd(what, f"{what} '{found[:60]}...' has {len(found):,} letters, want {_MOST_LETTERS} at most")
    return found.strip()


def _span(raw: RawRow) -> tuple[float, float] | tuple[None, None]:
    if not raw.timed or not raw.labelled:
        return None, None
    start, end = _seconds("time", "start", raw.start), _seconds("time", "end", raw.end)
    if end <= start:
        raise _Odd("order", f"starts at {start:g} and ends at {end:g}, want an end after the start")
    return start, end


def _seconds(reason: str, what: str, value: Any) -> float:
    try:
        found = cells.number(value)
    except cells.Unclear as error:
        raise _Odd(reason, f"{what} {error}") from error
    if found is None:
        raise _Odd(reason, f"{what} is missing, want seconds")
    if not 0 <= found <= LONGEST_SEC:
        raise _Odd(reason, f"{what} is {found:g}, want seconds from 0 to {LONGEST_SEC:.0f}")
    return found


def _length(value: Any) -> float | None:
    if value is None or value == "":
        return None
    found = _seconds("length", "length of the video", value)
    if found == 0:
        raise _Odd("length", "length of the video is 0, want more")
    return found


def _verdict(value: Any) -> bool:
    found = str(value).strip() if isinstance(value, str | int) else ""
    if found not in _VERDICTS:
        raise _Odd("verdict", f"verdict is {str(value)[:40]!r}, want 1 (shows the action) or -1 (does not)")
    return _VERDICTS[found]


def _split(value: Any) -> Split | None:
    if value is None:
        return None
    found = SPLITS.get(value.strip().casefold()) if isinstance(value, str) else None
    if found is None:
        raise _Odd("split", f"split is {str(value)[:40]!r}, want one of {', '.join(SPLITS)}")
    return found
