"""Where batches are given to the networks, and what they say is taken down and stored, shard by shard."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import pyarrow as pa

from slac_tasks.job import Partition
from slac_tasks.model import View
from slac_tasks.networks.canaries import COUNT, Guard, canary, is_canary
from slac_tasks.networks.line import Line, Result
from slac_tasks.networks.scorers import Scorer, Sheet
from slac_tasks.storage.datasets.scoring import CommitteeRow, FeatureRow, ScoreRow
from slac_tasks.storage.manifests import Drop
from slac_tasks.storage.shards import Shard
from slac_tasks.storage.writing import Writer
from slac_tasks.video.clips import ClipAddress, Footage, addresses, chunks
from slac_tasks.video.pool import Decoded


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
                round_.lost.setdefault(video, lost.drop(video))
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
