"""The localizer of a release: its pretrained network, and a head that its labels teach when it is first wanted.

Reads: a finished release (training split) with the segments that people cut, its network, imported segments,
renditions, withdrawals.
Writes: localizers/<release>.<hash>.pt; checkpoints until it is there. The hash names all that decides the head: the
network's weights, the rows of the release, the segments and the settings. So a head that is there is the one that would
be made, but for videos that were withdrawn since: like the network itself, it stays.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import pyarrow.compute as pc

from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.config import Config
from slac_tasks.errors import BrokenContract
from slac_tasks.localization.features import Dense, Film, dense_features
from slac_tasks.localization.kept import About, decode, encode
from slac_tasks.localization.labels import Clip, Lesson
from slac_tasks.localization.learning import Plan, taught
from slac_tasks.localization.localizing import Localizer
from slac_tasks.localization.networks import frozen
from slac_tasks.model import Split, content_hash, unit_hash
from slac_tasks.networks.inference import Extractor
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.weights import decode_backbone
from slac_tasks.progress import counted, print_line, track
from slac_tasks.release.finished import need_release
from slac_tasks.storage.checkpoints import Checkpoints
from slac_tasks.storage.datasets import IMPORTED, MODELS, RELEASED_SEGMENTS
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.objects import LOCALIZERS, Media
from slac_tasks.storage.tables import Datasets
from slac_tasks.video.clips import decoders

_COLUMNS = [
    "video_id", "name", "source", "source_id", "split", "start_sec", "end_sec", "category", "label", "proxy_128",
    "proxy_256",
]  # fmt: skip


def localizer_of_release(config: Config, release: str, environ: Mapping[str, str]) -> Localizer:
    """Return the localizer of a release; its head is taught if the store has none.

    Raises:
        NotMade: the release, or its network, is not finished.
        BrokenContract: nothing of its training videos can be learned from.
        NotConfigured: the device is absent, or the store is out of reach.

    """
    media = Media(config.store_url, environ)
    datasets = Datasets(media.store)
    version, rows = need_release(datasets, release)
    extractor, weights = network_of_release(config, release, media)
    settings = config.localization
    plan = Plan(steps=settings.steps, batch=settings.batch, width=settings.width, seed=settings.seed)
    cut = dense_labels(datasets, release)
    imported = imported_segments(datasets)
    shape = [str(sorted(asdict(plan).items())), str(settings.videos)]
    segments = [repr(one) for one in (*sorted(cut.items()), *sorted(imported.items()))]
    made_of = content_hash(weights, version.content, *shape, *segments)
    name = f"{LOCALIZERS}/{release}.{made_of}.pt"
    if media.store.exists(name):
        head, about = decode(media.store.get(name), name)
        return Localizer(head=head, about=about, extractor=extractor)
    print_line(f"localize: teaches a head for release {release}, once; it is kept as {name}")
    keeps = Checkpoints(media=media, folder=f"{LOCALIZERS}/unfinished/{release}", made_of=made_of)
    every = videos_of_release(datasets, rows, Split.TRAINING)
    cut = {one.video_id: with_imported(one, cut.get(one.video_id, ()), imported) for one in every}
    videos = chosen(every, cut, settings.videos)
    categories = sorted({label.category for video in videos for label in video.labels})
    lessons = list(_lessons(videos, cut, categories, extractor, media, config.scoring.workers))
    head = taught(lessons, categories, plan, extractor.where, keeps)
    clips, given = sum(len(each.clips) for each in lessons), sum(len(each.known) for each in lessons)
    about = About(
        architecture=extractor.entry.name, backbone=weights,
        taught=f"Release {release} ({version.version}): {counted(clips, 'clip')} and "
        f"{counted(given, 'segment')} of {len(lessons)} "
        "videos taught the head.",
    )  # fmt: skip
    media.store.put(name, encode(head, about))
    keeps.delete()
    return Localizer(head=head, about=about, extractor=extractor)


def network_of_release(config: Config, release: str, media: Media) -> tuple[Extractor, str]:
    """Return (the network that was pretrained on a release, the content hash of its weights).

    Raises:
        NotMade: the network is not finished.
        NotConfigured: the device is absent.

    """
    model = next(iter(Datasets(media.store).rows(MODELS, release=release)))
    entry = architecture(model.architecture)
    backbone = decode_backbone(entry, media.store.get(f"weights/{model.backbone}.pt"))
    return frozen(entry, backbone, config.device, config.scoring), model.backbone


Origin = tuple[str, str]
"""Source of a video, and the source's own name of it."""


@dataclass(frozen=True, kw_only=True)
class ReleasedLabel:
    """What people say of a clip, or of a segment."""

    category: str
    start_sec: float
    end_sec: float
    positive: bool


@dataclass(frozen=True, kw_only=True)
class ReleasedVideo:
    """A video of a release with all of its labels."""

    video_id: str
    name: str
    """What every format calls it: its YouTube id, else its video_id."""
    origin: Origin
    split: Split
    film: Film
    labels: list[ReleasedLabel]

    def shows(self, category: str) -> bool:
        """Whether one of its clips shows the category."""
        return any(label.category == category and label.positive for label in self.labels)


def videos_of_release(datasets: Datasets, rows: Manifest, split: Split | None = None) -> list[ReleasedVideo]:
    """Return the videos of a split, or all, that may be opened, in the order of a hash."""
    withdrawals = Withdrawals.read(datasets.store)
    found: dict[str, ReleasedVideo] = {}
    for table in datasets.tables(rows, _COLUMNS):
        for row in (table if split is None else table.filter(pc.field("split") == split.value)).to_pylist():
            video_id = row["video_id"]
            if withdrawals.covers_any(video_id, row["source_id"]):
                continue
            film = Film(name=video_id, proxy=row["proxy_128"], large=row["proxy_256"])
            origin = (row["source"], row["source_id"])
            video = found.setdefault(
                video_id,
                ReleasedVideo(
                    video_id=video_id, name=row["name"], origin=origin, split=Split(row["split"]), film=film, labels=[]
                ),
            )  # fmt: skip
            video.labels.append(
                ReleasedLabel(
                    category=row["category"], start_sec=row["start_sec"], end_sec=row["end_sec"],
                    positive=row["label"] > 0,
                )
            )  # fmt: skip
    return [found[video_id] for video_id in sorted(found, key=lambda one: unit_hash("localize", one))]


def dense_labels(datasets: Datasets, release: str) -> dict[str, list[ReleasedLabel]]:
    """Return the segments that people cut in the videos of a release, by video_id; of an older release, nothing."""
    manifest = datasets.manifest(RELEASED_SEGMENTS, release=release)
    found: dict[str, list[ReleasedLabel]] = {}
    for row in datasets.rows_of(RELEASED_SEGMENTS, manifest) if manifest else ():
        label = ReleasedLabel(
            category=row.category, start_sec=row.start_sec, end_sec=row.end_sec, positive=row.label > 0
        )
        found.setdefault(row.video_id, []).append(label)
    return found


def imported_segments(datasets: Datasets) -> dict[Origin, list[ReleasedLabel]]:
    """Return the segments of `slac import --segments` in which an action is, by the origin of their video."""
    found: dict[Origin, list[ReleasedLabel]] = {}
    manifests = [datasets.need(IMPORTED, **keys) for keys in datasets.partitions(IMPORTED)]
    for row in datasets.read_all(IMPORTED, manifests).filter(pc.field("dense") & (pc.field("label") > 0)).to_pylist():
        label = ReleasedLabel(
            category=row["category"], start_sec=row["start_sec"], end_sec=row["end_sec"], positive=True
        )
        found.setdefault((row["source"], row["source_id"]), []).append(label)
    return found


def with_imported(
    video: ReleasedVideo, cut: Sequence[ReleasedLabel], imported: Mapping[Origin, Sequence[ReleasedLabel]]
) -> list[ReleasedLabel]:
    """Return the segments that people cut in a video, and the imported ones of which people say nothing else.

    People overrule: an imported segment goes where it meets one of theirs, or a clip that does not show its category.
    """
    said = [*cut, *(label for label in video.labels if not label.positive)]
    return [*cut, *(one for one in imported.get(video.origin, ()) if not any(_meet(one, other) for other in said))]


def _meet(one: ReleasedLabel, other: ReleasedLabel) -> bool:
    same = one.category == other.category
    return same and min(one.end_sec, other.end_sec) > max(one.start_sec, other.start_sec)


def chosen(
    videos: Sequence[ReleasedVideo], cut: Mapping[str, Sequence[ReleasedLabel]], most: int
) -> list[ReleasedVideo]:
    """Return at most so many videos of each category: those first in which its ends are known, then those that show it.

    Args:
        videos: those of which people answered clips.
        cut: the segments that are known, by video_id.
        most: how many.

    """
    of_category: dict[str, list[tuple[bool, ReleasedVideo]]] = {
        label.category: [] for video in videos for label in video.labels
    }
    for video in videos:
        cut_here = {one.category for one in cut.get(video.video_id, ()) if one.positive}
        for category in (cut_here | {label.category for label in video.labels}) & of_category.keys():
            of_category[category].append((category in cut_here, video))
    kept: dict[str, ReleasedVideo] = {}
    for category, own in sorted(of_category.items()):
        for _, video in sorted(own, key=lambda one: (not one[0], not one[1].shows(category)))[:most]:
            kept.setdefault(video.video_id, video)
    return list(kept.values())


def _lessons(
    videos: Sequence[ReleasedVideo], cut: Mapping[str, Sequence[ReleasedLabel]], categories: Sequence[str],
    extractor: Extractor, media: Media, workers: int,
) -> Iterator[Lesson]:  # fmt: skip
    """Look at each video, and yield what its clips teach, and the segments in it whose ends are known.

    Raises:
        BrokenContract: none can be read.

    """
    workers = decoders(workers, clips=400 * len(videos), beside=extractor.where)
    seen = dense_features((video.film for video in videos), extractor, media, workers=workers)
    lost = ""
    count = 0
    for video, each in zip(videos, track(seen, len(videos), "localize: looks at training videos"), strict=True):
        if not isinstance(each, Dense):
            lost = lost or each.lost.detail
            print_line(f"localize: set aside {video.video_id}: {each.lost.reason}: {each.lost.detail}")
            continue
        count += 1
        yield lesson_of(each, video.labels, cut.get(video.video_id, ()), categories)
    if not count:
        raise BrokenContract(f"localize: {counted(len(videos), 'training video')}, none readable ({lost}); want some")


def lesson_of(
    dense: Dense, clips: Sequence[ReleasedLabel], cut: Sequence[ReleasedLabel], categories: Sequence[str]
) -> Lesson:
    """Return what is known of a video; a proposed segment in which people saw nothing is a long clip with a no."""
    number = {category: at for at, category in enumerate(categories)}
    own = [label for label in cut if label.category in number]
    return Lesson(
        dense=dense,
        clips=tuple(
            Clip(
                category=number[label.category], start_sec=label.start_sec, end_sec=label.end_sec,
                positive=label.positive,
            )
            for label in (*clips, *(one for one in own if not one.positive))
        ),
        known=tuple((number[one.category], one.start_sec, one.end_sec) for one in own if one.positive),
    )  # fmt: skip
