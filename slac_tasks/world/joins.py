"""Which videos a rehearsal joins: of which takes, in which order, retrieved for which action, and when (ours).

Everything here is a pure function of the takes and the seed; no video is opened.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from slac_tasks.model import content_hash
from slac_tasks.world import rehearsal
from slac_tasks.world.catalogue import WINDOWS, published
from slac_tasks.world.takes import Part, Take, shares

LEAST_SEC, MOST_SEC = 20.0, 120.0
"""How long a joined video is; one of a small part ends where its takes do."""
_ACTED = (0.15, 0.45)
"""Share of a video that its action takes, least and most: as in the generated world, most of it is something else."""
_BACKGROUND = 0.4
"""Share of the stretches between that are background, and not another action."""
_STILL_SEC = (2.0, 5.0)
"""A held picture stands for background where there is none: nobody acts in it."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch of a joined video."""

    take: Take
    still_sec: float = 0.0
    """So long its first picture is held; 0: it is played."""

    @property
    def seconds(self) -> float:
        """About how long it lasts."""
        return self.still_sec or self.take.play_sec


@dataclass(frozen=True, kw_only=True)
class Join:
    """A video that is joined."""

    category: str
    """The action that it is retrieved for."""
    source_id: str
    published_at: datetime
    part: Part
    pieces: tuple[Piece, ...]

    @property
    def location(self) -> str:
        """Path of the file in the rehearsal's folder."""
        return f"videos/{self.category}/{self.source_id}.mp4"

    @property
    def is_wrong(self) -> bool:
        """Whether its category's action does not occur."""
        return all(piece.still_sec or piece.take.action != self.category for piece in self.pieces)


def plan(
    parts: Sequence[Part], actions: Sequence[str], backgrounds: frozenset[str],
    *, seed: int, videos: int, wrong: float,
) -> list[Join]:  # fmt: skip
    """Return the videos of every action.

    Args:
        parts: the takes that a video may join, dealt to the splits.
        actions: what is rehearsed.
        backgrounds: classes that are none of the actions.
        seed: of every draw.
        videos: how many are retrieved for one action, over all windows.
        wrong: share of them in which it does not occur.

    """
    found = []
    for action in actions:
        used: Counter[str] = Counter()
        for number, (part, is_wrong) in enumerate(_slots(parts, action, seed, videos, wrong)):
            rng = np.random.default_rng((seed, 2, *action.encode(), number))
            source_id = content_hash("rehearsal", str(seed), action, str(number))[:11]
            found.append(
                Join(
                    category=action,
                    source_id=source_id,
                    published_at=published(WINDOWS[number % rehearsal.WINDOWS], source_id),
                    part=part,
                    pieces=_pieces(part, None if is_wrong else action, action, backgrounds, used, rng),
                )
            )
    return found


def _slots(parts: Sequence[Part], action: str, seed: int, videos: int, wrong: float) -> Iterator[tuple[Part, bool]]:
    """Yield (part, whether it is wrong) of each video of an action, in the order in which windows take turns.

    Both kinds are ordered by split, so that each window gets as much of each split and as many wrong ones. They are
    drawn evenly along that order, so that each split gets its share of the right ones to within one video.
    """
    rng = np.random.default_rng((seed, 3, *action.encode()))
    count = round(videos * wrong)
    # From training to testing: the first window, which a committee learns from, never lacks what trains.
    ordered = sorted(parts, key=lambda part: -part.point)
    for is_wrong, many in ((False, videos - count), (True, count)):
        weights = [1 / len(parts)] * len(parts) if is_wrong else shares(ordered, action)
        at = (np.arange(many) + rng.random()) / max(1, many) * (1 - 1e-9)
        chosen = [ordered[int(place)] for place in np.searchsorted(np.cumsum(weights), at, side="right")]
        if not is_wrong and many > 1:
            # However small its share is, what is tested on is there.
            chosen[-1] = next(part for part in reversed(ordered) if part.count(action))
        yield from ((part, is_wrong) for part in chosen)


def _pieces(
    part: Part, wanted: str | None, action: str, backgrounds: frozenset[str], used: Counter[str],
    rng: np.random.Generator,
) -> tuple[Piece, ...]:  # fmt: skip
    """Return the pieces of one video in their order; `wanted` is None for a wrong one. Counts what it uses."""
    own = _least_used([take for take in part.takes if take.action == action], used, rng)
    others = _least_used([take for take in part.takes if take.action != action], used, rng)
    footage = sum(take.play_sec for take in others) / (1 - _ACTED[1])
    length = min(float(np.exp(rng.uniform(np.log(LEAST_SEC), np.log(MOST_SEC)))), max(LEAST_SEC, footage))
    pieces: list[Piece] = []
    if wanted is not None:
        most = length * rng.uniform(*_ACTED)
        for take in own:
            if not pieces or _seconds(pieces) + take.play_sec <= most:
                pieces.append(Piece(take=take))
        length = max(length, _seconds(pieces) / _ACTED[1])
    between = {
        is_background: [take for take in others if (take.action in backgrounds) is is_background]
        for is_background in (True, False)
    }
    while _seconds(pieces) < length:
        is_background = rng.random() < _BACKGROUND
        if between[is_background]:
            pieces.append(Piece(take=between[is_background].pop(0)))
        else:
            pieces.append(Piece(take=others[int(rng.integers(len(others)))], still_sec=rng.uniform(*_STILL_SEC)))
    used.update(piece.take.name for piece in pieces if not piece.still_sec)
    return tuple(pieces[int(at)] for at in rng.permutation(len(pieces)))


def _seconds(pieces: Sequence[Piece]) -> float:
    return sum(piece.seconds for piece in pieces)


def _least_used(takes: Sequence[Take], used: Counter[str], rng: np.random.Generator) -> list[Take]:
    """Return takes in random order, those first that fewer videos have used."""
    order = rng.permutation(len(takes))
    return sorted((takes[int(at)] for at in order), key=lambda take: used[take.name])
