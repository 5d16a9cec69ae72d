"""Are there people in a shot? Detectors behind one small interface; HACS v3 drops shots without people."""

from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from slac_tasks.errors import NotConfigured, WrongArguments

Frame = NDArray[np.uint8]

_CONFIDENT = 0.7
"""Score from which a Faster R-CNN box counts as a person (ours; the paper's is not known)."""


class Detector(Protocol):
    """Counts people."""

    def count(self, frame: Frame) -> int:
        """Return how many people an RGB frame of shape (height, width, 3) shows."""


class Hog:
    """OpenCV's histogram-of-gradients pedestrian detector: nothing to download, misses bent and half-hidden people."""

    _SIDE = 480

    def __init__(self) -> None:
        self._detector = cv2.HOGDescriptor()
        self._detector.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())

    def count(self, frame: Frame) -> int:
        """Return how many people the frame shows; small frames are enlarged, as a person must be 128 pixels tall."""
        scale = self._SIDE / min(frame.shape[:2])
        large = cv2.resize(frame, None, fx=scale, fy=scale)
        boxes, _ = self._detector.detectMultiScale(large, winStride=(8, 8), scale=1.05)
        return len(boxes)


class FasterRcnn:
    """Torchvision's Faster R-CNN on COCO, class person, as in HACS v3 (section 3)."""

    _PERSON = 1

    def __init__(self, weights: str) -> None:
        import torch
        from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights, fasterrcnn_resnet50_fpn

        self._torch = torch
        if weights:
            if not Path(weights).is_file():
                raise NotConfigured(f"proposal.people_weights: {weights!r} is no file, want Faster R-CNN weights")
            self._network: Any = fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
            self._network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        else:
            try:
                self._network = fasterrcnn_resnet50_fpn(weights=FasterRCNN_ResNet50_FPN_Weights.DEFAULT)
            except OSError as error:
                raise NotConfigured(
                    "proposal.people: the hub with Faster R-CNN weights is out of reach; "
                    "set proposal.people_weights to a file, or proposal.people to 'hog'"
                ) from error
        self._network.eval()

    def count(self, frame: Frame) -> int:
        """Return how many people the frame shows with confidence."""
        pixels = self._torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1).float() / 255
        with self._torch.inference_mode():
            found = self._network([pixels])[0]
        return int(((found["labels"] == self._PERSON) & (found["scores"] >= _CONFIDENT)).sum())


def detector(kind: str, weights: str = "") -> Detector | None:
    """Return the detector that the settings name; None when every shot is kept.

    Raises:
        WrongArguments: no detector has this name.
        NotConfigured: its weights are out of reach.

    """
    if kind == "none":
        return None
    if kind == "hog":
        return Hog()
    if kind == "faster_rcnn":
        return FasterRcnn(weights)
    raise WrongArguments(f"proposal.people: is {kind!r}, want none, hog or faster_rcnn")
