"""Find where the actions of a release begin and end in whole videos, those collected last first.

Reads: release, models and released_segments (release); imported; videos of the release's categories, renditions,
withdrawals.
Writes: detections (category, release); detections.html under reports/v1/release=<version>/; the head of the release
where the store has none, as `slac localize` does.
Safe to run again: a finished category is left alone, and a run after a kill goes on after the last `_AT_ONCE` videos.

A network looks at a whole video for what a hundred clips cost. So of each category its newest videos are looked at,
`localization.detect_videos` of them, whether people were asked about them or not: what a release costs is bounded by
its categories and does not grow with the past. Of each video the category is kept that it was found for. Of segments
that overlap the surest is kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.job import Job, do_each
from slac_tasks.localization.features import Film, Unseen, dense_features
from slac_tasks.localization.localizing import Localizer, spotted_in
from slac_tasks.localization.releases import localizer_of_release
from slac_tasks.localization.results import apart, rows_of
from slac_tasks.progress import track
from slac_tasks.release.finished import need_release
from slac_tasks.reports.detections_page import line_of, page
from slac_tasks.storage.datasets import DETECTIONS, IMPORTED, MODELS, RELEASED_SEGMENTS, VIDEOS
from slac_tasks.storage.datasets.segmenting import DetectionRow
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.video.clips import decoders

_AT_ONCE = 16
"""Videos that are stored together: a kill loses the work on so many."""
_WINDOWS_A_VIDEO = 400
"""About a minute: enough that a process that decodes is worth its start."""
_COLUMNS = ["video_id", "source_id", "split", "proxy_128", "proxy_256"]

NOT_TAUGHT = "not taught"
"""Reason why a category has no segments: no readable training video of the release has a clip of it."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """An admitted video of a category."""

    video_id: str
    source_id: str
    split: str
    window: str
    proxy_128: str
    proxy_256: str


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is to be looked at for one category."""

    category: str
    keys: dict[str, str]
    videos: tuple[Found, ...]
    inputs: tuple[Manifest, ...]


def run(job: Job) -> None:
    """Look at the newest videos of every category of the release."""
    release = job.key("release")
    _, rows = need_release(job.datasets, release)
    models = job.datasets.need(MODELS, release=release)
    (model,) = job.datasets.rows_of(MODELS, models)
    cut = job.datasets.manifest(RELEASED_SEGMENTS, release=release)
    imported = [job.datasets.need(IMPORTED, **keys) for keys in job.datasets.partitions(IMPORTED)]
    shared = (rows, models, *([cut] if cut else []), *imported)
    works = {category: _work(job, category, shared) for category in model.categories}
    due = [one for one in works.values() if one.videos and not job.is_finished(DETECTIONS, one.keys, one.inputs)]
    localizer = localizer_of_release(job.config, release, job.environ) if due else None
    do_each(job.stage, "category", works, lambda category: _detect(job, works[category], localizer))
    found = {category: job.datasets.need(DETECTIONS, **work.keys) for category, work in works.items()}
    lines = [
        line_of(category, len(works[category].videos) - len(made.drops), job.datasets.rows_of(DETECTIONS, made))
        for category, made in found.items()
    ]
    job.store.put(f"reports/v1/release={release}/detections.html", page(release, lines).encode())


def _work(job: Job, category: str, shared: Sequence[Manifest]) -> Work:
    """Return the newest videos of a category, window by window, as many as may be looked at."""
    most = job.config.localization.detect_videos
    found: list[Found] = []
    read: list[Manifest] = []
    windows = sorted((keys["window"] for keys in job.datasets.partitions(VIDEOS, category=category)), reverse=True)
    for window in windows:
        if len(found) >= most:
            break
        manifest = job.datasets.need(VIDEOS, category=category, window=window)
        videos = job.datasets.read_all(VIDEOS, [manifest], _COLUMNS).sort_by("video_id").to_pylist()
        found += [Found(window=window, **video) for video in videos]
        read.append(manifest)
    keys = {"category": category, "release": job.key("release")}
    return Work(category=category, keys=keys, videos=tuple(found[:most]), inputs=(*shared, *read))


def _detect(job: Job, work: Work, localizer: Localizer | None) -> None:
    with job.partition(DETECTIONS, work.keys, inputs=work.inputs) as made:
        if made.finished or localizer is None:
            return
        if work.category not in localizer.head.shape.categories:
            made.drops += [Drop(item=video.video_id, reason=NOT_TAUGHT) for video in work.videos]
            return
        withdrawals = Withdrawals.read(job.store)
        for number, start in enumerate(range(0, len(work.videos), _AT_ONCE)):
            drops: list[Drop] = []
            videos = withdrawals.readable(work.videos[start : start + _AT_ONCE], drops)
            shard = made.shard(f"{number:05d}", of=[video.video_id for video in videos])
            if not shard.is_done:
                shard.write(list(_segments(job, work.category, videos, localizer, drops)), drops)


def _segments(
    job: Job, category: str, videos: Sequence[Found], localizer: Localizer, drops: list[Drop]
) -> Iterator[DetectionRow]:
    """Yield what is found in some videos; those that cannot be read are added to `drops`."""
    workers = decoders(
        job.config.scoring.workers, clips=_WINDOWS_A_VIDEO * len(videos), beside=localizer.extractor.where
    )
    films = (Film(name=video.video_id, proxy=video.proxy_128, large=video.proxy_256) for video in videos)
    stride_frames = localizer.about.stride_frames
    looked = dense_features(films, localizer.extractor, job.media, stride_frames=stride_frames, workers=workers)
    for video, each in zip(videos, track(looked, len(videos), f"detect: {category}"), strict=True):
        if isinstance(each, Unseen):
            drops.append(each.lost.drop(video.video_id))
            continue
        rows = rows_of(each.name, spotted_in(each, localizer), localizer.head.shape.categories, [category])
        for row in apart(rows, job.config.localization.detect_least):
            yield DetectionRow(
                video_id=video.video_id, source_id=video.source_id, window=video.window, split=video.split,
                start_sec=row.start_sec, end_sec=row.end_sec, score=row.score,
            )  # fmt: skip
