"""Admit videos of a window over all its categories: each content once per category, each group in one split.

Reads: dataset fetched of every category in the window; ledger tables videos, admissions, tombstones.
Writes: ledger tables videos and admissions, then dataset videos of each category.
Safe to run again: the ledger is written in one transaction before the datasets and knows what was admitted.
"""

from dataclasses import dataclass, field
from typing import Any

from slac_tasks.config import Admission
from slac_tasks.datasets import FETCHED, VIDEOS
from slac_tasks.fingerprints import from_signed, shared_frames, to_signed
from slac_tasks.job import Job
from slac_tasks.model import admission_order, split_of
from slac_tasks.shelf import Drop, Manifest


@dataclass(kw_only=True)
class Known:
    """A video that was admitted: its group, its split and which windows hold it, by category."""

    video_id: str
    group_id: str
    split: str
    frame_hashes: list[int]
    windows: dict[str, str] = field(default_factory=dict)


class Admitter:
    """Decides about one fetched video after another, in order of admission. Pure: it reads and writes nothing."""

    def __init__(self, rules: Admission, window: str, known: list[Known], tombstones: set[str]) -> None:
        self.rules, self.window, self.tombstones = rules, window, tombstones
        self.known = {video.video_id: video for video in known}

    def decide(self, row: dict[str, Any], category: str) -> Known | Drop:
        """Return the video that `row` is, admitted for `category`; or why it is not."""
        video_id, item = row["video_id"], row["candidate_id"]
        if video_id in self.tombstones:
            return Drop(item=item, reason="taken down", detail=video_id)
        video = self.known.get(video_id)
        if video is not None and category in video.windows:
            if video.windows[category] == self.window:
                return video
            return Drop(item=item, reason="duplicate bytes", detail=f"{video_id} in {video.windows[category]}")
        alike = [other for other in self.known.values() if other.video_id != video_id and self._near(row, other)]
        for other in alike:
            if category in other.windows:
                return Drop(item=item, reason="near-duplicate", detail=other.video_id)
        if video is None:
            if len({other.split for other in alike}) > 1:
                # It would tie a training group to one that is tested: neither may move, so it stays out.
                return Drop(item=item, reason="leak", detail=" ".join(other.video_id for other in alike))
            video = self._admit(row, alike)
        video.windows[category] = self.window
        return video

    def _near(self, row: dict[str, Any], other: Known) -> bool:
        share = shared_frames(row["frame_hashes"], other.frame_hashes, max_distance=self.rules.max_hash_distance)
        return share >= self.rules.min_shared_frames

    def _admit(self, row: dict[str, Any], alike: list[Known]) -> Known:
        video_id = row["video_id"]
        if alike:
            group_id, split = alike[0].group_id, alike[0].split
        else:
            shares = {"validation_share": self.rules.validation_share, "testing_share": self.rules.testing_share}
            group_id, split = video_id, str(split_of(video_id, **shares))
        video = Known(video_id=video_id, group_id=group_id, split=split, frame_hashes=row["frame_hashes"])
        self.known[video_id] = video
        return video


def _known(job: Job) -> list[Known]:
    return [
        Known(
            video_id=row["video_id"],
            group_id=row["group_id"],
            split=row["split"],
            frame_hashes=from_signed(row["frame_hashes"]),
            windows=dict(zip(row["categories"], row["windows"], strict=True)),
        )
        for row in job.ledger.rows("known_videos")
    ]


def _record(job: Job, admitted: list[tuple[dict[str, Any], str, Known]], window: str) -> None:
    """Write what was admitted into the ledger; what it knows already stays as it is."""
    job.ledger.run_many(
        "add_video",
        [
            {
                "video_id": video.video_id,
                "media_sha256": row["media_sha256"],
                "group_id": video.group_id,
                "split": video.split,
                "frame_hashes": to_signed(video.frame_hashes),
            }
            for row, _, video in admitted
        ],
    )
    fields = ("candidate_id", "source", "source_id", "published_at", "video_id")
    job.ledger.run_many(
        "add_admission",
        [
            {**{name: row[name] for name in fields}, "category": category, "window": window}
            for row, category, _ in admitted
        ],
    )


def _unfinished(job: Job, window: str) -> dict[str, Manifest]:
    """Return the fetched manifests of the window's categories that have no videos dataset yet."""
    found = {}
    for keys in job.datasets.partitions(FETCHED, window=window):
        manifest = job.datasets.need(FETCHED, **keys)
        if not job.finished(VIDEOS, keys, inputs=[manifest], sections=("admission",)):
            found[keys["category"]] = manifest
    return found


def run(job: Job) -> None:
    """Admit the window's videos and write the datasets of its categories, the empty ones too."""
    window = job.need_window()
    inputs = _unfinished(job, window)
    fetched = [
        (row, category)
        for category in inputs
        for row in job.datasets.read(FETCHED, category=category, window=window).to_pylist()
    ]
    fetched.sort(key=lambda pair: (admission_order(pair[0]), pair[1]))
    drops: dict[str, list[Drop]] = {category: [] for category in inputs}
    admitted: list[tuple[dict[str, Any], str, Known]] = []
    with job.ledger.transaction():
        job.ledger.rows("lock_admission")
        tombstones = {row["video_id"] for row in job.ledger.rows("tombstones")}
        admitter = Admitter(job.config.admission, window, _known(job), tombstones)
        for row, category in fetched:
            decision = admitter.decide(row, category)
            if isinstance(decision, Drop):
                drops[category].append(decision)
            else:
                admitted.append((row, category, decision))
        _record(job, admitted, window)
    for category, manifest in inputs.items():
        records = [
            {name: {**row, "group_id": video.group_id, "split": video.split}[name] for name in VIDEOS.schema.names}
            for row, of, video in admitted
            if of == category
        ]
        keys = {"category": category, "window": window}
        job.finish(
            VIDEOS, [VIDEOS.rows(records)], keys, inputs=[manifest], sections=("admission",), drops=drops[category]
        )
