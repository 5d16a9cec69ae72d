"""What a video shows, planned before a pixel is drawn: shots, who acts when, and the cluttered places around them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from slac_tasks.world.figure import Action, Colour, Figure, Image, Performance

WIDTH, HEIGHT, FPS = 160, 120, 24
CLUTTER = 0.4
"""Contrast of backgrounds: 0 is plain grey, 1 as contrasty as the figure."""
PLACES = 60
"""Backgrounds in the world. Every category draws from the same ones, so a place says nothing about the action."""
_FADE = 10
"""Frames that a fade takes on each side of a cut."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """An action from `start_sec` until `end_sec` on the video's clock."""

    start_sec: float
    end_sec: float
    action: Action


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A stretch without a cut, in one place."""

    start_sec: float
    end_sec: float
    place: int
    people: bool
    fades: bool
    """Fades in from black and out to black; else it cuts."""
    segments: tuple[Segment, ...]


@dataclass(frozen=True, kw_only=True)
class Script:
    """The plan of one video."""

    seed: tuple[int, ...]
    """Seeds everything that is drawn."""
    duration_sec: float
    shots: tuple[Shot, ...]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Every action in the video, in order."""
        return tuple(segment for shot in self.shots for segment in shot.segments)


def write_script(
    seed: tuple[int, ...], duration_sec: float, wanted: Action | None, others: Sequence[Action], most: float = 0.46
) -> Script:
    """Plan an untrimmed video.

    Args:
        seed: makes the plan repeat.
        duration_sec: length of the video.
        wanted: the action that the video was retrieved for; None plans a wrong retrieval.
        others: actions that also occur.
        most: largest share of the video that `wanted` may take.

    Returns:
        A plan in which `wanted`, when given, occurs for at least three seconds and at most the share `most`.

    """
    rng = np.random.default_rng((*seed, 1))
    shots: list[Shot] = []
    now, left, waiting = 0.0, duration_sec * most, wanted is not None
    while now < duration_sec - 1e-9:
        length = float(round(rng.uniform(5, 9) * FPS)) / FPS
        end = duration_sec if duration_sec - now - length < 5 else now + length
        last = end >= duration_sec
        people = bool(rng.random() > 0.18) or (waiting and (last or duration_sec - end < 6)) or duration_sec < 5
        segments: list[Segment] = []
        clock = now + rng.uniform(0.2, 1.0)
        while people and clock + 2.5 <= end:
            stop = min(end, clock + rng.uniform(2.5, 5.0))
            chosen = others[int(rng.integers(len(others)))]
            if wanted is not None and left >= 2.5 and (waiting or rng.random() < 0.7):
                chosen, stop, waiting = wanted, min(stop, clock + left), False
                left -= stop - clock
            segments.append(Segment(start_sec=clock, end_sec=stop, action=chosen))
            clock = stop + rng.uniform(0.4, 1.4)
        shots.append(
            Shot(
                start_sec=now, end_sec=end, people=people, place=int(rng.integers(PLACES)),
                fades=bool(rng.random() < 0.2), segments=tuple(segments),
            )
        )  # fmt: skip
        now = end
    return Script(seed=seed, duration_sec=duration_sec, shots=tuple(shots))


def trimmed_script(seed: tuple[int, ...], duration_sec: float, action: Action) -> Script:
    """Plan a clip in which one action fills every frame."""
    rng = np.random.default_rng((*seed, 1))
    segment = Segment(start_sec=0.0, end_sec=duration_sec, action=action)
    place = int(rng.integers(PLACES))
    shot = Shot(start_sec=0.0, end_sec=duration_sec, place=place, people=True, fades=False, segments=(segment,))
    return Script(seed=seed, duration_sec=duration_sec, shots=(shot,))


def place(world_seed: int, index: int) -> Image:
    """Paint a background twice the frame's size, so that the camera can pan over it."""
    rng = np.random.default_rng((world_seed, 2, index))
    height, width = HEIGHT * 2, WIDTH * 2
    coarse = rng.integers(0, 255, (int(rng.integers(4, 12)), int(rng.integers(5, 16)), 3)).astype(np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(int(rng.integers(15, 50))):
        colour = _colour(rng)
        x, y = int(rng.integers(width)), int(rng.integers(height))
        kind = rng.integers(3)
        if kind == 0:
            cv2.rectangle(image, (x, y), (x + int(rng.integers(5, 60)), y + int(rng.integers(5, 60))), colour, -1)
        elif kind == 1:
            cv2.circle(image, (x, y), int(rng.integers(3, 25)), colour, -1)
        else:
            end = (int(rng.integers(width)), int(rng.integers(height)))
            cv2.line(image, (x, y), end, colour, int(rng.integers(1, 6)))
    plain = np.full_like(image, int(rng.integers(60, 200)))
    return np.asarray(cv2.addWeighted(image, CLUTTER, plain, 1 - CLUTTER, 0), dtype=np.uint8)


def _colour(rng: np.random.Generator) -> Colour:
    blue, green, red = (int(v) for v in rng.integers(0, 255, 3))
    return blue, green, red


class _Mover:
    """A distractor: a disc or a box that crosses the frame and bounces off its edges."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.x, self.y = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
        self.dx, self.dy = (float(v) / FPS for v in rng.uniform(-35, 35, 2))
        self.radius, self.colour, self.round = int(rng.integers(3, 9)), _colour(rng), bool(rng.integers(2))

    def step(self, image: Image) -> None:
        """Move by one frame and draw."""
        self.x, self.y = self.x + self.dx, self.y + self.dy
        self.dx = -self.dx if not 0 <= self.x <= WIDTH else self.dx
        self.dy = -self.dy if not 0 <= self.y <= HEIGHT else self.dy
        x, y = int(self.x), int(self.y)
        if self.round:
            cv2.circle(image, (x, y), self.radius, self.colour, -1)
        else:
            cv2.rectangle(image, (x, y), (x + self.radius, y + self.radius), self.colour, -1)


class Stage:
    """One shot being drawn, frame by frame."""

    def __init__(self, shot: Shot, rng: np.random.Generator, backdrop: Image) -> None:
        self._shot, self._backdrop = shot, backdrop
        self._pan = (rng.uniform(0.3, 0.7, 2) * (WIDTH, HEIGHT), rng.uniform(-4, 4, 2))
        self._figure = Figure(rng, WIDTH, HEIGHT) if shot.people else None
        self._movers = [_Mover(rng) for _ in range(int(rng.integers(1, 4)))]
        self._plays = [(segment, Performance.of(segment.action, rng)) for segment in shot.segments]
        self._current: Performance | None = None
        self._held: tuple[str, ...] | None = None

    def frame(self, index: int, frames: int) -> Image:
        """Return frame `index` of the shot's `frames`, BGR, shape (HEIGHT, WIDTH, 3)."""
        time_sec = index / FPS
        start, speed = self._pan
        left, top = np.clip(start + speed * time_sec, 0, (WIDTH, HEIGHT)).astype(int)
        image = self._backdrop[top : top + HEIGHT, left : left + WIDTH].copy()
        if self._figure:
            now = self._shot.start_sec + time_sec
            playing = next((p for segment, p in self._plays if segment.start_sec <= now < segment.end_sec), None)
            if playing is not None and playing is not self._current:
                self._figure.settle()
            self._current = playing
            if playing is not None:
                self._held = playing.action.joints
            self._figure.draw(image, self._figure.pose(time_sec, playing), time_sec, self._held)
        for mover in self._movers:
            mover.step(image)
        if self._shot.fades:
            light = min(1.0, (index + 1) / _FADE, (frames - index) / _FADE)
            if light < 1:
                image = cv2.convertScaleAbs(image, alpha=light)
        return image
