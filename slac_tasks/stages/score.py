"""Score every clip of a window with every member of the committee, for the action that each was retrieved for.

Reads: clips (category, window), committees, weights, proxies, withdrawals.
Writes: scores and features (category, window, weights), one of each for each member; a member that has scored the
clips is not asked again.
Safe to run again: scores that exist are left alone, and a run after a kill goes on where the one before was stopped.

The work is cut into shards: consecutive videos of one category, with about `SHARD_CLIPS` clips together. A shard and
its batches depend on the clips of the window alone, and the form in which a network runs on the clips of the job: a
score is the same to the bit, whatever was done before a kill. A shard is decoded once for all members that lack it, and
stored when they have scored it. The next shards are decoded and scored meanwhile: one thread stores them in order.

Each run leaves its rate in the store. With `--estimate` it prints what the clips will take on this machine by the rates
of earlier runs, and scores nothing; shards of an unfinished run count as if they were still to be scored.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cached_property, partial

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.errors import NotMade, SlacError
from slac_tasks.job import Job, Partition
from slac_tasks.model import View
from slac_tasks.networks import rates
from slac_tasks.networks.canaries import COUNT, Guard, canary, is_canary
from slac_tasks.networks.inference import device, device_name
from slac_tasks.networks.line import Line, Result, line_of
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.scorers import Scorer, Sheet, load_scorers
from slac_tasks.progress import print_line, track
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, FEATURES, SCORES
from slac_tasks.storage.datasets.scoring import CommitteeRow, FeatureRow, ScoreRow
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.shards import Shard
from slac_tasks.storage.writing import Writer
from slac_tasks.video.clips import ADDRESS, ClipAddress, Footage, addresses, ahead, chunks, decoders, shard_ends
from slac_tasks.video.pool import UNDECODABLE, Cut, Decoded, Pool

SHARD_CLIPS: Mapping[str, int] = {"cpu": 256, "cuda": 2048}
"""A kill loses the work on about so many clips: minutes on processors, a second or two on a card."""


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
    withdrawn: list[Drop]
    """Videos that may not be opened."""
    lacking: list[tuple[Want, Pair]]

    def count(self, size: int) -> int:
        """Return how many batches it has."""
        clips: int = self.clips.num_rows + COUNT
        return -(-clips // size)

    def batches(self, size: int) -> Iterator[Sequence[ClipAddress]]:
        """Yield its clips in batches.

        One canary goes first and one last, so that what lies between them was scored by the same code and weights.
        """
        first, *last = (_canary(index) for index in range(COUNT))
        return chunks([first, *addresses(self.clips), *last], size)


def _canary(index: int) -> ClipAddress:
    return canary(index, []).clips[0]


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
    if job.estimate:
        _estimate(job)
        return
    works: list[Work] = []
    clips = 0

    def add(category: str) -> None:
        nonlocal clips
        made = job.datasets.need(CLIPS, category=category, window=job.key("window"))
        clips += made.rows
        works.extend(_missing(job, category, made, opened))

    failure: SlacError | None = None
    # Nothing of a category is written when scoring fails; its finished shards wait in the store.
    with ExitStack() as opened:
        try:
            job.each_category(add)
        except SlacError as error:
            failure = error
        if works:
            _score(job, works, clips)
    if failure is not None:
        raise failure


def _members(job: Job, category: str) -> list[CommitteeRow]:
    """Return who scores a category.

    Raises:
        NotMade: nobody does.

    """
    committee = job.key("committee")
    members = [row for row in job.datasets.rows(COMMITTEES, committee=committee) if row.category == category]
    if not members:
        raise NotMade(f"committee {committee}: scores no category {category}, want it covered by bootstrap")
    return members


def _estimate(job: Job) -> None:
    """Print what the clips that lack scores will take on this machine."""
    waiting: dict[tuple[rates.Work, frozenset[View]], list[pa.Table]] = {}

    def add(category: str) -> None:
        keys = {"category": category, "window": job.key("window")}
        made = job.datasets.need(CLIPS, **keys)
        lacking = [
            member
            for member in _members(job, category)
            for dataset in (SCORES, FEATURES)
            if not job.is_finished(dataset, {**keys, "weights": member.weights}, [made])
        ]
        if lacking and made.rows:
            work = rates.Work.of(lacking, job.config.scoring)
            waiting.setdefault((work, _views(lacking)), []).append(job.datasets.read_all(CLIPS, [made], ADDRESS))

    job.each_category(add)
    name = device_name(device(job.config.device))
    for (work, views), tables in waiting.items():
        clips = pa.concat_tables(tables)
        print(rates.expected(job.store, work, name, clips.num_rows, rates.size_of(job.store, clips, views)))
    if not waiting:
        print("nothing to score: every member has scored every clip")


def _views(members: Sequence[CommitteeRow]) -> frozenset[View]:
    return frozenset(architecture(member.architecture).view for member in members)


def _missing(job: Job, category: str, clips: Manifest, opened: ExitStack) -> list[Work]:
    """Return what the committee's members have still to score of a category, if anything."""
    window = job.key("window")
    order = [(name, "ascending") for name in ("video_id", "start_sec", "clip_id")]
    # A failure in here leaves the block, and so the partitions that are open, without a write.
    with ExitStack() as finish:
        wants = []
        for member in _members(job, category):
            keys = {"category": category, "window": window, "weights": member.weights}
            scores = finish.enter_context(job.partition(SCORES, keys, inputs=[clips]))
            features = finish.enter_context(job.partition(FEATURES, keys, inputs=[clips]))
            if not (scores.finished and features.finished):
                wants.append(Want(member=member, scores=scores, features=features))
        if not wants:
            return []
        table = job.datasets.read_all(CLIPS, [clips], ADDRESS).sort_by(order)
        return [Work(clips=table, wants=wants, finish=opened.enter_context(finish.pop_all()))]


def _score(job: Job, works: Sequence[Work], clips: int) -> None:
    """Score the shards that are not in the store yet, of a job about so many clips; one stream of work is decoded."""
    settings, where = job.config.scoring, device(job.config.device)
    members = [want.member for work in works for want in work.wants]
    views = sorted(_views(members))
    watch = rates.Watch(began=job.began)
    workers = decoders(settings.workers, clips=sum(work.clips.num_rows for work in works), beside=where)
    # The processes start while the networks are loaded.
    buffer = ahead(views, batch=settings.batch, workers=workers)
    with Pool(job.media, views, batch=settings.batch, buffer=buffer, workers=workers) as pool:
        scorers = load_scorers(job.store.get, members, job.config, clips)
        withdrawals = Withdrawals.read(job.store)
        how = {name: [str(settings.batch), settings.compile, *scorer.how] for name, scorer in scorers.items()}
        for work in works:
            work.pieces = _cut(work, withdrawals, how, SHARD_CLIPS[where.type])
        todo = [piece for work in works for piece in work.pieces]
        # As objects the addresses of a whole job are more than memory holds: a shard's are made when it is decoded.
        cuts = (_cuts(rows) for piece in todo for rows in piece.batches(settings.batch))
        found = track(watch.over(pool.batches(cuts)), sum(piece.count(settings.batch) for piece in todo), "score")
        extractors = {name: scorer.extractor for name, scorer in scorers.items()}
        with closing(line_of(extractors, settings.batch, pool.memory)) as line, Writer() as writer:
            desk = Desk(scorers=scorers, guard=Guard(job.store), line=line, writer=writer, views=views)
            for work in works:
                for piece in work.pieces:
                    desk.score(piece, found, settings.batch)
                desk.then(partial(writer.then, work.finish.close))
            desk.settle(0)
    if todo:
        _write_rate(job, watch, todo, device_name(where))


def _write_rate(job: Job, watch: rates.Watch, done: Sequence[Piece], name: str) -> None:
    """Write down how fast these shards were scored; a run of several kinds of work says of none how fast it is."""
    works = {rates.Work.of([want.member for want, _ in piece.lacking], job.config.scoring) for piece in done}
    clips = pa.concat_tables([piece.clips for piece in done])
    if len(works) == 1 and clips.num_rows:
        views = _views([want.member for want, _ in done[0].lacking])
        size = rates.size_of(job.store, clips, views)
        run = watch.run(device=name, clips=clips.num_rows, size_bytes=size)
        rates.write_run(job.store, works.pop(), run)


def _cuts(rows: Sequence[ClipAddress]) -> list[Cut | None]:
    return [None if is_canary(clip) else clip.cut for clip in rows]


def _cut(work: Work, withdrawals: Withdrawals, how: Mapping[str, list[str]], size: int) -> list[Piece]:
    """Return the shards of a category that some member lacks.

    Args:
        work: the category.
        withdrawals: what may not be opened.
        how: by backbone, what decides its scores beside the clips and the weights.
        size: clips of a shard, at the least.

    """
    pieces = []
    begin = taken_up = 0
    for number, end in enumerate(shard_ends(work.clips["video_id"].to_pylist(), size)):
        withdrawn: list[Drop] = []
        clips = work.clips.slice(begin, end - begin)
        readable = withdrawals.readable(addresses(clips), withdrawn)
        clip_ids = [clip.clip_id for clip in readable]
        shards = [(want, want.shard(f"{number:05d}", [*how[want.member.backbone], *clip_ids])) for want in work.wants]
        lacking = [(want, shard) for want, shard in shards if not shard.is_done]
        taken_up += len(shards) - len(lacking)
        if lacking:
            opened = clips.filter(pc.is_in(clips["clip_id"], pa.array(clip_ids, pa.string())))
            pieces.append(Piece(clips=opened, withdrawn=withdrawn, lacking=lacking))
        begin = end
    if taken_up:
        print_line(
            f"score: category {work.wants[0].scores.keys['category']}: takes up {taken_up} shards of an unfinished run"
        )
    return pieces


@dataclass(kw_only=True)
class Round:
    """One shard while it is scored."""

    piece: Piece
    sheets: list[Sheet]
    lost: dict[str, Drop] = field(default_factory=dict)
    """Videos that cannot be decoded, by their ids."""


@dataclass(kw_only=True)
class Given:
    """One batch that the networks look at."""

    round: Round
    rows: Sequence[ClipAddress]
    lost: Collection[int]
    """Rows without pixels."""
    result: Result


@dataclass(kw_only=True)
class Desk:
    """Gives batches to the networks, takes down what they say, and stores each shard with its last batch."""

    scorers: Mapping[str, Scorer]
    guard: Guard
    line: Line
    writer: Writer
    """Stores what is scored, while later batches are."""
    views: Sequence[View]
    _due: deque[Given | Callable[[], None]] = field(default_factory=deque)
    """Batches under way, and what is done when all before it is."""

    def score(self, piece: Piece, found: Iterator[Decoded], size: int) -> None:
        """Score one shard with every member that lacks it; it is stored when later ones are under way.

        Raises:
            BrokenContract: a canary came back with another score than it should; the shard is not stored.

        """
        round_ = Round(piece=piece, sheets=[Sheet(member=want.member) for want, _ in piece.lacking])
        backbones = list(dict.fromkeys(sheet.member.backbone for sheet in round_.sheets))
        for rows in piece.batches(size):
            decoded = next(found)
            self._add_canaries(rows, decoded)
            for at, lost in sorted(decoded.lost.items()):
                video = rows[at].video_id
                drop = Drop(item=video, reason=lost.reason, detail=lost.detail, retryable=lost.reason != UNDECODABLE)
                round_.lost.setdefault(video, drop)
            result = self.line.give(decoded.pixels, backbones)
            self._due.append(Given(round=round_, rows=rows, lost=decoded.lost.keys(), result=result))
            self.settle(self.line.ahead)
        self.then(partial(self._store, round_))

    def then(self, act: Callable[[], None]) -> None:
        """Do something when all batches that were given are scored."""
        self._due.append(act)
        self.settle(self.line.ahead)

    def settle(self, ahead: int) -> None:
        """Take down what the networks say, until no more than so many batches are under way."""
        while self._due and (callable(self._due[0]) or self._under_way > ahead):
            first = self._due.popleft()
            if callable(first):
                first()
            else:
                self._take_down(first)

    @property
    def _under_way(self) -> int:
        return sum(isinstance(one, Given) for one in self._due)

    @cached_property
    def _canaries(self) -> Mapping[str, Footage]:
        """Each canary by its id. They are made once: one costs as much as decoding ten clips."""
        return {_canary(index).clip_id: canary(index, self.views) for index in range(COUNT)}

    def _add_canaries(self, rows: Sequence[ClipAddress], decoded: Decoded) -> None:
        for at, clip in enumerate(rows):
            if is_canary(clip):
                for view, pixels in self._canaries[clip.clip_id].pixels.items():
                    decoded.pixels[view][at] = pixels[0]

    def _take_down(self, batch: Given) -> None:
        features = batch.result.features()
        kept = [at for at in range(len(batch.rows)) if at not in batch.lost]
        clips = [batch.rows[at] for at in kept]
        for backbone, found in features.items():
            sheets = [sheet for sheet in batch.round.sheets if sheet.member.backbone == backbone]
            self.scorers[backbone].note(clips, found[kept] if batch.lost else found, sheets)

    def _store(self, round_: Round) -> None:
        for sheet in round_.sheets:
            alone = partial(self.scorers[sheet.member.backbone].canaries_alone, sheet.member.head)
            self.guard.check(sheet.member.weights, sheet.member.member, sheet.canaries, alone)
        drops = [*round_.piece.withdrawn, *round_.lost.values()]
        self.writer.then(partial(self._write, round_, drops))

    def _write(self, round_: Round, drops: Sequence[Drop]) -> None:
        for sheet, (_, shard) in zip(round_.sheets, round_.piece.lacking, strict=True):
            shard.write(sheet.without(round_.lost) if round_.lost else sheet, drops)
