"""What people's time teaches, by how clips are chosen and asked: `python -m bench.strategies [--quick]`.

Campaigns are played in generated worlds (`bench.harness.campaigns`). A committee is bootstrapped on a world's first
window; the clips of the other windows are the pool, so no member remembers the weak label of a video that it is judged
on. After each budget of human minutes, and every 45 minutes, all heads are trained again on the labels bought so far,
and the next clips are chosen by them. Choosing, carrying and training are the product's own engines; backbones are
frozen, so the differences are those of the labels.

The base is `random_2_3`: random clips, two answers each and a third where they differ (HACS v3). Ways that end in
`_once` ask one person. Ways that end in `_carried` also learn from the clips of the same shot within a second of an
answer (`verification.carrying`); what people said of a clip stands above what was carried to it.

`mixed` shares the minutes equally between three strategies; `referee` begins so, and from then on the shares follow
what the random control says that each one's answers were worth (`slac_tasks.mining.referee`); `gain_of_referee_*` is
the second less the first. Both ask once and carry. `defaults` is what the platform does without settings: its shares,
its control and audit, which are asked three times and more, and second answers where all else contradicts the first.
Its heads learn from people's own labels, since a release holds no others unless `release.kinds` names them.

Accuracy is balanced: the mean over categories of (true positive rate + true negative rate) / 2 by the world's truth, on
clips of videos that are not for training; 0.5 is a guess. It is that of the committee's joint score; beside it stands
that of one member (`MODEL`). Heads are combined: the log-odds of the head that learned from bought labels plus `weak`
times those of the bootstrapped head, which learned from weak labels. `weak` is 1; the table shows every way at 0 too,
and `gain_weak_*` is what the weak labels add to the base. A member counts as much as it can be believed: its log-odds
are multiplied by the slope of its calibration (`networks.calibration`), learned on the bought labels of videos that its
head did not see. The offset is left out, since both kinds of clips count alike here.

`gain_*` is the committee's accuracy minus that of the base with the same crew in the same world after the same minutes.
`gain_best_*` is that of ONE way for each budget: the way that gains most on the choosing pairs of world and crew (the
first half of the worlds; of one world, of the crews), judged on the other pairs alone. A way whose pool ends before a
budget is spent in every world has no figure there (null) and cannot be the best; nor has a budget that is not played.
Intervals are 95 % (Student's t over worlds and crews). The last line is one JSON object.

With `--real FOLDER` the same is played on rehearsals (`slac rehearse`): trimmed videos of FOLDER/<class> joined into
untrimmed ones, with series apart in the splits; `gain_real_*` is their `gain_best_*`, null without a folder. With
`--picture FILE` the gains are drawn over the minutes, and where lines cross, as SVG.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, TypeAlias

import numpy as np

from bench.harness import Bench, Figures
from bench.harness.campaigns import SECONDS, Campaign, Policy
from bench.harness.costs import now
from bench.harness.drawing import lines
from bench.harness.heads import Bought, combined, taught
from bench.harness.intervals import UNKNOWN, Measured, interval, with_ends
from bench.harness.tables import Cell, table
from bench.harness.worlds import World, collect, collected, one_thread, rehearse, scored
from bench.loop import scale
from slac_tasks.mining.measures import Floats, consensus
from slac_tasks.mining.plan import shares
from slac_tasks.mining.settings import Mining
from slac_tasks.model import Strategy
from slac_tasks.verification.settings import Review

ROUND = 45.0
"""Minutes after which the committee is trained again at the latest: a round of the default settings."""
SPENT = 0.95
"""Share of a budget that must have been spent for it to count, but for what one more clip may cost."""
MODEL = "small_motion"
"""The member whose accuracy is reported: no other one's frozen features tell these actions apart as well. In a
committee without it, the first by name."""
WEAK = (1, 0)
"""How much the bootstrapped head's log-odds count; the first is what clips are chosen by and figures are given for."""
BASE = "random_2_3"

_MOST = 0.95
"""The largest share of one strategy: the settings leave the rest to the random control."""
_TWICE = Review(votes_wanted=2, control_votes=2, control_lead=1, control_most=3, audit_share=0.0)
_ONCE = Review(votes_wanted=1, control_votes=1, control_lead=1, control_most=1, audit_share=0.0)
_MIX = dict.fromkeys((Strategy.COVERAGE, Strategy.UNSURE_COVERAGE, Strategy.DISAGREEMENT), _MOST / 3)
_ASKED: Mapping[str, tuple[Mapping[Strategy, float], Review]] = {
    BASE: ({}, _TWICE),
    "random_once": ({}, _ONCE),
    "coverage_once": ({Strategy.COVERAGE: _MOST}, _ONCE),
    "unsure_coverage_once": ({Strategy.UNSURE_COVERAGE: _MOST}, _ONCE),
    "disagreement_once": ({Strategy.DISAGREEMENT: _MOST}, _ONCE),
}
WAYS: Mapping[str, Policy] = (
    {
        f"{name}{suffix}": Policy(shares=parts, review=review, carry_sec=reach_sec)
        for name, (parts, review) in _ASKED.items()
        for suffix, reach_sec in (("", 0.0), ("_carried", 1.0))
    }
    | {
        name: Policy(shares=_MIX, review=_ONCE, carry_sec=1.0, referee=referee)
        for name, referee in (("mixed", False), ("referee", True))
    }
    | {
        "defaults": Policy(
            shares={strategy: share for strategy, share in shares(Mining()).items() if strategy != Strategy.RANDOM},
            review=Review(),
            carry_sec=Mining().carry_sec,
            learn_sec=0.0,
            again=0.1,
        )
    }
)
"""Each strategy alone, beside the least random control that there may be; all of them in equal shares, which stay so
(`mixed`) or which the referee moves (`referee`), with the same control; and what the settings say."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is played."""

    world: Annotated[str, "size of each world: large, demo, quick or tiny"] = "large"
    worlds: Annotated[int, "worlds, each with another seed"] = 5
    crews: Annotated[int, "crews of people in each world, two at least"] = 3
    budgets: Annotated[tuple[float, ...], "human minutes for one category; may be repeated"] = (3, 15, 45, 135)
    min_gap_sec: Annotated[float, "clips of one video start at least so far apart; less makes the pool last"] = 2.0
    real: Annotated[Path | None, "folder of trimmed videos, one sub-folder per class, to rehearse on"] = None
    real_videos: Annotated[int, "joined videos of one class of it"] = 36
    picture: Annotated[Path | None, "SVG file to draw the gains into"] = None


@dataclass(frozen=True, kw_only=True)
class State:
    """What one campaign has led to after one budget."""

    minutes: float
    """Human minutes spent on each category, on average."""
    committee: Mapping[int, float]
    """Accuracy of all members' joint score, by how much the weak labels count."""
    member: Mapping[int, float]
    """Accuracy of `MODEL`, likewise."""


Pair: TypeAlias = tuple[int, int]
"""World and crew."""
Played: TypeAlias = Mapping[str, Mapping[Pair, Sequence[State]]]
"""By way and pair, after each budget."""


def simulate(world: World, policy: Policy, crew: int, budgets: Iterable[float]) -> Iterator[State]:
    """Yield what a campaign has led to after each budget, the smallest first."""
    campaign = Campaign.by_crew(world, policy, crew)
    bought: dict[str, Bought] = {}
    granted = 0.0
    for budget in sorted(budgets):
        while granted < budget:
            minutes, before = min(ROUND, budget - granted), campaign.minutes
            campaign.round(minutes)
            granted += minutes
            if campaign.minutes > before:
                bought = taught(world, campaign)
                campaign.see(scored(world, combined(world, bought, WEAK[0])))
        judged = {weight: accuracies(world, scored(world, combined(world, bought, weight))) for weight in WEAK}
        yield State(
            minutes=campaign.minutes / len(campaign.categories),
            committee={weight: each[0] for weight, each in judged.items()},
            member={weight: each[1] for weight, each in judged.items()},
        )


def accuracies(world: World, scores: Floats) -> tuple[float, float]:
    """Return the balanced accuracy of (all members' joint score, one member's) of scores (clips, members)."""
    members = sorted(world.found)
    member = members.index(MODEL) if MODEL in members else 0
    return accuracy(world, consensus(scores)), accuracy(world, scores[:, member])


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


def gains(played: Played, way: str, place: int, *, pairs: Sequence[Pair], base: str = BASE) -> list[float]:
    """Return a way's gain over the base after one budget, for each of these pairs."""
    weak = WEAK[0]
    return [played[way][at][place].committee[weak] - played[base][at][place].committee[weak] for at in pairs]


def took(played: Played, way: str, place: int, budget: float) -> bool:
    """Return whether a way could spend a budget in every world: its pool did not end before."""
    least = min(SPENT * budget, budget - 3 * SECONDS / 60)
    return all(states[place].minutes >= least for states in played[way].values())


def gain_of(played: Played, way: str, place: int, budget: float, *, base: str = BASE) -> Measured:
    """Return a way's gain over the base on all pairs; unknown where the pool of either ended before."""
    able = took(played, way, place, budget) and took(played, base, place, budget)
    return interval(gains(played, way, place, pairs=sorted(played[base]), base=base)) if able else UNKNOWN


def halves(played: Played) -> tuple[list[Pair], list[Pair]]:
    """Return (the pairs on which a way is chosen, those on which it is judged); of two worlds none is in both."""
    pairs = sorted(played[BASE])
    worlds = sorted({world for world, _ in pairs})
    if len(worlds) > 1:
        first = set(worlds[: len(worlds) // 2])
        choosing = [pair for pair in pairs if pair[0] in first]
    else:
        choosing = pairs[: len(pairs) // 2]
    return choosing, [pair for pair in pairs if pair not in choosing]


def best(played: Played, place: int, budget: float) -> str | None:
    """Return the way that gains most after a budget on the choosing pairs; None where no way could spend it."""
    choosing, _ = halves(played)
    able = [way for way in WAYS if way != BASE and took(played, way, place, budget)]
    if not able or not took(played, BASE, place, budget):
        return None
    return max(able, key=lambda way: float(np.mean(gains(played, way, place, pairs=choosing))))


def gain_of_best(played: Played, place: int, budget: float) -> tuple[str | None, Measured]:
    """Return (the best way after a budget, its gain on the judging pairs)."""
    way = best(played, place, budget)
    return (way, interval(gains(played, way, place, pairs=halves(played)[1]))) if way else (None, UNKNOWN)


def figures(played: Played, budgets: Sequence[float]) -> dict[str, float | None]:
    """Return for each budget the best way's gain, every way's accuracy and gain, what weak labels and a referee add."""
    found: dict[str, float | None] = {}
    pairs = sorted(played[BASE])
    for place, budget in enumerate(budgets):
        at = f"{budget:g}"
        found |= with_ends(f"gain_best_{at}", gain_of_best(played, place, budget)[1])
        for way, states in played.items():
            able = took(played, way, place, budget)
            each = [states[pair][place] for pair in pairs]
            found[f"accuracy_{way}_{at}"] = float(np.mean([one.committee[WEAK[0]] for one in each])) if able else None
            found[f"member_{way}_{at}"] = float(np.mean([one.member[WEAK[0]] for one in each])) if able else None
            if way != BASE:
                found |= with_ends(f"gain_{way}_{at}", gain_of(played, way, place, budget))
        found |= with_ends(f"gain_of_referee_{at}", gain_of(played, "referee", place, budget, base="mixed"))
        base = [played[BASE][pair][place].committee for pair in pairs]
        found |= with_ends(f"gain_weak_{at}", interval([one[1] - one[0] for one in base]))
    return found


def render(played: Played, budgets: Sequence[float]) -> str:
    """Return a table for each budget, and who wins, for people."""
    pairs = sorted(played[BASE])
    parts = []
    for place, budget in enumerate(budgets):
        rows: list[tuple[Cell, ...]] = []
        for way, states in played.items():
            each = [states[pair][place] for pair in pairs]
            means = [
                float(np.mean([of[weak] for of in every]))
                for every in ([one.committee for one in each], [one.member for one in each])
                for weak in WEAK
            ]
            minutes = float(np.mean([one.minutes for one in each]))
            able = took(played, way, place, budget)
            gain = gain_of(played, way, place, budget)
            rows.append((way, minutes, *means, *gain, "" if able else "pool ended"))
        accuracies = {"committee": ".3f", "bought only": ".3f", "member": ".3f", "bought only ": ".3f"}
        ends = dict.fromkeys(("gain", "low", "high"), "+.3f")
        parts.append(table({f"{budget:g} minutes": "", "spent": ".2f", **accuracies, **ends, "": ""}, rows))
        parts.append(verdict(played, place, budget))
        moved = gain_of(played, "referee", place, budget, base="mixed")
        parts.append(f"{budget:g} minutes: the referee adds {in_words(moved)} to equal shares\n")
    return "\n".join(parts)


def verdict(played: Played, place: int, budget: float) -> str:
    """Return the best way after a budget in a sentence."""
    way, (gain, low, high) = gain_of_best(played, place, budget)
    if way is None or gain is None:
        return f"{budget:g} minutes: no figure, since the pool ended for the base or for every other way\n"
    choosing, judging = halves(played)
    found = in_words((gain, low, high))
    judged = f"chosen on {len(choosing)} pairs, {found} over {BASE} on the {len(judging)} others"
    return f"{budget:g} minutes: best is {way}, {judged}\n"


def in_words(gain: Measured) -> str:
    """Return a gain with its ends, where they are known."""
    value, low, high = gain
    if value is None:
        return "an unknown gain"
    return f"{value:+.3f}" if low is None else f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"


def draw(played: Played, budgets: Sequence[float], file: Path) -> None:
    """Draw every way's gain over the minutes; a point is left out where the pool had ended."""
    pairs = sorted(played[BASE])
    drawn = {
        way: [
            (budget, float(np.mean(gains(played, way, place, pairs=pairs))))
            for place, budget in enumerate(budgets)
            if took(played, way, place, budget) and took(played, BASE, place, budget)
        ]
        for way in played
    }
    file.write_text(lines(drawn, across="human minutes for one category", up=f"accuracy over {BASE}"), encoding="utf-8")


def in_worlds(worlds: Iterable[World], size: Size) -> Played:
    """Play every way in every world, with every crew."""
    played: dict[str, dict[Pair, Sequence[State]]] = {way: {} for way in WAYS}
    for number, collected_one in enumerate(worlds):
        world, began = replace(collected_one, knobs=replace(collected_one.knobs, min_gap_sec=size.min_gap_sec)), now()
        with one_thread():
            for crew in range(size.crews):
                for way, policy in WAYS.items():
                    played[way][number, crew] = list(simulate(world, policy, crew, budgets_of(size)))
        counts = f"{world.clips['is_pool'].sum():,} clips to choose from, {world.clips['is_test'].sum():,} to test on"
        print(f"world {number}: {counts}; {(now() - began).wall_sec:.0f} s to simulate", flush=True)
    return played


def budgets_of(size: Size) -> list[float]:
    """Return the budgets, the smallest first."""
    return sorted(size.budgets)


def measured(worlds: Iterable[World], size: Size, picture: Path | None = None) -> dict[str, float | None]:
    """Return the figures of these worlds."""
    played, budgets = in_worlds(worlds, size), budgets_of(size)
    print(render(played, budgets))
    if picture:
        draw(played, budgets, picture)
    return figures(played, budgets)


def measure(size: Size, folder: Path) -> Figures:
    """Play in generated worlds, and in rehearsals where there is a folder of trimmed videos."""
    made = collected(folder / "worlds", size.worlds, lambda place, seed: collect(place, size.world, seed))
    found = measured(made, size, size.picture)
    takes = size.real
    if takes is None:
        print("no rehearsal on real pixels: --real names no folder of trimmed videos")
        empty = [with_ends(f"gain_real_{budget:g}", UNKNOWN) for budget in budgets_of(size)]
        found |= {name: value for each in empty for name, value in each.items()}
    else:
        print(f"rehearsals on {takes}")
        joined = collected(
            folder / "real",
            size.worlds,
            lambda place, seed: rehearse(place, takes, seed=seed, videos=size.real_videos),
        )
        real = measured(joined, size)
        found |= {f"real_{name}": value for name, value in real.items() if not name.startswith("gain_best_")}
        found |= {name.replace("best", "real"): value for name, value in real.items() if name.startswith("gain_best_")}
    full = Size()
    for budget in set(full.budgets) - set(size.budgets):
        found |= with_ends(f"gain_best_{budget:g}", UNKNOWN) | with_ends(f"gain_real_{budget:g}", UNKNOWN)
    played = max(size.budgets) / max(full.budgets) * size.worlds / full.worlds
    return {**found, "pairs": size.worlds * size.crews, "scale": played * scale(size.world) / scale(full.world)}


BENCH = Bench(
    name="strategies", doc=__doc__, measure=measure, full=Size(),
    quick=Size(world="quick", worlds=1, crews=2, budgets=(3,)),
    tiny=Size(world="tiny", worlds=1, crews=2, budgets=(0.5, 1)),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
