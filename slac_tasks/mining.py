"""Choosing the clips worth a person's time. Pure functions over arrays of scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slac_tasks.config import Mining
from slac_tasks.model import Strategy, parse_clip_id, unit_hash

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One clip chosen for people."""

    index: int
    """Row of the clip in the arrays given."""
    strategy: Strategy


def disagreement(scores: Floats) -> Floats:
    """Return the Jensen-Shannon divergence of the members' verdicts on each clip, in bits, 0 to 1.

    Args:
        scores: probabilities of the hypothesised action, shape (clips, members).

    The divergence of Bernoulli distributions: entropy of the mean minus mean of the entropies. HACS v3 (section 3)
    used the entropy of the committee; this form is 0 when all members say the same, however unsure they are (ours).

    """
    return np.asarray(_entropy(scores.mean(axis=1)) - _entropy(scores).mean(axis=1)).clip(0.0, 1.0)


def consensus(scores: Floats) -> Floats:
    """Return the members' joint score of each clip, 0 to 1: high only where none of them objects.

    HACS v3 (section 3) asks that every classifier gives a high score, by thresholds that are not known. This is the
    mean of the members' log-odds, as a probability: it needs no threshold, and does not hang on the least able member
    alone, as the lowest score would (ours).
    """
    odds = np.log(scores.clip(1e-6, 1 - 1e-6) / (1 - scores.clip(1e-6, 1 - 1e-6)))
    return np.asarray(1 / (1 + np.exp(-odds.mean(axis=1))))


def _entropy(p: Floats) -> Floats:
    """Entropy of Bernoulli(p) in bits; 0 at both ends."""
    p = p.clip(1e-12, 1 - 1e-12)
    return np.asarray(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


def choose(
    clip_ids: list[str], scores: Floats, *, knobs: Mining, seed: str, asked: frozenset[str] = frozenset()
) -> list[Choice]:
    """Choose clips of one category in one round.

    The random slice is drawn first, from all clips, so that it stays a fair control; then disagreement, then
    consensus. No video gives more than its quota and no two chosen clips of a video start closer than the gap,
    clips asked in earlier rounds included.

    Args:
        clip_ids: identities of the clips.
        scores: probabilities of the hypothesised action, shape (clips, members), rows in the order of `clip_ids`.
        knobs: shares, quotas and gap.
        seed: names the draw of the random slice.
        asked: clips of this category that people were asked before.

    Returns:
        The chosen clips in the order chosen; never one twice, never one of `asked`.

    """
    videos, starts = zip(*(parse_clip_id(clip) for clip in clip_ids), strict=True) if clip_ids else ((), ())
    taken: dict[str, list[float]] = {}
    for clip in sorted(asked):
        video, start = parse_clip_id(clip)
        taken.setdefault(video, []).append(start)
    fresh: dict[str, int] = {}
    chosen: dict[int, Choice] = {}

    def take(order: list[int], wanted: int, strategy: Strategy) -> None:
        for index in order:
            if wanted <= 0:
                return
            video, start = videos[index], starts[index]
            near = any(abs(start - other) < knobs.min_gap_sec for other in taken.get(video, ()))
            if index in chosen or clip_ids[index] in asked or near or fresh.get(video, 0) >= knobs.clips_per_video:
                continue
            chosen[index] = Choice(index=index, strategy=strategy)
            taken.setdefault(video, []).append(start)
            fresh[video] = fresh.get(video, 0) + 1
            wanted -= 1

    total = knobs.clips_per_round
    quota = {
        Strategy.DISAGREEMENT: round(total * knobs.disagreement),
        Strategy.CONSENSUS: round(total * knobs.consensus),
    }
    draw = [unit_hash(seed, clip) for clip in clip_ids]
    everything = range(len(clip_ids))
    take(sorted(everything, key=lambda i: draw[i]), total - sum(quota.values()), Strategy.RANDOM)
    for strategy, value in (
        (Strategy.DISAGREEMENT, disagreement(scores)),
        (Strategy.CONSENSUS, consensus(scores)),
    ):
        # Ties are broken by the draw, so that the order of the input means nothing.
        take(sorted(everything, key=lambda i, v=value: (-v[i], draw[i])), quota[strategy], strategy)  # type: ignore[misc]
    return list(chosen.values())
