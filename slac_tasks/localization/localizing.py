"""Segments of files that somebody has: each is made into a rendition, looked at, and cut; a bad file stops no other."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from slac_tasks.collect.settings import Collect
from slac_tasks.localization.detecting import SEARCH, Search, spot
from slac_tasks.localization.features import Clock, Dense, Film, Unseen, dense_features
from slac_tasks.localization.head import Head
from slac_tasks.localization.kept import About
from slac_tasks.localization.spotted import Spotted
from slac_tasks.networks.inference import Extractor
from slac_tasks.scratch import Scratch
from slac_tasks.video import originals
from slac_tasks.video.lost import Lost

NO_FILE, UNREADABLE = "no such file", "unreadable"
"""Reasons why a path is set aside, beside those of `originals` and of `features`."""

LONGEST_SEC = 3600.0
"""A longer file is refused: the small frames of its rendition would take a gigabyte of memory."""
_LIMITS = Collect(max_duration_sec=LONGEST_SEC)


@dataclass(frozen=True, kw_only=True)
class Localizer:
    """A head with the network whose features it reads."""

    head: Head
    about: About
    extractor: Extractor


@dataclass(frozen=True, kw_only=True, eq=False)
class Localized:
    """What was found in one file."""

    name: str
    clock: Clock
    spotted: Spotted
    played: Path
    """The rendition, which every browser plays, on the clock of the segments."""


def localize(
    paths: Sequence[tuple[str, Path]], localizer: Localizer, folder: Path, *, workers: int = 0, search: Search = SEARCH
) -> Iterator[Localized | Unseen]:
    """Yield what is found in each file, or why it cannot be read.

    Args:
        paths: name and path of each file.
        localizer: what looks.
        folder: where renditions go: `<name>.mp4`.
        workers: processes that decode; 0: this one does.
        search: how segments are chosen.

    Raises:
        Temporary: memory does not suffice for a single window.

    """
    stride_frames = localizer.about.stride_frames
    for each in looked_at(paths, localizer.extractor, folder, stride_frames=stride_frames, workers=workers):
        if isinstance(each, Unseen):
            yield each
            continue
        spotted = spotted_in(each, localizer, search)
        yield Localized(name=each.name, clock=each.clock, spotted=spotted, played=rendition(folder, each.name))


def spotted_in(dense: Dense, localizer: Localizer, search: Search = SEARCH) -> Spotted:
    """Return what is found in one video, of which the localizer's network has made features."""
    where = localizer.extractor.where
    return spot(localizer.head.to(where), torch.from_numpy(dense.values).to(where), dense.clock, search)


def looked_at(
    paths: Sequence[tuple[str, Path]], extractor: Extractor, folder: Path, *, stride_frames: int, workers: int = 0
) -> Iterator[Dense | Unseen]:
    """Yield the features of each file, or why it cannot be read; its rendition is then in the folder.

    Raises:
        Temporary: memory does not suffice for a single window.

    """
    refused: list[Unseen] = []
    with Scratch(folder) as scratch:
        films = _films(paths, scratch, folder, refused)
        for each in dense_features(films, extractor, _local, stride_frames=stride_frames, workers=workers):
            yield from _taken(refused)
            rendition(scratch, each.name).unlink(missing_ok=True)
            if isinstance(each, Unseen):
                rendition(folder, each.name).unlink(missing_ok=True)
            yield each
        yield from _taken(refused)


def rendition(folder: Path, name: str) -> Path:
    """Return where the rendition of a file lies."""
    return folder / f"{name}.mp4"


def _taken(refused: list[Unseen]) -> list[Unseen]:
    """Return what was refused since the last call."""
    found = refused.copy()
    refused.clear()
    return found


def _films(paths: Sequence[tuple[str, Path]], scratch: Path, folder: Path, refused: list[Unseen]) -> Iterator[Film]:
    """Make the renditions, each when it is wanted."""
    for name, path in paths:
        try:
            found = _probed(path)
            with Scratch(scratch) as made:
                proxy = originals.make_proxy(path, made, found, _LIMITS)
                proxy.path_256.replace(rendition(folder, name))
                proxy.path_128.replace(rendition(scratch, name))
        except originals.Rejected as no:
            refused.append(Unseen(name=name, lost=Lost(no.reason, no.detail)))
        else:
            yield Film(name=name, proxy=str(rendition(scratch, name)), large=str(rendition(folder, name)))


def _probed(path: Path) -> originals.Probe:
    try:
        return originals.probe(path, _LIMITS)
    except OSError as error:
        reason = NO_FILE if isinstance(error, FileNotFoundError) else UNREADABLE
        raise originals.Rejected(reason, error.strerror or str(error)) from error


@contextmanager
def _local(name: str) -> Iterator[Path]:
    yield Path(name)


class Stopwatch:
    """Seconds of work for each minute of video."""

    def __init__(self) -> None:
        self._began, self._video_sec = time.monotonic(), 0.0

    def add(self, clock: Clock) -> None:
        """Count a video that is done."""
        self._video_sec += clock.duration_sec

    @property
    def video_min(self) -> float:
        """Minutes of video so far."""
        return self._video_sec / 60

    @property
    def sec_per_min(self) -> float:
        """Seconds of work for a minute of video so far, on this machine; there must be one."""
        return (time.monotonic() - self._began) / self.video_min
