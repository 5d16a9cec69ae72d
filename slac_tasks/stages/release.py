"""Write validated labels as a release, in every format.

Reads: the newest judged labels; the newest certified ones of other kinds, where the settings want them; videos; the
ledger's verdicts, decisions, queue and tombstones.
Writes: release (release) with exports beside it; the ledger's releases.
Safe to run again: a finished release is left alone. Whole rounds of accepted or approved categories only; nothing to
release ends with 65.
"""

from collections.abc import Sequence
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job
from slac_tasks.model import parse_round_key
from slac_tasks.progress import print_line
from slac_tasks.quality.certificate import admissible
from slac_tasks.release.exporting import write_exports
from slac_tasks.release.releasable import releasable, releasable_of_others
from slac_tasks.storage.datasets import CARRIED, CERTIFICATES, QUALITY, RELEASES, VIDEOS
from slac_tasks.storage.manifests import Manifest
from slac_tasks.verification.ballots import joined_key
from slac_tasks.verification.carrying import PEOPLE
from slac_tasks.verification.versions import labels_of, need_labels, newest


def run(job: Job) -> None:
    """Write the release and its exports."""
    keys = {"release": job.key("release")}
    with job.partition(RELEASES, keys) as made:
        if not made.finished:
            labels = _newest_judged(job)
            made.inputs += [need_labels(job.datasets, labels), job.datasets.need(QUALITY, labels=labels)]
            made.write_tables([_joined(job, labels, made.inputs)])
    names = {row["category"]: row["name"] for row in job.ledger.rows("categories")}
    write_exports(job.datasets, made.manifest, names)
    _record(job, made.manifest)


def _newest_judged(job: Job) -> str:
    judged = newest(job.datasets, QUALITY)
    if judged is None:
        wanted = "want a verdict of `slac validate`"
        raise BrokenContract(f"release {job.key('release')}: no labels were judged yet, {wanted}")
    return judged


def _joined(job: Job, labels: str, inputs: list[Manifest]) -> pa.Table:
    """Return the rows of the release in their fixed order; add the manifests of what else they are made from."""
    kept = releasable(job.datasets, job.ledger, labels)
    if not kept.num_rows:
        wanted = "want whole rounds of accepted categories"
        raise BrokenContract(f"release {job.key('release')}: labels {labels} hold nothing to release, {wanted}")
    pairs = set(zip(kept["category"].to_pylist(), kept["round"].to_pylist(), strict=True))
    partitions = sorted({(category, str(parse_round_key(round_)[0])) for category, round_ in pairs})
    manifests = [job.datasets.need(VIDEOS, category=category, window=window) for category, window in partitions]
    inputs += manifests
    schema = pa.schema([RELEASES.schema.field(name) for name in kept.column_names])
    found = [kept, *_others(job, labels, manifests, inputs)]
    every = pa.concat_tables([table.select(schema.names).cast(schema) for table in found])
    return _with_videos(job, every, manifests)


def _others(job: Job, labels: str, videos: Sequence[Manifest], inputs: list[Manifest]) -> list[pa.Table]:
    """Return the labels of other kinds than people's that the settings want, on these videos."""
    kinds = job.config.release.kinds
    if set(kinds) <= {PEOPLE}:
        return []
    certified = newest(job.datasets, CERTIFICATES)
    if certified is None:
        print_line(f"release {job.key('release')}: nothing was certified yet, so people's labels alone are released")
        return []
    carried, certificates = (job.datasets.need(of, labels=certified) for of in (CARRIED, CERTIFICATES))
    inputs += [carried, certificates]
    rows, promise = list(job.datasets.rows_of(CERTIFICATES, certificates)), job.config.quality.promise
    admitted = {kind: partial(admissible, rows, kind, promise=promise) for kind in kinds if kind != PEOPLE}
    table = releasable_of_others(job.datasets, job.ledger, labels, carried, admitted)
    released = {manifest.keys["category"] for manifest in videos}
    table = table.filter(pc.is_in(table["category"], value_set=pa.array(sorted(released), pa.string())))
    for name in ("strategy", "round"):
        table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    print_line(f"release {job.key('release')}: {table.num_rows:,} labels of other kinds than people's are certified")
    return [table]


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
