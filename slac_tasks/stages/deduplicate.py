"""Admit the videos of a window over all categories, once each, and fix their group and split for ever.

Reads: fetched (category, window) of every category that has it; the ledger's admitted videos.
Writes: videos (category, window) for each of these categories; admissions in the ledger, before the datasets.
Safe to run again: what the ledger admitted stays admitted, and finished partitions are left alone. One at a time.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from slac_tasks.datasets import FETCHED, VIDEOS, Drop, Manifest
from slac_tasks.fingerprints import Index
from slac_tasks.job import Job, say
from slac_tasks.model import split_of
from slac_tasks.reconcile import signed

SECTIONS = ("admission",)

_COLUMNS = ("group_id", "split", *(c.name for c in VIDEOS.columns if c.name in FETCHED.schema.names))


@dataclass(kw_only=True)
class Admissions:
    """What was admitted so far: the ledger's videos, then those of this run."""

    index: Index
    split: dict[str, str] = field(default_factory=dict)
    group: dict[str, str] = field(default_factory=dict)
    candidates: dict[tuple[str, str], str] = field(default_factory=dict)
    """(video_id, category) -> candidate_id."""
    gone: frozenset[str] = frozenset()

    def categories(self, video_id: str) -> set[str]:
        """The categories for which a video was admitted."""
        return {category for video, category in self.candidates if video == video_id}


def run(job: Job) -> None:
    """Admit the window's videos."""
    window = job.need_window()
    partitions = [keys for keys in job.datasets.partitions(FETCHED) if keys["window"] == window]
    open_keys = {}
    for keys in partitions:
        fetched = job.datasets.need(FETCHED, **keys)
        if not job.finished(VIDEOS, keys, inputs=[fetched], sections=SECTIONS):
            open_keys[keys["category"]] = fetched
    if not open_keys:
        say(f"deduplicate: window {window}: nothing to admit, {len(partitions)} categories finished already")
        return
    admissions = _admitted(job)
    rows, drops = admit(job, open_keys, admissions)
    for category, fetched in open_keys.items():
        keys = {"category": category, "window": window}
        table = VIDEOS.rows(rows[category])
        job.finish(VIDEOS, [table], keys, inputs=[fetched], sections=SECTIONS, drops=drops[category])


def _admitted(job: Job) -> Admissions:
    """Read what the ledger has admitted."""
    found = Admissions(
        index=Index(job.config.admission),
        gone=frozenset(row["video_id"] for row in job.ledger.rows("tombstones")),
    )
    for row in job.ledger.rows("admitted_videos"):
        if row["video_id"] not in found.split:
            found.index.add(row["video_id"], [value % (1 << 64) for value in row["frame_hashes"]])
            found.split[row["video_id"]], found.group[row["video_id"]] = row["split"], row["group_id"]
        found.candidates[row["video_id"], row["category"]] = row["candidate_id"]
    return found


def order(row: dict[str, Any]) -> tuple[bool, Any, str, str]:
    """The first admitted wins; ties by (published_at, source, source_id), undated last."""
    dated = row["published_at"] is not None
    return (not dated, row["published_at"].isoformat() if dated else "", row["source"], row["source_id"])


def admit(
    job: Job, fetched: dict[str, Manifest], admissions: Admissions
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, list[Drop]]]:
    """Decide on every fetched video, in order, and write each decision to the ledger in one transaction."""
    newcomers = sorted(
        (
            {**row, "category": category}
            for category, manifest in fetched.items()
            for row in job.datasets.read(FETCHED, **manifest.keys).to_pylist()
        ),
        key=lambda row: (*order(row), row["category"]),
    )
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    drops: dict[str, list[Drop]] = defaultdict(list)
    with job.ledger.transaction():
        for row in newcomers:
            drop = _decide(job, row, admissions)
            if drop is None:
                rows[row["category"]].append({name: row[name] for name in _COLUMNS})
            else:
                drops[row["category"]].append(drop)
    return rows, drops


def _decide(job: Job, row: dict[str, Any], admissions: Admissions) -> Drop | None:
    """Admit one video, or say why not. `row` is given its group and split."""
    video, category = row["video_id"], row["category"]
    if video in admissions.gone:
        return Drop(item=row["source_id"], reason="taken down", detail=video)
    first = admissions.candidates.get((video, category))
    if first is not None and first != row["candidate_id"]:
        return Drop(item=row["source_id"], reason="duplicate", detail=f"same bytes as {video}")
    if video not in admissions.split:
        near = admissions.index.near(row["frame_hashes"])
        for other in near:
            if category in admissions.categories(other):
                return Drop(item=row["source_id"], reason="near-duplicate", detail=f"of {other}")
        knobs = job.config.admission
        group = admissions.group[near[0]] if near else video
        split = admissions.split[near[0]] if near else split_of(
            video, validation_share=knobs.validation_share, testing_share=knobs.testing_share
        ).value  # fmt: skip
        admissions.group[video], admissions.split[video] = group, split
        admissions.index.add(video, row["frame_hashes"])
        hashes = [signed(value) for value in row["frame_hashes"]]
        job.ledger.run(
            "add_video",
            video_id=video,
            media_sha256=row["media_sha256"],
            group_id=group,
            split=split,
            frame_hashes=hashes,
        )
    row["group_id"], row["split"] = admissions.group[video], admissions.split[video]
    admissions.candidates[video, category] = row["candidate_id"]
    values = {
        name: row[name] for name in ("video_id", "category", "candidate_id", "source", "source_id", "published_at")
    }
    job.ledger.run("add_admission", **values, window=job.need_window())
    return None
