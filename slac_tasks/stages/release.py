"""Write validated labels as a release, in every format.

Reads: the newest judged labels; videos; the ledger's verdicts, decisions, queue and tombstones.
Writes: release (release) with exports beside it; the ledger's releases.
Safe to run again: a finished release is left alone. Whole rounds of accepted or approved categories only; nothing to
release ends with 65.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job
from slac_tasks.model import parse_round_key
from slac_tasks.release.exporting import write_exports
from slac_tasks.release.releasable import releasable
from slac_tasks.storage.datasets import QUALITY, RELEASES, VIDEOS
from slac_tasks.storage.manifests import Manifest
from slac_tasks.verification.ballots import joined_key
from slac_tasks.verification.versions import labels_of, need_labels, newest


def run(job: Job) -> None:
    """Write the release and its exports."""
    keys = {"release": job.key("release")}
    with job.partition(RELEASES, keys) as made:
        if not made.finished:
            labels = _newest_judged(job)
            table, videos = _joined(job, labels)
            made.inputs += [need_labels(job.datasets, labels), job.datasets.need(QUALITY, labels=labels)]
            made.inputs += videos
            made.write_tables([table])
    names = {row["category"]: row["name"] for row in job.ledger.rows("categories")}
    write_exports(job.datasets, made.manifest, names)
    _record(job, made.manifest)


def _newest_judged(job: Job) -> str:
    judged = newest(job.datasets, QUALITY)
    if judged is None:
        wanted = "want a verdict of `slac validate`"
        raise BrokenContract(f"release {job.key('release')}: no labels were judged yet, {wanted}")
    return judged


def _joined(job: Job, labels: str) -> tuple[pa.Table, list[Manifest]]:
    """Return the rows of the release in their fixed order, and the manifests of the videos that they name."""
    kept = releasable(job.datasets, job.ledger, labels)
    if not kept.num_rows:
        wanted = "want whole rounds of accepted categories"
        raise BrokenContract(f"release {job.key('release')}: labels {labels} hold nothing to release, {wanted}")
    pairs = set(zip(kept["category"].to_pylist(), kept["round"].to_pylist(), strict=True))
    partitions = sorted({(category, str(parse_round_key(round_)[0])) for category, round_ in pairs})
    manifests = [job.datasets.need(VIDEOS, category=category, window=window) for category, window in partitions]
    return _with_videos(job, kept, manifests), manifests


def _with_videos(job: Job, labels: pa.Table, manifests: Sequence[Manifest]) -> pa.Table:
    """Return labels with the columns of a release that their videos know.

    Raises:
        BrokenContract: a label is on a clip of no video.

    """
    wanted = [name for name in RELEASES.schema.names if name not in labels.column_names]
    parts = []
    for manifest in manifests:
        videos = job.datasets.read_all(VIDEOS, [manifest], ["video_id", *wanted])
        parts.append(videos.append_column("category", pa.repeat(manifest.keys["category"], videos.num_rows)))
    videos = pa.concat_tables(parts)
    place = pc.index_in(joined_key(labels, "video_id"), value_set=joined_key(videos, "video_id"))
    if place.null_count:
        strange = labels.filter(place.is_null()).slice(0, 1).to_pylist()[0]
        raise BrokenContract(f"labels: clip {strange['clip_id']} is of no video of {strange['category']}")
    for name in wanted:
        labels = labels.append_column(name, videos[name].take(place))
    return labels.select(RELEASES.schema.names)


def _record(job: Job, manifest: Manifest) -> None:
    """Record the release in the ledger, with the version of the labels from which it was made."""
    table = job.datasets.read_all(RELEASES, [manifest], ["category"])
    job.ledger.run(
        "add_release",
        release=manifest.keys["release"],
        labels=labels_of(manifest),
        label_count=manifest.rows,
        categories=sorted(pc.unique(table["category"]).to_pylist()),
    )
