"""Edited copies of videos, as people upload them again."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.harness.videos import ffmpeg

EDITS: Mapping[str, Sequence[str]] = {
    "scale": ("-vf", "scale=192:-2", "-crf", "34"),
    "crop": ("-vf", "crop=trunc(iw*0.8/2)*2:trunc(ih*0.8/2)*2"),
    "logo": (
        "-vf",
        "drawbox=x=iw*0.04:y=ih*0.04:w=iw*0.25:h=ih*0.2:color=yellow:t=fill,"
        "drawbox=x=iw*0.07:y=ih*0.07:w=iw*0.1:h=ih*0.14:color=red:t=fill",
    ),
    "grey": ("-vf", "hue=s=0,eq=contrast=1.15:brightness=0.04"),
    "speed": ("-vf", "setpts=PTS/1.1"),
    "trim": (),
}
"""What is done to a copy, by name."""


def edited(path: Path, edit: str, seconds: float, target: Path) -> None:
    """Write an edited copy of a video of so many seconds."""
    cut = ["-ss", f"{0.2 * seconds + 0.137:.3f}"] if edit == "trim" else []
    length = ["-t", f"{0.55 * seconds:.3f}"] if edit == "trim" else []
    quality = [] if "-crf" in EDITS[edit] else ["-crf", "26"]
    ffmpeg(*cut, "-i", str(path), *length, *EDITS[edit], "-an", "-c:v", "libx264", "-preset", "ultrafast",
           "-pix_fmt", "yuv420p", *quality, str(target))  # fmt: skip
