"""Write validated labels as a release, in every format.

Reads: the newest judged labels and how far people agree on them; the newest certified ones of other kinds, where the
settings want them; the newest labels of segments; videos, and where they were fetched; the ledger's verdicts,
decisions, queue and tombstones.
Writes: release (release) with exports and a data sheet beside it; released_segments (release), its dense labels;
released_videos (release), the names and splits that stay; release_versions (release), last: it makes the release
finished; the ledger's releases.
Safe to run again: a finished release is left alone, one that was cut off goes on with the rows that it has. Rows that
fail a critical expectation are made once more; then they end it with 65 before anything is finished. Whole
rounds of accepted or approved categories only; nothing to release, or a video that changed its split, ends with 65. Of
two at once one goes on, and the other ends with 75.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.admission.withdrawals import tombstones
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job, Partition
from slac_tasks.model import round_window
from slac_tasks.progress import counted, print_line, track
from slac_tasks.quality.beside import Beside
from slac_tasks.quality.certificate import certified_bounds
from slac_tasks.quality.expectations import EXPECTATIONS
from slac_tasks.quality.expectations.declared import PROVEN
from slac_tasks.quality.expectations.entries import Severity
from slac_tasks.quality.expectations.judging import failures, judge
from slac_tasks.release.content import ORDER
from slac_tasks.release.described import described, videos_of
from slac_tasks.release.exporting import WITH_EVERY_RELEASE, contents, export_name, write_exports
from slac_tasks.release.finished import need_release, version_of, with_files
from slac_tasks.release.mix import benchmark, mix_of
from slac_tasks.release.naming import names_of
from slac_tasks.release.preview import PREVIEW, preview
from slac_tasks.release.recording import RELEASING, record_release
from slac_tasks.release.register import register, registered
from slac_tasks.release.releasable import releasable, releasable_of_others, with_certificates
from slac_tasks.release.segments import dense_labels
from slac_tasks.release.sheet import sheet
from slac_tasks.release.tallies import tallies
from slac_tasks.storage.datasets import (
    CARRIED,
    CERTIFICATES,
    FETCHED,
    QUALITY,
    RELEASE_VERSIONS,
    RELEASED_SEGMENTS,
    RELEASED_VIDEOS,
    RELEASES,
    SEGMENT_LABELS,
    VIDEOS,
)
from slac_tasks.storage.datasets.releasing import ReleaseVersionRow
from slac_tasks.storage.manifests import Manifest
from slac_tasks.verification.carrying import PEOPLE
from slac_tasks.verification.versions import need_labels, newest

CRITICAL = tuple(
    one for one in EXPECTATIONS[RELEASES.name] if one.severity == Severity.CRITICAL and one.name not in PROVEN
)
"""What the rows must be before a release is finished, beside what was proved as they were written."""
Manifests = Mapping[str, Sequence[Manifest]]
"""Manifests of one dataset by category, the oldest window first."""


def run(job: Job) -> None:
    """Write the release: its rows, the register of videos, every format, and last what makes it finished."""
    keys = {"release": job.key("release")}
    # Until it is recorded: the next release follows what the ledger knows, and what is made again meanwhile would be
    # recorded as it was before.
    with job.alone(RELEASING):
        rows = job.datasets.manifest(RELEASES, **keys)
        with job.partition(RELEASE_VERSIONS, keys, inputs=[rows] if rows else []) as version:
            if not version.finished:
                _make(job, keys, version)
        _record(job, version.manifest)


def _make(job: Job, keys: Mapping[str, str], version: Partition[ReleaseVersionRow]) -> None:
    found = job.ledger.one("release_before", **keys)
    before = found["release"] if found else None
    rows = _sound_rows(job, keys, before)
    with job.partition(RELEASED_VIDEOS, keys, inputs=[rows]) as videos:
        if not videos.finished:
            videos.write_tables([register(job.datasets, before, rows)])
    version.inputs += [rows, videos.manifest, _segments(job, keys, rows)]
    version.inputs += [job.datasets.need(RELEASES, release=before)] if before else []
    row = version_of(job.datasets, rows, before)
    version.write([with_files(job.store, rows, row, _files(job, rows, row))])


def _segments(job: Job, keys: Mapping[str, str], rows: Manifest) -> Manifest:
    """Write the dense labels of the release; return their manifest."""
    (newest_labels,) = job.ledger.rows("newest_segment_labels")
    batch = newest_labels["batch"]
    labels = job.datasets.need(SEGMENT_LABELS, batch=batch) if batch else None
    with job.partition(RELEASED_SEGMENTS, keys, inputs=[rows, *([labels] if labels else [])]) as made:
        if not made.finished:
            found = job.datasets.rows_of(SEGMENT_LABELS, labels) if labels else ()
            gone = frozenset(tombstones(job.ledger))
            released = job.datasets.rows_of(RELEASES, rows)
            same = job.config.segments.tiou_least
            made.write(dense_labels(found, released, gone, made.drops, tiou_same=same))
    return made.manifest


def _sound_rows(job: Job, keys: Mapping[str, str], before: str | None) -> Manifest:
    """Return the rows of the release, after they were judged.

    Raises:
        BrokenContract: they are not what a release promises.

    """
    rows = _rows(job, keys, before)
    wrong = _wrong(job, rows)
    if wrong:
        # A run that ended before the release was finished may have made them, and what they were made from is mended by
        # now; or a video was withdrawn while they were made.
        rows = _rows(job, keys, before, again=True)
        wrong = _wrong(job, rows)
    if wrong:
        raise BrokenContract(
            f"release {keys['release']}: {counted(len(wrong), 'expectation fails', 'expectations fail')}: "
            f"{'; '.join(wrong)}"
        )
    return rows


def _rows(job: Job, keys: Mapping[str, str], before: str | None, *, again: bool = False) -> Manifest:
    """Make the rows, unless they are there; return their manifest."""
    with job.partition(RELEASES, keys, again=again) as made:
        if not made.finished:
            labels = _newest_judged(job)
            made.inputs += [need_labels(job.datasets, labels), job.datasets.need(QUALITY, labels=labels)]
            made.write_tables(_tables(job, labels, before, made.inputs))
    return made.manifest


def _wrong(job: Job, rows: Manifest) -> list[str]:
    """Return the critical failures of the rows, in words. Memory holds the columns that are asked for."""
    with job.ledger.transaction():
        # Who withdraws videos has this lock from before the look for releases that hold them until the tombstones are
        # committed. So either that look has seen these rows, or what follows sees the tombstones.
        job.ledger.rows("lock_admission")
    return failures(judge(Beside(job).handover(RELEASES, rows, CRITICAL), CRITICAL), Severity.CRITICAL)


def _files(job: Job, rows: Manifest, row: ReleaseVersionRow) -> Iterator[str]:
    """Write what lies beside the rows: every format, and the data sheet. Yield the name of each file."""
    names = {one["category"]: one["name"] for one in job.ledger.rows("categories")}
    write_exports(job.datasets, rows, contents(job.datasets, rows, row.version, names))
    yield from (export_name(rows, export).removeprefix(f"{rows.folder}/") for export in WITH_EVERY_RELEASE)
    dense = job.datasets.rows(RELEASED_SEGMENTS, release=job.key("release"))
    written = sheet(job.key("release"), row, tallies(job.datasets, rows), names, dense)
    for name, data in {**written, PREVIEW: preview(job.datasets, rows).encode()}.items():
        job.store.put(f"{rows.folder}/{name}", data)
        yield name


def _newest_judged(job: Job) -> str:
    judged = newest(job.datasets, QUALITY)
    if judged is None:
        wanted = "want a verdict of `slac validate`"
        raise BrokenContract(f"release {job.key('release')}: no labels were judged yet, {wanted}")
    return judged


def _tables(job: Job, labels: str, before: str | None, inputs: list[Manifest]) -> Iterator[pa.Table]:
    """Return the rows of the release in their fixed order, a table for each category that is made while it is written.

    The manifests of what else they are made from are added to `inputs` at once.
    """
    people = releasable(job.datasets, job.ledger, labels)
    if not people.num_rows:
        wanted = "want whole rounds of accepted categories"
        raise BrokenContract(f"release {job.key('release')}: labels {labels} hold nothing to release, {wanted}")
    schema = pa.schema([RELEASES.schema.field(name) for name in (*people.column_names, "certificate")])
    found = [table.select(schema.names).cast(schema) for table in _certified(job, labels, people, inputs)]
    every = pa.concat_tables(found).sort_by(ORDER)
    videos, fetched = _manifests(job, every)
    inputs += [manifest for some in (videos, fetched) for one in some.values() for manifest in one]
    return _described(job, every, videos, fetched, before)


def _manifests(job: Job, labels: pa.Table) -> tuple[Manifests, Manifests]:
    """Return by category (its videos, where they were fetched), of the windows that hold a video with a label."""
    videos: dict[str, list[Manifest]] = {}
    fetched: dict[str, list[Manifest]] = {}
    rounds = labels.group_by(["category", "round"]).aggregate([]).to_pylist()
    named = _windows(row for row in rounds if row["round"] is not None)
    # Labels of other kinds name no round: they are of windows in which people were asked, answered whole or not.
    others = labels.filter(labels["round"].is_null())
    of_others = set(zip(others["category"].to_pylist(), others["video_id"].to_pylist(), strict=True))
    maybe = _windows(job.ledger.rows("asked_rounds")) - named if of_others else set()
    for category, window in sorted(named | maybe):
        keys = {"category": category, "window": window}
        made = job.datasets.need(VIDEOS, **keys)
        if (category, window) in maybe:
            held = job.datasets.read_all(VIDEOS, [made], ["video_id"])["video_id"].to_pylist()
            if of_others.isdisjoint((category, video) for video in held):
                continue
        videos.setdefault(category, []).append(made)
        address = job.datasets.manifest(FETCHED, **keys)
        fetched.setdefault(category, []).extend([address] if address else [])
    return videos, fetched


def _windows(rounds: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return the (category, window) of each round."""
    return {(row["category"], round_window(row["round"])) for row in rounds}


def _certified(job: Job, labels: str, people: pa.Table, inputs: list[Manifest]) -> Iterator[pa.Table]:
    """Yield people's labels, then those of the other kinds that the settings want, each with its certificate."""
    kinds = set(job.config.release.kinds) - {PEOPLE}
    version = newest(job.datasets, CERTIFICATES)
    rows, carried = [], None
    if version is not None:
        carried, certificates = (job.datasets.need(of, labels=version) for of in (CARRIED, CERTIFICATES))
        inputs += [carried, certificates]
        rows = list(job.datasets.rows_of(CERTIFICATES, certificates))
    certified = partial(certified_bounds, rows, promise=job.config.quality.promise)
    yield with_certificates(job.datasets, people, carried if version == labels else None, certified)
    if carried is None or not kinds:
        if kinds:
            print_line(
                f"release {job.key('release')}: nothing was certified yet, so people's labels alone are released"
            )
        return
    table = releasable_of_others(job.datasets, job.ledger, labels, carried, kinds, certified)
    for name in ("strategy", "round"):
        table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
    print_line(
        f"release {job.key('release')}: {counted(table.num_rows, 'label is', 'labels are')} certified without people"
    )
    yield table


def _described(
    job: Job, labels: pa.Table, videos: Manifests, fetched: Manifests, before: str | None
) -> Iterator[pa.Table]:
    """Yield the rows of each category.

    Raises:
        BrokenContract: people were asked about a clip of no video.

    """
    known = registered(job.datasets, before)
    names = names_of(
        (
            (video_id, source_id)
            for manifests in videos.values()
            for table in (job.datasets.read_all(VIDEOS, manifests, ["video_id", "source_id"]),)
            for video_id, source_id in zip(*(column.to_pylist() for column in table.columns), strict=True)
        ),
        dict(zip(known["video_id"].to_pylist(), known["name"].to_pylist(), strict=True)),
    )
    mixed = mix_of(job.datasets, before)
    for category in track(sorted(videos), len(videos), "release: categories"):
        own = labels.filter(pc.equal(labels["category"], category))
        found = videos_of(job.datasets, videos[category], fetched[category])
        lost = pc.and_not(pc.equal(own["kind"], PEOPLE), pc.is_in(own["video_id"], value_set=found["video_id"]))
        for clip in own.filter(lost)["clip_id"].slice(0, 1).to_pylist():
            raise BrokenContract(f"labels: clip {clip} is of no video of {category}")
        own = own.append_column("benchmark", benchmark(own, mixed.get(category, ())))
        yield described(own, found, names)


def _record(job: Job, version: Manifest) -> None:
    """Record the finished release in the ledger."""
    row, rows = need_release(job.datasets, version.keys["release"])
    record_release(job.store, job.ledger, row, rows)
