"""Admit videos of a window over all its categories: each content once per category, each group in one split.

A video that shows the same as an admitted one is dropped, and the pair is recorded. One that may show the same is
admitted into its group. Two that a person told apart count as neither.
Videos of other benchmarks' validation and test sets stay out, and so does what shows the same.

A video that somebody withdrew while it was fetched, by a name that no video had yet, is withdrawn here.

Reads: datasets candidates and fetched of every category in the window; withdrawals; ledger tables videos, admissions,
tombstones, excluded_names, excluded_media and told_apart.
Writes: ledger tables videos, admissions, duplicates and tombstones, then dataset videos of each category.
Safe to run again: the ledger is written in one transaction before the datasets and knows what was admitted.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from slac_tasks.admission.admitted import AdmissionEntry, record_admissions, with_groups
from slac_tasks.admission.duplicates import (
    NEAR_DUPLICATE,
    add_duplicates,
    duplicates_of,
    forget_duplicates,
    near_duplicate,
)
from slac_tasks.admission.exclusions.registry import EXCLUDED, excluded_by_name, excluded_videos
from slac_tasks.admission.likeness.archive import Archive
from slac_tasks.admission.likeness.verdict import Likeness, Strength
from slac_tasks.admission.settings import Admission
from slac_tasks.admission.told_apart import undone, without_told_apart
from slac_tasks.admission.withdrawals import TAKEN_DOWN, Withdrawals, delete_media, tombstones, withdraw
from slac_tasks.job import Job, Partition
from slac_tasks.model import Split, admission_order, split_of
from slac_tasks.progress import print_line
from slac_tasks.storage.datasets import FETCHED, VIDEOS
from slac_tasks.storage.datasets.collecting import FetchedRow, VideoRow
from slac_tasks.storage.manifests import Drop

_STRICTNESS = (Split.TRAINING, Split.VALIDATION, Split.TESTING)
"""From weak to strict. Where a new video ties two groups together, the members of the weaker split leave."""
_LEAK = "leak"
_TOLD_APART = "told_apart"
"""The table of the ledger that may be newer than what was admitted."""


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
        alike: Mapping[str, Mapping[str, Likeness]], excluded: Mapping[str, str],
    ) -> None:  # fmt: skip
        """Take what is known of the videos at hand.

        Args:
            rules: shares of the splits.
            window: of the videos that will be decided about.
            known: admitted videos, with all of their groups, in order of admission.
            tombstones: reasons of the videos that are left out, by video_id.
            alike: for a video the others, admitted or not, that show the same or may do.
            excluded: which benchmark's they are, of videos that may not join, by video_id.

        """
        self.rules, self.window, self.tombstones, self.alike = rules, window, dict(tombstones), alike
        self.excluded = excluded
        self.known = {video.video_id: video for video in known}
        self._old = frozenset(self.known)
        self._turn = {video_id: turn for turn, video_id in enumerate(self.known)}
        self.leaked: dict[str, Known] = {}
        """Videos that leave: each shows what a video of a stricter split shows, which stands beside it."""

    def decide(self, row: FetchedRow, category: str) -> Known | Drop:
        """Return the video that `row` is, admitted for `category`; or why it is not."""
        video_id, item = row.video_id, row.candidate_id
        for other_id in (video_id, *self.alike.get(video_id, ())):
            if other_id in self.excluded:
                return Drop(item=item, reason=EXCLUDED, detail=f"shows {other_id} of {self.excluded[other_id]}")
        if video_id in self.tombstones:
            reason = _LEAK if self.tombstones[video_id] == _LEAK else TAKEN_DOWN
            return Drop(item=item, reason=reason, detail=video_id)
        video = self.known.get(video_id)
        if video is not None and category in video.windows:
            if video.windows[category] == self.window:
                return video
            return Drop(item=item, reason="duplicate bytes", detail=f"{video_id} in {video.windows[category]}")
        likeness = self.alike.get(video_id, {})
        near = (self.known[other] for other in likeness if other in self.known)
        alike = sorted(near, key=lambda other: self._turn[other.video_id])
        for other in alike:
            found = likeness[other.video_id]
            held = category in other.windows and self.tombstones.get(other.video_id) != _LEAK
            if held and found.strength is Strength.SAME:
                return near_duplicate(row, other.video_id, found)
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
        """Join the groups of weaker splits that `video` ties to its own. Their members of earlier windows leave."""
        for other in self.known.values():
            if other.group_id in groups:
                other.group_id, other.split = video.group_id, video.split
                if other.video_id in self._old:
                    self.leaked[other.video_id] = video
                    self.tombstones.setdefault(other.video_id, _LEAK)


def _known(job: Job, videos: Iterable[str]) -> list[Known]:
    return [
        Known(
            video_id=video.video_id,
            group_id=video.group_id,
            split=video.split,
            windows=dict(zip(video.categories, video.windows, strict=True)),
        )
        for video in with_groups(job.ledger, videos)
    ]


def _excluded(job: Job, fetched: Sequence[FetchedRow], alike: Mapping[str, Mapping[str, Likeness]]) -> dict[str, str]:
    """Return the benchmark of the videos at hand, and of what shows the same, that may not join.

    Names are looked up again: a list may have been registered after `discover` had looked.
    """
    named = excluded_by_name(job.ledger, fetched)
    by_name = {row.video_id: str(named[row.candidate_id]) for row in fetched if row.candidate_id in named}
    return excluded_videos(job.ledger, {row.video_id for row in fetched}.union(*alike.values())) | by_name


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """A fetched video that was admitted for a category."""

    row: FetchedRow
    category: str
    video: Known


def _withdraw(job: Job, leaked: Sequence[Known]) -> None:
    """Withdraw videos that leaked, and move them to the group and split of what they show.

    So a later video that shows the same as one of them joins that group, and is tested too.
    """
    if leaked:
        withdraw(job.datasets, job.ledger, {video.video_id for video in leaked}, _LEAK)
    for video in leaked:
        job.ledger.run("move_video", video_id=video.video_id, group_id=video.group_id, split=video.split)
        print_line(
            f"deduplicate: {video.video_id} withdrawn: {_LEAK}, shows what {video.group_id} in {video.split} shows"
        )


def _withdraw_named(job: Job, rows: Iterable[FetchedRow]) -> None:
    """Withdraw the videos that a withdrawal names and whoever wrote it could not find: they were being fetched."""
    found, gone = Withdrawals.read(job.store), tombstones(job.ledger)
    for row in rows:
        if found.covers(row) and row.video_id not in gone:
            named = found.of(job.store, row)
            withdraw(job.datasets, job.ledger, {row.video_id}, named[0].reason)
            if any(one.deletes for one in named):
                delete_media(job.store, row.video_id)


def _video(each: Admitted) -> VideoRow:
    row, video = each.row, each.video
    return VideoRow(
        candidate_id=row.candidate_id, source=row.source, source_id=row.source_id, title=row.title,
        licence=row.licence, published_at=row.published_at, duration_sec=row.duration_sec, fps=row.fps,
        proxy_256=row.proxy_256, proxy_128=row.proxy_128, proxy_sha256=row.proxy_sha256, shots=row.shots,
        video_id=row.video_id, group_id=video.group_id, split=video.split,
    )  # fmt: skip


def run(job: Job) -> None:
    """Admit the window's videos and write the datasets of its categories, the empty ones too."""
    window = job.key("window")
    apart = {one.category for one in undone(job.ledger, window)}
    with ExitStack() as stack:
        made: dict[str, Partition[VideoRow]] = {}
        fetched: list[tuple[FetchedRow, str]] = []
        for keys in job.datasets.partitions(FETCHED, window=window):
            manifest = job.datasets.need(FETCHED, **keys)
            partition = stack.enter_context(
                job.partition(VIDEOS, keys, inputs=[manifest], newer=[_TOLD_APART] if keys["category"] in apart else [])
            )
            if not partition.finished:
                made[keys["category"]] = partition
                fetched += [(row, keys["category"]) for row in job.datasets.rows_of(FETCHED, manifest)]
        if made:
            fetched.sort(key=lambda pair: (admission_order(pair[0]), pair[1]))
            _admit(job, window, fetched, made)
    for partition in made.values():
        same = [drop.item for drop in partition.drops if drop.reason == NEAR_DUPLICATE]
        forget_duplicates(job.ledger, partition.keys, but=same)


def _admit(
    job: Job, window: str, fetched: Sequence[tuple[FetchedRow, str]], made: Mapping[str, Partition[VideoRow]]
) -> None:
    """Decide about each fetched video in its turn, in one transaction of the ledger."""
    rows = [row for row, _ in fetched]
    with job.ledger.transaction():
        job.ledger.rows("lock_admission")
        _withdraw_named(job, rows)
        archive = Archive(job.ledger, job.config.admission, {row.video_id: row.frame_hashes for row in rows})
        alike = without_told_apart(job.ledger, archive.alike())
        excluded = _excluded(job, rows, alike)
        known = _known(job, {row.video_id for row in rows}.union(*alike.values()))
        admitter = Admitter(job.config.admission, window, known, tombstones(job.ledger), alike, excluded)
        admitted: list[Admitted] = []
        for row, category in fetched:
            decision = admitter.decide(row, category)
            if isinstance(decision, Drop):
                made[category].drops.append(decision)
            else:
                admitted.append(Admitted(row=row, category=category, video=decision))
        for each in admitted:
            if by := admitter.leaked.get(each.video.video_id):
                drop = Drop(item=each.row.candidate_id, reason=_LEAK, detail=by.video_id)
                made[each.category].drops.append(drop)
        admitted = [each for each in admitted if each.video.video_id not in admitter.leaked]
        record_admissions(
            job.ledger,
            [
                AdmissionEntry(
                    fetched=each.row, group_id=each.video.group_id, split=each.video.split, category=each.category,
                    window=window,
                )
                for each in admitted
            ],
        )  # fmt: skip
        for partition in made.values():
            add_duplicates(job.ledger, partition.keys, duplicates_of(partition.drops, rows))
        _withdraw(job, [admitter.known[video_id] for video_id in sorted(admitter.leaked)])
    for each in admitted:
        made[each.category].write([_video(each)])
