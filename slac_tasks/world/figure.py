"""An articulated figure, and actions that only motion tells apart.

An action is (joints, time profile). Every joint that does not act holds a random static pose, and all profiles spend
equal time at every angle, so one frame says nothing about the profile: two actions of the same joints are a
motion pair. As archery has its bow, the actions of the same joints have an object, which the figure goes on holding
while it rests: a frame may tell what kind of action is near, never which of a pair, nor whether it goes on (ours).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from slac_tasks.model import slug, unit_hash

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

REST: Mapping[str, tuple[float, float]] = {
    # joint: range of its resting pose, radians (hop: share of the figure's size)
    "left_arm": (-2.4, 2.4),
    "right_arm": (-2.4, 2.4),
    "left_elbow": (-1.2, 1.2),
    "right_elbow": (-1.2, 1.2),
    "left_leg": (-0.8, 0.3),
    "right_leg": (-0.3, 0.8),
    "torso": (-0.3, 0.3),
    "body": (-0.12, 0.12),
    "head": (-0.5, 0.5),
}
AMPLITUDE: Mapping[str, float] = {
    # joint: how far it moves to each side of its resting pose, same units
    "left_arm": 1.2,
    "right_arm": 1.2,
    "left_elbow": 1.1,
    "right_elbow": 1.1,
    "left_leg": 0.8,
    "right_leg": 0.8,
    "torso": 0.55,
    "body": 0.18,
    "head": 0.8,
}
_MIRRORED = frozenset({"right_arm", "right_elbow", "right_leg"})
_RISE = 0.8
"""Share of a period that the slow side of a saw takes."""

PROFILES: Mapping[str, float] = {"slow_swing": 0.5, "fast_swing": 1.1, "lift": 0.6, "drop": 0.6}
"""Time profiles and their frequency in hertz."""


def profile(name: str, turns: float) -> float:
    """Return where a profile stands after `turns` periods, -1 to 1; its values are uniform over a period.

    A swing goes evenly to and fro; a lift rises slowly and snaps back; a drop is a lift played backwards.
    """
    phase = turns % 1.0
    if name.endswith("swing"):
        return 4 * abs(phase - 0.5) - 1
    rising = 2 * phase / _RISE - 1 if phase < _RISE else 1 - 2 * (phase - _RISE) / (1 - _RISE)
    return rising if name == "lift" else -rising


@dataclass(frozen=True, kw_only=True)
class Action:
    """What a class is: the joints that move, and how."""

    joints: tuple[str, ...]
    profile: str

    def __post_init__(self) -> None:
        if not self.joints or not set(self.joints) <= set(REST) or self.profile not in PROFILES:
            raise ValueError(f"action {self.joints} {self.profile!r}: want joints of {list(REST)} and {list(PROFILES)}")

    @property
    def name(self) -> str:
        """Display name: ``Fast left arm swing``, ``Left leg lift``."""
        limb = " and ".join(joint.replace("_", " ") for joint in self.joints)
        words = f"{self.profile[:4]} {limb} swing" if self.profile.endswith("swing") else f"{limb} {self.profile}"
        return words.capitalize()

    @property
    def key(self) -> str:
        """The category's key: ``fast_left_arm_swing``."""
        return slug(self.name)

    def is_paired(self, other: "Action") -> bool:
        """Return whether only the time profile tells the two apart."""
        return self.joints == other.joints and self.profile != other.profile


@dataclass(frozen=True, kw_only=True)
class Performance:
    """An action as somebody does it once."""

    action: Action
    hertz: float
    phase: float

    @classmethod
    def of(cls, action: Action, rng: np.random.Generator) -> "Performance":
        """Do `action` at a random moment of its period, up to a tenth faster or slower than usual."""
        return cls(action=action, hertz=PROFILES[action.profile] * rng.uniform(0.9, 1.1), phase=rng.random())

    def offsets(self, time_sec: float) -> dict[str, float]:
        """Return how far each acting joint is from its resting pose."""
        value = profile(self.action.profile, self.hertz * time_sec + self.phase)
        both = len(self.action.joints) > 1
        return {
            joint: (-1 if both and joint in _MIRRORED else 1) * AMPLITUDE[joint] * value for joint in self.action.joints
        }


class Figure:
    """One figure in one shot: its size, place, colours and resting pose."""

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        self._rng = rng
        self.size = height * rng.uniform(0.36, 0.44)
        self.x = width * rng.uniform(0.4, 0.6)
        self.y = height * rng.uniform(0.5, 0.56)
        self.drift = rng.uniform(-2, 2)
        self.thickness = max(2, round(self.size * rng.uniform(0.13, 0.18)))
        self.colours: list[Colour] = [_vivid(rng) for _ in range(4)]
        self._sway = {joint: (rng.uniform(0.2, 0.5) * math.tau, rng.uniform(0, math.tau)) for joint in REST}
        self.settle()

    def settle(self) -> None:
        """Take another random resting pose."""
        self.rest = {joint: self._rng.uniform(low, high) for joint, (low, high) in REST.items()}

    def pose(self, time_sec: float, performance: Performance | None) -> dict[str, float]:
        """Return every joint's angle: rest, a faint sway, and the action's motion."""
        offsets = performance.offsets(time_sec) if performance else {}
        return {
            joint: self.rest[joint]
            + (offsets[joint] if joint in offsets else 0.04 * AMPLITUDE[joint] * math.sin(rate * time_sec + phase))
            for joint, (rate, phase) in self._sway.items()
        }

    def draw(
        self, image: Image, pose: Mapping[str, float], time_sec: float, held: tuple[str, ...] | None = None
    ) -> None:
        """Draw the figure into a BGR image, with the object of the actions of the joints `held`, if any."""
        size, thin = self.size, self.thickness
        body, legs, arms, face = self.colours
        hip = (self.x + self.drift * time_sec, self.y - pose["body"] * size * 1.5 + size * 0.3)
        neck = _limb(image, hip, math.pi + pose["torso"], size * 0.75, body, thin * 2)
        for side, name in ((-1, "left"), (1, "right")):
            angle = pose[f"{name}_leg"]
            start = (hip[0] + side * size * 0.1, hip[1])
            knee = _limb(image, start, side * 0.2 + angle, size * 0.45, legs, thin)
            _limb(image, knee, side * 0.1 + angle * 0.6, size * 0.45, legs, thin)
            angle = side * 1.2 + pose[f"{name}_arm"]
            start = (neck[0] + side * size * 0.12, neck[1] + size * 0.05)
            elbow = _limb(image, start, angle, size * 0.36, arms, thin)
            _limb(image, elbow, angle + pose[f"{name}_elbow"], size * 0.34, arms, thin)
        tilt = pose["head"] + pose["torso"]
        head = (neck[0] - math.sin(tilt) * size * 0.2, neck[1] - math.cos(pose["head"]) * size * 0.2)
        cv2.circle(image, _fixed(head), round(size * 0.15 * 4), face, -1, cv2.LINE_AA, 2)
        if held:
            _object(image, held, ((hip[0] + neck[0]) / 2, (hip[1] + neck[1]) / 2), size * 0.17)


def _vivid(rng: np.random.Generator) -> Colour:
    """A colour whose channels are each near dark or near bright."""
    blue, green, red = (int(v) for v in rng.integers(0, 2, 3) * 200 + rng.integers(0, 55, 3))
    return blue, green, red


def _object(image: Image, joints: tuple[str, ...], middle: tuple[float, float], radius: float) -> None:
    """Draw what actions of these joints are done with: a form and a colour of their own, in a dark rim."""
    turn = unit_hash("object", *joints)
    corners = 3 + int(turn * 4)
    hue = np.array([[[int(unit_hash("colour", *joints) * 180), 255, 255]]], dtype=np.uint8)
    blue, green, red = (int(value) for value in cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0])
    points = [
        (middle[0] + radius * math.sin(math.tau * k / corners), middle[1] - radius * math.cos(math.tau * k / corners))
        for k in range(corners)
    ]
    shape = np.array([_fixed(point) for point in points], dtype=np.int32)
    cv2.fillPoly(image, [shape], (blue, green, red), cv2.LINE_AA, 2)
    cv2.polylines(image, [shape], True, (0, 0, 0), 1, cv2.LINE_AA, 2)


def _fixed(point: tuple[float, float]) -> tuple[int, int]:
    """Quarter-pixel coordinates, as OpenCV's `shift=2` wants them."""
    return int(point[0] * 4), int(point[1] * 4)


def _limb(
    image: Image, start: tuple[float, float], angle: float, length: float, colour: Colour, thickness: int
) -> tuple[float, float]:
    """Draw a limb that hangs from `start`, `angle` radians from straight down; return where it ends."""
    end = (start[0] + length * math.sin(angle), start[1] + length * math.cos(angle))
    cv2.line(image, _fixed(start), _fixed(end), colour, thickness, cv2.LINE_AA, 2)
    return end
