"""Features of many videos, into a folder in the layouts of other tools: what is there is not made again."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from slac_tasks.annotations.reading import read
from slac_tasks.annotations.rows import Row
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.given import cells, folders, tables
from slac_tasks.given.words import fault_of, printable
from slac_tasks.localization.features import Dense, Unseen
from slac_tasks.localization.layouts import Featured, Labelled, Missing, Segment, featured, write_features
from slac_tasks.localization.releases import ReleasedLabel
from slac_tasks.localization.results import name_of, names_of
from slac_tasks.model import Split

NOT_YET = "not made yet"
UNFIT = "unfit for the type"
"""Reasons why a video has no features, beside those of `features` and `localizing`."""
_PREFIX = "v_"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A video whose features are wanted."""

    name: str
    source: str
    """What they are made from; see `Featured`."""
    path: Path | None = None
    """Of a file; None: a video of the store."""


def hash_of(network: nn.Module) -> str:
    """Return the content hash of a network's weights, whatever file they came from."""
    found = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        found.update(name.encode())
        found.update(value.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def of_files(paths: Sequence[Path]) -> tuple[list[Wanted], list[str]]:
    """Return the videos of files and folders, and a line for people about each part that cannot be read.

    Those in folders below count too.

    Raises:
        WrongArguments: there is no file.

    """
    found: list[Path] = []
    failures: list[OSError] = []
    for path in paths:
        found += folders.files(path, failures) if os.path.isdir(path) else [path]
    aside = [folders.told(failure) for failure in failures]
    if not found:
        first = f"; {aside[0]}" if aside else ""
        raise WrongArguments(f"videos: {', '.join(map(str, paths))} hold no file, want videos{first}")
    return [wanted_file(name, path) for name, path in zip(names_of(found), found, strict=True)], aside


def of_manifest(manifest: Path) -> tuple[list[Wanted], list[str]]:
    """Return the videos that a csv, jsonl or parquet lists, and a line for people about each of its lines that is none.

    Columns are `location`, a path beside it, and optionally `source_id`.

    Raises:
        WrongArguments: it cannot be read, or lists no video.
        BrokenContract: it is no such table.

    """
    rows: dict[str, Path] = {}
    aside: list[str] = []
    try:
        for line in tables.lines(manifest, "manifest", needed=("location",), known=("location", "source_id")):
            try:
                name, path = _listed(line, manifest.parent)
                if name in rows:
                    raise cells.Unclear(f"{name!r} is there twice, want each once")
            except cells.Unclear as error:
                aside.append(f"{manifest} line {line.number}: {error}")
            else:
                rows[name] = path
    except OSError as error:
        raise WrongArguments(f"manifest {manifest}: cannot be read: {error.strerror}") from error
    if not rows:
        first = f"; {aside[0]}" if aside else ""
        raise WrongArguments(f"manifest {manifest}: lists no video, want some{first}")
    return [wanted_file(name, path) for name, path in rows.items()], aside


def _listed(line: tables.Line, folder: Path) -> tuple[str, Path]:
    """Return the name and the path of a line's video; what is none raises `Unclear`."""
    if line.fault:
        raise cells.Unclear(line.fault)
    location, given = (cells.text(line.cells.get(name)) or "" for name in ("location", "source_id"))
    if not location:
        raise cells.Unclear("location is missing")
    for what, word in (("location", location), ("source_id", given)):
        if fault := fault_of(word):
            raise cells.Unclear(f"{what} '{printable(word)[:200]}' {fault}")
    path = folder / location
    return name_of(given or path.stem), path


def wanted_file(name: str, path: Path) -> Wanted:
    """Return a file as a video whose source changes with its bytes."""
    where = printable(str(path.absolute()))
    try:
        facts = path.stat()
    except OSError:
        return Wanted(name=name, source=where, path=path)
    return Wanted(name=name, source=f"{where} {facts.st_size} {facts.st_mtime_ns}", path=path)


def labels_of_lists(lists: Sequence[Path], names: Iterable[str], split: Split) -> dict[str, Labelled]:
    """Return what published lists say of videos, by name with or without `v_`.

    Args:
        lists: of any format of `slac import`; what they call a video gets its name as `results.name_of` has it.
        names: the videos.
        split: of a video whose split no list says.

    """
    of_video: dict[str, list[Row]] = {}
    for row in read(lists).rows if lists else ():
        # Both: a video's own id may begin with `v_` too.
        for spelled in {name_of(row.video), name_of(row.video.removeprefix(_PREFIX))}:
            of_video.setdefault(spelled, []).append(row)
    return {name: _labelled(_rows_of(name, of_video), split) for name in names}


def _rows_of(name: str, of_video: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Return the rows on a video, each once."""
    found = [row for spelled in (name, name.removeprefix(_PREFIX)) for row in of_video.get(spelled, ())]
    return list({id(row): row for row in found}.values())


def _labelled(rows: Sequence[Row], split: Split) -> Labelled:
    return Labelled(
        split=next((row.split for row in rows if row.split is not None), split),
        segments=tuple(
            (row.label, row.start_sec, row.end_sec)
            for row in rows
            if row.positive and row.label is not None and row.start_sec is not None and row.end_sec is not None
        ),
    )


def segments_of(clips: Iterable[ReleasedLabel], dense: Sequence[ReleasedLabel] = ()) -> tuple[Segment, ...]:
    """Return what a video of a release shows when.

    Of a category that people cut segments of there, it is these; of another, its positive clips, where those that touch
    or overlap are one segment (ours).

    Args:
        clips: all labels of its clips.
        dense: the segments that people cut.

    """
    cut = [(one.category, one.start_sec, one.end_sec) for one in dense if one.positive]
    known = {category for category, *_ in cut}
    return (*cut, *_joined(one for one in clips if one.positive and one.category not in known))


def _joined(clips: Iterable[ReleasedLabel]) -> list[Segment]:
    found: list[Segment] = []
    for one in sorted(clips, key=lambda label: (label.category, label.start_sec)):
        last = found[-1] if found else ("", 0.0, -1.0)
        if last[0] == one.category and one.start_sec <= last[2]:
            found[-1] = (last[0], last[1], max(last[2], one.end_sec))
        else:
            found.append((one.category, one.start_sec, one.end_sec))
    return found


Look = Callable[[Sequence[Wanted]], Iterator[Dense | Unseen]]
"""Yields the features of each video, or why there are none."""


def fill(
    folder: Path, wanted: Sequence[Wanted], look: Look, *, network: str, stride_frames: int, dtype: str
) -> Iterator[Featured | Missing]:
    """Write the features that a folder lacks; yield each video that was looked at.

    What is there is made again only where the video, the network, the stride or the type is another one.

    Args:
        folder: where the features go.
        wanted: the videos.
        look: what looks at them.
        network: content hash of its weights.
        stride_frames: frames from one row to the next.
        dtype: `float16` or `float32`.

    """
    source = {one.name: one.source for one in wanted}
    there = made(folder, wanted, network=network, stride_frames=stride_frames, dtype=dtype)
    due = [one for one in wanted if one.name not in there]
    for each in look(due) if due else ():
        if isinstance(each, Unseen):
            yield Missing(name=each.name, reason=each.lost.reason, detail=each.lost.detail)
            continue
        about = Featured.of(each, source=source[each.name], network=network, dtype=dtype)
        try:
            write_features(folder, each, about)
        except BrokenContract as error:
            yield Missing(name=each.name, reason=UNFIT, detail=str(error))
        else:
            yield about


def made(
    folder: Path, wanted: Sequence[Wanted], *, network: str, stride_frames: int, dtype: str
) -> dict[str, Featured]:
    """Return the wanted videos whose features a folder holds, by name; those of another file or network do not count.

    The arguments are those of `fill`.
    """
    there = featured(folder)
    found = {one.name: there[one.name] for one in wanted if one.name in there and there[one.name].source == one.source}
    as_wanted = (network, stride_frames, dtype)
    return {name: one for name, one in found.items() if (one.network, one.stride_frames, one.dtype) == as_wanted}


def missing(wanted: Sequence[Wanted], there: Mapping[str, Featured], known: Mapping[str, Missing]) -> list[Missing]:
    """Return the videos without features, each with its reason."""
    return [
        known.get(one.name, Missing(name=one.name, reason=NOT_YET, detail=""))
        for one in wanted
        if one.name not in there
    ]
