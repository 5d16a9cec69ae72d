"""Write validated labels as Parquet, HACS csv and ActivityNet json.

Reads: the newest judged labels; videos; the ledger's verdicts, decisions, queue and tombstones.
Writes: release (release) with exports beside it; the ledger's releases.
Safe to run again: a finished release is left alone. Whole rounds of accepted or approved categories only; nothing to
release ends with 65.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job
from slac_tasks.model import parse_round_key
from slac_tasks.release.releasable import releasable
from slac_tasks.storage.datasets import LABELS, QUALITY, RELEASES, VIDEOS
from slac_tasks.storage.manifests import Manifest

_YOUTUBE = re.compile(r"[A-Za-z0-9_-]{11}")

Row = Mapping[str, Any]


def public_id(row: Row) -> str:
    """Return the name under which others know the video: its YouTube id if it has one, else its video_id."""
    return str(row["source_id"] if _YOUTUBE.fullmatch(row["source_id"]) else row["video_id"])


def hacs_csv(rows: Iterable[Row], names: Mapping[str, str]) -> bytes:
    """Return the csv of HACS 1.1.1: ``Archery,a2X2hz1G6i8,training,15.5,17.5,1``; times in seconds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["classname", "youtube_id", "subset", "start", "end", "label"])
    for row in rows:
        writer.writerow(
            [names[row["category"]], public_id(row), row["split"], row["start_sec"], row["end_sec"], row["label"]]
        )
    return text.getvalue().encode()


def activitynet_json(rows: Iterable[Row], names: Mapping[str, str], version: str) -> bytes:
    """Return the json of ActivityNet 1.3: every video, with its positive clips as segments in seconds."""
    database: dict[str, dict[str, Any]] = {}
    for row in rows:
        video = database.setdefault(
            public_id(row), {"annotations": [], "duration": row["duration_sec"], "subset": row["split"], "url": ""}
        )
        if row["label"] == 1:
            video["annotations"].append(
                {"label": names[row["category"]], "segment": [row["start_sec"], row["end_sec"]]}
            )
    found = {"database": dict(sorted(database.items())), "taxonomy": [], "version": version}
    return (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode()


def run(job: Job) -> None:
    """Write the release and its exports."""
    keys = {"release": job.key("release")}
    if done := job.finished(RELEASES, keys):
        _remember(job, done, job.datasets.read(RELEASES, ["category"], **keys))
        return
    judged = [found["labels"] for found in job.datasets.partitions(QUALITY)]
    if not judged:
        raise BrokenContract(f"release {keys['release']}: no labels were judged yet, want a verdict of `slac validate`")
    labels = max(judged)
    rows, inputs = _joined(job, labels)
    if not rows:
        raise BrokenContract(
            f"release {keys['release']}: labels {labels} hold nothing to release, want whole rounds of accepted ones"
        )
    table = RELEASES.from_records(rows)
    names = {row["category"]: row["name"] for row in job.ledger.rows("categories")}
    folder = f"{RELEASES.address(keys)}/exports"
    parquet = io.BytesIO()
    pq.write_table(table, parquet, compression="zstd")
    job.store.put(f"{folder}/labels.parquet", parquet.getvalue())
    job.store.put(f"{folder}/clips.csv", hacs_csv(rows, names))
    job.store.put(f"{folder}/activitynet.json", activitynet_json(rows, names, keys["release"]))
    made = [job.datasets.need(LABELS, labels=labels), job.datasets.need(QUALITY, labels=labels), *inputs]
    _remember(job, job.finish(RELEASES, [table], keys, inputs=made), table)


def _joined(job: Job, labels: str) -> tuple[list[dict[str, Any]], list[Manifest]]:
    """Return the rows of the release in their fixed order, and the manifests of the videos that they name."""
    kept = releasable(job.datasets, job.ledger, labels).to_pylist()
    partitions = sorted({(row["category"], str(parse_round_key(row["round"])[0])) for row in kept})
    inputs, videos = [], {}
    for category, window in partitions:
        inputs.append(job.datasets.need(VIDEOS, category=category, window=window))
        for video in job.datasets.read(VIDEOS, category=category, window=window).to_pylist():
            videos[category, video["video_id"]] = video
    rows = []
    for row in kept:
        video = videos.get((row["category"], row["video_id"]))
        if video is None:
            raise BrokenContract(
                f"release {job.key('release')}: clip {row['clip_id']} is of no video of {row['category']}"
            )
        rows.append({name: row.get(name, video.get(name)) for name in RELEASES.schema.names})
    return rows, inputs


def _remember(job: Job, manifest: Manifest, table: pa.Table) -> None:
    """Record the release; the version of the labels is read from what the release was made from."""
    head = LABELS.address({"labels": "0"}).removesuffix("0")
    labels = next(address.removeprefix(head) for address in manifest.made_from if address.startswith(head))
    with job.ledger.transaction():
        job.ledger.run(
            "add_release",
            release=manifest.keys["release"],
            labels=labels,
            label_count=manifest.rows,
            categories=sorted(set(table["category"].to_pylist())),
        )
        job.record(manifest)
