"""Labels for a minute of a person's time, with an error that is certified: `python -m bench.labels [--quick]`.

Campaigns are played in generated worlds (`bench.harness.campaigns`): choosing, the rules of asking, carrying, the
control and the certificate are the product's own engines; what people answer follows from the truth of the world. One
campaign goes over all worlds of a size at once, as over that many more categories, and is played by several crews.

* today: random clips, two answers each and a third where they differ (HACS v3). A label is a settled clip.
* once: three in ten clips stand for others and are asked once, a second person where all else contradicts the first.
  The others are the random control, about which three and more are asked, as about the audit and gold. So large a
  control pays here: a tighter bound lets more labels through than more answers make. A label is whatever the
  certificate of its kind lets through: people's own, carried, the model's.

`labels_per_minute_5` counts the labels that are certified to hold at most 5 % of errors (all categories together, each
kind by itself), over all minutes that people spent, control and gold included; `error_5` is the share of them that is
wrong, by the truth. `labels_per_minute_5_known` is what the same answers would let through if the truth were known: the
rest is what certainty costs, and it falls with the size of the campaign. Intervals are 95 % (Student's t over crews).

Last, the clips of one default round are asked in a grid, and the same clips one by one (`bench.harness.grids`):
`labels_per_minute_grid_sets` and `error_grid_sets`, likewise `_alone_once` and `_alone_twice` (two people, and a third
where they differ), over pairs of world and crew. Nothing of it is certified, and all seconds of it are modelled for a
practised person, which is faster than in the campaigns above. The last line is one JSON object.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pyarrow as pa

from bench.harness import Bench, Figures
from bench.harness.campaigns import Campaign, Policy
from bench.harness.grids import WAYS, Grid, grids
from bench.harness.intervals import UNKNOWN, Measured, interval, with_ends
from bench.harness.tables import Cell, table
from bench.harness.worlds import World, collect, collected
from bench.loop import scale
from slac_tasks.model import Strategy
from slac_tasks.quality.certificate import certified_bounds, certify, waiting
from slac_tasks.quality.settings import Quality
from slac_tasks.storage.datasets import CONTROL
from slac_tasks.verification.carrying import CARRIED, MODEL, PEOPLE
from slac_tasks.verification.settings import Review

ERRORS = (0.05, 0.1)
"""Shares of wrong labels that are wanted."""
KINDS = (PEOPLE, CARRIED, MODEL)
"""Kinds of the labels of a campaign, in the order of their numbers: nobody imports any here."""
TODAY = Policy(
    shares={}, carry_sec=0.0,
    review=Review(votes_wanted=2, control_votes=2, control_lead=1, control_most=3, audit_share=0.0),
)  # fmt: skip
ONCE = Policy(
    shares={Strategy.COVERAGE: 0.3}, again=0.1, gold=0.015, carry_sec=2.0,
    review=Review(votes_wanted=1, audit_share=0.25),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is played."""

    world: Annotated[str, "size of each world: large, demo, quick or tiny"] = "large"
    worlds: Annotated[int, "worlds, each with another seed"] = 5
    crews: Annotated[int, "crews of people, each in all worlds"] = 3
    minutes: Annotated[float, "human minutes for one category"] = 35.0
    rounds: Annotated[int, "rounds in which they are spent"] = 3


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one campaign over all worlds led to."""

    minutes: float
    answers: int
    counts: Mapping[str, float]
    """By figure."""


def play(worlds: Sequence[World], policy: Policy, size: Size, crew: int) -> list[Campaign]:
    """Play a campaign in every world."""
    return [Campaign.played(world, policy, crew, minutes=size.minutes, rounds=size.rounds) for world in worlds]


def result(campaigns: Sequence[Campaign], *, today: bool) -> Result:
    """Return the labels of a campaign over all worlds."""
    parts, control, gold = [], [], []
    for number, campaign in enumerate(campaigns):
        for category in campaign.categories:
            said = campaign.said(category)
            name = f"{number} {category.name}"
            settled = np.isin(np.arange(len(category.rows)), list(category.answers)) & (said.own != 0)
            parts.append(
                pd.DataFrame(
                    {"category": name, "kind": np.array(KINDS)[said.kind], "confidence": said.confidence,
                     "right": said.positive == category.truth, "settled": settled}
                )
            )  # fmt: skip
            control.append(CONTROL.table(campaign.control(category, said)).to_pandas().assign(category=name))
        known = campaign.gold()
        gold.append(known.assign(category=[f"{number} {one}" for one in known["category"]]))
    labels = pd.concat(parts)
    minutes = sum(campaign.minutes for campaign in campaigns)
    answers = sum(len(given) for campaign in campaigns for one in campaign.categories for given in one.answers.values())
    if today:
        own = labels[labels["settled"]]
        counts = {"labels_per_minute": len(own) / minutes, "error": float((~own["right"]).mean())}
        return Result(minutes=minutes, answers=answers, counts=counts)
    counts = {}
    drawn = pd.concat(control)
    for error in ERRORS:
        let = certified(labels, drawn, pd.concat(gold), error)
        at = round(error * 100)
        counts |= {
            f"labels_per_minute_{at}": float(let.sum()) / minutes,
            f"error_{at}": float((~labels["right"][let]).mean()) if let.any() else 0.0,
            f"labels_per_minute_{at}_known": known_best(labels, error) / minutes,
            f"answers_per_label_{at}": answers / max(int(let.sum()), 1),
        }
        for kind in KINDS:
            counts[f"{kind}_{at}"] = float((let & (labels["kind"] == kind)).sum()) / minutes
    return Result(minutes=minutes, answers=answers, counts=counts)


def certified(labels: pd.DataFrame, control: pd.DataFrame, gold: pd.DataFrame, error: float) -> np.ndarray:
    """Return which labels are certified, all categories together, shape (labels,)."""
    columns = pa.Table.from_pandas(labels[["category", "kind", "confidence"]], preserve_index=False)
    rows = certify(control, waiting([columns]), gold, replace(Quality(), max_error=error, promise="all"))
    let = np.zeros(len(labels), dtype=bool)
    for kind in KINDS:
        own = (labels["kind"] == kind).to_numpy()
        some = labels[own]
        let[own] = np.isfinite(
            certified_bounds(rows, kind, some["category"].tolist(), some["confidence"].tolist(), "all")
        )
    return let


def known_best(labels: pd.DataFrame, error: float) -> int:
    """Return how many labels each kind's best threshold lets through, were the truth known."""
    count = 0
    for _, own in labels.groupby("kind"):
        wrong = ~own.sort_values("confidence", ascending=False)["right"].to_numpy()
        fine = np.flatnonzero(np.cumsum(wrong) / np.arange(1, len(wrong) + 1) <= error)
        count += int(fine[-1]) + 1 if len(fine) else 0
    return count


def figures(today: Sequence[Result], once: Sequence[Result]) -> dict[str, float | None]:
    """Return every figure with its interval over crews."""
    found: dict[str, float | None] = {}
    for prefix, results in (("today", today), ("", once)):
        for name in results[0].counts:
            key = f"{name}_{prefix}" if prefix else name
            found |= with_ends(key, interval([one.counts[name] for one in results]))
    return found


def of_grids(asked: Sequence[Mapping[str, Grid]]) -> dict[str, Measured]:
    """Return every figure of the grid with its interval over pairs of world and crew; unknown where no set was."""
    found: dict[str, Measured] = {}
    for way in WAYS:
        for field, name in (("per_minute", "labels_per_minute"), ("error", "error"), ("mixed", "mixed")):
            if field != "mixed" or way == "sets":
                values = [getattr(one[way], field) for one in asked]
                found[f"{name}_grid_{way}"] = interval(values) if values else UNKNOWN
    return found


def render(today: Sequence[Result], once: Sequence[Result]) -> str:
    """Return a table for people."""
    rows: list[tuple[Cell, ...]] = []
    for results in (today, once):
        for name in results[0].counts:
            rows.append((name, *interval([one.counts[name] for one in results])))
        rows.append(("minutes", float(np.mean([one.minutes for one in results])), None, None))
        rows.append(("answers", float(np.mean([one.answers for one in results])), None, None))
    return table({"figure": "", "mean": ".3f", "low": ".3f", "high": ".3f"}, rows)


def measure(size: Size, folder: Path) -> Figures:
    """Play both campaigns with each crew."""
    return measured(list(collected(folder, size.worlds, lambda place, seed: collect(place, size.world, seed))), size)


def measured(worlds: Sequence[World], size: Size) -> Figures:
    """Return the figures of these worlds."""
    in_grids = of_grids([one for world in worlds for crew in range(size.crews) if (one := grids(world, crew))])
    today = [result(play(worlds, TODAY, size, crew), today=True) for crew in range(size.crews)]
    once = [result(play(worlds, ONCE, size, crew), today=False) for crew in range(size.crews)]
    print(render(today, once))
    print(table({"in a grid": "", "mean": ".3f", "low": ".3f", "high": ".3f"}, [
        (name, *ends) for name, ends in in_grids.items()
    ]))  # fmt: skip
    full, found = Size(), figures(today, once)
    for name, ends in in_grids.items():
        found |= with_ends(name, ends)
    return {
        **found,
        "crews": size.crews,
        "scale": size.worlds / full.worlds * size.minutes / full.minutes * scale(size.world) / scale(full.world),
    }


BENCH = Bench(
    name="labels", doc=__doc__, measure=measure, full=Size(),
    quick=Size(world="quick", worlds=1, crews=2, minutes=3.0), tiny=Size(world="tiny", worlds=1, crews=2, minutes=1.0),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
