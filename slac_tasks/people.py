"""Whether a shot shows people: no filter, OpenCV's HOG detector, or Faster R-CNN (HACS v3, section 3)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slac_tasks.errors import NotConfigured, WrongArguments
from slac_tasks.frames import read_frames

Counter = Callable[[NDArray[np.uint8]], int]
"""Number of people in an RGB frame, (h, w, 3)."""

_SCORE = 0.8
"""Faster R-CNN: a box below this score is not counted."""


def counter(name: str, weights: str, device: str) -> Counter | None:
    """Return the people filter `name`; None for `none`.

    Raises:
        WrongArguments: there is no such filter.
        NotConfigured: the filter needs weights that are not on this machine.

    """
    if name == "none":
        return None
    if name == "hog":
        return _hog()
    if name == "faster_rcnn":
        return _faster_rcnn(weights, device)
    raise WrongArguments(f"proposal.people {name!r}: want none, hog or faster_rcnn")


def in_shots(path: Path, spans: Sequence[tuple[float, float]], count: Counter) -> list[int]:
    """Return the most people on two frames of each shot, at one and two thirds of it."""
    times = [start + (end - start) * part for start, end in spans for part in (1 / 3, 2 / 3)]
    found = [count(frame) for frame in read_frames(path, times)]
    return [max(found[2 * index : 2 * index + 2]) for index in range(len(spans))]


def _hog() -> Counter:
    import cv2

    detector = cv2.HOGDescriptor()
    detector.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())

    def count(frame: NDArray[np.uint8]) -> int:
        # The detector's window is 64 x 128: people on a 256-pixel proxy are found at twice its size.
        scale = 480 / min(frame.shape[:2])
        image = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        boxes, _ = detector.detectMultiScale(image, winStride=(8, 8), scale=1.05)
        return len(boxes)

    return count


def _faster_rcnn(weights: str, device: str) -> Counter:
    import torch
    from torchvision.models.detection import (
        FasterRCNN_MobileNet_V3_Large_FPN_Weights,
        fasterrcnn_mobilenet_v3_large_fpn,
    )

    network: Any
    try:
        if weights:
            network = fasterrcnn_mobilenet_v3_large_fpn(weights=None, weights_backbone=None)
            network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        else:
            network = fasterrcnn_mobilenet_v3_large_fpn(weights=FasterRCNN_MobileNet_V3_Large_FPN_Weights.DEFAULT)
    except (OSError, RuntimeError) as error:
        where = weights or "the hub"
        raise NotConfigured(
            f"proposal.people_weights: no Faster R-CNN weights from {where}: {type(error).__name__}"
        ) from error
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    network.eval().to(where)

    def count(frame: NDArray[np.uint8]) -> int:
        with torch.inference_mode():
            image = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1).to(where).float() / 255
            (result,) = network([image])
        return int(((result["labels"] == 1) & (result["scores"] >= _SCORE)).sum())

    return count
