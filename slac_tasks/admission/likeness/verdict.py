"""Whether two videos are the same, or may be: the evidence of their motion, and how often chance gives as much (ours).

Videos of one room and person share a background, a person and the way she moves. So what counts is how often two
different videos of one scene agree as well as these two do:

- A pair that chance gives at most as often as LIMIT is *the same*: one of the two is dropped.
- A pair that agrees, but no better than chance may have it, is *related*: both are admitted, into one group, so that no
  split leaks. A copy that holds a pose, and shows no motion, is such a pair.
- A pair whose details differ is neither: one room alone ties nobody, and groups stay small.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from slac_tasks.admission.likeness.alignment import aligned
from slac_tasks.admission.likeness.details import Difference, difference
from slac_tasks.admission.likeness.fingerprints import Fingerprint

LIMIT = 5e-5
"""Of chance: up to twenty videos of its scene come near a video, and one video in 1,000 may be dropped wrongly."""
_NEAR_PAIRS = 0.05
"""Of pairs of real clips of one scene, with alike pictures, the share that leaves up to all of its motion unexplained
(8,000 pairs; the share that leaves up to s of it falls with the square of s, down to the last pair at .06)."""
_UNLIKE_MOTION, _UNLIKE_LEFT = 0.4, 0.8
"""More motion that differs, or that is left unexplained, is another video whatever the pictures say."""
_UNLIKE_PICTURES = 0.1
"""Two still videos of which more differs, as a share of their contrast, are two: a logo changes about so much."""
_NEAR_LEFT, _NEAR_PICTURES = 0.3, 0.02
"""With less left unexplained, or between still pictures, two videos are related, whatever their hashes say."""


class Strength(StrEnum):
    """How sure it is that two videos show the same."""

    SAME = "same"
    RELATED = "related"


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """That two videos show the same, or may do, and why."""

    strength: Strength
    rows: int
    """Half seconds of the shorter one."""
    alike: int
    """Of these, how many the longer one shows at the same place."""
    chance: float
    """How often two other videos of one scene agree as well."""

    def __str__(self) -> str:
        return f"{self.alike} of {self.rows} half seconds agree; chance gives as much in {_share(self.chance)}"


_RAREST = 1e-9
"""Below this no number means anything to a reader."""


def _share(chance: float) -> str:
    """Write how often two other videos of one scene agree as well, in words."""
    if chance < _RAREST:
        return f"fewer than 1 of {1 / _RAREST:,.0f} pairs of one scene"
    return f"1 of {float(f'{1 / chance:.1g}'):,.0f} pairs of one scene"


def compared(ours: Fingerprint, theirs: Fingerprint, *, max_distance: int, min_shared: float) -> Likeness | None:
    """Return how alike two videos are, or None; the rules are those of `aligned`."""
    rows = min(len(ours.rows), len(theirs.rows))
    differ = difference(ours.details, theirs.details)
    by_details = _chance(differ)
    if differ is not None and by_details <= LIMIT:
        return Likeness(strength=Strength.SAME, rows=rows, alike=differ.rows, chance=by_details)
    found = aligned(ours.rows, theirs.rows, max_distance=max_distance, min_shared=min_shared, good_enough=LIMIT)
    if found is not None and found.chance <= LIMIT:
        return Likeness(strength=Strength.SAME, rows=rows, alike=found.alike, chance=found.chance)
    if found is not None and not _unlike(differ):
        chance = min(found.chance, by_details)
        return Likeness(strength=Strength.RELATED, rows=rows, alike=found.alike, chance=chance)
    if differ is not None and _near(differ):
        return Likeness(strength=Strength.RELATED, rows=rows, alike=differ.rows, chance=by_details)
    return None


def _left(differ: Difference) -> float | None:
    """Return the share of motion that is left unexplained, the pictures' and the motion's own share both counted."""
    return None if differ.unexplained is None else math.sqrt(differ.unexplained * differ.motion)


def _chance(differ: Difference | None) -> float:
    """Return how often two other videos of one scene leave as little unexplained; each further movement must agree."""
    left = None if differ is None else _left(differ)
    if differ is None or left is None:
        return 1.0
    return min(1.0, _NEAR_PAIRS * math.pow(left, 1 + differ.patterns))


def _near(differ: Difference) -> bool:
    """Return whether two videos agree in detail, but not beyond chance."""
    left = _left(differ)
    return differ.pictures <= _NEAR_PICTURES if left is None else left <= _NEAR_LEFT


def _unlike(differ: Difference | None) -> bool:
    """Return whether details show two videos; without details nothing does."""
    if differ is None:
        return False
    left = _left(differ)
    if left is None:
        return differ.pictures > _UNLIKE_PICTURES
    return differ.motion > _UNLIKE_MOTION or left > _UNLIKE_LEFT
