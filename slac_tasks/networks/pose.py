"""MediaPipe's pose detector as a counter of people: BlazePose's first stage (Bazarevsky et al. 2020), run by LiteRT.

No package that can be installed beside ours holds its network: `mediapipe` did until 0.10.21, which needs a numpy below
2. So its file is given by hand, or the wheel of that version as it was downloaded. Both are Apache-2.0.
"""

import hashlib
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.given.folders import path_of

MEMBER = "mediapipe/modules/pose_detection/pose_detection.tflite"
"""The file in the wheel."""
SCORE = 0.5
"""A box below this score is not counted (MediaPipe's own)."""

_SIDE = 224
_STEPS = ((8, 2), (16, 2), (32, 6))
"""Pixels between anchors, and anchors at each place; an anchor is a point."""
_OVERLAP = 0.3
"""Two boxes that share more of their union show one person (MediaPipe's own)."""
_WHAT = "proposal.people_weights"
_WANT = f"want the file pose_detection.tflite of mediapipe, or the wheel of mediapipe 0.10.21 that holds it as {MEMBER}"

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Pose:
    """The network, ready to look."""

    interpreter: Any
    weights: str
    """16 hex digits of the SHA-256 of its file."""

    @classmethod
    def load(cls, weights: str) -> "Pose":
        """Return the network.

        Args:
            weights: path of the file, or of a wheel that holds it.

        Raises:
            NotConfigured: the extra `pose` is not installed, or there is no such file.
            BrokenContract: the file holds something else than this network.

        """
        if find_spec("ai_edge_litert") is None:
            raise NotConfigured(
                "proposal.people: pose needs the package ai-edge-litert; install the extra `pose` "
                "(uv pip install 'slac[pose]'), or set proposal.people to hog_faces, which needs nothing"
            )
        path = path_of(weights)
        if not weights or not os.path.isfile(path):
            lacks = f"no file {path}" if weights else "is empty, but proposal.people is pose"
            raise NotConfigured(f"{_WHAT}: {lacks}; {_WANT} (pip download --no-deps mediapipe==0.10.21)")
        from ai_edge_litert.interpreter import Interpreter

        data = _read(path)
        try:
            interpreter = Interpreter(model_content=data, num_threads=1)
            interpreter.allocate_tensors()
            found = [
                tuple(map(int, one["shape"])) for one in (*interpreter.get_input_details(), *_outputs(interpreter))
            ]
        except (ValueError, RuntimeError) as error:
            raise BrokenContract(f"{_WHAT}: {weights} is no network of LiteRT: {error}; {_WANT}") from error
        if found != (shapes := [(1, _SIDE, _SIDE, 3), (1, len(_ANCHORS), 12), (1, len(_ANCHORS), 1)]):
            raise BrokenContract(f"{_WHAT}: {weights} is another network: found {found}, want {shapes}; {_WANT}")
        return cls(interpreter=interpreter, weights=hashlib.sha256(data).hexdigest()[:16])

    def count(self, images: Sequence[NDArray[np.uint8]]) -> list[int]:
        """Return how many people are on each image; RGB, each (h, w, 3)."""
        return [len(people(*self._run(image))) for image in images]

    def _run(self, image: NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Return boxes (anchors, 12) and logits (anchors,) of an image."""
        self.interpreter.set_tensor(self.interpreter.get_input_details()[0]["index"], squared(image)[None])
        self.interpreter.invoke()
        boxes, logits = (self.interpreter.get_tensor(one["index"])[0] for one in _outputs(self.interpreter))
        return boxes, logits[:, 0]


def squared(image: NDArray[np.uint8]) -> Floats:
    """Return an image (h, w, 3) in the middle of a black square, in -1 to 1."""
    scale = _SIDE / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    square = np.full((_SIDE, _SIDE, 3), -1, np.float32)
    top, left = (_SIDE - height) // 2, (_SIDE - width) // 2
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    square[top : top + height, left : left + width] = small / np.float32(127.5) - 1
    return square


def people(boxes: Floats, logits: Floats) -> Floats:
    """Return one box for each person: (people, 4) of left, top, right, bottom in parts of the square.

    Args:
        boxes: (anchors, 12) in pixels: middle relative to the anchor, width, height, and points that are not used.
        logits: (anchors,).

    """
    sure = np.flatnonzero(logits > np.log(SCORE / (1 - SCORE)))
    sure = sure[np.argsort(-logits[sure], kind="stable")]
    middle = boxes[sure, :2] / _SIDE + _ANCHORS[sure]
    half = boxes[sure, 2:4] / (2 * _SIDE)
    found = np.concatenate([middle - half, middle + half], axis=1).astype(np.float32)
    chosen: list[int] = []
    for one in range(len(found)):
        if all(_overlap(found[one], found[other]) <= _OVERLAP for other in chosen):
            chosen.append(one)
    return found[chosen]


def _overlap(one: Floats, other: Floats) -> float:
    """Return which part of their union two boxes share."""
    shared = np.prod(np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0))
    union = np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared
    return float(shared / union) if union > 0 else 0.0


def _anchors() -> Floats:
    """Return the middles of the anchors (anchors, 2), x and y in parts of the square, in the network's order."""
    parts = []
    for step, number in _STEPS:
        places = (np.arange(_SIDE // step) + 0.5) * step / _SIDE
        y, x = np.meshgrid(places, places, indexing="ij")
        parts.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), number, axis=0))
    return np.concatenate(parts).astype(np.float32)


_ANCHORS = _anchors()


def _outputs(interpreter: Any) -> list[Any]:
    """Return boxes and scores, whichever comes first."""
    return sorted(interpreter.get_output_details(), key=lambda one: -int(one["shape"][-1]))


def _read(path: Path) -> bytes:
    """Return the bytes of the network's file, which may lie in a wheel."""
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    try:
        with zipfile.ZipFile(path) as wheel:
            return wheel.read(MEMBER)
    except (KeyError, zipfile.BadZipFile) as error:
        raise BrokenContract(f"{_WHAT}: {path} holds no {MEMBER}; {_WANT}") from error
