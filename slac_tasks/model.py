"""The nouns of the platform. Standard library only, so that any layer may speak them."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from slac_tasks.errors import WrongArguments

CLIP_SEC = 2.0
"""Length of a clip in seconds (HACS v3, release 1.1.1)."""

MISSING_FRAMES = 2
"""A video that is so many frames shorter than a clip is one: trimmed clips are seldom cut on a frame. Its last picture
stands for what is missing."""

GRID_SEC = 0.5
"""Clips start on this grid, in seconds (HACS v3, release 1.1.1)."""

SAYS_YES = 0.5
"""A classifier says yes to a clip from this probability on: of mining, reports and evaluation alike (ours)."""

PAPER_CLIP_SEC = 8.8
"""Human seconds for one clip in the paper (SLAC v1, section 3): two answers."""

_SLUG = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_WINDOW = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T00:00:00(Z|\+00:00)?)?")


SMALL_PROXY = 128
"""Height and width in pixels up to which clips are read from the small rendition."""


class View(NamedTuple):
    """How a clip is turned into pixels for a classifier; classifiers with the same view share one decode."""

    frames: int
    """Frames taken of a clip, at the middles of equal parts of it."""
    size: int
    """Height and width in pixels."""

    @property
    def small(self) -> bool:
        """Whether it is decoded from the small rendition."""
        return self.size <= SMALL_PROXY

    def __str__(self) -> str:
        return f"{self.frames}x{self.size} rgb"


class Answer(StrEnum):
    """What a person says to "does this clip contain the hypothesised action?"."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"
    BROKEN = "broken"


class SegmentAnswer(StrEnum):
    """What a person says to "is the action there, from this moment to that one?" (ours)."""

    RIGHT = "right"
    """The action is there, and both ends are right."""
    MOVED = "moved"
    """The action is there; the person gives two ends."""
    ABSENT = "absent"
    """The action is not there."""
    UNSURE = "unsure"


class Split(StrEnum):
    """Which part of the benchmark a video belongs to, fixed when it is admitted (HACS csv names)."""

    TRAINING = "training"
    VALIDATION = "validation"
    TESTING = "testing"


class Status(StrEnum):
    """What may become of an asked clip."""

    OPEN = "open"
    """It wants one more answer."""
    SETTLED = "settled"
    UNSETTLED = "unsettled"
    """People do not agree, and nobody more is asked."""
    BROKEN = "broken"
    """It cannot be played or judged."""


class Strategy(StrEnum):
    """Why a clip was sent to people. The first three are those that HACS v3 (section 3) compared."""

    DISAGREEMENT = "disagreement"
    CONSENSUS = "consensus"
    RANDOM = "random"
    ENTROPY = "entropy"
    """One model alone is unsure: the textbook's active learning, kept to be compared with (ours)."""
    COVERAGE = "coverage"
    """Clips that stand for the others in the space of kept features (MaxHerding)."""
    UNSURE_COVERAGE = "unsure_coverage"
    """The same, where the committee is unsure (Uncertainty Herding)."""
    LOT = "lot"
    """Drawn by lot, but asked and spaced like a chosen clip: what a referee gives random (ours)."""
    CONTRADICTION = "contradiction"
    """All else contradicts the label that an imported dataset gives the clip (ours)."""
    SEGMENT = "segment"
    """A localizer is sure of a segment, and the members differ about it: its clips are asked as a set (ours)."""
    COMPANION = "companion"
    """A neighbour of a chosen clip, drawn by lot: it says how far an answer may be carried (ours)."""


def slug(category: str) -> str:
    """Return the fixed key of a category's display name: ``"Clean and jerk"`` becomes ``clean_and_jerk``.

    A name without a Latin letter gets the hash of its letters: spelling them in Latin is a matter of taste, and of the
    version of a table, and a key stays.

    Raises:
        WrongArguments: the name has no letter and no digit, or is too long.

    """
    # A Mac writes an accent of a file's name as a letter of its own.
    whole = unicodedata.normalize("NFC", category)
    key = re.sub(r"[^a-z0-9]+", "_", whole.lower()).strip("_")
    if not re.search("[a-z]", key) and any(letter.isalpha() for letter in category):
        key = f"name_{content_hash(*_words(category))}"
    if not key:
        raise WrongArguments(f"category {category!r}: has no letter and no digit to make a key of")
    return check_slug(key)


def _words(name: str) -> list[str]:
    """Return the words of a name in any script: letters, digits and the marks on them, without case."""
    spelled = unicodedata.normalize("NFKC", name.encode(errors="replace").decode()).casefold()
    return "".join(letter if unicodedata.category(letter)[0] in "LNM" else " " for letter in spelled).split()


def check_slug(key: str) -> str:
    """Return `key` if it is a category's key.

    Raises:
        WrongArguments: it holds anything but lower-case letters, digits and single underscores.

    """
    if not _SLUG.fullmatch(key) or len(key) > 80:
        raise WrongArguments(
            f"category {key!r}: want 1 to 80 of a-z, 0-9 and single underscores, e.g. 'clean_and_jerk'"
        )
    return key


@dataclass(frozen=True, order=True)
class Window:
    """One week of publication dates, Monday to Monday, UTC. Its key is the Monday on which it starts."""

    monday: date

    def __post_init__(self) -> None:
        if self.monday.weekday() != 0:
            raise WrongArguments(
                f"window {self.monday}: is a {self.monday:%A}, want the Monday on which the week starts"
            )
        if self.monday > date.max - timedelta(days=7):
            raise WrongArguments(f"window {self.monday}: ends outside the calendar, want an earlier one")

    @classmethod
    def parse(cls, key: str) -> "Window":
        """Read a window's key: ``2026-01-05``, or the same with midnight UTC behind it, ``2026-01-05T00:00:00``.

        Raises:
            WrongArguments: the key is written in any other way, or its date is no Monday.

        """
        try:
            match = _WINDOW.fullmatch(key)
            day = date.fromisoformat(match[1]) if match else None
        except ValueError:  # the 13th month
            day = None
        if day is None:
            raise WrongArguments(f"window {key!r}: is no date, want a Monday such as 2026-01-05")
        return cls(day)

    @classmethod
    def of(cls, moment: datetime) -> "Window":
        """Return the window that holds `moment`."""
        day = moment.astimezone(UTC).date()
        return cls(day - timedelta(days=day.weekday()))

    @property
    def start(self) -> datetime:
        """First instant of the window."""
        return datetime(self.monday.year, self.monday.month, self.monday.day, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """First instant after the window."""
        return self.start + timedelta(days=7)

    def need_ended(self, now: datetime) -> None:
        """Pass if the window has ended: what is published in an open one later would be in no dataset of it.

        Raises:
            WrongArguments: it has not.

        """
        if self.end > now:
            raise WrongArguments(f"window {self}: ends {self.end:%Y-%m-%d}, want one that has ended")

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def __str__(self) -> str:
        return self.monday.isoformat()


def clip_id(video_id: str, start_sec: float) -> str:
    """Return the identity of the clip of `video_id` that starts at `start_sec` on the proxy's clock."""
    return f"{video_id}:{round(start_sec * 1000)}"


def parse_clip_id(value: str) -> tuple[str, float]:
    """Return (video_id, start in seconds) of a clip's identity; the inverse of `clip_id`."""
    video_id, _, start_ms = value.rpartition(":")
    if not video_id or not start_ms.isdigit():
        raise WrongArguments(f"clip {value!r}: want video_id:start_ms, e.g. 3f2a9c01d4e5b677:15500")
    return video_id, int(start_ms) / 1000


def media_video_id(sha256: str) -> str:
    """Return the video_id of media with this SHA-256 (hex): the same bytes are the same video everywhere."""
    return sha256[:16]


def content_hash(*parts: str) -> str:
    """Return 16 hex digits that name these strings in this order."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def unit_hash(*parts: str) -> float:
    """Return a number in [0, 1) that is a fixed function of the strings: chance that repeats."""
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:7], "big") / 2**56


class Found(Protocol):
    """A row that says where a video was found."""

    @property
    def published_at(self) -> datetime | None:
        """Publication at the source."""

    @property
    def source(self) -> str:
        """Where it was found."""

    @property
    def source_id(self) -> str:
        """The source's own name of it."""


def admission_order(row: Found) -> tuple[datetime, str, str]:
    """Return the key by which the first of equal videos is chosen; undated ones come last."""
    return (row.published_at or datetime.max.replace(tzinfo=UTC), row.source, row.source_id)


def split_point(first_member: str) -> float:
    """Return where a near-duplicate group lies in [0, 1), from the hash of its first admitted member (ours)."""
    return unit_hash("split", first_member)


def split_at(point: float, *, validation_share: float, testing_share: float) -> Split:
    """Return the split of a group that lies at this point."""
    if point < testing_share:
        return Split.TESTING
    if point < testing_share + validation_share:
        return Split.VALIDATION
    return Split.TRAINING


def split_of(first_member: str, *, validation_share: float, testing_share: float) -> Split:
    """Return the split of a near-duplicate group."""
    point = split_point(first_member)
    return split_at(point, validation_share=validation_share, testing_share=testing_share)


def panel_key(weights: Iterable[str]) -> str:
    """Return the name of the weights that score one category: its part of a committee.

    A committee that only gains categories keeps the panels of the old ones, so nothing is asked twice (ours).
    """
    return "p" + content_hash(*sorted(weights))[:8]


def round_key(window: str, panel: str) -> str:
    """Return the key of a mining round: the clips of one window as one panel saw them.

    Naming a round by its inputs, and not by a counter, makes its address computable by anyone and the
    same however often and in whatever order the rounds are made (ours).
    """
    return f"{window}.{panel}"


def parse_round_key(key: str) -> tuple[Window, str]:
    """Return (window, panel) of a round's key."""
    window, _, panel = key.partition(".")
    if not panel:
        raise WrongArguments(f"round {key!r}: want window.panel, e.g. 2026-01-05.p3f2a9c01")
    return Window.parse(window), panel


def round_window(key: str) -> str:
    """Return the key of the window whose clips a round mines."""
    return str(parse_round_key(key)[0])


def moment(text: str) -> datetime:
    """Read an instant with its time zone, such as ``2026-01-05T00:00:00+00:00``.

    Raises:
        WrongArguments: it is none, or names no time zone.

    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise WrongArguments(f"moment {text!r}: want a time with its zone, e.g. 2026-01-05T00:00:00+00:00")
    return found
