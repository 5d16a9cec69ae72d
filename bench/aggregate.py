"""Aggregation at the size of the paper's data set: `python -m bench.aggregate [--quick]`.

1.5 million votes on 520,000 clips of 200 categories by 400 people of varied skill, one in twenty of whom clicks at
random. crowd-kit's DawidSkene and ours read the same table, in one process each, for the same number of iterations: as
many as crowd-kit takes to converge by its own criterion. Ours also sorts out corrections and writes the labels' table;
both are inside its time. The committee is a simulated classifier, right on 85 % of clips, whose errors are independent
of people's and whose scores are badly calibrated. Stop-or-ask-again is played against three votes for every clip, with
the same people. The last line is one JSON object.
"""

import argparse
import json
import time
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.special import expit

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
    OPEN,
    Aggregator,
    Ballots,
    Decisions,
    Floats,
    Ints,
    label_table,
    read_ballots,
)

CLIPS, PEOPLE, CATEGORIES = 520_000, 400, 200
VOTES_PER_CLIP = 1_500_000 / 520_000
QUICK_SCALE = 0.1
POSITIVE, COMMITTEE_RIGHT = 0.4, 0.85
EQUAL = 0.001
"""Accuracies that differ by less are equal."""


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


def table(clip: Ints, person: Ints, answer: Ints, category: Ints) -> pa.Table:
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
        }
    )


def accuracy(decisions: Decisions, truth: Ints) -> float:
    """Return the share of clips on whose truth the method's better side is; every clip, settled or not."""
    clip = _clips(decisions.ballots)
    return float((decisions.positive == (truth[clip] == 1)).mean())


def _clips(ballots: Ballots) -> Ints:
    """Return the simulated clip of each of the ballots' clips."""
    return np.array([int(name[:16], 16) for name in ballots.clip_ids.to_pylist()])


def crowdkit(votes: pa.Table, truth: Ints) -> tuple[float, int, float]:
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
        began = time.perf_counter()
        reference = Reference(n_iter=100)
        said = reference.fit_predict(frame)
        took = time.perf_counter() - began
    clip = np.array([int(name[:16], 16) for name in said.index])
    return took, len(reference.loss_history_), float((said.to_numpy() == truth[clip]).mean())


def timed(votes: pa.Table, method: Aggregator) -> tuple[float, Decisions]:
    """Return (seconds from the table of votes to the table of labels, the decisions)."""
    began = time.perf_counter()
    decisions = method(read_ballots(votes))
    label_table(decisions)
    return time.perf_counter() - began, decisions


def sequential(people: Crowd, asking: Asking, chance: np.random.Generator) -> tuple[float, float]:
    """Return (votes per clip, accuracy) when after each round only open clips are asked again."""
    clips = np.arange(len(people.truth))
    clip = person = answer = np.zeros(0, dtype=np.int64)
    waiting = clips
    for _ in range(asking.votes_most):
        more, says = people.votes(waiting, chance)
        clip, person, answer = (np.concatenate(pair) for pair in ((clip, waiting), (person, more), (answer, says)))
        votes = table(clip, person, answer, people.category)
        decisions = DawidSkene(asking=asking)(read_ballots(votes))
        waiting = _clips(decisions.ballots)[decisions.status == OPEN]
        if not len(waiting):
            break
    return len(clip) / len(clips), accuracy(decisions, people.truth)


def saved(people: Crowd, chance: np.random.Generator) -> tuple[dict[str, float], list[str]]:
    """Play stop-or-ask-again at several prices; return the cheapest play that is as accurate as three votes for all."""
    clips = np.repeat(np.arange(len(people.truth)), 3)
    person, answer = people.votes(clips, chance)
    fixed = DawidSkene()(read_ballots(table(clips, person, answer, people.category)))
    goal = accuracy(fixed, people.truth)
    lines, best = [f"three votes for every clip: 3.00 votes a clip, accuracy {goal:.4f}"], (3.0, goal)
    for price in (0.12, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 0.02):
        asking = Asking(votes_wanted=1, votes_most=6, vote_price=price)
        votes, right = sequential(people, asking, chance)
        lines.append(f"ask again at a price of {price:<5}: {votes:.2f} votes a clip, accuracy {right:.4f}")
        if right >= goal - EQUAL and votes < best[0]:
            best = (votes, right)
        if right >= goal:
            break
    figures = {"votes_saved": 1 - best[0] / 3, "accuracy_three_votes": goal, "accuracy_asking_again": best[1]}
    return figures, lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.aggregate", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the clips and people, within 50 seconds")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    scale = QUICK_SCALE if arguments.quick else 1.0
    chance = np.random.default_rng(arguments.seed)
    people = crowd(round(CLIPS * scale), round(PEOPLE * scale), chance)
    count = np.where(chance.random(len(people.truth)) < VOTES_PER_CLIP - 2, 3, 2)
    clip = chance.permutation(np.repeat(np.arange(len(count)), count))
    votes = table(clip, *people.votes(clip, chance), people.category)
    print(f"{votes.num_rows:,} votes, {len(count):,} clips, {len(people.activity)} people")
    seconds, iterations, right = crowdkit(votes, people.truth)
    print(f"{'crowd-kit DawidSkene':<28} {seconds:7.2f} s  accuracy {right:.4f}  {iterations} iterations")
    same, ours = timed(votes, DawidSkene(model=Model(tolerance=0.0, iterations_most=iterations)))
    print(f"{'ours, as many iterations':<28} {same:7.2f} s  accuracy {accuracy(ours, people.truth):.4f}")
    ballots = read_ballots(votes)
    fit = Model().fit(people_as_voters(ballots), damped_majority(ballots, 1.0), ballots.category)
    own, ours = timed(votes, DawidSkene())
    right_own = accuracy(ours, people.truth)
    print(f"{'ours, converged':<28} {own:7.2f} s  accuracy {right_own:.4f}  {fit.iterations} iterations")
    counted, majority = timed(votes, TwoOfThree())
    print(
        f"{'two of three':<28} {counted:7.2f} s  accuracy {_counted(majority, people.truth):.4f} (undecided: by a coin)"
    )
    order = _clips(ballots)
    method = WithCommittee(score=people.score[order], panel=np.zeros(len(order), dtype=np.int64))
    joined, committee = timed(votes, method)
    print(f"{'with the committee':<28} {joined:7.2f} s  accuracy {accuracy(committee, people.truth):.4f}"
          f"  (the committee alone, at 0.5: {((people.score > 0.5) == (people.truth == 1)).mean():.4f})")  # fmt: skip
    sens, spec = average_person(fit, len(ballots.people))
    print(f"the average answer: sensitivity {sens:.3f}, specificity {spec:.3f}")
    # Asked again and again, at most at a fifth of the size: rates do not depend on it.
    small = crowd(round(CLIPS * min(scale, 0.2)), round(PEOPLE * min(scale, 0.2)), chance)
    thrift, lines = saved(small, chance)
    print("\n".join(lines))
    figures = {
        "speedup_over_crowdkit": round(seconds / same, 1),
        "accuracy": round(right_own, 4),
        "accuracy_crowdkit": round(right, 4),
        "accuracy_with_committee": round(accuracy(committee, people.truth), 4),
        **{name: round(value, 4) for name, value in thrift.items()},
        "seconds": round(own, 2),
        "scale": scale,
    }
    print(json.dumps({"bench": "aggregate", "figures": figures}))


def _counted(decisions: Decisions, truth: Ints) -> float:
    """Return the accuracy of a count of votes, with half a point for a clip on which it decides nothing."""
    clip = _clips(decisions.ballots)
    right = (decisions.positive == (truth[clip] == 1)).astype(float)
    return float(np.where(decisions.status == OPEN, 0.5, right).mean())


if __name__ == "__main__":
    main()
