"""Score every clip of a window with every member of the committee, for the action that each was retrieved for.

Reads: clips (category, window), committees, weights, proxies (or originals, see `scoring.pixels`), withdrawals.
Writes: scores and features (category, window, weights), one of each for each member; a member that has scored the
clips is not asked again.
Safe to run again: scores that exist are left alone, and a run after a kill goes on where the one before was stopped.

On a machine with several cards each has a process, which scores a share of the shards (`scoring.devices`).

The work is cut into shards: consecutive videos of one category, with about `SHARD_CLIPS` clips together. A shard and
its batches depend on the clips of the window alone, and the form in which a network runs on the clips of the job: a
score is the same to the bit, whatever was done before a kill. A shard is decoded once for all members that lack it, and
stored when they have scored it. The next shards are decoded and scored meanwhile: one thread stores them in order.

Each run leaves its rate in the store. With `--estimate` it prints what the clips will take on this machine by the rates
of earlier runs, and scores nothing; shards of an unfinished run count as if they were still to be scored.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import torch

from slac_tasks.admission.withdrawals import Withdrawals
from slac_tasks.children import together
from slac_tasks.errors import NotMade, SlacError, Temporary
from slac_tasks.job import Job
from slac_tasks.model import View
from slac_tasks.networks import rates
from slac_tasks.networks.canaries import Guard, is_canary
from slac_tasks.networks.desk import Desk, Piece, Want
from slac_tasks.networks.inference import device, device_name, devices, occupy
from slac_tasks.networks.line import line_of
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.scorers import load_scorers
from slac_tasks.progress import counted, print_line, track
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, FEATURES, SCORES
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.writing import Writer
from slac_tasks.telemetry import spans
from slac_tasks.video.clips import ADDRESS, ClipAddress, addresses, ahead, decoders, shard_ends
from slac_tasks.video.kept import KeptPool
from slac_tasks.video.pool import Cut, Pool

SHARD_CLIPS: Mapping[str, int] = {"cpu": 256, "cuda": 2048}
"""A kill loses the work on about so many clips: minutes on processors, a second or two on a card."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """Which shards a process scores: of `world` in turn each `rank`-th one."""

    rank: int = 0
    world: int = 1

    def of(self, workers: int) -> int:
        """Return how many of so many decoding processes are its own."""
        return max(1, workers // self.world) if workers else 0

    def __str__(self) -> str:
        return f" {self.rank + 1}/{self.world}" if self.world > 1 else ""


ALL = Share()


@dataclass(kw_only=True)
class Work:
    """What the committee's members have still to score of one category."""

    clips: pa.Table
    """Addresses of all clips, video by video."""
    wants: list[Want]
    pieces: list[Piece] = field(default_factory=list)
    """The shards that some member lacks."""
    taken_up: int = 0
    """Those that the store holds."""
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
            cards = _cards(job, works)
            if len(cards) > 1:
                _score_together(job, works, clips, cards)
            else:
                occupy(cards[0])
                _score(job, works, clips)
    if failure is not None:
        raise failure


def _cards(job: Job, works: Sequence[Work]) -> Sequence[str]:
    """Return the devices that score, no more than there are shards."""
    cards = devices(job.config.scoring.devices, job.config.device)
    size = SHARD_CLIPS[torch.device(cards[0]).type]
    return cards[: sum(len(shard_ends(work.clips["video_id"].to_pylist(), size)) for work in works) or 1]


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
    name = _name(devices(job.config.scoring.devices, job.config.device), device(job.config.device))
    for (work, views), tables in waiting.items():
        clips = pa.concat_tables(tables)
        print(rates.expected(job.store, work, name, clips.num_rows, _size(job, clips, views)))
    if not waiting:
        print("nothing to score: every member has scored every clip")


def _size(job: Job, clips: pa.Table, views: frozenset[View]) -> int | None:
    """Return about how many bytes of renditions are read; None: unknown, or originals are."""
    return rates.size_of(job.store, clips, views) if job.config.scoring.pixels == "renditions" else None


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


class _NotHere(Exception):
    """Leaves partitions open: another process writes them."""


class _Task(NamedTuple):
    """What one process of several is sent."""

    job: Job
    clips: int
    share: Share
    device: str


class _Done(NamedTuple):
    """What it answers."""

    how: Mapping[str, list[str]]
    """By backbone, what decides its scores beside the clips and the weights."""
    first: float | None
    """When its first batch was decoded, by the machine's monotonic clock; None: it had none."""
    taken_up: int
    """Shards that were in the store before."""


def _score_together(job: Job, works: Sequence[Work], clips: int, cards: Sequence[str]) -> None:
    """Score with a process for each card, each the shards of its share; write the partitions when all have ended.

    Raises:
        SlacError: what the process that failed first raised.
        Temporary: one was killed, or what may be opened changed meanwhile.

    """
    categories = tuple(map(_category, works))
    where = device(job.config.device)
    # Of the environment a copy, which can be sent.
    config = replace(job.config, device=torch.device(cards[0]).type)
    sent = replace(job, categories=categories, config=config, environ=dict(job.environ))
    tasks = [_Task(sent, clips, Share(rank=rank, world=len(cards)), card) for rank, card in enumerate(cards)]
    watch = rates.Watch(began=job.began)
    done = together(_score_share, tasks, "scoring")
    withdrawals, turns = Withdrawals.read(job.store), count()
    for work in works:
        _cut(work, withdrawals, [one.how for one in done], SHARD_CLIPS[torch.device(cards[0]).type], turns)
        if work.pieces:
            raise Temporary("score: videos were withdrawn while their clips were scored; want another run")
        work.finish.close()
    firsts = [one.first for one in done if one.first is not None]
    if firsts and not any(one.taken_up for one in done):
        watch.first = min(firsts)
        _write_rate(job, watch, [(work.wants, work.clips) for work in works], _name(cards, where))


def _name(cards: Sequence[str], where: torch.device) -> str:
    """Return what a rate holds for: a device, or so many of them."""
    return f"{len(cards)} x {device_name(where)}" if len(cards) > 1 else device_name(where)


def _score_share(task: _Task) -> _Done:
    """Score one share, in a process of its own: its shards are in the store afterwards."""
    occupy(task.device, task.share.world)
    works: list[Work] = []

    def add(category: str) -> None:
        made = task.job.datasets.need(CLIPS, category=category, window=task.job.key("window"))
        works.extend(_missing(task.job, category, made, opened))

    with suppress(_NotHere), ExitStack() as opened:
        task.job.each_category(add)
        if not works:
            raise Temporary("score: another process has finished these clips; want another run")
        done = _score(task.job, works, task.clips, task.share)
        raise _NotHere
    return done


def _score(job: Job, works: Sequence[Work], clips: int, share: Share = ALL) -> _Done:
    """Score the shards that are not in the store yet, of a job about so many clips; one stream of work is decoded.

    A process that scores all of them also writes the partitions.
    """
    settings, where = job.config.scoring, device(job.config.device)
    members = [want.member for work in works for want in work.wants]
    views = sorted(_views(members))
    watch = rates.Watch(began=job.began)
    workers = share.of(decoders(settings.workers, clips=sum(work.clips.num_rows for work in works), beside=where))
    # The processes start while the networks are loaded.
    with _pool(job, views, workers, where) as pool:
        scorers = load_scorers(job.store.get, members, job.config, clips)
        withdrawals, turns = Withdrawals.read(job.store), count()
        run_as = [str(settings.batch), settings.compile, settings.pixels]
        how = {name: [*run_as, *scorer.how] for name, scorer in scorers.items()}
        for work in works:
            _cut(work, withdrawals, [how] * share.world, SHARD_CLIPS[where.type], turns, share)
        _print_taken_up(works)
        todo = [piece for work in works for piece in work.pieces]
        # As objects the addresses of a whole job are more than memory holds: a shard's are made when it is decoded.
        cuts = (_cuts(rows) for piece in todo for rows in piece.batches(settings.batch))
        batches = sum(piece.count(settings.batch) for piece in todo)
        found = spans.Waits(track(watch.over(pool.batches(cuts)), batches, f"score{share}"))
        extractors = {name: scorer.extractor for name, scorer in scorers.items()}
        with closing(line_of(extractors, settings.batch, pool.memory)) as line, Writer() as writer:
            desk = Desk(scorers=scorers, guard=Guard(job.store), line=line, writer=writer, views=views)
            for work in works:
                for piece in work.pieces:
                    with spans.span("score shard", category=_category(work), clips=piece.clips.num_rows):
                        desk.score(piece, found, settings.batch)
                        spans.add_span("decode", found.taken(), clips=piece.clips.num_rows)
                if share == ALL:
                    desk.then(partial(writer.then, work.finish.close))
            desk.settle(0)
    if todo and share == ALL:
        scored = [([want for want, _ in piece.lacking], piece.clips) for piece in todo]
        _write_rate(job, watch, scored, device_name(where))
    return _Done(how, watch.first, sum(work.taken_up for work in works))


def _pool(job: Job, views: Sequence[View], workers: int, where: torch.device) -> Pool | KeptPool:
    """Start the processes that decode what `scoring.pixels` names."""
    settings = job.config.scoring
    batch, buffer = settings.batch, ahead(views, batch=settings.batch, workers=workers)
    if settings.pixels == "renditions":
        return Pool(job.media, views, batch=batch, buffer=buffer, workers=workers)
    card = f"cuda:{torch.cuda.current_device()}" if where.type == "cuda" else "cpu"
    return KeptPool(
        job.media, views, batch=batch, buffer=buffer, workers=workers, limits=job.config.collect,
        torchcodec=card if settings.pixels == "torchcodec" else "",
    )  # fmt: skip


def _category(work: Work) -> str:
    return work.wants[0].scores.keys["category"]


def _write_rate(job: Job, watch: rates.Watch, done: Sequence[tuple[Sequence[Want], pa.Table]], name: str) -> None:
    """Write down how fast these clips were scored; a run of several kinds of work says of none how fast it is."""
    works = {rates.Work.of([want.member for want in wants], job.config.scoring) for wants, _ in done}
    clips = pa.concat_tables([clips for _, clips in done])
    if len(works) == 1 and clips.num_rows:
        views = _views([want.member for want in done[0][0]])
        size = _size(job, clips, views)
        run = watch.run(device=name, clips=clips.num_rows, size_bytes=size)
        rates.write_run(job.store, works.pop(), run)


def _cuts(rows: Sequence[ClipAddress]) -> list[Cut | None]:
    return [None if is_canary(clip) else clip.cut for clip in rows]


def _cut(
    work: Work, withdrawals: Withdrawals, hows: Sequence[Mapping[str, list[str]]], size: int, turns: Iterator[int],
    share: Share = ALL,
) -> None:  # fmt: skip
    """Find the shards of a category that belong to a share and that some member lacks.

    Args:
        work: the category; `pieces` and `taken_up` are set.
        withdrawals: what may not be opened.
        hows: by process that scores, and by backbone, what decides its scores beside the clips and the weights.
        size: clips of a shard, at the least.
        turns: numbers all shards of a job, of which the processes take every one in turn.
        share: whose shards.

    """
    begin = 0
    for number, end in enumerate(shard_ends(work.clips["video_id"].to_pylist(), size)):
        turn = next(turns)
        clips, begin = work.clips.slice(begin, end - begin), end
        if turn % share.world != share.rank:
            continue
        how = hows[turn % len(hows)]
        withdrawn: list[Drop] = []
        readable = withdrawals.readable(addresses(clips), withdrawn)
        clip_ids = [clip.clip_id for clip in readable]
        shards = [(want, want.shard(f"{number:05d}", [*how[want.member.backbone], *clip_ids])) for want in work.wants]
        lacking = [(want, shard) for want, shard in shards if not shard.is_done]
        work.taken_up += len(shards) - len(lacking)
        if lacking:
            opened = clips.filter(pc.is_in(clips["clip_id"], pa.array(clip_ids, pa.string())))
            work.pieces.append(Piece(clips=opened, withdrawn=withdrawn, lacking=lacking))


def _print_taken_up(works: Sequence[Work]) -> None:
    for work in works:
        if work.taken_up:
            print_line(
                f"score: category {_category(work)}: takes up {counted(work.taken_up, 'shard')} of an unfinished run"
            )
