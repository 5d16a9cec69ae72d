"""Admit videos of a window over all its categories: each content once per category, each group in one split.

Videos of other benchmarks' validation and test sets stay out, and so does what shows the same.

Reads: datasets candidates and fetched of every category in the window; ledger tables videos, admissions, tombstones,
excluded_names and excluded_media.
Writes: ledger tables videos, admissions and tombstones, then dataset videos of each category.
Safe to run again: the ledger is written in one transaction before the datasets and knows what was admitted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slac_tasks.admission.exclusions.registry import EXCLUDED, excluded_by_name, excluded_videos
from slac_tasks.admission.likeness.archive import Archive
from slac_tasks.admission.likeness.lookalikes import stored
from slac_tasks.admission.settings import Admission
from slac_tasks.admission.withdrawals import leave_out
from slac_tasks.job import Job, say
from slac_tasks.model import Split, admission_order, split_of
from slac_tasks.storage.datasets import CANDIDATES, FETCHED, VIDEOS
from slac_tasks.storage.manifests import Drop, Manifest

_STRICTNESS = (Split.TRAINING, Split.VALIDATION, Split.TESTING)
"""Where groups meet, the members of the weaker split leave."""
_LEAK = "leak"


@dataclass(kw_only=True)
class Known:
    """A video that was admitted: its group, its split and which windows hold it, by category."""

    video_id: str
    group_id: str
    split: str
    windows: dict[str, str] = field(default_factory=dict)


class Admitter:
    """Decides about one fetched video after another, in order of admission. Pure: it reads and writes nothing."""

    def __init__(
        self, rules: Admission, window: str, known: Iterable[Known], tombstones: Mapping[str, str],
        alike: Mapping[str, Sequence[str]], excluded: Mapping[str, str],
    ) -> None:  # fmt: skip
        """Take what is known of the videos at hand.

        Args:
            rules: shares of the splits.
            window: of the videos that will be decided about.
            known: admitted videos, with all of their groups, in order of admission.
            tombstones: reasons of the videos that are left out, by video_id.
            alike: video_ids that show the same as a video, admitted or not.
            excluded: which benchmark's they are, of videos that may not join, by video_id.

        """
        self.rules, self.window, self.tombstones, self.alike = rules, window, dict(tombstones), alike
        self.excluded = excluded
        self.known = {video.video_id: video for video in known}
        self._old = frozenset(self.known)
        self._turn = {video_id: turn for turn, video_id in enumerate(self.known)}
        self.leaked: dict[str, Known] = {}
        """Videos that may stay no longer, each with the stricter split's video that it would tell a network about."""

    def decide(self, row: Mapping[str, Any], category: str) -> Known | Drop:
        """Return the video that `row` is, admitted for `category`; or why it is not."""
        video_id, item = row["video_id"], row["candidate_id"]
        for other_id in (video_id, *self.alike.get(video_id, ())):
            if other_id in self.excluded:
                return Drop(item=item, reason=EXCLUDED, detail=f"shows {other_id} of {self.excluded[other_id]}")
        if video_id in self.tombstones:
            reason = _LEAK if self.tombstones[video_id] == _LEAK else "taken down"
            return Drop(item=item, reason=reason, detail=video_id)
        video = self.known.get(video_id)
        if video is not None and category in video.windows:
            if video.windows[category] == self.window:
                return video
            return Drop(item=item, reason="duplicate bytes", detail=f"{video_id} in {video.windows[category]}")
        near = (self.known[other] for other in self.alike.get(video_id, ()) if other in self.known)
        alike = sorted(near, key=lambda other: self._turn[other.video_id])
        for other in alike:
            if category in other.windows and self.tombstones.get(other.video_id) != _LEAK:
                return Drop(item=item, reason="near-duplicate", detail=other.video_id)
        if video is None:
            video = self._admit(video_id, alike)
        video.windows[category] = self.window
        return video

    def _admit(self, video_id: str, alike: Sequence[Known]) -> Known:
        if alike:
            # The strictest split, then the oldest group: nothing that is tested ever moves.
            first = max(alike, key=lambda other: _STRICTNESS.index(Split(other.split)))
            group_id, split = first.group_id, first.split
        else:
            shares = {"validation_share": self.rules.validation_share, "testing_share": self.rules.testing_share}
            group_id, split = video_id, str(split_of(video_id, **shares))
        video = Known(video_id=video_id, group_id=group_id, split=split)
        self._meet(video, {other.group_id for other in alike if other.split != split})
        self.known[video_id], self._turn[video_id] = video, len(self._turn)
        return video

    def _meet(self, video: Known, groups: set[str]) -> None:
        """Join the groups of weaker splits that `video` ties to its own; who was admitted before now is withdrawn."""
        for other in self.known.values():
            if other.group_id in groups:
                other.group_id, other.split = video.group_id, video.split
                if other.video_id in self._old:
                    self.leaked[other.video_id] = video
                    self.tombstones.setdefault(other.video_id, _LEAK)


def _known(job: Job, videos: Iterable[str]) -> list[Known]:
    return [
        Known(
            video_id=row["video_id"],
            group_id=row["group_id"],
            split=row["split"],
            windows=dict(zip(row["categories"], row["windows"], strict=True)),
        )
        for row in job.ledger.rows("known_videos", videos=sorted(videos))
    ]


def _excluded(
    job: Job, fetched: Sequence[tuple[Mapping[str, Any], str]], alike: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Return the benchmark of the videos at hand, and of what shows the same, that may not join."""
    # What was listed after `discover` had looked.
    locations = {
        row["candidate_id"]: row["location"]
        for category in sorted({category for _, category in fetched})
        for row in job.datasets.read(
            CANDIDATES, ["candidate_id", "location"], category=category, window=job.key("window")
        ).to_pylist()
    }
    rows = [{**row, "location": locations.get(row["candidate_id"], "")} for row, _ in fetched]
    named = excluded_by_name(job.ledger, rows)
    by_name = {row["video_id"]: str(named[row["candidate_id"]]) for row in rows if row["candidate_id"] in named}
    return excluded_videos(job.ledger, {row["video_id"] for row in rows}.union(*alike.values())) | by_name


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
                **stored(row["frame_hashes"]),
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


def _withdraw(job: Job, leaked: Sequence[Known]) -> None:
    """Leave videos out of every read from now on; who looks like them joins the group that they turned out to be of."""
    if leaked:
        leave_out(job.datasets, job.ledger, {video.video_id for video in leaked}, _LEAK)
    for video in leaked:
        job.ledger.run("move_video", video_id=video.video_id, group_id=video.group_id, split=video.split)
        say(f"deduplicate: {video.video_id} withdrawn: {_LEAK}, shows what {video.group_id} in {video.split} shows")


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
    window = job.key("window")
    inputs = _unfinished(job, window)
    if not inputs:
        return
    fetched = [
        (row, category)
        for category in inputs
        for row in job.datasets.read(FETCHED, category=category, window=window).to_pylist()
    ]
    fetched.sort(key=lambda pair: (admission_order(pair[0]), pair[1]))
    drops: dict[str, list[Drop]] = {category: [] for category in inputs}
    with job.ledger.transaction():
        job.ledger.rows("lock_admission")
        tombstones = {row["video_id"]: row["reason"] for row in job.ledger.rows("tombstones")}
        alike = Archive(job.ledger, job.config.admission, [row for row, _ in fetched]).alike()
        excluded = _excluded(job, fetched, alike)
        known = _known(job, {row["video_id"] for row, _ in fetched}.union(*alike.values()))
        admitter = Admitter(job.config.admission, window, known, tombstones, alike, excluded)
        admitted: list[tuple[dict[str, Any], str, Known]] = []
        for row, category in fetched:
            decision = admitter.decide(row, category)
            if isinstance(decision, Drop):
                drops[category].append(decision)
            else:
                admitted.append((row, category, decision))
        for row, category, video in admitted:
            if by := admitter.leaked.get(video.video_id):
                drops[category].append(Drop(item=row["candidate_id"], reason=_LEAK, detail=by.video_id))
        admitted = [each for each in admitted if each[2].video_id not in admitter.leaked]
        _record(job, admitted, window)
        _withdraw(job, [admitter.known[video_id] for video_id in sorted(admitter.leaked)])
    for category, manifest in inputs.items():
        records = [
            {name: {**row, "group_id": video.group_id, "split": video.split}[name] for name in VIDEOS.schema.names}
            for row, of, video in admitted
            if of == category
        ]
        keys = {"category": category, "window": window}
        job.finish(
            VIDEOS,
            [VIDEOS.from_records(records)],
            keys,
            inputs=[manifest],
            sections=("admission",),
            drops=drops[category],
        )
