"""What the repairs of a ledger share, what people are asked, and their votes, in an order that its foreign keys allow.

A vote stands after the one that it corrects, which may be of the same moment: answers that a browser kept while it had
no connection come in one transaction. Batches come by number and not by when they were written: one is written again
when somebody is forgotten. What cannot be put back is counted and holds up no other vote but those that correct it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import pyarrow as pa

from slac_tasks.errors import BrokenContract
from slac_tasks.progress import counted, track
from slac_tasks.storage.datasets import HARD_CLIPS, SEGMENT_VOTES, SEGMENTS, VOTES
from slac_tasks.storage.datasets.labelling import VoteRow
from slac_tasks.storage.datasets.scoring import HardClipRow
from slac_tasks.storage.datasets.segmenting import SegmentRow, SegmentVoteRow
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.inventory import Inventory
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.outcome import list_asked
from slac_tasks.verification.queue import queued_clips
from slac_tasks.verification.segments.proposals import queue_records
from slac_tasks.verification.settings import Review
from slac_tasks.verification.votes import CLIPS, queued

V = TypeVar("V", VoteRow, SegmentVoteRow)
C = TypeVar("C", HardClipRow, SegmentRow)


@dataclass(frozen=True, kw_only=True)
class Repair:
    """What the repairs read and write."""

    datasets: Datasets
    ledger: Ledger
    review: Review
    recorded: Sequence[tuple[str, int]]
    """Address and generation of all that the ledger had recorded before the store was listed. A stage may record more
    meanwhile: that is not lost."""
    seated: Sequence[str]
    """The committees that it knew then."""
    stored: Inventory
    lost: list[str] = field(default_factory=list)
    """Lines that say what the store does not hold any more."""
    broken: list[str] = field(default_factory=list)
    """Lines that name what the store holds and nobody can read, or what the ledger cannot take."""

    @contextmanager
    def apart(self, address: str) -> Iterator[None]:
        """Put back one partition, or nothing of it: one that cannot be is named, and holds up no other."""
        try:
            with self.ledger.savepoint():
                yield
        except BrokenContract as failure:
            self.broken.append(f"{address} was not put back: {failure}")

    def each(self, dataset: Dataset[Any], order: Callable[[Manifest], Any] | None = None) -> Iterator[Manifest]:
        """Yield what readers see of a dataset's partitions, as written or by `order`, and show how far that is."""
        found = self.stored.current(dataset)
        if order is not None:
            found.sort(key=order)
        yield from track(found, len(found), f"doctor: puts back {dataset.name}")

    def admitted(self, rows: Iterable[C]) -> list[C]:
        """Return the rows whose video the ledger knows: people are asked about no others."""
        rows = list(rows)
        videos = sorted({row.video_id for row in rows})
        known = {row["video_id"] for row in self.ledger.rows("videos_among", videos=videos)}
        return [row for row in rows if row.video_id in known]


def restore_queue(work: Repair) -> int:
    """Put back the clips that people are asked about; return how many. A later round has what it brought back."""

    def put_back(manifest: Manifest, clips: list[HardClipRow]) -> None:
        _queue(work, manifest, clips)
        list_asked(work.ledger, clips, category=manifest.keys["category"])

    return _asked(work, HARD_CLIPS, "queued clip", put_back)


def restore_segments(work: Repair) -> int:
    """Put back the proposed segments that people are asked about; return how many."""

    def put_back(manifest: Manifest, segments: list[SegmentRow]) -> None:
        work.ledger.run_many("queue_segment", queue_records(segments, manifest.keys["round"]))

    return _asked(work, SEGMENTS, "segment", put_back)


def _asked(work: Repair, dataset: Dataset[C], noun: str, put_back: Callable[[Manifest, list[C]], None]) -> int:
    """Put back what people are asked about, of the videos that are admitted; return how many."""
    count = left = 0
    for manifest in work.each(dataset):
        with work.apart(manifest.address):
            rows = list(work.datasets.rows_of(dataset, manifest))
            known = work.admitted(rows)
            put_back(manifest, known)
            count, left = count + len(known), left + len(rows) - len(known)
    if left:
        work.lost.append(f"{counted(left, noun)} of videos that no window admits: not asked about")
    return count


def restore_rounds(work: Repair) -> int:
    """Withdraw what each round withdrew, now that votes say who was asked; return how many rounds there are."""
    rounds = work.stored.current(HARD_CLIPS)
    for manifest in rounds:
        work.ledger.run("withdraw_unasked", **manifest.keys)
    return len(rounds)


def _queue(work: Repair, manifest: Manifest, clips: Iterable[HardClipRow]) -> None:
    """Put clips of a round back into the queue; they are there since they were chosen."""
    queued_again = queued_clips(clips, **manifest.keys, review=work.review, queued_at=manifest.written_at)
    work.ledger.run_many("queue_clip", map(asdict, queued_again))


def restore_votes(work: Repair) -> int:
    """Put back every vote whose clip is in the queue, or is in an older generation of its round; return how many."""
    rounds = work.stored.by_partition(HARD_CLIPS)

    def on_queued(rows: list[VoteRow]) -> list[VoteRow]:
        if unasked := _unasked(work.ledger, rows):
            _queue_older(work, rounds, unasked)
            unasked = _unasked(work.ledger, unasked)
        lost = {(row.clip_id, row.category) for row in unasked}
        return [row for row in rows if (row.clip_id, row.category) not in lost]

    count, left = _batches(work, VOTES, "restore_batch", "restore_vote", "votes_among", on_queued)
    if left:
        work.lost.append(f"{counted(left, 'vote')} on clips that no round in the store holds any more: lost")
    return count


def restore_segment_votes(work: Repair) -> int:
    """Put back every vote about a segment that the ledger knows; return how many."""

    def about_known(rows: list[SegmentVoteRow]) -> list[SegmentVoteRow]:
        segments = sorted({row.segment_id for row in rows})
        known = {row["segment_id"] for row in work.ledger.rows("segments_among", segments=segments)}
        return [row for row in rows if row.segment_id in known]

    count, left = _batches(
        work, SEGMENT_VOTES, "restore_segment_batch", "restore_segment_vote", "segment_votes_among", about_known
    )
    if left:
        work.lost.append(f"{counted(left, 'vote')} about segments that the store holds no more: lost")
    return count


def _batches(
    work: Repair, dataset: Dataset[V], begin: str, put_back: str, among: str, known: Callable[[list[V]], list[V]]
) -> tuple[int, int]:
    """Put back the batches of a dataset, by number, and the people who answered.

    Args:
        work: what is read and written.
        dataset: of votes.
        begin: statement that puts back a batch.
        put_back: statement that puts back a vote.
        among: statement that returns which of some votes are there.
        known: returns those of some votes that the ledger can hold.

    Returns: (how many votes were put back, how many the ledger cannot hold).

    """
    count = left = alone = 0
    for manifest in work.each(dataset, lambda manifest: int(manifest.keys["batch"])):
        with work.apart(manifest.address):
            batch = int(manifest.keys["batch"])
            rows = corrected_last(work.datasets.rows_of(dataset, manifest))
            about_known = known(rows)
            kept = _following(work.ledger, among, about_known)
            work.ledger.run(begin, batch=batch, vote_count=len(rows))
            people = sorted({row.annotator for row in rows})
            work.ledger.run_many("ensure_annotator", [{"annotator": name} for name in people])
            work.ledger.run_many(put_back, [{**asdict(row), "batch": batch} for row in kept])
            count, left = count + len(kept), left + len(rows) - len(about_known)
            alone += len(about_known) - len(kept)
    if alone:
        votes = counted(alone, dataset.name.removesuffix("s"))
        work.lost.append(f"{votes} correcting one that was not put back: not put back either")
    return count, left


def _following(ledger: Ledger, among: str, rows: Sequence[V]) -> list[V]:
    """Return the votes of a batch that correct none, or one that is in the ledger or stands before them."""
    corrected = sorted({row.supersedes for row in rows if row.supersedes})
    there = {row["vote_id"] for row in ledger.rows(among, votes=corrected)}
    kept = []
    for row in rows:
        if row.supersedes is None or row.supersedes in there:
            kept.append(row)
            there.add(row.vote_id)
    return kept


def corrected_last(rows: Iterable[V]) -> list[V]:
    """Return the votes of a batch, each after the one that it corrects."""
    by_id = {row.vote_id: row for row in rows}

    def corrections(row: V) -> int:
        count = 0
        while row.supersedes in by_id:
            row, count = by_id[row.supersedes], count + 1
        return count

    return sorted(by_id.values(), key=lambda row: (corrections(row), row.cast_at))


def _unasked(ledger: Ledger, rows: Sequence[VoteRow]) -> list[VoteRow]:
    """Return the votes on clips that the queue has not."""
    clips = sorted({(row.clip_id, row.category) for row in rows})
    table = pa.Table.from_pylist([{"clip_id": clip, "category": category} for clip, category in clips], schema=CLIPS)
    found = queued(ledger, table, until=0)
    asked = set(zip(found["clip_id"].to_pylist(), found["category"].to_pylist(), strict=True))
    return [row for row in rows if (row.clip_id, row.category) not in asked]


def _queue_older(work: Repair, rounds: Mapping[tuple[str, ...], Sequence[Manifest]], votes: Sequence[VoteRow]) -> None:
    """Queue the clips of these votes that an older generation of their round holds: the round was mined again since."""
    wanted: dict[tuple[str, str], set[str]] = {}
    for vote in votes:
        wanted.setdefault((vote.category, vote.round), set()).add(vote.clip_id)
    for place, clips in wanted.items():
        for manifest in rounds.get(place, ()):
            with suppress(BrokenContract):  # its deletion was cut off, or it is the one that the queue named
                own = [row for row in work.datasets.rows_of(HARD_CLIPS, manifest) if row.clip_id in clips]
                _queue(work, manifest, work.admitted(own))
