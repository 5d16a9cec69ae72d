"""Mining: which clips are worth a person's time, and how many a round may ask. Pure functions over arrays."""

from slac_tasks.mining.choice import RANKINGS, Choice, choose
from slac_tasks.mining.measures import (
    Floats,
    Measures,
    coherence,
    consensus,
    disagreement,
    entropy,
    spread,
    vote_entropy,
)
from slac_tasks.mining.one_more_vote import Answers, NextAnswer, next_answers, unsure
from slac_tasks.mining.plan import RoundPlan, plan_round
from slac_tasks.mining.pool import Pool, make_pool

__all__ = [
    "RANKINGS", "Answers", "Choice", "Floats", "Measures", "NextAnswer", "Pool", "RoundPlan", "choose", "coherence",
    "consensus", "disagreement", "entropy", "make_pool", "next_answers", "plan_round", "spread", "unsure",
    "vote_entropy",
]  # fmt: skip
