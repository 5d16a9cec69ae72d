"""Choosing the clips worth a person's time: one interface, a ranking for each strategy."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from slac_tasks.errors import BrokenContract
from slac_tasks.mining.coverage import covering
from slac_tasks.mining.measures import ClipMeasures, Floats, Ints, Measures, entropy, measured
from slac_tasks.mining.pool import Pool
from slac_tasks.mining.segments import Stretches, clip_sets
from slac_tasks.mining.settings import Mining
from slac_tasks.model import SAYS_YES, Strategy

Ranking = Callable[[Measures, Mining], Floats]
"""What a strategy goes by: one value for each clip, not negative, higher first; equal values are drawn by lot."""

_FAR = 2**40
DOUBTED = 0.5
"""Imported labels beyond this are more likely wrong than right."""
_BESIDE_MOST = 40
"""Clips before and after one among which its neighbours are looked for: twenty seconds of the usual grid."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One clip chosen for people."""

    index: int
    """Row of the clip in the arrays that the pool was made from."""
    strategy: Strategy
    value: float | None
    """What the strategy ranked it by; None for the random control, which looks at nothing."""
    measures: ClipMeasures
    of_segment: int | None = None
    """Number of the segment that it was chosen with; the clips of one are asked together."""


def by_disagreement(found: Measures, knobs: Mining) -> Floats:
    """Clips with a coherent action on which the members disagree (SLAC v1): disagreement times coherence (ours)."""
    return np.asarray(getattr(found, knobs.disagreement_by) * held_together(found))


def by_consensus(found: Measures, knobs: Mining) -> Floats:
    """Clips to which every member gives a high score (HACS v3, section 3), and their neighbours too."""
    return np.asarray(found.consensus * held_together(found))


def by_entropy(found: Measures, knobs: Mining) -> Floats:
    """Clips of which one member alone is unsure: the textbook's active learning, as the yardstick."""
    return found.entropy


def by_lot(found: Measures, knobs: Mining) -> Floats:
    """All clips alike."""
    return np.ones(len(found.consensus))


def by_doubt(found: Measures, knobs: Mining) -> Floats:
    """Clips of which the committee is unsure, by its joint score."""
    return entropy(found.consensus)


def held_together(found: Measures) -> Floats:
    """Return the coherence of each clip; 1 where no neighbour says otherwise."""
    return np.nan_to_num(found.coherence, nan=1.0)


RANKINGS: Mapping[Strategy, Ranking] = {
    Strategy.LOT: by_lot,
    Strategy.DISAGREEMENT: by_disagreement,
    Strategy.CONSENSUS: by_consensus,
    Strategy.ENTROPY: by_entropy,
}
"""The strategies that rank clips one by one, in the order in which they choose. To add one: a name in `Strategy`, a
ranking, a share."""

COVERINGS: Mapping[Strategy, Ranking] = {Strategy.COVERAGE: by_lot, Strategy.UNSURE_COVERAGE: by_doubt}
"""The strategies that choose clips which stand for others, after those that rank: what covering each clip is worth."""


def choose(
    pool: Pool,
    wanted: Mapping[Strategy, int],
    *,
    knobs: Mining,
    asked: Collection[str] = (),
    drawn: Collection[str] = (),
    entropy_of: int = 0,
    stretches: Stretches | None = None,
) -> list[Choice]:
    """Choose clips of one category in one round.

    The random control comes first, by lot from all clips that were not asked. Nothing else decides about it, and it
    decides about nothing else, so it stands for all clips: it lies beside a chosen clip as often as any clip does.

    Of the others, no video gives more than its quota, and no two of a video start closer than the gap, clips chosen in
    earlier rounds included. Each clip of a video that is chosen already makes the video's others worth less
    (`diversity`), and no pattern of votes fills more than its share of the disagreement, unless nothing else is left.

    Args:
        pool: the clips.
        wanted: how many clips each strategy may choose.
        knobs: quotas, gap and diversity.
        asked: clips of this category that people were asked before.
        drawn: those of them that are of the random control.
        entropy_of: column of the member that the strategy `entropy` asks.
        stretches: segments of the videos, of which the strategy `segment` makes sets; no quota and no gap holds in
            one, since it is answered with one key.

    Returns:
        The chosen clips in the order chosen; never one twice, never one of `asked`.

    """
    if not len(pool):
        return []
    gap_ms = round(knobs.min_gap_sec * 1000)
    found = measured(
        pool.scores, member=entropy_of, video=pool.video, shot=pool.shot, start_ms=pool.start_ms,
        reach_ms=round(knobs.coherence_sec * 1000),
    )  # fmt: skip
    free = np.ones(len(pool), dtype=bool)
    free[pool.rows_of(asked)] = False
    control = np.flatnonzero(free)
    control = control[np.argsort(pool.draw[control])][: wanted.get(Strategy.RANDOM, 0)]
    chosen = [
        Choice(index=int(pool.row[row]), strategy=Strategy.RANDOM, value=None, measures=found.at(row))
        for row in control.tolist()
    ]
    free &= ~pool.near(set(asked) - set(drawn), gap_ms)
    free[control] = False
    given = np.zeros(len(pool.videos), dtype=np.int64)
    if pool.doubt is not None:
        # First of all that looks at clips: a label that is more likely wrong than right misleads whoever trusts it.
        order = in_order(pool, pool.doubt, free & (pool.doubt > DOUBTED), given, knobs, decay=1.0)
        taken = order[: wanted.get(Strategy.CONTRADICTION, 0)]
        np.add.at(given, pool.video[taken], 1)
        free &= ~_close_to(pool, taken, gap_ms)
        chosen += _chosen(pool, Strategy.CONTRADICTION, taken, pool.doubt, found)
        wanted = _given_back(wanted, wanted.get(Strategy.CONTRADICTION, 0) - len(taken))
    if stretches is not None:
        others = len(chosen)
        for number, one in enumerate(clip_sets(pool, stretches, free, wanted.get(Strategy.SEGMENT, 0))):
            np.add.at(given, pool.video[one.rows], 1)
            free &= ~_close_to(pool, one.rows, gap_ms)
            chosen += [
                Choice(
                    index=int(pool.row[row]), strategy=Strategy.SEGMENT, value=one.value, measures=found.at(row),
                    of_segment=number,
                )
                for row in one.rows.tolist()
            ]  # fmt: skip
        wanted = _given_back(wanted, wanted.get(Strategy.SEGMENT, 0) - (len(chosen) - others))
    for strategy, ranking in RANKINGS.items():
        if not wanted.get(strategy):
            continue
        value = ranking(found, knobs)
        order = in_order(pool, value, free, given, knobs, decay=knobs.diversity)
        if strategy is Strategy.DISAGREEMENT:
            order = _mixed(order, _pattern(pool.scores), ceil(wanted[strategy] * knobs.max_pattern_share - 1e-9))
        taken = order[: wanted[strategy]]
        np.add.at(given, pool.video[taken], 1)
        free &= ~_close_to(pool, taken, gap_ms)
        chosen += _chosen(pool, strategy, taken, value, found)
    for strategy, ranking in COVERINGS.items():
        if not wanted.get(strategy):
            continue
        if pool.at is None:
            raise BrokenContract(f"mining: strategy {strategy} without features, want those of a member at least")
        known = {choice.index for choice in chosen}
        before = np.union1d(pool.rows_of(asked), np.flatnonzero(np.isin(pool.row, list(known))))
        taken, gains = covering(
            pool, pool.at, ranking(found, knobs), wanted[strategy], free=free, given=given, taken=before, knobs=knobs
        )
        np.add.at(given, pool.video[taken], 1)
        free &= ~_close_to(pool, taken, gap_ms)
        chosen += [
            Choice(index=int(pool.row[row]), strategy=strategy, value=float(gain), measures=found.at(row))
            for row, gain in zip(taken.tolist(), gains, strict=True)
        ]
    for row in companions(pool, chosen, wanted.get(Strategy.COMPANION, 0), asked, knobs).tolist():
        index = int(pool.row[row])
        chosen.append(Choice(index=index, strategy=Strategy.COMPANION, value=None, measures=found.at(row)))
    return chosen


def _given_back(wanted: Mapping[Strategy, int], left: int) -> Mapping[Strategy, int]:
    """Return what is wanted when so many clips more go to the strategy that chooses most."""
    most = max((*RANKINGS, *COVERINGS), key=lambda strategy: wanted.get(strategy, 0))
    return {**wanted, most: wanted.get(most, 0) + left}


def _chosen(pool: Pool, strategy: Strategy, rows: Ints, value: Floats, found: Measures) -> list[Choice]:
    return [
        Choice(index=int(pool.row[row]), strategy=strategy, value=float(value[row]), measures=found.at(row))
        for row in rows.tolist()
    ]


def companions(pool: Pool, chosen: Sequence[Choice], count: int, asked: Collection[str], knobs: Mining) -> Ints:
    """Return a neighbour of each of `count` chosen clips, both drawn by lot; fewer where clips have no neighbour.

    A neighbour is a clip of the same shot that starts at most `carry_sec` away and was not asked.

    Args:
        pool: the clips.
        chosen: the clips of the round; those of its random control get no companion.
        count: how many neighbours are wanted.
        asked: clips that people were asked before.
        knobs: how far a neighbour may be.

    """
    is_chosen = np.isin(pool.row, [choice.index for choice in chosen])
    control = np.isin(pool.row, [choice.index for choice in chosen if choice.strategy is Strategy.RANDOM])
    own = np.flatnonzero(is_chosen & ~control)
    known = np.union1d(np.flatnonzero(is_chosen), pool.rows_of(asked))
    found: list[int] = []
    for row in own[np.argsort(pool.draw[own])].tolist():
        if len(found) == count:
            break
        # The pool is sorted by video and start: neighbours lie beside each other.
        near = np.arange(max(row - _BESIDE_MOST, 0), min(row + _BESIDE_MOST + 1, len(pool)))
        apart_ms = abs(pool.start_ms[near] - pool.start_ms[row])
        may = (pool.video[near] == pool.video[row]) & (pool.shot[near] == pool.shot[row])
        may &= (apart_ms <= round(knobs.carry_sec * 1000)) & ~np.isin(near, known) & ~np.isin(near, found)
        if len(near := near[may]):
            # Another lot than that by which the source was drawn.
            found.append(int(near[np.argmin((pool.draw[near] * 7919) % 1)]))
    return np.array(found, dtype=np.int64)


def in_order(pool: Pool, value: Floats, free: NDArray[np.bool_], given: Ints, knobs: Mining, *, decay: float) -> Ints:
    """Return the clips that may be chosen, best first, spaced and within their videos' quotas.

    Which clips of a video can be chosen does not depend on other videos: its best, then its best outside the gap, and
    so on. So every video is thinned on its own, all of them at once, and then their clips are ranked against each
    other, the k-th of a video at decay ** k of its value.
    """
    gap_ms = round(knobs.min_gap_sec * 1000)
    left = knobs.clips_per_video - given
    rows = np.flatnonzero(free & (left[pool.video] > 0))
    rows = rows[np.lexsort((pool.draw[rows], -value[rows], pool.video[rows]))]
    kept, worth = [], []
    for place in range(knobs.clips_per_video):
        if not len(rows):
            break
        video = pool.video[rows]
        best = rows[np.concatenate([[True], video[1:] != video[:-1]])]
        kept.append(best)
        worth.append(value[best] * decay ** (given[pool.video[best]] + place))
        at = np.full(len(pool.videos), -_FAR)
        at[pool.video[best]] = pool.start_ms[best]
        apart = abs(pool.start_ms[rows] - at[video]) >= max(gap_ms, 1)
        rows = rows[apart & (left[video] > place + 1)]
    if not kept:
        return np.empty(0, dtype=np.int64)
    every = np.concatenate(kept)
    return np.asarray(every[np.lexsort((pool.draw[every], -np.concatenate(worth)))])


def _close_to(pool: Pool, taken: Ints, gap_ms: int) -> NDArray[np.bool_]:
    """Return which clips start less than the gap from one of `taken`, itself included."""
    names = [f"{pool.videos[pool.video[row]]}:{pool.start_ms[row]}" for row in taken.tolist()]
    return pool.near(names, gap_ms)


def _pattern(scores: Floats) -> Ints:
    """Return who votes yes on each clip, as a number."""
    return np.asarray((scores >= SAYS_YES) @ (1 << np.arange(scores.shape[1])), dtype=np.int64)


def _mixed(order: Ints, pattern: Ints, most: int) -> Ints:
    """Move what is beyond the first `most` clips of each pattern behind all others.

    One member that is wrong in its own way would otherwise have the whole slice to itself (ours).
    """
    kinds = pattern[order]
    by_kind = np.argsort(kinds, kind="stable")
    first = np.concatenate([[0], np.flatnonzero(np.diff(kinds[by_kind])) + 1]) if len(order) else np.empty(0, int)
    size = np.diff(np.append(first, len(order)))
    place = np.empty(len(order), dtype=np.int64)
    place[by_kind] = np.arange(len(order)) - np.repeat(first, size)
    return np.concatenate([order[place < most], order[place >= most]])
