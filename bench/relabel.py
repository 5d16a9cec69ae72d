"""A second answer where all else contradicts the first, or by lot? `python -m bench.relabel [--quick]`.

Campaigns in generated worlds (`bench.harness.campaigns`), with four ways of spending up to `share` of each round after
the first on second answers (and third ones, where two differ): `contradicted`, on the clips whose label all else makes
least probable; `by_lot`, on clips drawn by lot; `below`, the product's rule, on the former as long as their label is
less probable than `review.again_below`, so on fewer; `none`, on none. What a way does not spend on second answers buys
new clips. The same minutes, worlds and crews; each crew plays a campaign of its own in each world.

`accuracy_*` is the share of people's own labels that are right, by the world's truth, after all minutes; a clip on
which people are even has none. `gain` is that of `contradicted` over `by_lot` in the same world with the same crew.
`once_accuracy_*` and `once_gain` count only clips that were first asked once: the others, of the control and the audit,
are asked three times and more in every way. Intervals are 95 % (Student's t over worlds and crews). The last line is
one JSON object.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np

from bench.harness import Bench, Figures
from bench.harness.campaigns import Campaign, Policy
from bench.harness.intervals import interval, with_ends
from bench.harness.tables import Cell, table
from bench.harness.worlds import World, collect, collected
from bench.loop import scale
from slac_tasks.model import Strategy
from slac_tasks.verification.settings import Review

ASKED = Policy(shares={Strategy.COVERAGE: 0.9}, review=Review(votes_wanted=1, audit_share=0.05))
"""Clips that stand for others, asked once, beside a small control."""
CONTRADICTED, BY_LOT, BELOW, NONE = "contradicted", "by_lot", "below", "none"


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is played."""

    world: Annotated[str, "size of each world: large, demo, quick or tiny"] = "large"
    worlds: Annotated[int, "worlds, each with another seed"] = 5
    crews: Annotated[int, "crews of people in each world"] = 3
    minutes: Annotated[float, "human minutes for one category"] = 15.0
    rounds: Annotated[int, "rounds in which they are spent"] = 3
    share: Annotated[float, "most of a round's answers that are second ones"] = 0.3


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one campaign led to."""

    accuracy: float
    """Share of people's labels that are right."""
    once_accuracy: float
    """The same of the clips that were first asked once."""
    labels: float
    answers: float
    again: float
    """Clips first asked once and then again."""
    minutes: float
    """Human minutes for one category."""


Played = Mapping[str, Sequence[Outcome]]
"""By way, for each world and crew."""


def ways(share: float) -> dict[str, Policy]:
    """Return how each way spends people's time."""
    below = replace(ASKED, again=share)
    return {
        CONTRADICTED: replace(below, review=replace(below.review, again_below=1.0)),
        BY_LOT: replace(below, again_by_lot=True),
        BELOW: below,
        NONE: replace(below, again=0.0),
    }


def play(world: World, policy: Policy, size: Size, crew: int) -> Outcome:
    """Play one campaign and judge people's labels."""
    campaign = Campaign.played(world, policy, crew, minutes=size.minutes, rounds=size.rounds)
    asked = [
        (len(given), bool(category.wanted[clip] == 1), (sum(given) > 0) == category.truth[clip])
        for category in campaign.categories
        for clip, given in category.answers.items()
        if sum(given)
    ]
    answers, once, right = (np.array(column) for column in zip(*asked, strict=True))
    return Outcome(
        accuracy=float(right.mean()), once_accuracy=float(right[once].mean()), labels=len(right),
        answers=sum(len(given) for category in campaign.categories for given in category.answers.values()),
        again=float((once & (answers > 1)).sum()), minutes=campaign.minutes / len(campaign.categories),
    )  # fmt: skip


def gains(played: Played, name: str) -> list[float]:
    """Return by how much one figure is higher where second answers went to contradicted clips, pair by pair."""
    return [
        getattr(mine, name) - getattr(other, name)
        for mine, other in zip(played[CONTRADICTED], played[BY_LOT], strict=True)
    ]


def figures(played: Played) -> dict[str, float | None]:
    """Return every figure with its interval over worlds and crews."""
    found: dict[str, float | None] = {}
    for prefix in ("", "once_"):
        values = {f"{prefix}gain": gains(played, f"{prefix}accuracy")}
        values |= {
            f"{prefix}accuracy_{way}": [getattr(each, f"{prefix}accuracy") for each in outcomes]
            for way, outcomes in played.items()
        }
        for name, measured in values.items():
            found |= with_ends(name, interval(measured))
    for way, outcomes in played.items():
        found[f"labels_{way}"] = float(np.mean([each.labels for each in outcomes]))
    return found


def render(played: Played) -> str:
    """Return a table for people."""
    rows: list[tuple[Cell, ...]] = []
    for way, outcomes in played.items():
        means = [
            float(np.mean([getattr(each, name) for each in outcomes]))
            for name in ("once_accuracy", "labels", "again", "answers", "minutes")
        ]
        rows.append((way, *interval([each.accuracy for each in outcomes]), *means))
    heads = dict.fromkeys(("labels right", "low", "high", "asked once first"), ".4f")
    counts = dict.fromkeys(("labels", "asked again", "answers", "minutes"), ",.1f")
    lines = [table({"second answers": "", **heads, **counts}, rows)]
    for what, name in (("all labels", "accuracy"), ("asked once first", "once_accuracy")):
        gain, low, high = interval(gains(played, name))
        ends = "" if low is None else f" [{low:+.4f}, {high:+.4f}]"
        lines.append(f"contradicted over by lot, {what}: {gain:+.4f}{ends}")
    return "\n".join(lines)


def measured(worlds: Sequence[World], size: Size) -> Figures:
    """Return the figures of these worlds."""
    played = {
        way: [play(world, policy, size, crew) for world in worlds for crew in range(size.crews)]
        for way, policy in ways(size.share).items()
    }
    print(render(played))
    full = Size()
    return {
        **figures(played),
        "pairs": len(worlds) * size.crews,
        "scale": size.worlds / full.worlds * size.minutes / full.minutes * scale(size.world) / scale(full.world),
    }


def measure(size: Size, folder: Path) -> Figures:
    """Collect the worlds and play in them."""
    return measured(list(collected(folder, size.worlds, lambda place, seed: collect(place, size.world, seed))), size)


BENCH = Bench(
    name="relabel", doc=__doc__, measure=measure, full=Size(),
    quick=Size(world="quick", worlds=1, crews=2, minutes=2.0), tiny=Size(world="tiny", worlds=1, crews=2, minutes=1.0),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
