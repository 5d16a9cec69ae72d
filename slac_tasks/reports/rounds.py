"""What each round of mining was worth: what its strategies found, and how far its committee is to be trusted.

Everything about the committee is measured on the random control alone: clips that a strategy chose by their scores say
nothing about the scores of other clips.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import combinations
from math import exp, sqrt
from typing import Any

import numpy as np
import pandas as pd

from slac_tasks.intervals import wilson
from slac_tasks.job import Job
from slac_tasks.mining.measures import Floats
from slac_tasks.model import Strategy
from slac_tasks.storage.datasets import HARD_CLIPS, LABELS, ROUNDS, VOTES
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

Row = dict[str, Any]

JOINT = "joint"
"""Name of the committee's joint score among the members."""
BINS = 10
"""Bins of a score, each a tenth wide; the last one holds 1."""

READERS = 8
"""Rounds read at the same time: there are thousands of them, and each read waits for the store."""

_CLIP = ["clip_id", "category", "round", "strategy"]
_Z = 1.959964


def report(job: Job, version: str) -> pd.DataFrame:
    """Write `rounds` for a version of the labels, unless it is finished, and return its rows."""
    keys = {"labels": version}
    with ThreadPoolExecutor(READERS) as pool:
        hard = list(pool.map(lambda found: job.datasets.need(HARD_CLIPS, **found), job.datasets.partitions(HARD_CLIPS)))
    votes = [job.datasets.need(VOTES, **found) for found in job.datasets.partitions(VOTES) if found["batch"] <= version]
    inputs = [job.datasets.need(LABELS, **keys), *hard, *votes]
    if not job.finished(ROUNDS, keys, inputs=inputs):
        clips = answered(job.datasets, hard, votes, version)
        job.finish(ROUNDS, [ROUNDS.from_records(measured(clips))], keys, inputs=inputs)
    found: pd.DataFrame = job.datasets.read(ROUNDS, **keys).to_pandas()
    return found


def answered(datasets: Datasets, hard: Sequence[Manifest], votes: Sequence[Manifest], version: str) -> pd.DataFrame:
    """Return every clip that was asked, with its scores and what people said of it.

    Columns: clip_id, category, round, strategy; label (+1, -1; NaN unless settled); seconds of people's time; and
    scores by name of the member, the joint one included: NaN where a member did not score the clip.
    """
    with ThreadPoolExecutor(READERS) as pool:
        scores = list(pool.map(partial(_scores, datasets), hard))
    chosen = pd.concat(scores, ignore_index=True) if scores else pd.DataFrame()
    labels = datasets.read(LABELS, [*_CLIP, "status", "label"], labels=version).to_pandas()
    labels["label"] = labels["label"].astype(float).where(labels["status"] == "settled")
    spent = [table.to_pandas() for made in votes for table in datasets.tables(made, ["clip_id", "category", "seconds"])]
    asked = labels.drop(columns="status")
    if spent:
        seconds = pd.concat(spent).groupby(["clip_id", "category"])["seconds"].sum().reset_index()
        asked = asked.merge(seconds, on=["clip_id", "category"], how="left")
    else:
        asked = asked.assign(seconds=0.0)
    found: pd.DataFrame = asked.merge(chosen, on=["clip_id", "category", "round"], how="left") if hard else asked
    return found


def _scores(datasets: Datasets, made: Manifest) -> pd.DataFrame:
    """Return the scores of one round's clips, a column for each member."""
    parts = []
    for table in datasets.tables(made, ["clip_id", "consensus", "scores"]):
        part = pd.DataFrame({"clip_id": table["clip_id"].to_pandas(), JOINT: table["consensus"].to_numpy()})
        scores = table["scores"].combine_chunks().flatten()
        members = scores.field("member").to_pylist()
        values = scores.field("score").to_numpy(zero_copy_only=False).astype(float)
        # A round has one panel: every clip of it has the same members in the same order.
        names = members[: len(members) // max(1, table.num_rows)]
        for column, name in enumerate(names):
            part[name] = values[column :: len(names)]
        parts.append(part)
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"clip_id": []}, dtype=str)
    return found.assign(category=made.keys["category"], round=made.keys["round"])


def members_of(clips: pd.DataFrame) -> list[str]:
    """Return the names of the members that scored any of these clips, without the joint score."""
    names = [name for name in clips if name not in (*_CLIP, "label", "seconds", JOINT)]
    return sorted(str(name) for name in names if clips[name].notna().any())


def measured(clips: pd.DataFrame) -> list[Row]:
    """Return the rows of `rounds` for these clips, as `answered` returns them: all rounds together, then each."""
    found: list[Row] = []
    for round_, part in [(None, clips), *clips.groupby("round")]:
        found += [{"round": round_, **row} for row in (*_worth(part), *_trust(part))]
    for category, part in clips.groupby("category"):
        found += [{"category": category, **row} for row in _shares(part)]
    return found


def _shares(clips: pd.DataFrame) -> Iterator[Row]:
    """Positive share of the settled labels of each strategy, with its Wilson interval."""
    settled = clips[clips["label"].notna()]
    for strategy, label in settled.groupby("strategy")["label"]:
        positive, count = int((label > 0).sum()), len(label)
        low, high = wilson(positive, count)
        yield _row("positive_share", count, positive / count, low, high, strategy=strategy)


def _worth(clips: pd.DataFrame) -> Iterator[Row]:
    """Shares, positives for each minute of people's time, and how many times those of the random control."""
    minutes = {name: float(spent) / 60 for name, spent in clips.groupby("strategy")["seconds"].sum().items()}
    rates: dict[str, tuple[int, int, float]] = {}
    for row in _shares(clips):
        yield row
        strategy = row["strategy"]
        if minutes[strategy] > 0:
            scale = row["count"] / minutes[strategy]
            rates[strategy] = (round(row["value"] * row["count"]), row["count"], minutes[strategy])
            yield {
                **row, "measure": "positives_per_minute",
                **{name: row[name] * scale for name in ("value", "low", "high")},
            }  # fmt: skip
    control = rates.get(Strategy.RANDOM.value)
    for strategy, rate in rates.items():
        if control and strategy != Strategy.RANDOM and (ratio := lift(rate, control)):
            yield _row("lift_over_random", rate[1], *ratio, strategy=strategy)


def lift(found: tuple[int, int, float], control: tuple[int, int, float]) -> tuple[float, float, float] | None:
    """Return (ratio of positives a minute, low, high), 95 %, of two (positives, settled, minutes), or None.

    The interval of the ratio of two shares by its logarithm (Katz et al. 1978); minutes count as known. There is none
    where either side found nothing.
    """
    (a, n, spent), (b, m, control_spent) = found, control
    if not (a and b and spent and control_spent):
        return None
    ratio = (a / spent) / (b / control_spent)
    reach = exp(_Z * sqrt((1 / a - 1 / n) + (1 / b - 1 / m)))
    return ratio, ratio / reach, ratio * reach


def _trust(clips: pd.DataFrame) -> Iterator[Row]:
    """What the random control says of the members, and how each strategy's scores are spread."""
    members = members_of(clips)
    names = [*members, JOINT] if members else []
    for strategy, part in clips.groupby("strategy"):
        for name in names:
            counts = np.histogram(part[name].dropna(), bins=BINS, range=(0, 1))[0]
            for place, count in enumerate(counts.tolist()):
                yield _row(
                    "scores", count, count / max(1, counts.sum()), strategy=strategy, member=name, bin=place / BINS
                )  # fmt: skip
    control = clips[clips["strategy"] == Strategy.RANDOM]
    for one, other in combinations(members, 2):
        both = control[[one, other]].dropna()
        if len(both):
            says = both.to_numpy() >= 0.5
            same = says[:, 0] == says[:, 1]
            where: Row = {"strategy": Strategy.RANDOM.value, "member": one, "other": other}
            yield _row("agreement", len(both), float(same.mean()), *wilson(int(same.sum()), len(both)), **where)
            yield _row("kappa", len(both), kappa(says[:, 0], says[:, 1]), **where)
    for name in names:
        judged = control[control["label"].notna() & control[name].notna()]
        yield from _reliability(name, judged[name].to_numpy(dtype=float), (judged["label"] > 0).to_numpy())


def kappa(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float | None:
    """Return Cohen's kappa of two members' verdicts: their agreement beyond chance; None where chance explains all."""
    chance = one.mean() * other.mean() + (1 - one.mean()) * (1 - other.mean())
    return None if chance >= 1 else float(((one == other).mean() - chance) / (1 - chance))


def _reliability(member: str, score: Floats, is_positive: np.ndarray[Any, Any]) -> Iterator[Row]:
    """For each bin of the score how often people said yes, and the calibration error over all bins.

    The expected calibration error (Naeini et al. 2015): the mean distance between score and share of yes, bins weighing
    as much as they hold.
    """
    if not len(score):
        return
    where: Row = {"strategy": Strategy.RANDOM.value, "member": member}
    place = (score * BINS).astype(int).clip(max=BINS - 1)
    error = 0.0
    for number in np.unique(place).tolist():
        here = place == number
        count, positive = int(here.sum()), int(is_positive[here].sum())
        error += abs(float(score[here].mean()) - positive / count) * count / len(score)
        yield _row("reliability", count, positive / count, *wilson(positive, count), bin=number / BINS, **where)
    yield _row("calibration_error", len(score), error, **where)


def _row(
    measure: str, count: int, value: float | None, low: float | None = None, high: float | None = None, **where: Any
) -> Row:
    return {"measure": measure, "count": count, "value": value, "low": low, "high": high, **where}
