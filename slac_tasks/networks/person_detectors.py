"""Whether a shot shows people (HACS v3, section 3: Faster R-CNN on two frames per shot).

Each detector of `REGISTRY` says how many frames of a shot it looks at. What they find and what they cost is measured by
`bench.people` and told beside the setting, `networks.settings.Proposal.people`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from slac_tasks.errors import NotConfigured
from slac_tasks.networks.pose import Pose
from slac_tasks.networks.settings import Proposal
from slac_tasks.video.frames import read_frames

Image = NDArray[np.uint8]
"""RGB, shape (h, w, 3)."""
Count = Callable[[Sequence[Image]], list[int]]
"""Number of people on each frame of one video."""

_FRAMES_AT_ONCE = 48
"""Frames held at a time: 17 MB at 256 x 455 pixels, however long the video is."""
_HOG_SIDE = 480
"""The HOG detector's window is 64 x 128 pixels: people on a 256-pixel rendition are found at about twice its size."""
_HOG_MARGIN = 0.5
"""How far beyond the plane the best window of a group lies: at 0 more shots without people pass (measured)."""
_CASCADE_SIDE = 256
"""Short side for the cascades: renditions of small originals are smaller (three shots of 24 fewer as they are)."""
_CASCADES: Mapping[str, int] = {"haarcascade_frontalface_alt2.xml": 3, "haarcascade_upperbody.xml": 4}
"""Cascades that the OpenCV wheel holds, and how many windows must agree (measured)."""


@dataclass(frozen=True, kw_only=True)
class Detector:
    """A people detector, ready to look."""

    name: str
    frames: int
    """Frames of a shot that it looks at."""
    count: Count
    weights: str = ""
    """Content hash of what it learned; empty for what OpenCV holds."""

    def in_shots(self, path: Path, spans: Sequence[tuple[float, float]]) -> list[int]:
        """Return the most people on any frame looked at in each shot; frames part a shot into equal stretches.

        Args:
            path: a rendition.
            spans: start and end of each shot, in seconds.

        Raises:
            BrokenContract: the file is no proxy or ends early.

        """
        parts = [(number + 1) / (self.frames + 1) for number in range(self.frames)]
        times = [start + (end - start) * part for start, end in spans for part in parts]
        found: list[int] = []
        for begin in range(0, len(times), _FRAMES_AT_ONCE):
            found += self.count(read_frames(path, times[begin : begin + _FRAMES_AT_ONCE]))
        return [max(found[begin : begin + self.frames]) for begin in range(0, len(found), self.frames)]


@dataclass(frozen=True)
class Opened:
    """What counts people, and the content hash of its weights."""

    count: Count
    weights: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A detector that the settings may name."""

    frames: int
    """Frames of a shot, unless the settings say otherwise."""
    open: Callable[[str, str], Opened]
    """Makes it from (path of weights or empty, device)."""


def detector(proposal: Proposal, device: str) -> Detector | None:
    """Return the detector that the settings name; None for `none`.

    Raises:
        NotConfigured: it needs weights that cannot be had.
        BrokenContract: the weights are not its own.

    """
    if proposal.people == "none":
        return None
    entry = REGISTRY[proposal.people]
    frames = proposal.people_frames or entry.frames
    opened = entry.open(proposal.people_weights, device)
    return Detector(name=proposal.people, frames=frames, count=opened.count, weights=opened.weights)


def _hog(_weights: str, _device: str) -> Opened:
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())

    def people(image: Image) -> int:
        _, margins = hog.detectMultiScale(_sized(image, _HOG_SIDE), winStride=(8, 8), scale=1.05)
        # Asked for in the call, the margin would come before windows are grouped, and leave groups too small to count.
        return int((np.asarray(margins) > _HOG_MARGIN).sum())

    return Opened(lambda images: [people(image) for image in images])


def _hog_faces(weights: str, device: str) -> Opened:
    hog = _hog(weights, device).count
    cascades = [
        (cv2.CascadeClassifier(cv2.data.haarcascades + name), windows - 1) for name, windows in _CASCADES.items()
    ]

    def people(image: Image) -> int:
        grey = cv2.equalizeHist(cv2.cvtColor(_sized(image, _CASCADE_SIDE), cv2.COLOR_RGB2GRAY))
        return max(len(cascade.detectMultiScale(grey, 1.1, neighbours)) for cascade, neighbours in cascades)

    # A person has a figure, a face and an upper body: the kinds are not added up.
    return Opened(lambda images: [max(pair) for pair in zip(hog(images), map(people, images), strict=True)])


def _sized(image: Image, side: int) -> Image:
    """Return an image with a short side of `side` pixels."""
    scale = side / min(image.shape[:2])
    resized: Image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    return resized


def _faster_rcnn(builder: str) -> Callable[[str, str], Opened]:
    def opened(weights: str, device: str) -> Opened:
        try:
            # torch takes seconds to import; `none` and HOG do without
            from slac_tasks.networks.faster_rcnn import FasterRcnn
        except ModuleNotFoundError as error:
            raise NotConfigured(
                f"proposal.people: the faster_rcnn detectors need {error.name}, which the image for processors lacks; "
                "want another detector, or the image with CUDA as SLAC_POD_IMAGE"
            ) from error

        network = FasterRcnn.load(builder, weights, device)
        return Opened(network.count, network.weights)

    return opened


def _pose(weights: str, _device: str) -> Opened:
    network = Pose.load(weights)
    return Opened(network.count, network.weights)


REGISTRY: Mapping[str, Entry] = {
    "hog": Entry(frames=2, open=_hog),
    "hog_faces": Entry(frames=2, open=_hog_faces),
    "pose": Entry(frames=2, open=_pose),
    "faster_rcnn": Entry(frames=2, open=_faster_rcnn("fasterrcnn_resnet50_fpn")),
    "faster_rcnn_v2": Entry(frames=2, open=_faster_rcnn("fasterrcnn_resnet50_fpn_v2")),
    "faster_rcnn_mobilenet": Entry(frames=2, open=_faster_rcnn("fasterrcnn_mobilenet_v3_large_fpn")),
}
"""The detectors: OpenCV's, with nothing to download, MediaPipe's and torchvision's, which need weights."""
