"""What a committee's scores say of each clip. Pure functions over arrays, one value for each clip, higher first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slac_tasks.errors import WrongArguments
from slac_tasks.model import SAYS_YES

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST = 1e-6


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Every measure of every clip, each of shape (clips,); kept with a clip whichever of them chose it."""

    disagreement: Floats
    vote_entropy: Floats
    spread: Floats
    consensus: Floats
    entropy: Floats
    coherence: Floats
    """NaN where a shot holds no other clip near enough."""

    def at(self, row: int) -> "ClipMeasures":
        """Return the measures of one clip."""
        coherence = float(self.coherence[row])
        return ClipMeasures(
            disagreement=float(self.disagreement[row]), vote_entropy=float(self.vote_entropy[row]),
            spread=float(self.spread[row]), consensus=float(self.consensus[row]), entropy=float(self.entropy[row]),
            coherence=None if np.isnan(coherence) else coherence,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ClipMeasures:
    """Every measure of one clip."""

    disagreement: float
    vote_entropy: float
    spread: float
    consensus: float
    entropy: float
    coherence: float | None
    """None where its shot holds no other clip near enough."""


def disagreement(scores: Floats) -> Floats:
    """Return the Jensen-Shannon divergence of the members' verdicts on each clip, in bits, 0 to 1.

    Args:
        scores: probabilities of the hypothesised action, shape (clips, members).

    The divergence of Bernoulli distributions: entropy of the mean minus mean of the entropies. HACS v3 (section 3)
    used the entropy of the committee; this form is 0 when all members say the same, however unsure they are (ours).

    """
    return np.asarray(entropy(scores.mean(axis=1)) - entropy(scores).mean(axis=1)).clip(0.0, 1.0)


def vote_entropy(scores: Floats) -> Floats:
    """Return the entropy of how the members would vote, in bits: 0 when all say the same, 1 when half say yes.

    Args:
        scores: shape (clips, members); a member votes yes from SAYS_YES on (Dagan and Engelson 1995).

    """
    return entropy((scores >= SAYS_YES).mean(axis=1), exact=True)


def spread(scores: Floats) -> Floats:
    """Return how far apart the members' scores of the hypothesised action are, highest minus lowest, 0 to 1."""
    return np.asarray(scores.max(axis=1) - scores.min(axis=1))


def consensus(scores: Floats) -> Floats:
    """Return the members' joint score of each clip, 0 to 1: high only where none of them objects.

    HACS v3 (section 3) asks that every classifier gives a high score, by thresholds that are not known. This is the
    mean of the members' log-odds, as a probability: it needs no threshold, and does not hang on the least able member
    alone, as the lowest score would (ours).
    """
    held = scores.clip(_LEAST, 1 - _LEAST)
    return np.asarray(1 / (1 + np.exp(-np.log(held / (1 - held)).mean(axis=1))))


def entropy(p: Floats, *, exact: bool = False) -> Floats:
    """Return the entropy of Bernoulli(p) in bits; 0 at both ends. For one model this is how unsure it is.

    Args:
        p: probabilities, any shape.
        exact: give 0 at the very ends and not the rounding of a logarithm near them.

    """
    held = p.clip(1e-12, 1 - 1e-12)
    found = -held * np.log2(held) - (1 - held) * np.log2(1 - held)
    return np.asarray(np.where((p <= 0) | (p >= 1), 0.0, found) if exact else found)


def coherence(joint: Floats, *, video: Ints, shot: Ints, start_ms: Ints, reach_ms: int) -> Floats:
    """Return whether the hypothesised action holds over the neighbours of each clip, 0 to 1 (ours).

    SLAC asks for clips with a coherent action and does not say how that is told. Here a neighbour is another clip of
    the same shot that starts at most `reach_ms` away, and it holds the action as far as its joint score reaches that
    of the clip: min(1, neighbour / clip), averaged over the neighbours. A score that stands alone among low ones, as a
    flicker or a cut would make it, comes near 0; a score inside a longer stretch stays near 1. A clip that no member
    takes for the action has nothing that could break off: 1.

    Args:
        joint: the members' joint score (`consensus`), shape (clips,).
        video: code of each clip's video; clips sorted by (video, start_ms).
        shot: index of each clip's shot in its video.
        start_ms: start of each clip in milliseconds.
        reach_ms: how far a neighbour may start from the clip; 0 asks for no neighbours.

    Returns:
        Shape (clips,); NaN for a clip without neighbours.

    """
    total, count = np.zeros(len(joint)), np.zeros(len(joint))
    step = 1
    while step < len(joint):
        near = (video[step:] == video[:-step]) & (start_ms[step:] - start_ms[:-step] <= reach_ms)
        if not near.any():
            break
        left = np.flatnonzero(near & (shot[step:] == shot[:-step]))
        right = left + step
        ratio = joint[right] / joint[left]
        total[left] += np.minimum(1.0, ratio)
        total[right] += np.minimum(1.0, 1.0 / ratio)
        count[left] += 1
        count[right] += 1
        step += 1
    return np.asarray(np.divide(total, count, out=np.full(len(joint), np.nan), where=count > 0))


def measured(scores: Floats, *, member: int, video: Ints, shot: Ints, start_ms: Ints, reach_ms: int = 1000) -> Measures:
    """Return every measure of these clips; arguments as above, `member` is the column whose entropy is taken.

    Raises:
        WrongArguments: there is no such member.

    """
    if not 0 <= member < scores.shape[1]:
        raise WrongArguments(f"mining: member {member} of {scores.shape[1]}, want one of the committee's")
    joint = consensus(scores)
    return Measures(
        disagreement=disagreement(scores),
        vote_entropy=vote_entropy(scores),
        spread=spread(scores),
        consensus=joint,
        entropy=entropy(scores[:, member]),
        coherence=coherence(joint, video=video, shot=shot, start_ms=start_ms, reach_ms=reach_ms),
    )
