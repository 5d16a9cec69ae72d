"""Canaries: made clips whose scores are known, scored with every shard of real clips (ours).

A canary that comes back with another score than when the weights were first used means that clips were mixed up, or
that a device, a driver or a decoder-free part of the code computes differently. The shard is not stored.
"""

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.model import View
from slac_tasks.storage import notes
from slac_tasks.storage.store import Store
from slac_tasks.video.clips import ClipAddress, Footage
from slac_tasks.video.frames import Pixels

COUNT = 2
TOLERANCE = 0.05
"""Most that a probability may move: bfloat16 against float32 moved none by half as much; another clip moves it more."""

Scores = Mapping[str, list[float]]
"""By canary, in the order of the head's outputs."""

_VIDEO = "canary"
_PATTERN = 2
"""Version of what canaries show: scores of other pixels cannot be compared."""


def canary(index: int, views: Sequence[View]) -> Footage:
    """Return one canary in every view."""
    name = f"canary:{index}"
    clip = ClipAddress(clip_id=name, video_id=_VIDEO, start_sec=0.0, proxy_128=name, proxy_256=name)
    return Footage(clips=(clip,), pixels={view: _pattern(index, view)[None] for view in views})


def is_canary(clip: ClipAddress) -> bool:
    """Return whether a clip is one of ours."""
    return clip.video_id == _VIDEO


def _pattern(index: int, view: View) -> Pixels:
    """Return waves that run over the frame, other ones for each index; the same pixels on every machine.

    They run in two directions. The flow of a wave that is alone hangs on the last bit of what computes it.
    """
    t, y, x, channel = np.meshgrid(
        np.arange(view.frames), np.arange(view.size), np.arange(view.size), np.arange(3), indexing="ij"
    )
    now = (index + 1) * t / view.frames + channel / 8
    across = np.sin(2 * np.pi * (2 * (index + 2) * x / view.size + now))
    down = np.sin(2 * np.pi * (2 * (4 - index) * y / view.size - now))
    waves: Pixels = np.round(127.5 + 63.75 * (across + down)).astype(np.uint8)
    return waves


class Guard:
    """Compares what canaries score with what is known of them. The first use of weights makes it known."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Scores] = {}

    def check(self, weights: str, member: str, found: Scores, first: Callable[[], Scores]) -> None:
        """Compare the canaries' scores with what is known.

        Args:
            weights: the weights that scored.
            member: whose they are.
            found: what they score now.
            first: gives the scores that become known when nothing is.

        Raises:
            BrokenContract: a canary is missing, or its scores moved.

        """
        if weights not in self._known:
            self._known[weights] = self._read(weights) or self._write(weights, first())
        compare(weights, member, found, self._known[weights])

    def _read(self, weights: str) -> Scores:
        try:
            return notes.decoded(_name(weights), self._store.get(_name(weights)), dict, "scores of canaries")
        except NotMade:
            return {}

    def _write(self, weights: str, scores: Scores) -> Scores:
        """Store the scores; those of the first to do so stand."""
        return scores if self._store.create(_name(weights), json.dumps(scores).encode()) else self._read(weights)


def compare(weights: str, member: str, found: Scores, want: Scores) -> None:
    """Compare scores of canaries with those that are known.

    Raises:
        BrokenContract: one is missing, or its scores moved.

    """
    for name, scores in want.items():
        if name not in found:
            raise BrokenContract(f"weights {weights}: {name} came back without a score from {member}")
        moved = float(np.abs(np.subtract(found[name], scores)).max())
        # Not the other way round: a score that is no number passes no comparison.
        if not moved <= TOLERANCE:
            raise BrokenContract(
                f"weights {weights}: {member} scores {name} {moved:.3f} from what is known, want {TOLERANCE} at most: "
                "clips are mixed up, or this machine computes differently; the shard was not stored"
            )


def _name(weights: str) -> str:
    return f"canaries/{_PATTERN}/{weights}.json"
