"""Votes that a restored ledger has lost, put back in an order that its foreign keys allow.

A vote stands after the one that it corrects, which may be of the same moment: answers that a browser kept while it had
no connection come in one transaction. Batches come by number and not by when they were written: one is written again
when somebody is forgotten. What cannot be put back is counted and holds up no other vote.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TypeVar

import pyarrow as pa

from slac_tasks.errors import NotMade
from slac_tasks.storage.datasets import HARD_CLIPS, SEGMENT_VOTES, VOTES
from slac_tasks.storage.datasets.labelling import VoteRow
from slac_tasks.storage.datasets.segmenting import SegmentVoteRow
from slac_tasks.storage.inventory import Inventory
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.queue import queued_clips
from slac_tasks.verification.settings import Review
from slac_tasks.verification.votes import CLIPS, queued

V = TypeVar("V", VoteRow, SegmentVoteRow)


def restore_votes(datasets: Datasets, ledger: Ledger, review: Review, stored: Inventory) -> tuple[int, int]:
    """Put back every vote whose clip is in the queue, or is in an older generation of its round.

    Args:
        datasets: in the store.
        ledger: it has the queue of the newest generations already.
        review: how clips are asked.
        stored: what the store holds.

    Returns: (how many votes the store holds, how many of them are on clips that no round holds any more).

    """
    count = left = 0
    rounds = _by_round(stored.every(HARD_CLIPS))
    for manifest in _by_batch(stored.current(VOTES)):
        rows = corrected_last(datasets.rows_of(VOTES, manifest))
        if unasked := _unasked(ledger, rows):
            _queue_older(datasets, ledger, review, rounds, unasked)
            unasked = _unasked(ledger, unasked)
        lost = {(row.clip_id, row.category) for row in unasked}
        kept = [row for row in rows if (row.clip_id, row.category) not in lost]
        _begin(ledger, "restore_batch", manifest, rows)
        ledger.run_many("restore_vote", [{**asdict(row), **_batch(manifest)} for row in kept])
        count, left = count + len(rows), left + len(rows) - len(kept)
    return count, left


def restore_segment_votes(datasets: Datasets, ledger: Ledger, stored: Inventory) -> int:
    """Put back every vote about a segment; return how many there are."""
    count = 0
    for manifest in _by_batch(stored.current(SEGMENT_VOTES)):
        rows = corrected_last(datasets.rows_of(SEGMENT_VOTES, manifest))
        _begin(ledger, "restore_segment_batch", manifest, rows)
        ledger.run_many("restore_segment_vote", [{**asdict(row), **_batch(manifest)} for row in rows])
        count += len(rows)
    return count


def corrected_last(rows: Iterable[V]) -> list[V]:
    """Return the votes of a batch, each after the one that it corrects."""
    by_id = {row.vote_id: row for row in rows}

    def corrections(row: V) -> int:
        count = 0
        while row.supersedes in by_id:
            row, count = by_id[row.supersedes], count + 1
        return count

    return sorted(by_id.values(), key=lambda row: (corrections(row), row.cast_at))


def _by_batch(manifests: Iterable[Manifest]) -> list[Manifest]:
    return sorted(manifests, key=lambda manifest: int(manifest.keys["batch"]))


def _batch(manifest: Manifest) -> dict[str, int]:
    return {"batch": int(manifest.keys["batch"])}


def _begin(ledger: Ledger, statement: str, manifest: Manifest, rows: Sequence[V]) -> None:
    """Put back a batch, and the people who answered."""
    ledger.run(statement, **_batch(manifest), vote_count=len(rows))
    ledger.run_many("ensure_annotator", [{"annotator": name} for name in sorted({row.annotator for row in rows})])


def _unasked(ledger: Ledger, rows: Sequence[VoteRow]) -> list[VoteRow]:
    """Return the votes on clips that the queue has not."""
    clips = sorted({(row.clip_id, row.category) for row in rows})
    table = pa.Table.from_pylist([{"clip_id": clip, "category": category} for clip, category in clips], schema=CLIPS)
    found = queued(ledger, table, until=0)
    asked = set(zip(found["clip_id"].to_pylist(), found["category"].to_pylist(), strict=True))
    return [row for row in rows if (row.clip_id, row.category) not in asked]


def _by_round(manifests: Iterable[Manifest]) -> Mapping[tuple[str, str], Sequence[Manifest]]:
    """Return the generations of each (category, round), in the order of their writing."""
    found: dict[tuple[str, str], list[Manifest]] = {}
    for manifest in manifests:
        found.setdefault((manifest.keys["category"], manifest.keys["round"]), []).append(manifest)
    return found


def _queue_older(
    datasets: Datasets,
    ledger: Ledger,
    review: Review,
    rounds: Mapping[tuple[str, str], Sequence[Manifest]],
    votes: Sequence[VoteRow],
) -> None:
    """Queue the clips of these votes that an older generation of their round holds: the round was mined again since."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for vote in votes:
        wanted.setdefault((vote.category, vote.round), set()).add(vote.clip_id)
    for place, clips in wanted.items():
        for manifest in rounds.get(place, ()):
            with suppress(NotMade):  # its deletion was cut off
                own = [row for row in datasets.rows_of(HARD_CLIPS, manifest) if row.clip_id in clips]
                ledger.run_many("queue_clip", map(asdict, queued_clips(own, **manifest.keys, review=review)))
