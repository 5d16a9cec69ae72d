"""Dense features in a folder, as OpenTAD and ActionFormer read them.

    features/<video>.npy    (T, C), float16 or float32
    videos.jsonl            of each video its clock and shape (`Featured`), one line as soon as its features are there
    annotations.json        ActivityNet's layout, with `fps`, `frame` and `label_id`; only videos with features
    category_idx.txt        names of the categories, in the order of `label_id`
    missing_files.txt       names of the videos without features; missing.jsonl says why
    opentad.py              runs in OpenTAD as it is
    actionformer.yaml       runs in ActionFormer as it is, where the folder lies

Row i of a video stands for the moment (i + 1/2) * stride, in frames. OpenTAD subtracts `offset_frames` from a frame and
ActionFormer half of `num_frames`, before they divide by the stride. So the first is half a stride and the second is a
stride: the windows that the network saw are longer, but that is where they stand. OpenTAD's offset is a whole number,
so the stride is even.

Training videos without a segment are in the split `training_unlabelled`, since ActionFormer cannot learn from them.
"""

import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import TypeAlias

import numpy as np

from slac_tasks import json_lines
from slac_tasks.errors import BrokenContract, FullDiskAt, WrongArguments
from slac_tasks.localization.features import Clock, Dense
from slac_tasks.model import Split

FEATURES, VIDEOS, MISSING = "features", "videos.jsonl", "missing.jsonl"
ANNOTATIONS, CLASSES, BLOCKED = "annotations.json", "category_idx.txt", "missing_files.txt"
CONFIGS = ("opentad.py", "actionformer.yaml")
UNLABELLED = "training_unlabelled"
Segment: TypeAlias = tuple[str, float, float]
"""Category, start and end in seconds."""
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, kw_only=True)
class Featured:
    """A video whose features are in the folder."""

    name: str
    source: str
    """What it was made from: where that has changed, the features are made again."""
    network: str
    """Content hash of the weights that looked."""
    fps: float
    frames: int
    duration_sec: float
    stride_frames: int
    stride_sec: float
    offset_sec: float
    """Moment of the first row."""
    count: int
    """Number of rows, T."""
    dimensions: int
    """Of a row, C."""
    dtype: str

    @classmethod
    def of(cls, dense: Dense, *, source: str, network: str, dtype: str) -> "Featured":
        """Return what is known of features that are to be written."""
        clock: Clock = dense.clock
        count, dimensions = dense.values.shape
        return cls(
            name=dense.name, source=source, network=network, fps=clock.fps, frames=clock.frames,
            duration_sec=clock.duration_sec, stride_frames=clock.stride_frames, stride_sec=clock.stride_sec,
            offset_sec=clock.offset_sec, count=count, dimensions=dimensions, dtype=dtype,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """What is known of what a video shows."""

    split: Split
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A video without features."""

    name: str
    reason: str
    detail: str


def file_of(folder: Path, name: str) -> Path:
    """Return where a video's features lie."""
    return folder / FEATURES / f"{name}.npy"


def check_stride(stride_frames: int) -> None:
    """Refuse a stride that the tools cannot read.

    Raises:
        WrongArguments: it is not even, or not above 0.

    """
    if stride_frames < 2 or stride_frames % 2:
        raise WrongArguments(
            f"stride {stride_frames}: want an even number of frames above 0: OpenTAD's offset is half of it, and whole"
        )


def write_features(folder: Path, dense: Dense, about: Featured) -> None:
    """Write the features of a video, and the line that says what they are.

    Raises:
        BrokenContract: a feature is not finite, or too large for the type.

    """
    with np.errstate(over="ignore"):
        values = dense.values.astype(about.dtype)
    if not np.isfinite(values).all():
        largest = float(np.abs(dense.values).max())
        raise BrokenContract(f"features of {about.name}: up to {largest:g}, want finite numbers of {about.dtype}")
    path = file_of(folder, about.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    buffer = io.BytesIO()  # written to a file, `numpy.save` hides that the disk is full
    np.save(buffer, values)
    with FullDiskAt(path):
        part.write_bytes(buffer.getvalue())
    path.unlink(missing_ok=True)  # a line is of no other features than its own, whenever a kill comes
    json_lines.append(folder / VIDEOS, asdict(about))
    part.replace(path)


def featured(folder: Path) -> dict[str, Featured]:
    """Return the videos whose features are in a folder, by name; a line that a kill has torn is not there."""
    found: dict[str, Featured] = {}
    for said in json_lines.read(folder / VIDEOS):
        try:
            one = Featured(**said)
        except TypeError:
            continue
        if file_of(folder, one.name).exists():
            found[one.name] = one
    return found


def write_lists(
    folder: Path, videos: Iterable[Featured], labels: Mapping[str, Labelled], missing: Iterable[Missing], taught: str
) -> tuple[str, ...]:
    """Write all that is not of one video; what was there is replaced, and `videos.jsonl` only grows.

    Args:
        folder: where the features lie.
        videos: with features.
        labels: what they show; one that is not named is a training video without a segment.
        missing: the videos without features.
        taught: what looked and where the segments are from, in a sentence.

    Returns:
        The names of the config files, none where no training video has a segment.

    """
    have = sorted(videos, key=lambda one: one.name)
    shown = {one.name: list(_inside(_of(labels, one).segments, one.duration_sec)) for one in have}
    # ActionFormer wants as many classes as its annotations name.
    categories = sorted({category for found in shown.values() for category, *_ in found})
    lost = sorted(missing, key=lambda one: one.name)
    _write(folder / MISSING, (json.dumps(asdict(one), ensure_ascii=False) for one in lost))
    _write(folder / BLOCKED, (one.name for one in lost))
    _write(folder / CLASSES, categories)
    number = {category: place for place, category in enumerate(categories)}
    database = {one.name: _entry(one, _of(labels, one).split, shown[one.name], number) for one in have}
    text = json.dumps({"version": taught, "database": database}, ensure_ascii=False, indent=1)
    _write(folder / ANNOTATIONS, [text])
    subsets = [str(entry["subset"]) for entry in database.values() if entry["annotations"]]
    for name in CONFIGS:
        (folder / name).unlink(missing_ok=True)
    if Split.TRAINING not in subsets:
        return ()
    judged = next((split for split in (Split.VALIDATION, Split.TESTING) if split in subsets), Split.TRAINING)
    values = {
        "folder": folder.absolute(), "judged": judged.value, "categories": len(categories), "taught": taught,
        "dimensions": have[0].dimensions, "stride_frames": have[0].stride_frames,
        "offset_frames": have[0].stride_frames // 2, "window_frames": have[0].stride_frames,
    }  # fmt: skip
    for name in CONFIGS:
        template = Template((_TEMPLATES / f"{name}.txt").read_text(encoding="utf-8"))
        _write(folder / name, [template.substitute(values).rstrip("\n")])
    return CONFIGS


def _of(labels: Mapping[str, Labelled], one: Featured) -> Labelled:
    return labels.get(one.name, Labelled(split=Split.TRAINING))


def _entry(one: Featured, split: Split, shown: Sequence[Segment], number: Mapping[str, int]) -> dict[str, object]:
    """Return the entry of a video in the annotations."""
    hollow = split == Split.TRAINING and not shown
    return {
        "subset": UNLABELLED if hollow else str(split), "duration": one.duration_sec, "fps": one.fps,
        "frame": one.frames,
        "annotations": [
            {"label": category, "label_id": number[category], "segment": [start, end]}
            for category, start, end in shown
        ],
    }  # fmt: skip


def _inside(segments: Iterable[Segment], duration_sec: float) -> Iterator[Segment]:
    """Yield segments, cut at the end of their video; one that begins behind it is left out."""
    for category, start, end in segments:
        if start < min(end, duration_sec):
            yield category, start, min(end, duration_sec)


def _write(path: Path, lines: Iterable[str]) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")  # parts of the work may end in the same moment
    try:
        with FullDiskAt(path):
            part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
