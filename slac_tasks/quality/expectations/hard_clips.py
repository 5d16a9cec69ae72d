"""What is expected of the clips of a round that were chosen for people.

Beside them: `clips` (clip_id; of the round's window), `videos`, `admitted` and `withdrawn` as for clips.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from slac_tasks.model import Strategy
from slac_tasks.quality.expectations.clip_rows import ID_OF_CLIP, of_clips
from slac_tasks.quality.expectations.declared import declared
from slac_tasks.quality.expectations.entries import CRITICAL, WARNING, Bools, Expectation, Finding, Handover, Wanted
from slac_tasks.quality.expectations.measures import not_among, not_in, outside, share, wrong_rows
from slac_tasks.storage.datasets import HARD_CLIPS


def _strange_scores(handover: Handover) -> Bools:
    """Return which clips have no score, a score that is no probability, or two of one member's weights."""
    lists = handover.column("scores")
    sizes = pc.list_value_length(lists).fill_null(0).to_numpy()
    row = np.repeat(np.arange(len(sizes)), sizes)
    flat = lists.flatten()
    scores = flat.field("score").to_numpy(zero_copy_only=False)
    wrong = ~((scores >= 0) & (scores <= 1))
    weights = flat.field("weights").dictionary_encode().indices.fill_null(-1).to_numpy().astype(np.int64)
    pairs, counts = np.unique(row * (len(weights) + 2) + weights + 1, return_counts=True)
    twice = np.zeros(len(sizes), dtype=bool)
    twice[pairs[counts > 1] // (len(weights) + 2)] = True
    return np.asarray((sizes == 0) | (np.bincount(row[wrong], minlength=len(sizes)) > 0) | twice)


def _random(handover: Handover) -> Iterator[Finding]:
    drawn = handover.equals("strategy", Strategy.RANDOM)
    yield share(int(np.count_nonzero(drawn)), len(drawn))


EXPECTATIONS: tuple[Expectation, ...] = (
    *declared(HARD_CLIPS),
    *of_clips(),
    ID_OF_CLIP,
    Expectation(
        name="of_a_clip", severity=CRITICAL, reads=("clip_id",), needs=("clips",), measure=not_in("clip_id", "clips"),
        sentence="Every chosen clip is a clip of the round's window.",
    ),
    Expectation(
        name="strategy_registered", severity=CRITICAL, reads=("strategy",),
        measure=not_among("strategy", [strategy.value for strategy in Strategy]),
        sentence="Every strategy is one by which clips are chosen.",
    ),
    Expectation(
        name="disagreement_in_bits", severity=CRITICAL, reads=("disagreement",), measure=outside("disagreement", 0, 1),
        sentence="The disagreement of members lies between 0 and 1 bit.",
    ),
    Expectation(
        name="consensus_in_range", severity=CRITICAL, reads=("consensus",), measure=outside("consensus", 0, 1),
        sentence="The joint score of members is a probability: 0 to 1.",
    ),
    Expectation(
        name="scores_of_members", severity=CRITICAL, reads=("scores",), measure=wrong_rows(_strange_scores),
        sentence="Every chosen clip has one score, 0 to 1, of each member.",
    ),
    Expectation(
        name="random_control", severity=WARNING, reads=("strategy",), wanted=Wanted(low="min_random"),
        measure=_random, sentence="Some clips of every round are drawn by lot: the control.",
    ),
)  # fmt: skip
