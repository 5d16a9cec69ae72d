"""What a pool asks of the program that decodes for it, and what it is answered."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from slac_tasks.model import View
from slac_tasks.video.frames import Pixels

UNDECODABLE = "undecodable"
"""Reason why a clip is lost: its file."""

NO_CARD, NO_TORCHCODEC = "no card", "no torchcodec"
"""Reasons why originals cannot be decoded so here, whatever they are."""


class Piece(NamedTuple):
    """Clips of one rendition in one batch, which are decoded together."""

    proxy: str
    """Name of the rendition in the store."""
    places: tuple[int, ...]
    """Their rows in the batch."""
    start_secs: tuple[float, ...]
    views: tuple[View, ...]
    """What they are decoded to."""


class Task(NamedTuple):
    """A piece, as a worker is given it."""

    path: Path
    slot: int
    piece: Piece


class Done(NamedTuple):
    """What a worker answers to a task."""

    lost: str = ""
    """Why the clips cannot be decoded; empty: they are."""
    reason: str = UNDECODABLE
    """The same in one of a few words, to be counted."""
    bug: str = ""
    """What went wrong that is no fault of the clips."""


Decode = Callable[[Path, Piece, Mapping[View, Pixels]], Done]
"""Decodes a piece into its rows of a slot."""
