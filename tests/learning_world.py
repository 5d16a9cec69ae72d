"""A few tiny videos, a store and their clips: what the learning stages need to run for real."""

from pathlib import Path

import av
import numpy as np
from released import finish, released

from slac_tasks.config import Config
from slac_tasks.job import Job
from slac_tasks.model import clip_id
from slac_tasks.networks.committees import committee_key
from slac_tasks.networks.settings import Committee
from slac_tasks.storage.datasets import CLIPS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets
from slac_tasks.training.settings import Training

WINDOW = "2026-01-05"
MEMBERS = ("small_frame", "small_3d", "small_motion")
SECONDS = 6


def draw(path: Path, *, colour: tuple[int, int, int], speed: int, seconds: int = SECONDS, grey: int = 90) -> None:
    """Write a square of `colour` that moves by `speed` pixels a frame over `grey`, 64 x 48 at 24 fps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast", "g": "24", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(24 * seconds):
            image = np.full((48, 64, 3), grey, np.uint8)
            left = (number * speed) % 48
            image[16:32, left : left + 16] = colour
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


class LearningWorld:
    """A store in `folder`, filled category by category."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = FolderStore(folder / "store")
        self.datasets = Datasets(self.store)

    def config(self, **committee: object) -> Config:
        settings = {"members": MEMBERS, "pretrained": "random", "steps": 3, "batch": 4, "clips_per_video": 2}
        training = Training(
            architecture="small_3d", steps=3, batch=4, transfer=str(self.folder / "transfer"), transfer_labels=(2,),
            transfer_steps=2, transfer_seeds=2, transfer_tune=False,
        )  # fmt: skip
        return Config(
            store_url=self.store.url, device="cpu", committee=Committee(**{**settings, **committee}), training=training
        )

    def job(self, stage: str, **given: object) -> Job:
        config = given.pop("config", None) or self.config()
        own = {name: given.pop(name) for name in ("categories", "remake") if name in given}
        return Job(stage=stage, config=config, environ={}, given=given, **own)

    def recipe(self, *categories: str, parent: str | None = None, words: str | None = None, **committee: object) -> str:
        """Return the id of the committee that bootstrap trains for these categories."""
        return committee_key(parent, WINDOW, categories, self.config(**committee).committee, words)

    def add_category(
        self, category: str, *, videos: int = 2, reverse: bool = False, split: str = "training"
    ) -> list[dict]:
        """Draw `videos` videos of a category, write its clips and return their rows."""
        number = sum(map(ord, category))
        rows = []
        for index in range(videos):
            video_id = f"{category[:8]}{index:08d}".ljust(16, "0")
            name = f"media/{video_id}/0000000000000000-128.mp4"
            path = self.folder / "drawn.mp4"
            draw(path, colour=(number % 255, 40 * index, 255 - number % 255), speed=1 + number % 4)
            self.store.put_file(name, path)
            for step in range(4):
                rows.append(
                    {
                        "clip_id": clip_id(video_id, step * 1.0), "video_id": video_id, "start_sec": step * 1.0,
                        "end_sec": step * 1.0 + 2, "split": split, "proxy_128": name, "proxy_256": name, "shot": 0,
                        "people": None,
                    }
                )  # fmt: skip
        rows = rows[::-1] if reverse else rows
        keys = {"category": category, "window": WINDOW}
        self.datasets.write(CLIPS, [CLIPS.from_records(rows)], keys=keys, stage="propose", settings={}, made_from={})
        return rows

    def add_release(self, clips: dict[str, list[dict]]) -> None:
        """Release r0001: clips answered in turn yes and no; the last video of each category is testing."""
        rows = []
        for category, found in clips.items():
            last = max(row["video_id"] for row in found)
            for index, row in enumerate(found):
                split = "testing" if row["video_id"] == last else "training"
                media = {name: row[name] for name in ("proxy_128", "proxy_256")}
                answer = {"category": category, "label": 1 if index % 2 else -1}
                rows.append(released(row["video_id"], row["start_sec"], split=split, **answer, **media))
        finish(self.datasets, "r0001", rows)

    def add_transfer(self) -> None:
        for split in ("train", "test"):
            for number, name in enumerate(("left", "right")):
                for index in range(2):
                    path = self.folder / "transfer" / split / name / f"{index}.mp4"
                    draw(path, colour=(200, 200 * number, index), speed=1 + 3 * number, seconds=2)
