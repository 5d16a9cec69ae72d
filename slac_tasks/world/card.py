"""The world's card: what it promises, measured on its own videos.

The still-frame test looks at the worst case for the promise: a classifier that is told where the figure's action is,
and has one frame of it.
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.world import disk
from slac_tasks.world.catalogue import PAIRS, PLANTED, Catalogue, make_catalogue
from slac_tasks.world.figure import REST, Action, Figure, Performance
from slac_tasks.world.scene import HEIGHT, WIDTH

Floats = NDArray[np.float64]

CHANCE = 0.5
"""Of a pair, by guessing."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """Measured promises."""

    videos: int
    still_over_chance: float
    """Worst pair: accuracy of a nearest-neighbour classifier on one frame's pose, over chance; want at most 1.3."""
    motion_over_chance: float
    """Worst pair: the same classifier on the poses of eight frames in two seconds, for comparison."""
    not_action_least: float
    """Smallest share of a video that is not the action it was retrieved for; want at least 0.5."""
    wrong_share: float
    """Share of retrievals that do not contain their category's action; want at least 0.15."""
    planted_positive_share: float
    """Share of the planted bad category's videos that contain its action; want 0."""
    shared_places: float
    """Share of backgrounds in the world that serve more than one category; want most."""
    windows: int
    copies: int
    broken: int


def measure(folder: Path) -> Card:
    """Measure the card of the world in `folder`.

    Raises:
        BrokenContract: the folder holds a rehearsal.
        NotConfigured: there is no world.

    """
    try:
        stamp = json.loads((folder / disk.MARKER).read_text(encoding="utf-8"))
    except OSError as error:
        raise NotConfigured(f"world {folder}: no {disk.MARKER}, want a folder made by `slac world make`") from error
    if "size" not in stamp:
        raise BrokenContract(f"world {folder}: is a rehearsal, which promises nothing; want a generated world")
    return measure_catalogue(make_catalogue(stamp["seed"], stamp["size"]))


def measure_catalogue(catalogue: Catalogue) -> Card:
    """Measure the card of what a catalogue plans."""
    films = [entry for entry in catalogue.entries if not entry.broken and not entry.copy_of]
    places: dict[int, set[str]] = {}
    for entry in films:
        for shot in entry.script.shots:
            places.setdefault(shot.place, set()).add(entry.category)
    acted = [
        sum(s.end_sec - s.start_sec for s in entry.script.segments if s.action.key == entry.category)
        / entry.script.duration_sec
        for entry in films
    ]
    planted = [entry.contains for entry in films if entry.category == PLANTED.key]
    kinds = Counter("copy" if entry.copy_of else "broken" if entry.broken else "film" for entry in catalogue.entries)
    return Card(
        videos=len(films),
        still_over_chance=max(separation(pair, frames=1, seed=catalogue.seed) for pair in PAIRS) / CHANCE,
        motion_over_chance=min(separation(pair, frames=8, seed=catalogue.seed) for pair in PAIRS) / CHANCE,
        not_action_least=1 - max(acted),
        wrong_share=sum(not entry.contains for entry in films) / len(films),
        planted_positive_share=sum(planted) / len(planted),
        shared_places=sum(len(known) > 1 for known in places.values()) / len(places),
        windows=len({entry.published_at.date().isocalendar()[:2] for entry in catalogue.entries}),
        copies=kinds["copy"],
        broken=kinds["broken"],
    )


def separation(pair: tuple[Action, Action], *, frames: int, seed: int, clips: int = 400) -> float:
    """Return how often a classifier tells the actions of a pair apart, 0 to 1.

    It sees the exact angle of every joint in `frames` frames, a quarter of a second apart, of clips whose figures
    perform one of the two, and names the action of the most similar of the clips that it knows: fifteen nearest
    neighbours. Pixels hold no more than the pose does, so no classifier of pixels has an easier task.
    """
    rng = np.random.default_rng((seed, 50))
    known, asked = (_poses(pair, frames, clips, rng) for _ in range(2))
    distance = np.linalg.norm(asked[0][:, None] - known[0][None], axis=2)
    votes = known[1][np.argsort(distance, axis=1)[:, :15]].mean(axis=1) > 0.5
    return float((votes == asked[1].astype(bool)).mean())


def _poses(
    pair: tuple[Action, Action], frames: int, clips: int, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.int64]]:
    """Return (angles from the first to the last frame, shape (clips, frames x acting joints), which of the pair)."""
    which = rng.integers(0, 2, clips)
    joints = pair[0].joints if frames > 1 else tuple(REST)
    rows = []
    for choice in which:
        figure, play = Figure(rng, WIDTH, HEIGHT), Performance.of(pair[int(choice)], rng)
        poses = [figure.pose(frame * 0.25, play) for frame in range(frames)]
        angles = np.array([[pose[joint] for joint in joints] for pose in poses])
        # Over time the resting pose says nothing, so the moving classifier looks at changes from frame to frame.
        rows.append(np.sort(np.diff(angles, axis=0), axis=0).ravel() if frames > 1 else angles.ravel())
    return np.array(rows, dtype=np.float64), which


def render(card: Card) -> str:
    """Return the card as lines for people."""
    return "\n".join(
        f"{name:<24} {value:.3f}" if isinstance(value, float) else f"{name:<24} {value}"
        for name, value in asdict(card).items()
    )
