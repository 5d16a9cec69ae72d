"""The method of aggregation that the settings name, and what it must know beside the votes."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.model import Split, parse_round_key
from slac_tasks.storage.datasets import HARD_CLIPS
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.aggregation.crowd import Scores
from slac_tasks.verification.aggregation.dawid_skene import DawidSkene, Model
from slac_tasks.verification.aggregation.majority import TwoOfThree
from slac_tasks.verification.aggregation.stopping import Asking
from slac_tasks.verification.aggregation.with_committee import WithCommittee
from slac_tasks.verification.ballots import Ballots, clip_key
from slac_tasks.verification.settings import Aggregation, Review


def learns(aggregation: Aggregation) -> bool:
    """Return whether the method learns how good people are, so that the votes on one clip bear on all others."""
    return aggregation.method != "two_of_three"


def count(review: Review, set_aside: frozenset[str]) -> TwoOfThree:
    """Return the method that counts votes, without those of the people who are set aside."""
    return TwoOfThree(
        votes_wanted=review.votes_wanted, votes_most=review.votes_most, control_most=review.control_most,
        set_aside=set_aside,
    )  # fmt: skip


def model(review: Review, aggregation: Aggregation, scores: Scores | None) -> DawidSkene | WithCommittee:
    """Return the method that learns.

    Args:
        review: how people are asked.
        aggregation: which method, and its numbers.
        scores: what the committee says of the clips, where it votes.

    """
    asking = Asking(
        votes_wanted=review.votes_wanted, votes_most=review.votes_most, control_most=review.control_most,
        vote_price=aggregation.vote_price,
        min_confidence=aggregation.min_confidence,
    )  # fmt: skip
    people = Model(pooling=aggregation.pooling)
    if scores is None:
        return DawidSkene(asking=asking, model=people)
    return WithCommittee(scores=scores, asking=asking, model=people)


def scores_of(datasets: Datasets, ballots: Ballots, queued: pa.Table) -> Scores:
    """Return what the committee said of the training clips; of others nothing, since their labels will judge it.

    Args:
        datasets: where the chosen clips are, with their scores.
        ballots: the votes.
        queued: columns clip_id, category, round and split of their clips.

    """
    names = pa.array(ballots.categories, pa.string()).take(pa.array(ballots.category))
    keys = clip_key(pa.table({"clip_id": ballots.clip_ids, "category": names}))
    value, panel = np.full(ballots.clips, np.nan), np.zeros(ballots.clips, dtype=np.int64)
    panels: list[str] = []
    training = queued.filter(pc.equal(queued["split"], Split.TRAINING.value))
    for category, round_key in _rounds(training):
        clips = training.filter(
            pc.and_(pc.equal(training["category"], category), pc.equal(training["round"], round_key))
        )
        said = datasets.read(HARD_CLIPS, ["clip_id", "consensus"], category=category, round=round_key)
        said = said.filter(pc.is_in(said["clip_id"], value_set=clips["clip_id"].combine_chunks()))
        said = said.append_column("category", pa.repeat(category, said.num_rows))
        place = pc.index_in(clip_key(said), value_set=keys)
        rows = place.drop_null().to_numpy()
        name = str(parse_round_key(round_key)[1])
        if name not in panels:
            panels.append(name)
        value[rows] = said["consensus"].filter(place.is_valid()).to_numpy()
        panel[rows] = panels.index(name)
    return Scores(value=value, panel=panel, panels=tuple(panels))


def _rounds(queued: pa.Table) -> Iterable[tuple[str, str]]:
    """Return each (category, round) of these clips, in order."""
    rounds = queued.group_by(["category", "round"]).aggregate([])
    return sorted(zip(rounds["category"].to_pylist(), rounds["round"].to_pylist(), strict=True))
