"""Draw a map of the clips that people are asked about, for each category: clips near each other look alike.

Reads: hard_clips of the category's newest rounds, kept features of their windows, withdrawals.
Writes: map (category).
Safe to run again: a map of the same rounds is left alone; with --follow it is drawn again when a round came.

Rounds are taken from the newest on until they hold `MOST` clips, and of these `MOST` are drawn by a hash of their ids.
So a map costs the same however long the past is. A clip is placed by all members that kept features of as many of these
clips as any member did: features of one network can be compared whenever they were made, those of two cannot.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from slac_tasks.admission.withdrawals import tombstones
from slac_tasks.job import Job
from slac_tasks.mining.coverage import space
from slac_tasks.mining.layout import MOST, drawn, laid_out
from slac_tasks.model import round_window
from slac_tasks.networks.features import Features, unpacked
from slac_tasks.progress import print_line
from slac_tasks.storage.datasets import FEATURES, HARD_CLIPS, MAP
from slac_tasks.storage.datasets.scoring import PlaceRow
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.tables import Datasets

NO_FEATURES = "no features"
"""Reason why a clip, or every clip of a window, is not on the map."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What members kept of the clips of some windows."""

    members: tuple[tuple[Manifest, ...], ...]
    """Manifests of each member's features, those of the newest window first."""
    windows: frozenset[str]


def run(job: Job) -> None:
    """Draw the map of every category of the job."""
    job.each_category(lambda category: _draw(job, category))


def _draw(job: Job, category: str) -> None:
    rounds = _newest_rounds(job.datasets, category)
    if not rounds:
        print_line(f"map: {category}: no clip was chosen yet, nothing to draw")
        return
    kept = _kept(job.datasets, category, _asked(rounds))
    inputs = [*rounds, *(manifest for member in kept.members for manifest in member)]
    with job.partition(MAP, {"category": category}, inputs=inputs) as made:
        if made.finished:
            return
        lacking = {window for window in _asked(rounds) if window not in kept.windows}
        made.drops += [Drop(item=window, reason=NO_FEATURES) for window in sorted(lacking)]
        withdrawn = tombstones(job.ledger)
        chosen = [one for one in rounds if round_window(one.keys["round"]) in kept.windows]
        rows = job.datasets.read_all(HARD_CLIPS, chosen, ["clip_id", "video_id"])
        pairs = zip(rows["clip_id"].to_pylist(), rows["video_id"].to_pylist(), strict=True)
        wanted = drawn(clip for clip, video in pairs if video not in withdrawn)
        clips, points = _points(job.datasets, kept, wanted)
        made.drops += [Drop(item=clip, reason=NO_FEATURES) for clip in sorted(set(wanted) - set(clips))]
        made.write(
            PlaceRow(clip_id=clip, x=float(x), y=float(y)) for clip, (x, y) in zip(clips, laid_out(points), strict=True)
        )


def _newest_rounds(datasets: Datasets, category: str) -> list[Manifest]:
    """Return the category's rounds of the newest windows, until they hold enough clips."""
    found: list[Manifest] = []
    keys = datasets.partitions(HARD_CLIPS, category=category)
    for one in sorted(keys, key=lambda each: each["round"], reverse=True):
        if sum(manifest.rows for manifest in found) >= MOST:
            break
        found.append(datasets.need(HARD_CLIPS, **one))
    return found


def _asked(rounds: Iterable[Manifest]) -> Mapping[str, int]:
    """Return how many clips were chosen of each window, the newest first."""
    asked: dict[str, int] = {}
    for one in rounds:
        window = round_window(one.keys["round"])
        asked[window] = asked.get(window, 0) + one.rows
    return asked


def _kept(datasets: Datasets, category: str, asked: Mapping[str, int]) -> Kept:
    """Return the features of the members that kept those of the most clips that were asked."""
    windows_of: dict[str, set[str]] = {}
    for keys in datasets.partitions(FEATURES, category=category):
        if keys["window"] in asked:
            windows_of.setdefault(keys["weights"], set()).add(keys["window"])
    most = max(windows_of.values(), key=lambda some: (sum(asked[one] for one in some), sorted(some)), default=set())
    windows = [window for window in asked if window in most]
    members = [weights for weights, some in sorted(windows_of.items()) if some >= most]
    return Kept(
        members=tuple(
            tuple(datasets.need(FEATURES, category=category, window=window, weights=weights) for window in windows)
            for weights in members
        ),
        windows=frozenset(most),
    )


def _points(datasets: Datasets, kept: Kept, wanted: Sequence[str]) -> tuple[list[str], NDArray[np.float32]]:
    """Return those of the clips of which every member kept features, and where they lie in the space of these."""
    tables = [_comparable(datasets, member, wanted) for member in kept.members]
    known = [set(table["clip_id"].to_pylist()) for table in tables]
    clips = [clip for clip in wanted if known and all(clip in some for some in known)]
    if not clips:
        return [], np.empty((0, 2), dtype=np.float32)
    return clips, space([_of_clips(table, clips) for table in tables])


def _comparable(datasets: Datasets, made: Sequence[Manifest], wanted: Sequence[str]) -> pa.Table:
    """Return the features that one member kept of these clips; only those projected as the newest are."""
    names = ["clip_id", "features", "projection"]
    value_set = pa.array(wanted, pa.string())
    found = pa.concat_tables(
        [
            datasets.read_all(FEATURES, []).select(names),
            *(
                table.filter(pc.is_in(table["clip_id"], value_set=value_set))
                for manifest in made
                for table in datasets.tables(manifest, names)
            ),
        ]
    )
    return found.filter(pc.equal(found["projection"], found["projection"][0])) if found.num_rows else found


def _of_clips(table: pa.Table, clips: Sequence[str]) -> Features:
    place = pc.index_in(pa.array(clips, pa.string()), value_set=table["clip_id"].combine_chunks())
    return np.asarray(unpacked(table["features"])[place.to_numpy()])
