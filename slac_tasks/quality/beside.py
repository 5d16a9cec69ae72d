"""What is known beside a hand-over: admitted videos, tombstones, categories, the queue, and other datasets."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cached_property
from typing import Any

import pyarrow as pa

from slac_tasks.admission.withdrawals import tombstones
from slac_tasks.job import Job
from slac_tasks.model import round_window
from slac_tasks.quality.expectations import EXPECTATIONS
from slac_tasks.quality.expectations.entries import Expectation, Handover, in_one_piece
from slac_tasks.storage.datasets import (
    CANDIDATES,
    CLIPS,
    FETCHED,
    LABELS,
    RELEASES,
    SCORES,
    VIDEOS,
    VOTES,
)
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.records import current
from slac_tasks.verification import votes as voted
from slac_tasks.verification.control import GOLD
from slac_tasks.verification.versions import label_tables, labels_of, need_labels, read_labels

_READERS = 8
"""Manifests and small tables that are read at the same time: each waits for the store."""
_LENGTHS = ("video_id", "duration_sec")
_LABEL = ("clip_id", "category", "label")


class Beside:
    """The tables that expectations read beside the rows of a hand-over; some are the same for all of them."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def manifest(self, dataset: Dataset[Any], keys: Mapping[str, str]) -> Manifest:
        """Return the current manifest of a partition; a version of the labels has one of two forms."""
        if dataset is LABELS:
            return need_labels(self._job.datasets, keys["labels"])
        return self._job.datasets.need(dataset, **keys)

    def rows(self, dataset: Dataset[Any], manifest: Manifest, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows of a generation; those of a whole version of the labels."""
        if dataset is LABELS:
            return in_one_piece(label_tables(self._job.datasets, manifest.keys["labels"], columns))
        schema = dataset.schema if columns is None else pa.schema([dataset.schema.field(name) for name in columns])
        return in_one_piece([schema.empty_table(), *self._job.datasets.tables(manifest, columns)])

    def handover(
        self, dataset: Dataset[Any], manifest: Manifest, asked: Sequence[Expectation] | None = None
    ) -> Handover:
        """Return a generation as expectations read it, with all that they need beside it.

        Args:
            dataset: of the generation.
            manifest: of the generation.
            asked: what will judge it, which reads no other columns than it says; None: all that is expected of it,
                with every column.

        """
        every = EXPECTATIONS[dataset.name] if asked is None else asked
        read = {name for one in every for name in one.reads}
        columns = None if asked is None else [name for name in dataset.schema.names if name in read]
        return Handover(
            dataset=dataset, keys=manifest.keys, rows=self.rows(dataset, manifest, columns),
            knobs=self._job.config.expectations, dropped=manifest.dropped,
            written_at=datetime.fromisoformat(manifest.written_at), beside=self.tables(dataset, manifest, every),
        )  # fmt: skip

    def tables(self, dataset: Dataset[Any], manifest: Manifest, asked: Sequence[Expectation]) -> dict[str, pa.Table]:
        """Return the tables that these expectations need, as far as they exist."""
        needed = {name for one in asked for name in one.needs}
        found = {name: self._table(name, dataset, manifest) for name in sorted(needed)}
        return {name: table for name, table in found.items() if table is not None}

    def _table(self, name: str, dataset: Dataset[Any], manifest: Manifest) -> pa.Table | None:
        makers: Mapping[str, Callable[[], pa.Table | None]] = {
            "admitted": lambda: self._admitted,
            "withdrawn": lambda: self._withdrawn,
            "categories": lambda: self._categories,
            "known": lambda: self._gold,
            "candidates": lambda: self._beside(CANDIDATES, manifest.keys, ["candidate_id"]),
            "fetched": lambda: self._beside(FETCHED, manifest.keys, ["candidate_id"]),
            "clips": lambda: self._beside(CLIPS, manifest.keys, ["clip_id"]),
            "videos": lambda: self._videos(dataset, manifest),
            "scores_before": lambda: self._scores_before(manifest.keys),
            "asked": lambda: self._asked(manifest),
            "earlier": lambda: self._earlier(manifest),
            "votes": lambda: self._votes(manifest.keys["labels"]),
            "labels": lambda: self._judged_labels(manifest),
            "last_release": lambda: self._last_release(manifest),
        }
        return makers[name]()

    @cached_property
    def _admitted(self) -> pa.Table:
        names = ["video_id", "group_id", "split"]
        schema = pa.schema([pa.field(name, pa.string()) for name in names])
        parts = [pa.table(part, schema=schema) for part in self._job.ledger.columns("admitted_videos")]
        return pa.concat_tables([schema.empty_table(), *parts])

    @cached_property
    def _withdrawn(self) -> pa.Table:
        return pa.table({"video_id": pa.array(sorted(tombstones(self._job.ledger)), pa.string())})

    @cached_property
    def _categories(self) -> pa.Table:
        rows = self._job.ledger.rows("categories")
        return pa.table(
            {
                "category": pa.array([row["category"] for row in rows], pa.string()),
                "guideline_version": pa.array([row["guideline_version"] for row in rows], pa.int64()),
            }
        )

    @cached_property
    def _gold(self) -> pa.Table:
        rows = [row for row in self._job.ledger.rows("known_answers") if row["purpose"] == GOLD]
        return pa.table(
            {name: pa.array([row[name] for row in rows], pa.string()) for name in ("clip_id", "category", "answer")}
        )

    def _beside(self, dataset: Dataset[Any], keys: Mapping[str, str], columns: Sequence[str]) -> pa.Table | None:
        """Return columns of the partition of another dataset for the same category and window."""
        window = keys.get("window") or round_window(keys["round"])
        manifest = self._job.datasets.manifest(dataset, category=keys["category"], window=window)
        return None if manifest is None else self.rows(dataset, manifest, columns)

    def _videos(self, dataset: Dataset[Any], manifest: Manifest) -> pa.Table | None:
        if dataset is not LABELS:
            return self._beside(VIDEOS, manifest.keys, ["video_id", "duration_sec", "shots"])
        found = current(self._job.ledger, VIDEOS)
        with ThreadPoolExecutor(_READERS) as pool:
            tables = list(pool.map(lambda one: self._job.datasets.read(VIDEOS, _LENGTHS, **one.keys), found))
        every = pa.concat_tables([pa.schema([VIDEOS.schema.field(name) for name in _LENGTHS]).empty_table(), *tables])
        return every.group_by("video_id").aggregate([("duration_sec", "max")]).rename_columns(list(_LENGTHS))

    def _scores_before(self, keys: Mapping[str, str]) -> pa.Table | None:
        """Return the scores of the same category and weights in the newest older window that has some."""
        same = (keys["category"], keys["weights"])
        scored = [one for one in self._scored if (one["category"], one["weights"]) == same]
        older = [one for one in scored if one["window"] < keys["window"]]
        if not older:
            return None
        return self._job.datasets.read(SCORES, ["score", "video_id"], **max(older, key=lambda one: one["window"]))

    @cached_property
    def _scored(self) -> list[Mapping[str, str]]:
        return [one.keys for one in current(self._job.ledger, SCORES)]

    def _asked(self, manifest: Manifest) -> pa.Table:
        clips = self.rows(VOTES, manifest, ["clip_id", "category"]).group_by(["clip_id", "category"]).aggregate([])
        return voted.queued(self._job.ledger, clips, until=int(manifest.keys["batch"])).select(["clip_id"])

    def _earlier(self, manifest: Manifest) -> pa.Table:
        """Return the votes of the ledger that the batch corrects."""
        named = self.rows(VOTES, manifest, ["supersedes"])["supersedes"].drop_null().to_pylist()
        found = self._job.ledger.rows("known_votes", vote_ids=named)
        return pa.table({"vote_id": pa.array([row["vote_id"] for row in found], pa.string())})

    def _votes(self, version: str) -> pa.Table:
        """Return id and answer of all votes up to a version."""
        batches = [one for one in current(self._job.ledger, VOTES) if one.keys["batch"] <= version]
        columns = ["vote_id", "answer"]
        with ThreadPoolExecutor(_READERS) as pool:
            tables = list(pool.map(lambda one: self._job.datasets.read(VOTES, columns, **one.keys), batches))
        return in_one_piece([pa.schema([VOTES.schema.field(name) for name in columns]).empty_table(), *tables])

    def _judged_labels(self, manifest: Manifest) -> pa.Table:
        return read_labels(self._job.datasets, labels_of(manifest), _LABEL)

    def _last_release(self, manifest: Manifest) -> pa.Table | None:
        """Return the newest release that is older than this partition."""
        before = manifest.keys.get("release")
        every = [one.keys for one in current(self._job.ledger, RELEASES)]
        found = [keys for keys in every if before is None or keys["release"] < before]
        if not found:
            return None
        return self._job.datasets.read(RELEASES, [*_LABEL, "video_id"], **max(found, key=lambda keys: keys["release"]))
