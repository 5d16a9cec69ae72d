"""Compare the ledger with the store and put back what a restored ledger has lost.

The store's datasets are written once and name everything the ledger decided: identity, admission, split, queue, votes,
verdicts and releases. Every repair is an upsert, so running it again changes nothing. What only the ledger knows cannot
come back: a person's approvals and guidelines newer than the dump.
"""

from collections.abc import Callable, Iterator

from slac_tasks.admission.exclusions.registry import restore
from slac_tasks.admission.likeness.lookalikes import stored
from slac_tasks.admission.withdrawals import all_withdrawals
from slac_tasks.errors import BrokenContract
from slac_tasks.networks.committees import adopt_committees
from slac_tasks.storage.datasets import (
    AGREEMENT,
    ALL,
    CANDIDATES,
    COMMITTEES,
    FETCHED,
    HARD_CLIPS,
    PEOPLE,
    QUALITY,
    RELEASES,
    VIDEOS,
    VOTES,
)
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.records import Record, record
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.outcome import queue_changes, replace_people, settle
from slac_tasks.verification.settings import Review
from slac_tasks.verification.versions import label_tables, labels_of, newest, newest_labels
from slac_tasks.verification.votes import queued


def repair(datasets: Datasets, ledger: Ledger, review: Review) -> Iterator[str]:
    """Put back what the ledger lacks; yield one line for each kind of thing, with how many the store holds.

    Raises:
        BrokenContract: the ledger knows generations that the store does not hold, or holds with other bytes.

    """
    for what, mend in REPAIRS.items():
        with ledger.transaction():
            count = mend(datasets, ledger, review)
        yield f"{count:,} {what} are in the store and in the ledger"
    yield f"{_compare(datasets, ledger):,} generations are the same in both"


def _manifests(datasets: Datasets, name: str) -> list[Manifest]:
    """The current manifests of a dataset, in the order in which they were written."""
    dataset = ALL[name]
    found = [datasets.need(dataset, **keys) for keys in datasets.partitions(dataset)]
    return sorted(found, key=lambda manifest: manifest.written_at)


def _categories(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    found = sorted({manifest.keys["category"] for manifest in _manifests(datasets, "candidates")})
    ledger.run_many("restore_category", [{"category": category} for category in found])
    return len(found)


def _candidates(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    count = 0
    for manifest in _manifests(datasets, "candidates"):
        rows = datasets.read(CANDIDATES, ["candidate_id"], **manifest.keys).to_pylist()
        ledger.run_many("add_candidate", [{**row, **manifest.keys} for row in rows])
        count += len(rows)
    return count


def _videos(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    count = 0
    for manifest in _manifests(datasets, "videos"):
        fetched = {
            row["video_id"]: row
            for row in datasets.read(FETCHED, ["video_id", "media_sha256", "frame_hashes"], **manifest.keys).to_pylist()
        }
        rows = datasets.read(VIDEOS, **manifest.keys).to_pylist()
        ledger.run_many(
            "add_video",
            [
                {
                    **row,
                    "media_sha256": fetched[row["video_id"]]["media_sha256"],
                    **stored(fetched[row["video_id"]]["frame_hashes"]),
                }
                for row in rows
            ],
        )
        ledger.run_many("add_admission", [{**row, **manifest.keys} for row in rows])
        count += len(rows)
    return count


def _committees(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    adopt_committees(datasets, ledger, None)
    return len(_manifests(datasets, "committees"))


def _queue(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    count = 0
    for manifest in _manifests(datasets, "hard_clips"):
        rows = datasets.read(HARD_CLIPS, **manifest.keys).to_pylist()
        ledger.run_many("queue_clip", [{**row, **manifest.keys, "votes_wanted": review.votes_wanted} for row in rows])
        ledger.run("withdraw_unasked", **manifest.keys)
        count += len(rows)
    return count


def _votes(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    count = 0
    for manifest in _manifests(datasets, "votes"):
        batch = int(manifest.keys["batch"])
        rows = sorted(datasets.read(VOTES, **manifest.keys).to_pylist(), key=lambda row: row["cast_at"])
        ledger.run("restore_batch", batch=batch, vote_count=len(rows))
        ledger.run_many("ensure_annotator", [{"annotator": name} for name in sorted({r["annotator"] for r in rows})])
        ledger.run_many("restore_vote", [{**row, "batch": batch} for row in rows])
        count += len(rows)
    return count


def _labels(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    version = newest_labels(datasets)
    if version is None:
        return 0
    count = 0
    for labels in label_tables(datasets, version, ["clip_id", "category", "status"]):
        settle(ledger, queue_changes(labels, queued(ledger, labels, until=int(version))))
        count += labels.num_rows
    return count


def _verdicts(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    count = 0
    for manifest in _manifests(datasets, "quality"):
        rows = datasets.read(
            QUALITY, ["category", "verdict", "reasons", "failed", "shortfalls"], **manifest.keys
        ).to_pylist()
        ledger.run_many("add_verdict", [{**row, **manifest.keys} for row in rows])
        count += len(rows)
    return count


def _people(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    version = newest(datasets, PEOPLE)
    if version is None:
        return 0
    rows = datasets.rows(PEOPLE, labels=version)
    replace_people(ledger, version, rows, datasets.rows(AGREEMENT, labels=version))
    return len(rows)


def _releases(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    manifests = sorted(_manifests(datasets, "release"), key=lambda manifest: manifest.keys["release"])
    for manifest in manifests:
        categories = datasets.read(RELEASES, ["category"], **manifest.keys)["category"].to_pylist()
        ledger.run(
            "add_release",
            **manifest.keys,
            labels=labels_of(manifest),
            label_count=manifest.rows,
            categories=sorted(set(categories)),
        )
    return len(manifests)


def _promotions(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    count = 0
    for manifest in _manifests(datasets, "committees"):
        origins = set(datasets.read(COMMITTEES, ["origin"], **manifest.keys)["origin"].to_pylist())
        parents = [name for name in manifest.made_from if name.startswith("models/")]
        for name in parents:
            release = name.rpartition("release=")[2]
            if f"release:{release}" in origins:
                ledger.run(
                    "add_promotion", release=release, **manifest.keys, reason="restored from the store", rescore=[]
                )
                count += 1
    return count


def _withdrawals(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    withdrawals = all_withdrawals(datasets.store)
    ledger.run_many(
        "add_tombstone",
        [
            {**row, "reason": withdrawal.reason}
            for withdrawal in withdrawals
            for row in ledger.rows("videos_named", named=withdrawal.named)
        ],
    )
    return len(withdrawals)


def _exclusions(datasets: Datasets, ledger: Ledger, review: Review) -> int:
    return restore(datasets.store, ledger)


REPAIRS: dict[str, Callable[[Datasets, Ledger, Review], int]] = {
    "categories": _categories,
    "candidates": _candidates,
    "admissions": _videos,
    "committees": _committees,
    "queued clips": _queue,
    "votes": _votes,
    "labels": _labels,
    "verdicts": _verdicts,
    "words on people": _people,
    "releases": _releases,
    "promotions": _promotions,
    "withdrawals": _withdrawals,
    "exclusions": _exclusions,
}
"""What is put back, in an order that the foreign keys allow."""


def _compare(datasets: Datasets, ledger: Ledger) -> int:
    """Record every current generation; return how many there are."""
    # A partition that was made again in a new version stands beside the old one, which the ledger knows too.
    declared = [
        one for dataset in ALL.values() for one in (dataset, dataset.upgrade and dataset.upgrade.previous) if one
    ]
    found = [Record.of(datasets.need(one, **keys)) for one in declared for keys in datasets.partitions(one)]
    newest = {one.address: one.generation for one in found}
    for row in ledger.rows("recorded_datasets"):
        if row["generation"] > newest.get(row["address"], 0):
            raise BrokenContract(
                f"dataset {row['address']} g{row['generation']:04d}: the ledger knows it, the store does not hold it"
            )
    record(ledger, found)
    return len(found)
