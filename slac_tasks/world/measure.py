"""Measuring the platform against a world's truth. Pure functions over tables; no stage calls them."""

from statistics import fmean

import numpy as np
import pandas as pd

from slac_tasks.mining.measures import consensus, disagreement
from slac_tasks.model import SAYS_YES, Strategy
from slac_tasks.world.truth import Truth


def contained(clips: pd.DataFrame, truth: Truth) -> pd.Series:
    """Return whether each clip shows its hypothesised action.

    Args:
        clips: columns source_id, category, start_sec, end_sec.
        truth: of the world that the videos come from.

    """
    columns = ("source_id", "category", "start_sec", "end_sec")
    values = [
        truth.contains(source_id, category, start, end)
        for source_id, category, start, end in zip(*(clips[name].tolist() for name in columns), strict=True)
    ]
    return pd.Series(values, index=clips.index, dtype=bool)


def accuracy_of_labels(labels: pd.DataFrame, truth: Truth) -> float | None:
    """Return the share of settled labels that are true, or None when nothing is settled.

    Args:
        labels: columns source_id, category, start_sec, end_sec, label (+1, -1; null unless settled).
        truth: of the world that the videos come from.

    """
    settled = labels[labels["label"].notna()]
    if settled.empty:
        return None
    return float(((settled["label"].astype(int) > 0) == contained(settled, truth)).mean())


def committee_error(hard_clips: pd.DataFrame, truth: Truth) -> dict[str, float]:
    """Return, by strategy, the share of clips on which the committee's majority is wrong.

    Args:
        hard_clips: columns source_id, category, start_sec, end_sec, strategy, scores (a list of {member, score}).
        truth: of the world that the videos come from.

    """
    if hard_clips.empty:
        return {}
    says = hard_clips["scores"].map(lambda scores: sum(s["score"] >= SAYS_YES for s in scores) * 2 > len(scores))
    wrong = says.astype(bool) != contained(hard_clips, truth)
    found = wrong.groupby(hard_clips["strategy"]).mean()
    return {strategy.value: float(found[strategy.value]) for strategy in Strategy if strategy.value in found}


def error_by_agreement(pool: pd.DataFrame, truth: Truth, share: float = 0.1) -> tuple[float, float]:
    """Return how often the committee's majority is wrong where its members (disagree most, agree most).

    Agreement is a high joint score or a low one. Mining's consensus takes the high end alone, as HACS did: its error
    is its share of negatives, 58 % in the paper, and says little about which clips are hard. Hence this pair (ours).

    Args:
        pool: all clips of some rounds: columns source_id, category, round, start_sec, end_sec, scores.
        truth: of the world that the videos come from.
        share: part of each round's clips taken from either end.

    """
    wrong: tuple[list[float], list[float]] = ([], [])
    for _, clips in pool.groupby(["category", "round"]):
        scores = np.array([[member["score"] for member in clip] for clip in clips["scores"]])
        says = (scores >= SAYS_YES).sum(axis=1) * 2 > scores.shape[1]
        errs = says != contained(clips, truth).to_numpy()
        few = max(1, round(len(clips) * share))
        for found, by in zip(wrong, (disagreement(scores), abs(consensus(scores) - 0.5)), strict=True):
            found += errs[np.argsort(-by, kind="stable")[:few]].tolist()
    return fmean(wrong[0]), fmean(wrong[1])
