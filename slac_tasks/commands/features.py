"""Write dense features of whole videos, in the layouts that OpenTAD and ActionFormer read.

slac features --release r0001 --to feats                            the videos and the network of a release
slac features videos/ --to feats --network net.safetensors --annotations activity_net.json
slac features --manifest videos.csv --to feats --architecture r3d_18 --start hub
slac features --release r0001 --to feats --part 1/4                 one of four processes, one for each card

Writes a file .npy of (T, C) for each video, the clock of each, annotations, class map, the list of what is missing with
its reasons, and a config file for each tool that runs there as it is (`slac_tasks.localization.layouts`). Safe to run
again: what is there is not made again unless the video, the network, the stride or the type has changed. A video that
cannot be read stops no other; if none can be read the command ends with 65.

Segments come from --annotations, any list that `slac import` reads; a video of a release is known there by its YouTube
id, or by its video_id. Without it those of a release are the ones that people cut; of a category without any in a
video, its positive clips, joined where they touch. Clips are sparse, so a tool that takes the rest of a video for
background is misled.
"""

import argparse
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from slac_tasks import config, outputs
from slac_tasks.config import Config
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.localization.features import STRIDE_FRAMES, Dense, Unseen, dense_features
from slac_tasks.localization.featuring import (
    Wanted,
    fill,
    hash_of,
    labels_of_lists,
    made,
    missing,
    of_files,
    of_manifest,
    segments_of,
)
from slac_tasks.localization.layouts import Labelled, Missing, check_stride, write_lists
from slac_tasks.localization.localizing import looked_at, rendition
from slac_tasks.localization.networks import frozen, of_file, of_registry
from slac_tasks.localization.releases import ReleasedVideo, dense_labels, network_of_release, videos_of_release
from slac_tasks.model import Split, unit_hash
from slac_tasks.networks.inference import Extractor
from slac_tasks.networks.registry import REGISTRY
from slac_tasks.progress import counted, print_line, track
from slac_tasks.release.finished import need_release
from slac_tasks.scratch import Scratch
from slac_tasks.storage.objects import Media
from slac_tasks.storage.tables import Datasets
from slac_tasks.training.trainer import seeded
from slac_tasks.video.clips import decoders

_WINDOWS_A_VIDEO = 400
"""About a minute: enough that a process that decodes is worth its start."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument("videos", nargs="*", type=Path, metavar="VIDEO", help="a file, or a folder of files")
    parser.add_argument("--manifest", type=Path, help="table with the columns location and optionally source_id")
    parser.add_argument("--release", help="version of the release whose videos are looked at, e.g. r0001")
    parser.add_argument("--to", required=True, type=Path, help="folder of the features")
    parser.add_argument("--network", type=Path, help="file .safetensors that `slac pretrain` wrote, or its folder")
    parser.add_argument("--architecture", choices=sorted(REGISTRY), help="network of the registry instead")
    parser.add_argument("--start", default="hub", help="weights of --architecture: hub, package, random or a folder")
    parser.add_argument("--annotations", action="append", default=[], type=Path, help="list of segments; repeatable")
    parser.add_argument(
        "--split", choices=[str(split) for split in Split], default=str(Split.TRAINING),
        help="of a video whose split no list says (default: training)",
    )  # fmt: skip
    parser.add_argument(
        "--stride", type=int, default=STRIDE_FRAMES, help="frames from one row to the next (default: 4)"
    )
    parser.add_argument("--dtype", choices=("float16", "float32"), default="float16", help="default: float16")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), help="where networks run (default: the setting)")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="the K-th of N parts of the videos")


def main(arguments: argparse.Namespace) -> None:
    """Write what the folder lacks, and then all lists."""
    check_stride(arguments.stride)
    part = _part(arguments.part)
    settings = config.load()
    settings = replace(settings, device=arguments.device or settings.device)
    given = [bool(arguments.videos), arguments.manifest is not None, arguments.release is not None]
    if sum(given) != 1:
        raise WrongArguments("videos: want one of files or folders, --manifest and --release")
    outputs.folder(arguments.to)
    work = _of_release(settings, arguments) if arguments.release else _of_files(settings, arguments)
    due = [one for one in work.wanted if int(unit_hash("features", one.name) * part[1]) == part[0] - 1]
    looked_at_now = fill(
        arguments.to, due, work.look, network=work.network, stride_frames=work.stride_frames, dtype=work.dtype
    )
    lost: dict[str, Missing] = {}
    for each in looked_at_now:
        if isinstance(each, Missing):
            lost[each.name] = each
            print_line(f"features: set aside {each.name}: {each.reason}: {each.detail}".rstrip(": "))
    _finish(arguments.to, work, lost)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """The videos, what is known of them, and what looks at them."""

    wanted: list[Wanted]
    labels: Mapping[str, Labelled]
    network: str
    """Content hash of its weights."""
    extractor: Extractor
    source: "_Films | None"
    """Where the videos of a release are; None: they are files."""
    stride_frames: int
    dtype: str
    workers: int
    taught: str
    """What looked, and where the segments are from."""

    def look(self, videos: Sequence[Wanted]) -> Iterator[Dense | Unseen]:
        """Yield the features of each video."""
        workers = decoders(self.workers, clips=_WINDOWS_A_VIDEO * len(videos), beside=self.extractor.where)
        seen = partial(self._of_release, self.source) if self.source else self._of_files
        yield from track(seen(videos, workers), len(videos), "features: looks at videos")

    def _of_release(self, source: "_Films", videos: Sequence[Wanted], workers: int) -> Iterator[Dense | Unseen]:
        films = (source.of_name[one.name].film for one in videos)
        yield from dense_features(
            films, self.extractor, source.media, stride_frames=self.stride_frames, workers=workers
        )

    def _of_files(self, videos: Sequence[Wanted], workers: int) -> Iterator[Dense | Unseen]:
        paths = [(one.name, one.path) for one in videos if one.path is not None]
        with Scratch() as folder:
            for each in looked_at(paths, self.extractor, folder, stride_frames=self.stride_frames, workers=workers):
                rendition(folder, each.name).unlink(missing_ok=True)
                yield each


@dataclass(frozen=True, kw_only=True)
class _Films:
    """The videos of a release, by name."""

    media: Media
    of_name: Mapping[str, ReleasedVideo]


def _of_release(settings: Config, arguments: argparse.Namespace) -> _Work:
    media = Media(settings.store_url, os.environ)
    datasets = Datasets(media.store)
    version, rows = need_release(datasets, arguments.release)
    videos = {one.video_id: one for one in videos_of_release(datasets, rows)}
    dense = dense_labels(datasets, arguments.release)
    if arguments.network or arguments.architecture:
        extractor, network = _network(settings, arguments)
    else:
        extractor, network = network_of_release(settings, arguments.release, media)
    labels = {
        name: Labelled(split=one.split, segments=segments_of(one.labels, dense.get(name, ())))
        for name, one in videos.items()
    }
    cut = sum(len(each) for each in dense.values())
    words = f"{counted(cut, 'segment')} that people cut, and elsewhere its positive clips, joined where they touch"
    if arguments.annotations:
        names = {*videos, *(one.name for one in videos.values())}
        listed = labels_of_lists(arguments.annotations, names, Split(arguments.split))
        labels = {
            video_id: replace(listed[one.name if listed[one.name].segments else video_id], split=one.split)
            for video_id, one in videos.items()
        }
        words = _words(arguments.annotations)
    return _Work(
        wanted=[Wanted(name=name, source=one.film.source(extractor.entry.view)) for name, one in videos.items()],
        labels=labels, network=network, extractor=extractor, source=_Films(media=media, of_name=videos),
        stride_frames=arguments.stride, dtype=arguments.dtype, workers=settings.scoring.workers,
        taught=f"Release {arguments.release} ({version.version}), {_about(extractor, network)}; {words}.",
    )  # fmt: skip


def _of_files(settings: Config, arguments: argparse.Namespace) -> _Work:
    if not (arguments.network or arguments.architecture):
        raise WrongArguments("--network, --architecture: want one of them, the network that looks at the videos")
    wanted, aside = of_manifest(arguments.manifest) if arguments.manifest else of_files(arguments.videos)
    for line in aside:
        print_line(f"features: set aside {line}")
    extractor, network = _network(settings, arguments)
    return _Work(
        wanted=wanted, network=network, extractor=extractor, source=None, stride_frames=arguments.stride,
        dtype=arguments.dtype,
        labels=labels_of_lists(arguments.annotations, [one.name for one in wanted], Split(arguments.split)),
        workers=settings.scoring.workers, taught=f"{_about(extractor, network)}; {_words(arguments.annotations)}.",
    )  # fmt: skip


def _network(settings: Config, arguments: argparse.Namespace) -> tuple[Extractor, str]:
    if arguments.network and arguments.architecture:
        raise WrongArguments("--network and --architecture: want one of them")
    with seeded(0):
        # A network of random weights is the same one in the next run, which then makes only what is not there.
        entry, backbone = (
            of_file(arguments.network) if arguments.network else of_registry(arguments.architecture, arguments.start)
        )
    network = hash_of(backbone)
    return frozen(entry, backbone, settings.device, settings.scoring), network


def _about(extractor: Extractor, network: str) -> str:
    return f"features of {extractor.entry.name} {network[:12]}"


def _words(annotations: Sequence[Path]) -> str:
    return f"segments of {', '.join(path.name for path in annotations)}" if annotations else "no segments"


def _part(text: str) -> tuple[int, int]:
    """Return (which part, of how many)."""
    own, _, parts = text.partition("/")
    if not (own.isdecimal() and parts.isdecimal() and 1 <= int(own) <= int(parts)):
        raise WrongArguments(f"--part {text}: want K/N, such as 1/4, with K from 1 to N")
    return int(own), int(parts)


def _finish(folder: Path, work: _Work, lost: Mapping[str, Missing]) -> None:
    """Write the lists, and print what became of the videos.

    Raises:
        BrokenContract: no video has features.

    """
    there = made(folder, work.wanted, network=work.network, stride_frames=work.stride_frames, dtype=work.dtype)
    without = missing(work.wanted, there, lost)
    configs = write_lists(folder, there.values(), work.labels, without, work.taught)
    for reason, count in sorted(Counter(one.reason for one in without).items()):
        print_line(f"features: missing {count:,}: {reason}")
    if not there:
        raise BrokenContract(f"{counted(len(work.wanted), 'video')}, none of which can be read; want files that play")
    files = " and ".join(configs) if configs else "no config files, since no training video has a segment"
    print_line(f"features: {len(there):,} of {counted(len(work.wanted), 'video')} in {folder}; {files}")
