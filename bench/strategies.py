"""What people's time buys, by the way in which clips are chosen: `python -m bench.strategies [--quick]`.

One generated world for each seed. The stages collect it and bootstrap a committee on its first window; the clips of the
other windows are the pool, so no member remembers the weak label of a video that it is judged on. The frozen backbones
see every clip once. Then, for each strategy, three rounds: mining chooses from the pool, simulated people answer until
the same minutes are spent, the answers become labels, and every member's head is trained again on all labels so far;
the next round is mined by those heads. Choosing, planning, counting votes and training are the product's own engines.

Strategies ask two or three people about a clip, as the platform does by default; those called `..._once` ask one.

Accuracy is that of one member (`MODEL`), and of the whole committee by its joint score, on clips of videos that are not
for training, by the world's truth: the mean over categories of (true positive rate + true negative rate) / 2, so that
0.5 is a guess. Only heads are trained, not backbones, so the differences are those of the labels. Intervals are 95 %
(Student's t over the seeds); `gain_*` is the member's difference to random in the same world after the last round,
`gain_all_*` its mean over the rounds, `gain_committee_*` the committee's after the last. The last line is one JSON
object.

With `--real FOLDER` the same is played on rehearsals (`slac rehearse`): trimmed videos of FOLDER/<class> joined into
untrimmed ones, with series apart in the splits. Their figures start with `real_`. Without a folder they are left out.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from scipy.special import stdtrit
from torch import nn

from bench.harness import Bench, Figures
from bench.harness.costs import now
from bench.harness.places import platform
from bench.harness.tables import Cell, table
from bench.harness.worlds import World, collect, rehearse
from bench.loop import scale
from slac_tasks.mining.choice import choose
from slac_tasks.mining.coverage import space
from slac_tasks.mining.measures import Floats, consensus
from slac_tasks.mining.one_more_vote import Answers, next_answers
from slac_tasks.mining.plan import plan_round
from slac_tasks.mining.pool import make_pool
from slac_tasks.mining.settings import Mining
from slac_tasks.model import CLIP_SEC, Strategy
from slac_tasks.networks.features import projection
from slac_tasks.storage.datasets import VOTES
from slac_tasks.training.trainer import fit_head, target_matrix
from slac_tasks.verification.aggregation.majority import TwoOfThree
from slac_tasks.verification.ballots import VOTE, label_table, read_ballots
from slac_tasks.world import people

MINUTES = 1.0
"""Human minutes for one category in one round."""
SECONDS = CLIP_SEC + people.DECIDE_SEC
"""What one simulated answer costs."""
MODEL = "small_motion"
"""The member whose accuracy is reported: no other one's frozen features tell these actions apart as well. In a
committee without it, the first by name."""

MIXED, RELABEL = "mix", "one_more_vote"
STRATEGIES: Mapping[str, Mapping[str, Any]] = {
    # name: what differs from the world's settings
    "random": {},
    MIXED: {"disagreement": 0.62, "consensus": 0.3},
    "disagreement": {},
    "vote_entropy": {"disagreement_by": "vote_entropy"},
    "spread": {"disagreement_by": "spread"},
    "disagreement_anywhere": {"coherence_sec": 0.0},
    "consensus": {},
    "entropy": {"entropy_of": "small_3d"},
    "coverage": {},
    "unsure_coverage": {},
    "random_once": {},
    "coverage_once": {},
    "unsure_coverage_once": {},
    RELABEL: {},
}
"""Each alone, but for the mix, which is the default of the settings with its random control."""
ONCE = tuple(name for name in STRATEGIES if name.endswith("_once"))
"""These ask one person about a clip; the answer is the label."""
ALONE = {name: Strategy.DISAGREEMENT for name in STRATEGIES} | {
    "random": Strategy.RANDOM, "consensus": Strategy.CONSENSUS, "entropy": Strategy.ENTROPY,
    "coverage": Strategy.COVERAGE, "unsure_coverage": Strategy.UNSURE_COVERAGE, "random_once": Strategy.RANDOM,
    "coverage_once": Strategy.COVERAGE, "unsure_coverage_once": Strategy.UNSURE_COVERAGE,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is played."""

    world: Annotated[str, "size of each world: demo, quick or tiny"] = "demo"
    worlds: Annotated[int, "worlds, each with another seed"] = 5
    crews: Annotated[int, "crews of people in each world"] = 1
    rounds: Annotated[int, "rounds of buying labels"] = 3
    real: Annotated[Path | None, "folder of trimmed videos, one sub-folder per class, to rehearse on"] = None
    real_videos: Annotated[int, "joined videos of one class of it"] = 36


@dataclass(frozen=True, kw_only=True)
class State:
    """What a round of buying labels led to."""

    member: float
    """Accuracy of `MODEL`."""
    committee: float
    """Accuracy of all members' joint score."""
    minutes: float
    """Human minutes spent so far on each category."""


After = Mapping[str, Sequence[Sequence[State]]]
"""By strategy, in each world, after each round."""


@dataclass(kw_only=True)
class Bought:
    """What people have said so far about one category, and what it cost."""

    votes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By clip."""

    @property
    def seconds(self) -> float:
        """Human seconds spent."""
        return SECONDS * sum(len(votes) for votes in self.votes.values())

    def ask(self, world: World, row: Any, votes_wanted: int) -> None:
        """Let simulated people answer about a clip until it has `votes_wanted` answers."""
        votes = self.votes.setdefault(row.clip_id, [])
        asked = people.OpenClip(
            clip_id=row.clip_id, category=row.category, start_sec=row.start_sec,
            end_sec=row.start_sec + CLIP_SEC,
            votes_wanted=votes_wanted, guideline_version=1, source_id="",
            annotators=[vote["annotator"] for vote in votes],
        )  # fmt: skip
        crew = people.crew(world.seed)
        for vote in people.votes_for(crew, world.seed, asked, bool(row.truth)):
            votes.append({**vote, "cast_at": pd.Timestamp(len(votes), unit="s", tz="UTC")})

    def labels(self, votes_most: int) -> pd.DataFrame:
        """Return what the votes add up to, as the stage `aggregate` would."""
        every = [{name: vote[name] for name in VOTE} for votes in self.votes.values() for vote in votes]
        schema = pa.schema([VOTES.schema.field(name) for name in VOTE])
        ballots = read_ballots(pa.Table.from_pylist(every, schema=schema))
        found: pd.DataFrame = label_table(TwoOfThree(votes_wanted=2, votes_most=votes_most)(ballots)).to_pandas()
        return found


def scored(world: World, heads: Mapping[str, tuple[nn.Linear, list[str]]]) -> Floats:
    """Return every member's score of every clip for its hypothesised action, shape (clips, members)."""
    columns = []
    for member, (head, outputs) in sorted(heads.items()):
        place = {category: output for output, category in enumerate(outputs)}
        with torch.inference_mode():
            every = torch.sigmoid(head(world.found[member])).numpy()
        rows = np.arange(len(world.clips))
        columns.append(every[rows, [place.get(category, 0) for category in world.clips["category"]]])
    return np.stack(columns, axis=1).astype(np.float64)


def simulate(world: World, name: str, rounds: int) -> list[State]:
    """Return what each round of buying labels in one way led to."""
    knobs = replace(world.knobs, clips_per_round=10_000, **STRATEGIES[name])
    bought = {category: Bought() for category in world.categories}
    heads, after = world.heads, []
    for number in range(1, rounds + 1):
        scores = scored(world, heads)
        for category, so_far in bought.items():
            budget = number * MINUTES * 60 - so_far.seconds
            if name == RELABEL:
                buy_answers(world, category, so_far, scores, knobs, int(budget / SECONDS))
            else:
                buy_clips(world, category, so_far, scores, knobs, budget, name)
        heads = trained(world, bought, name)
        spent = np.mean([so_far.seconds for so_far in bought.values()]) / 60
        scores = scored(world, heads)
        members = sorted(world.found)
        member = accuracy(world, scores[:, members.index(MODEL) if MODEL in members else 0])
        after.append(State(member=member, committee=accuracy(world, consensus(scores)), minutes=float(spent)))
    return after


def pool_of(world: World, category: str, scores: Floats) -> tuple[pd.DataFrame, Any]:
    """Return (the clips of a category that may be bought, the same as a pool)."""
    rows = np.flatnonzero((world.clips["category"] == category) & world.clips["is_pool"])
    own = world.clips.iloc[rows]
    pool = make_pool(
        pa.array(own["video_id"].tolist(), pa.string()), own["start_sec"].to_numpy(), own["shot"].to_numpy(),
        scores[rows], seed=f"{world.seed} {category}",
        at=space([found[rows].numpy() @ projection(found.shape[1]).matrix for found in world.found.values()]),
    )  # fmt: skip
    return own, pool


def buy_clips(
    world: World, category: str, so_far: Bought, scores: Floats, knobs: Mining, budget: float, name: str
) -> None:
    """Ask about clips until the budget in seconds is spent, as mining, publish and aggregate would."""
    own, pool = pool_of(world, category, scores)
    answers = 1 if name in ONCE else 2
    pace = so_far.seconds / len(so_far.votes) if so_far.votes else answers * SECONDS
    plan = plan_round(replace(knobs, minutes_per_round=budget / 60), seconds_per_clip=pace)
    wanted = plan.clips if name == MIXED else {ALONE[name]: sum(plan.clips.values())}
    members = sorted(world.found)
    member = members.index(knobs.entropy_of) if knobs.entropy_of in members else 0
    for choice in choose(pool, wanted, knobs=knobs, asked=list(so_far.votes), entropy_of=member):
        so_far.ask(world, next(own.iloc[[choice.index]].itertuples()), answers)
    if name in ONCE:
        return
    truth = own.set_index("clip_id", drop=False)
    for row in so_far.labels(3).itertuples():
        if row.status == "open":
            so_far.ask(world, next(truth.loc[[row.clip_id]].itertuples()), 3)


def buy_answers(world: World, category: str, so_far: Bought, scores: Floats, knobs: Mining, count: int) -> None:
    """Buy single answers, on new clips or on old ones, whichever is worth more."""
    own, pool = pool_of(world, category, scores)
    given = [[vote["answer"] for vote in so_far.votes.get(own["clip_id"].iloc[row], [])] for row in pool.row.tolist()]
    said = Answers(
        yes=np.array([votes.count("yes") for votes in given]), no=np.array([votes.count("no") for votes in given])
    )
    for answer in next_answers(pool, said, count, knobs=knobs):
        row: Any = next(own.iloc[[answer.index]].itertuples())
        so_far.ask(world, row, len(so_far.votes.get(row.clip_id, [])) + 1)


def labels_of(so_far: Bought, name: str) -> Iterator[tuple[str, int]]:
    """Yield (clip, +1 or -1): settled labels, or for single answers the side that has more of them."""
    if name not in (*ONCE, RELABEL):
        found = so_far.labels(3)
        settled = found[found["status"] == "settled"]
        yield from zip(settled["clip_id"], settled["label"].astype(int), strict=True)
        return
    for clip, votes in so_far.votes.items():
        said = [vote["answer"] for vote in votes]
        if more := said.count("yes") - said.count("no"):
            yield clip, 1 if more > 0 else -1


def trained(world: World, bought: Mapping[str, Bought], name: str) -> dict[str, tuple[nn.Linear, list[str]]]:
    """Return every member's head, trained on all labels bought so far."""
    labels = {(clip, category): label for category, so_far in bought.items() for clip, label in labels_of(so_far, name)}
    keys = zip(world.clips["clip_id"], world.clips["category"], strict=True)
    rows, targets = [], []
    for row, (clip, category) in enumerate(keys):
        if (clip, category) in labels:
            rows.append(row)
            targets.append({category: labels[clip, category]})
    matrix = target_matrix(targets, world.categories)
    return {member: (fit_head(seen[rows], matrix), world.categories) for member, seen in world.found.items()}


def accuracy(world: World, score: Floats) -> float:
    """Return the balanced accuracy of scores (clips,) on testing clips, a mean over categories that have both kinds."""
    tested = world.clips.assign(says=score >= 0.5)
    tested = tested[tested["is_test"] & tested["category"].isin(world.categories)]
    found = []
    for _, clips in tested.groupby("category"):
        if clips["truth"].nunique() == 2:
            right = (clips["says"] == clips["truth"]).groupby(clips["truth"]).mean()
            found.append(float(right.mean()))
    return float(np.mean(found))


def interval(values: Sequence[float]) -> tuple[float, float | None, float | None]:
    """Return (mean, low, high) by Student's t, 95 %; of the spread of one value nothing is known."""
    mean, count = float(np.mean(values)), len(values)
    if count == 1:
        return mean, None, None
    reach = float(stdtrit(count - 1, 0.975) * np.std(values, ddof=1) / count**0.5)
    return mean, mean - reach, mean + reach


def render(after: After, rounds: int) -> str:
    """Return a table for people: accuracy after each round, and the gain over random in the same world."""
    rows: list[tuple[Cell, ...]] = []
    for name, worlds in after.items():
        means = [float(np.mean([world[n].member for world in worlds])) for n in range(rounds)]
        _, low, high = interval([world[-1].member for world in worlds])
        bases = [base[-1] for base in after["random"]]
        gain = interval([world[-1].member - base.member for world, base in zip(worlds, bases, strict=True)])
        joint = interval([world[-1].committee - base.committee for world, base in zip(worlds, bases, strict=True)])
        committee = float(np.mean([world[-1].committee for world in worlds]))
        minutes = float(np.mean([world[-1].minutes for world in worlds]))
        rows.append((name, *means, low, high, minutes, *gain, committee, *joint))
    accuracies = dict.fromkeys((*(f"round {n + 1}" for n in range(rounds)), "low", "high"), ".3f")
    gains = dict.fromkeys(("gain over random", "low ", "high "), "+.3f")
    theirs = dict.fromkeys(("its gain", "low  ", "high  "), "+.3f")
    return table({"strategy": "", **accuracies, "minutes": ".2f", **gains, "committee": ".3f", **theirs}, rows)


def figures(after: After) -> dict[str, float | None]:
    """Return the accuracy of every strategy after the last round, its gain over random, and their intervals."""
    found: dict[str, float | None] = {}
    for name, worlds in after.items():
        gains = [
            [mine.member - theirs.member for mine, theirs in zip(world, base, strict=True)]
            for world, base in zip(worlds, after["random"], strict=True)
        ]
        for what, values in (
            ("accuracy", [world[-1].member for world in worlds]),
            ("gain", [each[-1] for each in gains]),
            ("gain_all", [float(np.mean(each)) for each in gains]),
            ("committee", [world[-1].committee for world in worlds]),
            (
                "gain_committee",
                [world[-1].committee - base[-1].committee for world, base in zip(worlds, after["random"], strict=True)],
            ),
        ):
            for end, value in zip(("", "_low", "_high"), interval(values), strict=True):
                found[f"{what}_{name}{end}"] = value
        found[f"minutes_{name}"] = float(np.mean([world[-1].minutes for world in worlds]))
    return found


def played(size: Size, folder: Path, collected: Callable[[Path, int], World]) -> After:
    """Play every strategy in every world, with every crew, and print what came of it.

    Args:
        size: how much is played.
        folder: to work in.
        collected: makes the world of a seed in a folder of its own.

    """
    after: dict[str, list[list[State]]] = {name: [] for name in STRATEGIES}
    for seed in range(size.worlds):
        place, began = folder / str(seed), now()
        with platform(place, place / "world" / "slac.toml"):
            world = collected(place, seed)
        ready = now()
        for crew in range(size.crews):
            for strategy, results in after.items():
                results.append(simulate(replace(world, seed=seed + crew), strategy, size.rounds))
        counts = f"{world.clips['is_pool'].sum()} clips to choose from, {world.clips['is_test'].sum()} to test on"
        took = f"{(ready - began).wall_sec:.0f} s to collect, {(now() - ready).wall_sec:.0f} s to simulate"
        print(f"world {seed}: {counts}; {took}")
    print(render(after, size.rounds))
    return after


def measure(size: Size, folder: Path) -> Figures:
    """Play in generated worlds, and in rehearsals where there is a folder of trimmed videos."""
    found = figures(played(size, folder / "worlds", lambda place, seed: collect(place, size.world, seed)))
    takes = size.real
    if takes is None:
        print("no rehearsal on real pixels: --real names no folder of trimmed videos")
    else:
        print(f"rehearsals on {takes}")
        real = played(
            size, folder / "real", lambda place, seed: rehearse(place, takes, seed=seed, videos=size.real_videos)
        )
        found |= {f"real_{name}": value for name, value in figures(real).items()}
    return {
        **found,
        "seeds": size.worlds * size.crews,
        "rounds": size.rounds,
        "scale": size.worlds / Size().worlds * scale(size.world),
    }


BENCH = Bench(
    name="strategies", doc=__doc__, measure=measure, full=Size(),
    quick=Size(world="quick", worlds=1, crews=2, rounds=2), tiny=Size(world="tiny", worlds=1, crews=2, rounds=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
