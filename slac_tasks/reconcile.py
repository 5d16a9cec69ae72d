"""Compare the ledger with the store and put back what a restored ledger has lost.

The store's datasets are written once and name everything the ledger decided: identity, admission, split, queue, votes,
verdicts and releases. Every repair is an upsert, so running it again changes nothing. What only the ledger knows cannot
come back: what leads ruled, guidelines, and which look-alikes differ, newer than the dump.

What the store lost too is counted and holds up nothing else: whoever repairs has lost something. A partition that
nobody can read is named, and the repair fails once all others are done.

Each manifest and each row is read once, and records are compared by address: the work grows with what there is.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC

from slac_tasks.admission.admitted import AdmissionEntry, record_admissions
from slac_tasks.admission.duplicates import add_duplicates, duplicates_of, forget_duplicates
from slac_tasks.admission.exclusions.registry import restore
from slac_tasks.admission.withdrawals import all_withdrawals
from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.networks.committees import adopt_committees
from slac_tasks.progress import counted
from slac_tasks.release.finished import need_release
from slac_tasks.release.recording import record_release
from slac_tasks.restoring import (
    Repair,
    restore_queue,
    restore_rounds,
    restore_segment_votes,
    restore_segments,
    restore_votes,
)
from slac_tasks.storage import gold_segments
from slac_tasks.storage.datasets import (
    AGREEMENT,
    ALL,
    CANDIDATES,
    CERTIFICATES,
    COMMITTEES,
    FETCHED,
    MEASURES,
    MODELS,
    PEOPLE,
    QUALITY,
    RELEASE_VERSIONS,
    SEGMENT_VOTES,
    VIDEOS,
    VOTES,
)
from slac_tasks.storage.datasets.collecting import FetchedRow, VideoRow
from slac_tasks.storage.gold_segments import GoldSegment
from slac_tasks.storage.inventory import Inventory
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.records import ARRIVALS, Record, record
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.outcome import (
    list_labels,
    queue_changes,
    record_measures,
    record_verdicts,
    replace_certificates,
    replace_people,
    settle,
)
from slac_tasks.verification.settings import Review
from slac_tasks.verification.versions import label_tables, newest, newest_labels
from slac_tasks.verification.votes import queued

_NAMED = 20
"""Datasets that are named one by one when they are gone; more are counted."""


def repair(datasets: Datasets, ledger: Ledger, review: Review) -> Iterator[str]:
    """Put back what the ledger lacks; yield one line for each kind of thing, with how many the store holds.

    Raises:
        BrokenContract: the store holds other bytes than the ledger recorded, or nothing of what it recorded; or, once
            everything else was put back, some partitions could not be.

    """
    # Whatever a note is about was written before it, so the manifests that are read next hold it.
    notes = list(datasets.store.names(ARRIVALS))
    work = Repair(
        datasets=datasets, ledger=ledger, review=review,
        recorded=[(row["address"], row["generation"]) for row in ledger.rows("recorded_datasets")],
        seated=[row["committee"] for row in ledger.rows("committees")],
        stored=Inventory.take(datasets, ALL.values()),
    )  # fmt: skip
    for one in work.stored.unread:
        work.broken.append(f"{one.address} g{one.generation:04d} was not put back: {one.reason}")
    with ledger.transaction():
        lines = list(_records(work))
    for name in notes:
        datasets.store.delete(name)
    for what, mend in REPAIRS.items():
        with ledger.transaction():
            count = mend(work)
        yield f"{what} in the store and in the ledger: {count:,}"
    with ledger.transaction():
        lines += [*work.lost, *_lost(work)]
    yield from lines
    yield from work.broken
    if work.broken:
        raise BrokenContract(f"store: {counted(len(work.broken), 'partition')} not put back, want all: see above")


def _lost(work: Repair) -> Iterator[str]:
    """Have the votes written again that the ledger alone has; yield lines that say so, and what cannot come back."""
    for dataset, what, statement in (
        (VOTES, "votes", "unstore_batches"),
        (SEGMENT_VOTES, "votes about segments", "unstore_segment_batches"),
    ):
        stored = [int(manifest.keys["batch"]) for manifest in work.stored.current(dataset)]
        if again := work.ledger.rows(statement, stored=stored):
            gone = counted(len(again), f"batch of {what}", f"batches of {what}")
            yield f"{gone} not in the store any more: `slac sync` writes it again from the ledger"
    (newest,) = work.ledger.rows("newest_vote")
    if newest["cast_at"]:
        at = newest["cast_at"].astimezone(UTC)
        yield f"the newest vote is of {at:%Y-%m-%d %H:%M:%S} UTC; after a restore, what was answered after it is lost"


def _records(work: Repair) -> Iterator[str]:
    """Record every generation, and forget those that are gone; yield lines that say so."""
    stored = {(manifest.address, manifest.generation) for manifest in work.stored.manifests}
    stored |= {(one.address, one.generation) for one in work.stored.unread}
    gone = [one for one in work.recorded if one not in stored]
    if gone and len(gone) == len(work.recorded):
        raise BrokenContract(
            f"store {work.datasets.store.url}: holds none of {counted(len(gone), 'generation')} that the ledger "
            "recorded; want the store that belongs to it"
        )
    newest = {address: number for address, number in sorted(stored)}
    superseded = [(address, number) for address, number in gone if number < newest.get(address, 0)]
    if superseded:
        yield f"{counted(len(superseded), 'superseded generation')} deleted, and forgotten by the ledger"
    lost = sorted(set(gone) - set(superseded))
    for address, number in lost[:_NAMED]:
        yield f"{address} g{number:04d} is not in the store any more: the ledger forgets it, and a plan makes it again"
    if len(lost) > _NAMED:
        yield f"{len(lost) - _NAMED:,} more not in the store any more, and forgotten"
    work.ledger.run(
        "forget_datasets", address=[address for address, _ in gone], generation=[number for _, number in gone]
    )
    record(work.ledger, map(Record.of, work.stored.manifests))
    yield f"{counted(len(work.stored.manifests), 'generation')} the same in both"


def _categories(work: Repair) -> int:
    found = sorted({one.keys["category"] for one in work.stored.manifests if "category" in one.keys})
    work.ledger.run_many("restore_category", [{"category": category} for category in found])
    return len(found)


def _candidates(work: Repair) -> int:
    count = 0
    for manifest in work.each(CANDIDATES):
        with work.apart(manifest.address):
            found = work.datasets.rows_of(CANDIDATES, manifest)
            rows = [{"candidate_id": row.candidate_id, **manifest.keys} for row in found]
            work.ledger.run_many("add_candidate", rows)
            count += len(rows)
    return count


def _admissions(work: Repair) -> int:
    """Put back who was admitted, and the pairs of look-alikes of which one was dropped."""
    count = left = 0
    fetched_by = work.stored.by_partition(FETCHED)
    for manifest in work.each(VIDEOS):
        with work.apart(manifest.address):
            videos = list(work.datasets.rows_of(VIDEOS, manifest))
            place = tuple(manifest.keys[key] for key in FETCHED.keys)
            offered = _offered(work, manifest, videos, fetched_by.get(place, ()))
            fetched = {row.video_id: row for row in offered}
            admitted = [
                AdmissionEntry(
                    fetched=fetched[video.video_id], group_id=video.group_id, split=video.split, **manifest.keys
                )
                for video in videos
                if video.video_id in fetched
            ]
            record_admissions(work.ledger, admitted)
            found = duplicates_of(manifest.drops, offered)
            add_duplicates(work.ledger, manifest.keys, found)
            forget_duplicates(work.ledger, manifest.keys, but=[one.candidate_id for one in found])
            count, left = count + len(admitted), left + len(videos) - len(admitted)
    if left:
        work.lost.append(f"{counted(left, 'admitted video')} in no list of fetched ones that the store holds: lost")
    if ungrouped := work.ledger.rows("forget_ungrouped"):
        work.lost.append(
            f"{counted(len(ungrouped), 'admitted video')} like one that the store holds no more: "
            "`slac doctor --reconcile` puts them back once a plan has made its window again"
        )
    return count - len(ungrouped)


def _offered(
    work: Repair, window: Manifest, videos: Sequence[VideoRow], generations: Sequence[Manifest]
) -> list[FetchedRow]:
    """Return the fetched videos that a window was admitted from; of other generations, those that are missing there."""
    mark = window.made_from.get(FETCHED.address(window.keys))
    missing = {video.video_id for video in videos}
    found: list[FetchedRow] = []
    for manifest in sorted(generations, key=lambda one: (one.mark != mark, -one.version, -one.generation)):
        if found and not missing:
            break
        rows = list(work.datasets.rows_of(FETCHED, manifest))
        found += [row for row in rows if row.video_id in missing] if found else rows
        missing -= {row.video_id for row in rows}
    return found


def _committees(work: Repair) -> int:
    stored = {manifest.keys["committee"] for manifest in work.stored.current(COMMITTEES)}
    if gone := [committee for committee in work.seated if committee not in stored]:
        work.ledger.run("forget_committees", committees=gone)
        work.lost.append(f"{counted(len(gone), 'committee')} lost with all weights, the newest of them {gone[0]}")
    with work.apart("committees"):
        adopt_committees(work.datasets, work.ledger, None)
    return len(stored)


def _gold_segments(work: Repair) -> int:
    """Put back the known ends of segments, and into the store what the ledger alone knows."""
    store = work.datasets.store
    there = {gold.segment_id: gold for gold in gold_segments.stored(store)}
    for gold in work.ledger.all(GoldSegment, "gold_segments"):
        if gold.segment_id not in there:
            gold_segments.put(store, gold)
            there[gold.segment_id] = gold
    work.ledger.run_many("restore_gold_segment", map(asdict, there.values()))
    return len(there)


def _labels(work: Repair) -> int:
    version = newest_labels(work.datasets)
    if version is None:
        return 0
    count = 0
    columns = ["clip_id", "category", "status", "label", "method", "yes", "no"]
    with work.apart(f"labels {version}"):
        for labels in label_tables(work.datasets, version, columns):
            found = queued(work.ledger, labels, until=int(version))
            settle(work.ledger, queue_changes(labels, found, work.review.control_most))
            list_labels(work.ledger, labels)
            count += labels.num_rows
    return count


def _verdicts(work: Repair) -> int:
    count = 0
    for manifest in work.each(QUALITY):
        with work.apart(manifest.address):
            rows = list(work.datasets.rows_of(QUALITY, manifest))
            record_verdicts(work.ledger, manifest.keys["labels"], rows)
            count += len(rows)
    return count


def _measures(work: Repair) -> int:
    count = 0
    for manifest in work.each(MEASURES):
        with work.apart(manifest.address):
            record_measures(work.ledger, work.datasets.rows_of(MEASURES, manifest), **manifest.keys)
            count += manifest.rows
    return count


def _people(work: Repair) -> int:
    version = newest(work.datasets, PEOPLE)
    if version is None:
        return 0
    with work.apart(f"people {version}"):
        rows = work.datasets.rows(PEOPLE, labels=version)
        # Their votes may be lost.
        work.ledger.run_many("ensure_annotator", [{"annotator": row.annotator} for row in rows])
        replace_people(work.ledger, version, rows, work.datasets.rows(AGREEMENT, labels=version))
        return len(rows)
    return 0


def _certificates(work: Repair) -> int:
    version = newest(work.datasets, CERTIFICATES)
    if version is None:
        return 0
    with work.apart(f"certificates {version}"):
        return replace_certificates(work.datasets, work.ledger, work.datasets.need(CERTIFICATES, labels=version))
    return 0


def _releases(work: Repair) -> int:
    found = {}
    for manifest in work.each(RELEASE_VERSIONS):
        with work.apart(manifest.address):
            try:
                found[manifest.keys["release"]] = need_release(work.datasets, manifest.keys["release"])
            except NotMade as failure:
                # Its rows are gone; or it is made again and was cut off, and is recorded when it is finished.
                work.lost.append(str(failure))

    def earlier(name: str) -> int:
        """Count the releases before one: names have no order (v10, v9), and one may have been written again since."""
        before = found[name][0].previous
        return 1 + earlier(before) if before in found else 0

    count = 0
    for name in sorted(found, key=lambda name: (earlier(name), name)):
        with work.apart(f"release {name}"):
            record_release(work.datasets.store, work.ledger, *found[name])
            count += 1
    return count


def _promotions(work: Repair) -> int:
    """Put back which committee each release's network joined; a release that is gone had none."""
    count = 0
    known = {row["release"] for row in work.ledger.rows("recorded_releases")}
    for manifest in work.each(COMMITTEES):
        with work.apart(manifest.address):
            origins = {row.origin for row in work.datasets.rows_of(COMMITTEES, manifest)}
            for address in manifest.made_from:
                model = MODELS.keys_at(address)
                if model and model["release"] in known and f"release:{model['release']}" in origins:
                    work.ledger.run(
                        "add_promotion", **model, **manifest.keys, reason="restored from the store", rescore=[]
                    )
                    count += 1
    return count


def _withdrawals(work: Repair) -> int:
    withdrawals = all_withdrawals(work.datasets.store)
    work.ledger.run_many(
        "add_tombstone",
        [
            {**row, "reason": withdrawal.reason}
            for withdrawal in withdrawals
            for row in work.ledger.rows("videos_named", named=withdrawal.named)
        ],
    )
    return len(withdrawals)


def _exclusions(work: Repair) -> int:
    return restore(work.datasets.store, work.ledger)


REPAIRS: dict[str, Callable[[Repair], int]] = {
    "categories": _categories,
    "candidates": _candidates,
    "admissions": _admissions,
    "committees": _committees,
    "queued clips": restore_queue,
    "votes": restore_votes,
    "rounds": restore_rounds,
    "queued segments": restore_segments,
    "known segments": _gold_segments,
    "votes about segments": restore_segment_votes,
    "labels": _labels,
    "verdicts": _verdicts,
    "measures": _measures,
    "measures of people": _people,
    "certificates": _certificates,
    "releases": _releases,
    "promotions": _promotions,
    "withdrawals": _withdrawals,
    "exclusions": _exclusions,
}
"""What is put back, in an order that the foreign keys allow."""
