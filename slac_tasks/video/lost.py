"""Why a clip has no pixels, and how its video is set aside."""

from typing import NamedTuple

from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.storage.manifests import Drop
from slac_tasks.video.pieces import NO_CARD, NO_TORCHCODEC, UNDECODABLE

MISSING = "no rendition"
"""The store does not hold its file. A takedown removes the bytes at once."""

DIED, HUNG = "decoder died", "decoder hung"
"""What became of the processes that read it, twice."""

_PASSING = {MISSING, DIED, HUNG, NO_CARD, NO_TORCHCODEC}
"""Reasons that a later try may not meet."""


class Lost(NamedTuple):
    """Why a clip has no pixels."""

    reason: str
    """One of a few, to be counted."""
    detail: str

    @classmethod
    def of(cls, error: BrokenContract) -> "Lost":
        """Return what became of a clip whose file cannot be opened or decoded."""
        return cls(MISSING if isinstance(error, NotMade) else UNDECODABLE, str(error))

    def drop(self, video_id: str) -> Drop:
        """Return how the video is set aside."""
        return Drop(item=video_id, reason=self.reason, detail=self.detail, retryable=self.reason in _PASSING)
