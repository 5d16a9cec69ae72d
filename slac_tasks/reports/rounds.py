"""What each round of mining was worth: what its strategies found, and how far its committee is to be trusted.

Everything about the committee is measured on the random control alone: clips that a strategy chose by their scores say
nothing about the scores of other clips.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slac_tasks.evaluation.measures import BINS, calibration_error, reliability
from slac_tasks.intervals import ratio
from slac_tasks.mining.measures import Floats
from slac_tasks.model import SAYS_YES, Strategy
from slac_tasks.reports.shares import Share, positive_by_strategy
from slac_tasks.storage.datasets.labelling import RoundRow
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.agreement import kappa
from slac_tasks.verification.ballots import counted_seconds
from slac_tasks.verification.versions import read_labels

JOINT = "joint"
"""Name of the committee's joint score among the members."""
READERS = 8
"""Rounds read at the same time: there are thousands of them, and each read waits for the store."""

_CLIP = ["clip_id", "category", "round", "strategy", "video_id"]


def answered(datasets: Datasets, hard: Sequence[Manifest], votes: Sequence[Manifest], version: str) -> pd.DataFrame:
    """Return every clip that was asked, with its scores and what people said of it.

    Columns: clip_id, category, round, strategy, video_id; label (+1, -1; NaN unless settled); seconds of people's time;
    and scores by name of the member, the joint one included: NaN where a member did not score the clip.
    """
    with ThreadPoolExecutor(READERS) as pool:
        scores = list(pool.map(partial(_scores, datasets), hard))
    chosen = pd.concat(scores, ignore_index=True) if scores else pd.DataFrame()
    labels = read_labels(datasets, version, [*_CLIP, "status", "label"]).to_pandas()
    labels["label"] = labels["label"].astype(float).where(labels["status"] == "settled")
    spent = [
        table.set_column(2, "seconds", counted_seconds(table["seconds"])).to_pandas()
        for made in votes
        for table in datasets.tables(made, ["clip_id", "category", "seconds"])
    ]
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


def measured(clips: pd.DataFrame) -> list[RoundRow]:
    """Return the rows of `rounds` for these clips, as `answered` returns them: all rounds together, then each."""
    found: list[RoundRow] = []
    for round_, part in [(None, clips), *clips.groupby("round")]:
        key = None if round_ is None else str(round_)
        found += [replace(row, round=key) for row in (*_worth(part), *_trust(part))]
    for category, part in clips.groupby("category"):
        found += [replace(row, category=str(category)) for row in _shares(part)]
    return found


def _shares(clips: pd.DataFrame) -> Iterator[RoundRow]:
    """Positive share of the settled labels of each strategy, with its Wilson interval."""
    for share in positive_by_strategy(clips[clips["label"].notna()]):
        yield _row("positive_share", share.whole, share.value, share.low, share.high, strategy=share.name)


def _worth(clips: pd.DataFrame) -> Iterator[RoundRow]:
    """Shares, positives for each minute of people's time, and how many times those of the random control."""
    minutes = {str(name): float(spent) / 60 for name, spent in clips.groupby("strategy")["seconds"].sum().items()}
    rates: dict[str, tuple[Share, float]] = {}
    for share in positive_by_strategy(clips[clips["label"].notna()]):
        yield _row("positive_share", share.whole, share.value, share.low, share.high, strategy=share.name)
        spent = minutes[share.name]
        if spent > 0:
            rates[share.name] = (share, spent)
            value, low, high = (end * share.whole / spent for end in (share.value, share.low, share.high))
            yield _row("positives_per_minute", share.whole, value, low, high, strategy=share.name)
    control = rates.get(Strategy.RANDOM.value)
    for strategy, rate in rates.items():
        if control and strategy != Strategy.RANDOM and (ratio := lift(rate, control)):
            yield _row("lift_over_random", rate[0].whole, *ratio, strategy=strategy)


def lift(found: tuple[Share, float], control: tuple[Share, float]) -> tuple[float, float, float] | None:
    """Return (ratio of positives a minute, low, high), 95 %, of two (share of positives, minutes), or None.

    The interval is that of the ratio of two shares; minutes count as known. There is none where either side found
    nothing.
    """
    (own, spent), (drawn, control_spent) = found, control
    if not (own.part and drawn.part and spent and control_spent):
        return None
    settled = (own.whole / spent) / (drawn.whole / control_spent)
    low, high = ratio(own.value * own.size, own.size, drawn.value * drawn.size, drawn.size)
    return settled * own.value / drawn.value, settled * low, settled * high


def _trust(clips: pd.DataFrame) -> Iterator[RoundRow]:
    """What the random control says of the members, and how each strategy's scores are spread."""
    members = members_of(clips)
    names = [*members, JOINT] if members else []
    for strategy, part in clips.groupby("strategy"):
        for name in names:
            counts = np.histogram(part[name].dropna(), bins=BINS, range=(0, 1))[0]
            for place, count in enumerate(counts.tolist()):
                share = count / max(1, counts.sum())
                yield _row("scores", count, share, strategy=str(strategy), member=name, bin=place / BINS)
    control = clips[clips["strategy"] == Strategy.RANDOM]
    for one, other in combinations(members, 2):
        both = control[[one, other, "video_id"]].dropna()
        if len(both):
            yield from _agreement(one, other, (both[[one, other]] >= SAYS_YES).to_numpy(bool), both["video_id"])
    for name in names:
        judged = control[control["label"].notna() & control[name].notna()]
        yield from _reliability(
            name, judged[name].to_numpy(dtype=float), (judged["label"] > 0).to_numpy(), judged["video_id"]
        )


def _agreement(one: str, other: str, says: NDArray[np.bool_], videos: pd.Series) -> Iterator[RoundRow]:
    """How often two members say the same of the same clips, and how much of that is beyond chance.

    Args:
        one: name of a member.
        other: name of another.
        says: their verdicts, shape (clips, 2).
        videos: of the clips, shape (clips,).

    """
    same = Share.of_clips("", says[:, 0] == says[:, 1], videos)
    yield _row("agreement", same.whole, same.value, same.low, same.high, member=one, other=other)
    counts = np.histogram2d(says[:, 0], says[:, 1], bins=2, range=((0, 1), (0, 1)))[0]
    beyond = float(kappa(counts[None])[0])
    yield _row("kappa", same.whole, None if np.isnan(beyond) else beyond, member=one, other=other)


def _reliability(member: str, score: Floats, is_positive: NDArray[np.bool_], videos: pd.Series) -> Iterator[RoundRow]:
    """For each bin of the score how often people said yes, and the calibration error over all bins."""
    if not len(score):
        return
    for found in reliability(score, is_positive):
        share = Share.of_clips("", is_positive[found.places], videos.iloc[found.places])
        yield _row("reliability", share.whole, share.value, share.low, share.high, bin=found.part / BINS, member=member)
    error = calibration_error(score, is_positive)(np.ones((1, len(score))))
    yield _row("calibration_error", len(score), float(error[0]), member=member)


def _row(
    measure: str,
    count: int,
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    strategy: str = Strategy.RANDOM.value,
    member: str | None = None,
    other: str | None = None,
    bin: float | None = None,
) -> RoundRow:
    """Return a row of all rounds and categories together; members are judged on the random control."""
    return RoundRow(
        measure=measure, round=None, category=None, strategy=strategy, member=member, other=other, bin=bin, count=count,
        value=value, low=low, high=high,
    )  # fmt: skip
