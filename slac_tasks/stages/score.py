"""Score every clip of a window with every member of the committee, for the action that each was retrieved for.

Reads: clips (category, window), committees, weights, proxies, withdrawals.
Writes: scores and features (category, window, weights), one of each for each member; a member that has scored the
clips is not asked again.
Safe to run again: scores that exist are left alone, and a run after a kill goes on where the one before was stopped.

The work is cut into shards: consecutive videos of one category, with about `SHARD_CLIPS` clips together. A shard and
its batches depend on the clips of the window alone: a score is the same to the bit, whatever was done before a kill. A
shard is decoded once for all members that lack it, and stored when they have scored it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.errors import NotMade, SlacError
from slac_tasks.job import Job, Partition
from slac_tasks.model import View
from slac_tasks.networks.canaries import COUNT, Guard, canary
from slac_tasks.networks.inference import device
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.scorers import Scorer, Sheet, load_scorers
from slac_tasks.progress import print_line, track
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, FEATURES, SCORES
from slac_tasks.storage.datasets.scoring import CommitteeRow, FeatureRow, ScoreRow
from slac_tasks.storage.manifests import Drop
from slac_tasks.storage.shards import Shard
from slac_tasks.video.clips import (
    ADDRESS,
    Footage,
    Undecodable,
    addresses,
    batched,
    decoded,
    decoders,
    reels_of,
)  # fmt: skip

SHARD_CLIPS = 256
"""A kill loses the work on about so many clips."""


@dataclass(frozen=True, kw_only=True)
class Want:
    """What one member says of one category's clips, being made."""

    member: CommitteeRow
    scores: Partition[ScoreRow]
    features: Partition[FeatureRow]

    def shard(self, name: str, of: Sequence[str]) -> "Pair":
        """Open one shard of each that is not finished."""
        return Pair(
            scores=None if self.scores.finished else self.scores.shard(name, of=of),
            features=None if self.features.finished else self.features.shard(name, of=of),
        )


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A member's scores and features of the clips of one shard; None: all of the category's are finished."""

    scores: Shard[ScoreRow] | None
    features: Shard[FeatureRow] | None

    @property
    def is_done(self) -> bool:
        """Whether the store holds both."""
        return all(shard is None or shard.is_done for shard in (self.scores, self.features))

    def write(self, sheet: Sheet, drops: Sequence[Drop]) -> None:
        """Put into the store what it does not hold."""
        if self.scores and not self.scores.is_done:
            self.scores.write(sheet.scores, drops)
        if self.features and not self.features.is_done:
            self.features.write(sheet.features, drops)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One shard of a category, for the members that lack it."""

    clips: pa.Table
    """Addresses of its clips that may be opened, video by video."""
    videos: int
    """How many videos they are of."""
    withdrawn: list[Drop]
    """Videos that may not be opened."""
    lacking: list[tuple[Want, Pair]]

    @property
    def views(self) -> list[View]:
        """What its clips are decoded to."""
        return sorted({architecture(want.member.architecture).view for want, _ in self.lacking})


@dataclass(kw_only=True)
class Work:
    """What the committee's members have still to score of one category."""

    clips: pa.Table
    """Addresses of all clips, video by video."""
    wants: list[Want]
    pieces: list[Piece] = field(default_factory=list)
    """The shards that some member lacks."""
    finish: ExitStack = field(default_factory=ExitStack)
    """Closing it writes the partitions."""


def run(job: Job) -> None:
    """Score the categories of this job; each is written as soon as its last shard is done."""
    works: list[Work] = []
    failure: SlacError | None = None
    # Nothing of a category is written when scoring fails; its finished shards wait in the store.
    with ExitStack() as opened:
        try:
            job.each_category(lambda category: works.extend(_missing(job, category, opened)))
        except SlacError as error:
            failure = error
        if works:
            _score(job, works)
    if failure is not None:
        raise failure


def _missing(job: Job, category: str, opened: ExitStack) -> list[Work]:
    """Return what the committee's members have still to score of a category, if anything."""
    window, committee = job.key("window"), job.key("committee")
    clips = job.datasets.need(CLIPS, category=category, window=window)
    members = [row for row in job.datasets.rows(COMMITTEES, committee=committee) if row.category == category]
    if not members:
        raise NotMade(f"committee {committee}: scores no category {category}, want it covered by bootstrap")
    order = [(name, "ascending") for name in ("video_id", "start_sec", "clip_id")]
    # A failure in here leaves the block, and so the partitions that are open, without a write.
    with ExitStack() as finish:
        wants = []
        for member in members:
            keys = {"category": category, "window": window, "weights": member.weights}
            scores = finish.enter_context(job.partition(SCORES, keys, inputs=[clips]))
            features = finish.enter_context(job.partition(FEATURES, keys, inputs=[clips]))
            if not (scores.finished and features.finished):
                wants.append(Want(member=member, scores=scores, features=features))
        if not wants:
            return []
        table = job.datasets.read_all(CLIPS, [clips], ADDRESS).sort_by(order)
        return [Work(clips=table, wants=wants, finish=opened.enter_context(finish.pop_all()))]


def _score(job: Job, works: Sequence[Work]) -> None:
    """Score the shards that are not in the store yet; one stream of work goes to the decoding processes."""
    where = device(job.config.device)
    scorers = load_scorers(job.store.get, [want.member for work in works for want in work.wants], job.config)
    withdrawals = Withdrawals.read(job.store)
    how = [where.type, str(job.config.scoring.batch), str(job.config.scoring.compile)]
    for work in works:
        work.pieces = _cut(work, withdrawals, {name: [*how, s.extractor.preprocessing] for name, s in scorers.items()})
    todo = [piece for work in works for piece in work.pieces]
    videos = sum(piece.videos for piece in todo)
    reels = (reel for piece in todo for reel in reels_of(addresses(piece.clips), piece.views))
    workers = decoders(job.config.scoring.workers, videos=videos, beside=where)
    results = track(decoded(reels, job.media, workers), videos, "score")
    guard = Guard(job.store)
    for work in works:
        for piece in work.pieces:
            _score_piece(piece, islice(results, piece.videos), scorers, guard, job.config.scoring.batch)
        work.finish.close()


def shard_ends(video_ids: Sequence[str], size: int) -> list[int]:
    """Return where each shard ends: after the video with which it has `size` clips or more.

    Args:
        video_ids: of each clip; the clips of a video stand together.
        size: clips of a shard, at the least; the last one holds what is left.

    """
    ends, begin = [], 0
    for row, video_id in enumerate(video_ids, start=1):
        is_last = row == len(video_ids)
        if is_last or (video_ids[row] != video_id and row - begin >= size):
            ends.append(row)
            begin = row
    return ends


def _cut(work: Work, withdrawals: Withdrawals, how: Mapping[str, list[str]]) -> list[Piece]:
    """Return the shards of a category that some member lacks.

    Args:
        work: the category.
        withdrawals: what may not be opened.
        how: by backbone, what decides its scores beside the clips and the weights.

    """
    pieces = []
    begin = taken_up = 0
    for number, end in enumerate(shard_ends(work.clips["video_id"].to_pylist(), SHARD_CLIPS)):
        withdrawn: list[Drop] = []
        clips = work.clips.slice(begin, end - begin)
        readable = withdrawals.readable(addresses(clips), withdrawn)
        clip_ids = [clip.clip_id for clip in readable]
        shards = [(want, want.shard(f"{number:05d}", [*how[want.member.backbone], *clip_ids])) for want in work.wants]
        lacking = [(want, shard) for want, shard in shards if not shard.is_done]
        taken_up += len(shards) - len(lacking)
        if lacking:
            pieces.append(
                Piece(
                    clips=clips.filter(pc.is_in(clips["clip_id"], pa.array(clip_ids, pa.string()))),
                    videos=len({clip.video_id for clip in readable}), withdrawn=withdrawn, lacking=lacking,
                )
            )  # fmt: skip
        begin = end
    if taken_up:
        print_line(
            f"score: category {work.wants[0].scores.keys['category']}: takes up {taken_up} shards of an unfinished run"
        )
    return pieces


def _score_piece(
    piece: Piece, results: Iterable[Footage | Undecodable], scorers: Mapping[str, Scorer], guard: Guard, size: int
) -> None:
    """Score one shard with every member that lacks it, and store it.

    Raises:
        BrokenContract: a canary came back with another score than it should; the shard is not stored.

    """
    drops = list(piece.withdrawn)

    def readable() -> Iterator[Footage]:
        for result in results:
            if isinstance(result, Undecodable):
                drops.append(Drop(item=result.video_id, reason="undecodable", detail=result.why))
            else:
                yield result

    sheets = [Sheet(member=want.member) for want, _ in piece.lacking]
    # One canary goes first and one last, so that what lies between them was scored by the same code and weights.
    canaries = [canary(index, piece.views) for index in range(COUNT)]
    for batch in batched(chain(canaries[:1], readable(), canaries[1:]), size):
        for backbone in dict.fromkeys(sheet.member.backbone for sheet in sheets):
            scorers[backbone].score(batch, [sheet for sheet in sheets if sheet.member.backbone == backbone])
    for sheet in sheets:
        alone = partial(scorers[sheet.member.backbone].canaries_alone, sheet.member.head)
        guard.check(sheet.member.weights, sheet.member.member, sheet.canaries, alone)
    for sheet, (_, shard) in zip(sheets, piece.lacking, strict=True):
        shard.write(sheet, drops)
