"""Canaries: made clips whose scores are known, sent through every scoring run among the real clips (ours).

A canary that comes back with another score than when the weights were first used means that clips were mixed up, or
that a device, a driver or a decoder-free part of the code computes differently. Nothing of that run is kept.
"""

import json
from collections.abc import Mapping

import numpy as np

from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.model import View
from slac_tasks.storage.objects import Store
from slac_tasks.video.clips import ClipAddress, Footage
from slac_tasks.video.frames import Pixels

COUNT = 2
TOLERANCE = 0.05
"""Most that a probability may move: bfloat16 against float32 moved none by half as much; another clip moves it more."""


_VIDEO = "canary"


def canary(index: int, views: list[View]) -> Footage:
    """Return one canary in every view."""
    name = f"canary:{index}"
    clip = ClipAddress(clip_id=name, video_id=_VIDEO, start_sec=0.0, proxy_128=name, proxy_256=name)
    return Footage(clips=(clip,), pixels={view: _pattern(index, view)[None] for view in views})


def is_canary(clip: ClipAddress) -> bool:
    """Return whether a clip is one of ours."""
    return clip.video_id == _VIDEO


def _pattern(index: int, view: View) -> Pixels:
    """Return waves that run over the frame, other ones for each index; the same pixels on every machine."""
    t, y, x, channel = np.meshgrid(
        np.arange(view.frames), np.arange(view.size), np.arange(view.size), np.arange(3), indexing="ij"
    )
    turns = (index + 2) * x / view.size + (3 - index) * y / view.size + (1 + channel) * (index + 1) * t / view.frames
    waves: Pixels = np.round(127.5 + 127.5 * np.sin(2 * np.pi * turns)).astype(np.uint8)
    return waves


def known(store: Store, weights: str) -> dict[str, list[float]] | None:
    """Return each canary's scores, in the order of the head's outputs, as these weights first gave them."""
    try:
        return dict(json.loads(store.get(_name(weights))))
    except NotMade:
        return None


def remember(store: Store, weights: str, scores: Mapping[str, list[float]]) -> None:
    """Keep the scores of the canaries; the first to do so stands."""
    store.create(_name(weights), json.dumps(scores).encode())


def check(weights: str, member: str, found: Mapping[str, list[float]], want: Mapping[str, list[float]]) -> None:
    """Compare what a run made of the canaries with what is known.

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
                "clips are mixed up, or this machine computes differently; nothing was written"
            )


def _name(weights: str) -> str:
    return f"canaries/{weights}.json"
