"""Compare the ledger with the store and put back what a restored ledger has lost.

The store's datasets are written once and name everything the ledger decided: identity, admission, split, queue, votes,
verdicts and releases. Every repair is an upsert, so running it again changes nothing. What only the ledger knows cannot
come back: what leads ruled, guidelines, and which look-alikes differ, newer than the dump.

Each manifest and each row is read once, and records are compared by address: the work grows with what there is.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC

from slac_tasks.admission.admitted import AdmissionEntry, record_admissions
from slac_tasks.admission.duplicates import add_duplicates, duplicates_of, forget_duplicates
from slac_tasks.admission.exclusions.registry import restore
from slac_tasks.admission.withdrawals import all_withdrawals
from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.networks.committees import adopt_committees
from slac_tasks.release.finished import need_release
from slac_tasks.release.recording import record_release
from slac_tasks.restoring import restore_segment_votes, restore_votes
from slac_tasks.storage import gold_segments
from slac_tasks.storage.datasets import (
    AGREEMENT,
    ALL,
    CANDIDATES,
    CERTIFICATES,
    COMMITTEES,
    FETCHED,
    HARD_CLIPS,
    MEASURES,
    MODELS,
    PEOPLE,
    QUALITY,
    RELEASE_VERSIONS,
    SEGMENT_VOTES,
    SEGMENTS,
    VIDEOS,
    VOTES,
)
from slac_tasks.storage.gold_segments import GoldSegment
from slac_tasks.storage.inventory import Inventory
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.records import ARRIVALS, Record, record
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.outcome import (
    list_asked,
    list_labels,
    queue_changes,
    record_measures,
    record_verdicts,
    replace_certificates,
    replace_people,
    settle,
)
from slac_tasks.verification.queue import queued_clips
from slac_tasks.verification.segments.proposals import queue_records
from slac_tasks.verification.settings import Review
from slac_tasks.verification.versions import label_tables, newest, newest_labels
from slac_tasks.verification.votes import queued

_NAMED = 20
"""Datasets that are named one by one when they are gone; more are counted."""


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What the repairs read and write."""

    datasets: Datasets
    ledger: Ledger
    review: Review
    stored: Inventory
    lost: list[str] = field(default_factory=list)
    """Lines that say what cannot come back."""


def repair(datasets: Datasets, ledger: Ledger, review: Review) -> Iterator[str]:
    """Put back what the ledger lacks; yield one line for each kind of thing, with how many the store holds.

    Raises:
        BrokenContract: the store holds other bytes than the ledger recorded, or nothing of what it recorded.

    """
    # Whatever a note is about was written before it, so the manifests that are read next hold it.
    notes = list(datasets.store.names(ARRIVALS))
    work = Repair(datasets=datasets, ledger=ledger, review=review, stored=Inventory.take(datasets, ALL.values()))
    with ledger.transaction():
        lines = list(_records(work))
    for name in notes:
        datasets.store.delete(name)
    for what, mend in REPAIRS.items():
        with ledger.transaction():
            count = mend(work)
        yield f"{count:,} {what} are in the store and in the ledger"
    with ledger.transaction():
        lines += [*work.lost, *_lost(work)]
    yield from lines


def _lost(work: Repair) -> Iterator[str]:
    """Have the votes written again that the ledger alone has; yield lines that say so, and what cannot come back."""
    for dataset, what, statement in (
        (VOTES, "votes", "unstore_batches"),
        (SEGMENT_VOTES, "votes about segments", "unstore_segment_batches"),
    ):
        stored = [int(manifest.keys["batch"]) for manifest in work.stored.current(dataset)]
        if again := work.ledger.rows(statement, stored=stored):
            yield (
                f"{len(again):,} batches of {what} are not in the store any more: `slac sync` writes them again from "
                "the ledger"
            )
    (newest,) = work.ledger.rows("newest_vote")
    if newest["cast_at"]:
        at = newest["cast_at"].astimezone(UTC)
        yield f"the newest vote is of {at:%Y-%m-%d %H:%M:%S} UTC; after a restore, what was answered after it is lost"


def _records(work: Repair) -> Iterator[str]:
    """Record every generation, and forget those that are gone; yield lines that say so."""
    stored = {(manifest.address, manifest.generation) for manifest in work.stored.manifests}
    known = [(row["address"], row["generation"]) for row in work.ledger.rows("recorded_datasets")]
    gone = [one for one in known if one not in stored]
    if known and len(gone) == len(known):
        raise BrokenContract(
            f"store {work.datasets.store.url}: holds none of the {len(known)} generations that the ledger recorded; "
            "want the store that belongs to it"
        )
    newest = {address: number for address, number in sorted(stored)}
    superseded = [(address, number) for address, number in gone if number < newest.get(address, 0)]
    if superseded:
        yield f"{len(superseded):,} superseded generations were deleted: the ledger forgets them"
    lost = sorted(set(gone) - set(superseded))
    for address, number in lost[:_NAMED]:
        yield f"{address} g{number:04d} is not in the store any more: the ledger forgets it, and a plan makes it again"
    if len(lost) > _NAMED:
        yield f"{len(lost) - _NAMED:,} more are not in the store any more, and are forgotten"
    work.ledger.run(
        "forget_datasets", address=[address for address, _ in gone], generation=[number for _, number in gone]
    )
    record(work.ledger, map(Record.of, work.stored.manifests))
    yield f"{len(stored):,} generations are the same in both"


def _categories(work: Repair) -> int:
    found = sorted({manifest.keys["category"] for manifest in work.stored.current(CANDIDATES)})
    work.ledger.run_many("restore_category", [{"category": category} for category in found])
    return len(found)


def _candidates(work: Repair) -> int:
    count = 0
    for manifest in work.stored.current(CANDIDATES):
        rows = [
            {"candidate_id": row.candidate_id, **manifest.keys} for row in work.datasets.rows_of(CANDIDATES, manifest)
        ]
        work.ledger.run_many("add_candidate", rows)
        count += len(rows)
    return count


def _admissions(work: Repair) -> int:
    """Put back who was admitted, and the pairs of look-alikes of which one was dropped."""
    count = 0
    for manifest in work.stored.current(VIDEOS):
        offered = list(work.datasets.rows_of(FETCHED, _fetched(work, manifest)))
        fetched = {row.video_id: row for row in offered}
        videos = list(work.datasets.rows_of(VIDEOS, manifest))
        if unknown := sorted({video.video_id for video in videos} - set(fetched)):
            raise BrokenContract(
                f"{manifest.address}: video {unknown[0]} is not among the fetched ones; want what it was admitted from"
            )
        record_admissions(
            work.ledger,
            [
                AdmissionEntry(
                    fetched=fetched[video.video_id], group_id=video.group_id, split=video.split, **manifest.keys
                )
                for video in videos
            ],
        )
        found = duplicates_of(manifest.drops, offered)
        add_duplicates(work.ledger, manifest.keys, found)
        forget_duplicates(work.ledger, manifest.keys, but=[one.candidate_id for one in found])
        count += len(videos)
    return count


def _fetched(work: Repair, videos: Manifest) -> Manifest:
    """Return the generation of `fetched` from which videos were admitted, or the newest where that one is gone."""
    mark = videos.made_from.get(FETCHED.address(videos.keys))
    if mark:
        with suppress(NotMade):
            return work.datasets.generation(FETCHED, videos.keys, mark)
    return work.datasets.need(FETCHED, **videos.keys)


def _committees(work: Repair) -> int:
    adopt_committees(work.datasets, work.ledger, None)
    return len(work.stored.current(COMMITTEES))


def _queue(work: Repair) -> int:
    count = 0
    for manifest in work.stored.current(HARD_CLIPS):
        hard_clips = list(work.datasets.rows_of(HARD_CLIPS, manifest))
        clips = queued_clips(hard_clips, **manifest.keys, review=work.review)
        work.ledger.run_many("queue_clip", map(asdict, clips))
        work.ledger.run("withdraw_unasked", **manifest.keys)
        list_asked(work.ledger, hard_clips, category=manifest.keys["category"])
        count += len(clips)
    return count


def _votes(work: Repair) -> int:
    count, left = restore_votes(work.datasets, work.ledger, work.review, work.stored)
    if left:
        work.lost.append(f"{left:,} votes are on clips that no round in the store holds any more: they are lost")
    return count - left


def _segments(work: Repair) -> int:
    """Put back proposed segments."""
    count = 0
    for manifest in work.stored.current(SEGMENTS):
        rows = queue_records(work.datasets.rows_of(SEGMENTS, manifest), manifest.keys["round"])
        work.ledger.run_many("queue_segment", rows)
        count += len(rows)
    return count


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


def _segment_votes(work: Repair) -> int:
    return restore_segment_votes(work.datasets, work.ledger, work.stored)


def _labels(work: Repair) -> int:
    version = newest_labels(work.datasets)
    if version is None:
        return 0
    count = 0
    columns = ["clip_id", "category", "status", "label", "method", "yes", "no"]
    for labels in label_tables(work.datasets, version, columns):
        found = queued(work.ledger, labels, until=int(version))
        settle(work.ledger, queue_changes(labels, found, work.review.control_most))
        list_labels(work.ledger, labels)
        count += labels.num_rows
    return count


def _verdicts(work: Repair) -> int:
    count = 0
    for manifest in work.stored.current(QUALITY):
        rows = list(work.datasets.rows_of(QUALITY, manifest))
        record_verdicts(work.ledger, manifest.keys["labels"], rows)
        count += len(rows)
    return count


def _measures(work: Repair) -> int:
    manifests = list(work.stored.current(MEASURES))
    with work.ledger.transaction():
        for manifest in manifests:
            record_measures(work.ledger, work.datasets.rows_of(MEASURES, manifest), **manifest.keys)
    return sum(manifest.rows for manifest in manifests)


def _people(work: Repair) -> int:
    version = newest(work.datasets, PEOPLE)
    if version is None:
        return 0
    rows = work.datasets.rows(PEOPLE, labels=version)
    replace_people(work.ledger, version, rows, work.datasets.rows(AGREEMENT, labels=version))
    return len(rows)


def _certificates(work: Repair) -> int:
    version = newest(work.datasets, CERTIFICATES)
    if version is None:
        return 0
    return replace_certificates(work.datasets, work.ledger, work.datasets.need(CERTIFICATES, labels=version))


def _releases(work: Repair) -> int:
    found = {}
    for manifest in work.stored.current(RELEASE_VERSIONS):
        # One that is made again and was cut off has the rows of both: it is recorded when it is finished.
        with suppress(NotMade):
            found[manifest.keys["release"]] = need_release(work.datasets, manifest.keys["release"])

    def earlier(name: str) -> int:
        """Count the releases before one: names have no order (v10, v9), and one may have been written again since."""
        before = found[name][0].previous
        return 1 + earlier(before) if before in found else 0

    for name in sorted(found, key=lambda name: (earlier(name), name)):
        record_release(work.datasets.store, work.ledger, *found[name])
    return len(found)


def _promotions(work: Repair) -> int:
    count = 0
    for manifest in work.stored.current(COMMITTEES):
        origins = {row.origin for row in work.datasets.rows_of(COMMITTEES, manifest)}
        for address in manifest.made_from:
            model = MODELS.keys_at(address)
            if model and f"release:{model['release']}" in origins:
                work.ledger.run("add_promotion", **model, **manifest.keys, reason="restored from the store", rescore=[])
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
    "queued clips": _queue,
    "votes": _votes,
    "queued segments": _segments,
    "known segments": _gold_segments,
    "votes about segments": _segment_votes,
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
