"""Aggregation at the size of the paper's data set: `python -m bench.aggregate [--quick]`.

1.5 million votes on 520,000 clips of 200 categories by 400 people of varied skill, one in twenty of whom clicks at
random. crowd-kit's DawidSkene and ours read the same table, in one process each, for the same number of iterations: as
many as crowd-kit takes to converge by its own criterion. Ours also sorts out corrections and writes the labels' table;
both are inside its time. The committee is a simulated classifier, right on 85 % of clips, whose errors are independent
of people's and whose scores are badly calibrated. Stop-or-ask-again is played against three votes for every clip, with
the same people. The last line is one JSON object.
"""

import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import expit

from bench.harness import Bench, Figures, Seed
from bench.harness.costs import now
from bench.harness.tables import Cell, table
from slac_tasks.verification.aggregation.crowd import Scores
from slac_tasks.verification.aggregation.dawid_skene import (
    DawidSkene,
    Model,
    average_person,
    damped_majority,
    people_as_voters,
)
from slac_tasks.verification.aggregation.majority import TwoOfThree
from slac_tasks.verification.aggregation.stopping import Asking
from slac_tasks.verification.aggregation.with_committee import WithCommittee
from slac_tasks.verification.ballots import (
    NO,
    OPEN,
    YES,
    Aggregator,
    Ballots,
    Decisions,
    Floats,
    Ints,
    label_table,
    read_ballots,
)

CATEGORIES = 200
VOTES_PER_CLIP = 1_500_000 / 520_000
POSITIVE, COMMITTEE_RIGHT = 0.4, 0.85
EQUAL = 0.001
"""Accuracies that differ by less are equal."""


PRICES = (0.12, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 0.02)
"""Of an answer, in shares of a label: the settings of stop-or-ask-again that are played."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many votes there are."""

    clips: Annotated[int, "clips"] = 520_000
    people: Annotated[int, "people"] = 400
    iterations: Annotated[int, "iterations of crowd-kit, at most"] = 100
    seed: Seed = 0


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Simulated clips and people."""

    truth: Ints
    category: Ints
    sensitivity: Floats
    specificity: Floats
    activity: Floats
    """Each person's share of the votes."""
    score: Floats
    """The committee's score of each clip."""

    def votes(self, clip: Ints, chance: np.random.Generator) -> tuple[Ints, Ints]:
        """Return (who answers, the answer's code) for one more answer to each of these clips."""
        person = chance.choice(len(self.activity), size=len(clip), p=self.activity)
        says_yes = np.where(self.truth[clip] == 1, self.sensitivity[person], 1 - self.specificity[person])
        return person, np.where(chance.random(len(clip)) < says_yes, 0, 1)


def crowd(clips: int, people: int, chance: np.random.Generator) -> Crowd:
    """Draw the clips, the people and the committee."""
    share = chance.beta(4, 6, CATEGORIES)
    category = chance.integers(0, CATEGORIES, clips)
    truth = (chance.random(clips) < share[category]).astype(np.int64)
    random = chance.random(people) < 0.05
    skill = [np.where(random, 0.5, chance.beta(12, 3, people)) for _ in range(2)]
    activity = chance.pareto(2.0, people) + 0.2
    right = chance.random(clips) < COMMITTEE_RIGHT
    # Log-odds are three times too far out and shifted towards yes: 0.5 is no threshold, 0.9 no probability.
    says = np.where(right, truth, 1 - truth)
    score = expit(3 * (np.where(says == 1, 1, -1) * np.abs(chance.normal(1.0, 0.5, clips))) + 2.0)
    return Crowd(
        truth=truth, category=category, sensitivity=skill[0], specificity=skill[1], activity=activity / activity.sum(),
        score=score,
    )  # fmt: skip


def cast(clip: Ints, person: Ints, answer: Ints, category: Ints) -> pa.Table:
    """Return votes as the stage reads them, in the order cast."""

    def named(pattern: str, values: Ints) -> pa.Array:
        unique, codes = np.unique(values, return_inverse=True)
        return pa.array([pattern.format(value) for value in unique.tolist()], pa.string()).take(pa.array(codes))

    votes = len(clip)
    moment = pa.array(np.arange(votes) + 1_767_571_200_000_000).cast(pa.timestamp("us", tz="UTC"))
    return pa.table(
        {
            "vote_id": named("{:032x}", np.arange(votes)),
            "clip_id": named("{:016x}:1500", clip),
            "category": named("category_{:03d}", category[clip]),
            "annotator": named("person_{:03d}", person),
            "answer": pa.array(["yes", "no"]).take(pa.array(answer)),
            "cast_at": moment,
            "supersedes": pa.nulls(votes, pa.string()),
            "set_id": pa.nulls(votes, pa.string()),
        }
    )


def accuracy(decisions: Decisions, truth: Ints) -> float:
    """Return the share of clips on whose truth the method's better side is; every clip, settled or not."""
    clip = _clips(decisions.ballots)
    return float((decisions.positive == (truth[clip] == 1)).mean())


def _clips(ballots: Ballots) -> Ints:
    """Return the simulated clip of each of the ballots' clips."""
    return np.array([int(name[:16], 16) for name in ballots.clip_ids.to_pylist()])


def crowdkit(votes: pa.Table, truth: Ints, iterations_most: int) -> tuple[float, int, float]:
    """Return (seconds, iterations, accuracy) of crowd-kit's DawidSkene."""
    from crowdkit.aggregation import DawidSkene as Reference

    frame = pd.DataFrame(
        {
            "task": votes["clip_id"].to_pandas(),
            "worker": votes["annotator"].to_pandas(),
            "label": (votes["answer"].to_pandas() == "yes").astype(int),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        began = now()
        reference = Reference(n_iter=iterations_most)
        said = reference.fit_predict(frame)
        took = (now() - began).wall_sec
    clip = np.array([int(name[:16], 16) for name in said.index])
    return took, len(reference.loss_history_), float((said.to_numpy() == truth[clip]).mean())


def timed(votes: pa.Table, method: Aggregator) -> tuple[float, Decisions]:
    """Return (seconds from the table of votes to the table of labels, the decisions)."""
    began = now()
    decisions = method(read_ballots(votes))
    label_table(decisions)
    return (now() - began).wall_sec, decisions


def sequential(people: Crowd, asking: Asking, chance: np.random.Generator) -> tuple[float, float]:
    """Return (votes per clip, accuracy) when after each round only open clips are asked again."""
    clips = np.arange(len(people.truth))
    clip = person = answer = np.zeros(0, dtype=np.int64)
    waiting = clips
    for _ in range(asking.votes_most):
        more, says = people.votes(waiting, chance)
        clip, person, answer = (np.concatenate(pair) for pair in ((clip, waiting), (person, more), (answer, says)))
        votes = cast(clip, person, answer, people.category)
        decisions = DawidSkene(asking=asking)(read_ballots(votes))
        waiting = _clips(decisions.ballots)[decisions.status == OPEN]
        if not len(waiting):
            break
    return len(clip) / len(clips), accuracy(decisions, people.truth)


def saved(people: Crowd, chance: np.random.Generator) -> dict[str, float]:
    """Play stop-or-ask-again at several prices; return the cheapest play that is as accurate as three votes for all."""
    clips = np.repeat(np.arange(len(people.truth)), 3)
    person, answer = people.votes(clips, chance)
    goal = accuracy(DawidSkene()(read_ballots(cast(clips, person, answer, people.category))), people.truth)
    best = (3.0, goal)
    rows: list[tuple[Cell, ...]] = [("three for every clip", *best)]
    for price in PRICES:
        votes, right = sequential(people, Asking(votes_wanted=1, votes_most=6, vote_price=price), chance)
        rows.append((f"ask again at {price}", votes, right))
        if right >= goal - EQUAL and votes < best[0]:
            best = (votes, right)
        if right >= goal:
            break
    print(table({"answers": "", "votes per clip": ".2f", "accuracy": ".4f"}, rows))
    return {"votes_saved": 1 - best[0] / 3, "accuracy_three_votes": goal, "accuracy_asking_again": best[1]}


def _counted(decisions: Decisions, truth: Ints) -> float:
    """Return the accuracy of a count of votes, with half a point for a clip on which it decides nothing."""
    clip = _clips(decisions.ballots)
    right = (decisions.positive == (truth[clip] == 1)).astype(float)
    return float(np.where(decisions.status == OPEN, 0.5, right).mean())


def measure(size: Size, folder: Path) -> Figures:
    """Aggregate the same votes in every way."""
    chance = np.random.default_rng(size.seed)
    people = crowd(size.clips, size.people, chance)
    count = np.where(chance.random(len(people.truth)) < VOTES_PER_CLIP - 2, 3, 2)
    clip = chance.permutation(np.repeat(np.arange(len(count)), count))
    votes = cast(clip, *people.votes(clip, chance), people.category)
    print(f"{votes.num_rows:,} votes, {len(count):,} clips, {len(people.activity)} people")
    reference_sec, iterations, right = crowdkit(votes, people.truth, size.iterations)
    same_sec, same = timed(votes, DawidSkene(model=Model(tolerance=0.0, iterations_most=iterations)))
    ballots = read_ballots(votes)
    fit = Model().fit(people_as_voters(ballots), damped_majority(ballots, 1.0), ballots.category)
    own_sec, own = timed(votes, DawidSkene())
    counted_sec, counted = timed(votes, TwoOfThree())
    order = _clips(ballots)
    committee_sec, committee = timed(
        votes,
        WithCommittee(
            scores=Scores(value=people.score[order], panel=np.zeros(len(order), dtype=np.int64), panels=("p",))
        ),
    )
    print(table({"method": "", "seconds": ".2f", "accuracy": ".4f", "iterations": ""}, [
        ("crowd-kit DawidSkene", reference_sec, right, iterations),
        ("ours, as many iterations", same_sec, accuracy(same, people.truth), iterations),
        ("ours, converged", own_sec, accuracy(own, people.truth), fit.iterations),
        ("two of three (undecided: by a coin)", counted_sec, _counted(counted, people.truth), None),
        ("with the committee", committee_sec, accuracy(committee, people.truth), None),
        ("the committee alone, at 0.5", None, float(((people.score > 0.5) == (people.truth == 1)).mean()), None),
    ]))  # fmt: skip
    average = average_person(fit, len(ballots.people))
    sensitivity, specificity = float(average[YES, 1]), float(average[NO, 0])
    print(f"the average answer: sensitivity {sensitivity:.3f}, specificity {specificity:.3f}")
    # Asked again and again, at most at a fifth of the size: rates do not depend on it.
    small = crowd(min(size.clips, Size().clips // 5), min(size.people, Size().people // 5), chance)
    return {
        "speedup_over_crowdkit": reference_sec / same_sec,
        "accuracy": accuracy(own, people.truth),
        "accuracy_crowdkit": right,
        "accuracy_with_committee": accuracy(committee, people.truth),
        **saved(small, chance),
        "seconds": own_sec,
        "scale": size.clips / Size().clips,
    }


BENCH = Bench(
    name="aggregate", doc=__doc__, measure=measure,
    full=Size(), quick=Size(clips=52_000, people=40), tiny=Size(clips=1_000, people=20, iterations=3),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
