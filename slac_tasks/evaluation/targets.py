"""Data sets to which networks are transferred: which videos there are, of which class, to learn from or to judge.

A data set is a folder `<split>/<class>/<video>`, or a folder of videos with the published lists of UCF-101, HMDB-51,
Kinetics, Something-Something v2 or HACS. Classes are matched by name, never by the order of folders or by numbers.
Names that differ in case, blanks and underscores alone are one.

A video of a list is found by its name wherever it lies below the folder: as the list writes it, with `v_` before it
(HACS), or with its seconds behind it (Kinetics, `0wR5jVB-WPk_000417_000427.mp4`). Of several, the one in a folder of
its class is taken.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slac_tasks.annotations.reading import read
from slac_tasks.annotations.rows import Row
from slac_tasks.collect.names import spelling
from slac_tasks.errors import NotConfigured
from slac_tasks.given import folders
from slac_tasks.model import Split
from slac_tasks.progress import counted

_PART = re.compile(r"_c\d+$|(?<=_(?:goo|med|bad))_\d+$", re.ASCII)
"""Clips of one recording: `v_YoYo_g08_c01` of UCF-101, `brush_hair_f_nm_np1_ba_goo_2` of HMDB-51."""
_SHOWN = 5
"""Names that a message shows."""


@dataclass(frozen=True, kw_only=True)
class TargetVideo:
    """One labelled video, or a stretch of one."""

    path: Path
    label: str
    """The class, in the spelling that all lists and folders share."""
    recording: str
    """What was recorded in one go: clips of it resemble each other."""
    start_sec: float | None = None
    """None: the whole video shows the class."""
    end_sec: float | None = None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a target data set holds."""

    classes: tuple[str, ...]
    """Those that both parts have, in order."""
    train: tuple[TargetVideo, ...]
    test: tuple[TargetVideo, ...]
    unmatched: tuple[str, ...]
    """Classes that only one part has: nothing can be learned or judged of them, so both leave them out."""
    missing: tuple[str, ...]
    """Videos of the lists that are not below the folder."""


def listing(folder: Path, lists: Sequence[Path] = ()) -> Listing:
    """Return what a data set holds.

    Judged are the videos of the testing part; where it has none with a label, as in Kinetics and Something-Something,
    those of the validation part.

    Args:
        folder: of the videos; without lists `<train|test>/<class>/<video>`.
        lists: published lists of its videos, of both parts; of one split where there are several.

    Raises:
        NotConfigured: the folder is none, there is nothing to learn from or to be judged on, or no class is in both.

    """
    if not folder.is_dir():
        raise NotConfigured(f"setting training.transfer: {folder} is no folder, want <train|test>/<class>/<video>")
    published = read(lists or [folder])
    missing: list[str] = []
    found = list(_located(published.labels, folder, missing) if lists else _in_folders(published.labels, folder))
    train = [video for split, video in found if split == Split.TRAINING]
    test = [video for split, video in found if split == Split.TESTING]
    test = test or [video for split, video in found if split == Split.VALIDATION]
    learned, judged = {video.label for video in train}, {video.label for video in test}
    if not learned & judged:
        raise NotConfigured(
            f"setting training.transfer: {folder} has classes {sorted(learned)[:_SHOWN]} to learn from and "
            f"{sorted(judged)[:_SHOWN]} to be judged on, want some in both; "
            f"{counted(len(missing), 'listed video is', 'listed videos are')} not in it"
        )
    return Listing(
        classes=tuple(sorted(learned & judged)),
        train=tuple(video for video in train if video.label in judged),
        test=tuple(video for video in test if video.label in learned),
        unmatched=tuple(sorted(learned ^ judged)),
        missing=tuple(missing),
    )


def _in_folders(rows: Iterable[Row], folder: Path) -> Iterator[tuple[Split | None, TargetVideo]]:
    for row in rows:
        yield row.split, _video(row, folder / row.video)


def _located(rows: Iterable[Row], folder: Path, missing: list[str]) -> Iterator[tuple[Split | None, TargetVideo]]:
    """Yield the positive rows whose video lies below the folder, with their split; name the others."""
    places: dict[str, list[Path]] = {}
    for path in folders.files(folder, []):
        places.setdefault(path.stem, []).append(path)
    for row in rows:
        if not row.positive or row.split is None:
            continue
        trimmed, whole = _names(row)
        if (own := _nearest(places, trimmed, row)) is not None:
            yield row.split, _video(row, own)
        elif (around := _nearest(places, whole, row)) is not None:
            yield row.split, _video(row, around, row.start_sec, row.end_sec)
        else:
            missing.append(f"{row.label}/{row.video}")


def _names(row: Row) -> tuple[list[str], list[str]]:
    """Return the names of (a file that holds the stretch alone, a file that holds the video)."""
    stem = Path(row.video).stem if "." in row.video else row.video
    whole = [stem, f"v_{stem}"]
    if row.start_sec is None or row.end_sec is None:
        return whole, []
    return [f"{stem}_{int(row.start_sec):06d}_{int(row.end_sec):06d}"], whole


def _nearest(places: Mapping[str, Sequence[Path]], names: Iterable[str], row: Row) -> Path | None:
    found = [path for name in names for path in places.get(name, ())]
    of_class = [path for path in found if spelling(path.parent.name) == spelling(row.label or "")]
    return next(iter(of_class or found), None)


def _video(row: Row, path: Path, start_sec: float | None = None, end_sec: float | None = None) -> TargetVideo:
    stem = Path(row.video).stem
    recording = f"{spelling(row.label or '')}/{_PART.sub('', stem)}" if _PART.search(stem) else row.video
    return TargetVideo(
        path=path, label=spelling(row.label or ""), recording=recording, start_sec=start_sec, end_sec=end_sec
    )
