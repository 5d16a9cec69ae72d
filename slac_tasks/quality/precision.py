"""Precision: which share of a category's labels is right, by kind of label, from clips that were drawn by lot.

The truth of such a clip is what three people or more say of it, or an expert's word where there is one (gold). People's
labels are judged as if the clip had been asked like the chosen ones: `verification/control.py` says why.

Strata of people's labels: the control, all of which was asked, and the audited share of the chosen clips, by the share
that held when they were queued: rounds that were audited by other shares are other strata. Gold that an
expert chose by hand stands for no other clip, so it is a measure of its own. Strata of the other kinds: the weights
with which their control was drawn.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.model import Split, parse_clip_id
from slac_tasks.quality.estimates import Estimate, Stratum, effective, of_clips
from slac_tasks.verification.ballots import Ballots
from slac_tasks.verification.carrying import Abilities
from slac_tasks.verification.control import Answers, as_if_chosen
from slac_tasks.verification.queue import CONTROLS, lots
from slac_tasks.verification.settings import Review

JUDGED = ("video_id", "drawn", "audited", "audit_share", "label", "truth", "known")
"""Columns of judged clips. `drawn`: of the control; `audited`: chosen, and in the audit; `audit_share`: the chance of
its lot; `label`: +1 or -1, as if
chosen; `truth`: the same, 0: people are to be asked on; `known`: whether the truth is an expert's word."""
_ALIKE = Abilities(sensitivity=0.9, specificity=0.9)


def judged_clips(ballots: Ballots, queued: pa.Table, known: Mapping[str, bool], review: Review) -> pd.DataFrame:
    """Return the clips of a category whose label can be held against something better, with `JUDGED`.

    Args:
        ballots: the votes on the category.
        queued: what the queue holds of its clips that have votes, with `votes.QUEUED`.
        known: gold, by clip: whether it contains the action.
        review: how people are asked.

    """
    answers = Answers.of(ballots, queued, queued["clip_id"])
    # Nothing but a clip's own answers is known here, so nothing can contradict its first one.
    alone = replace(review, again_below=0.0)
    training = pc.equal(queued["split"], Split.TRAINING.value).to_numpy()
    label, _ = as_if_chosen(answers, np.zeros(queued.num_rows), _ALIKE, training, alone)
    expert = np.array([{True: 1, False: -1, None: 0}[known.get(clip)] for clip in queued["clip_id"].to_pylist()], int)
    asked = answers.asked
    people = np.where(answers.judged(review.control_most), answers.truth, 0)
    drawn = np.isin(answers.strategy, list(CONTROLS))
    found = pd.DataFrame(
        {
            "video_id": queued["video_id"].to_numpy(zero_copy_only=False),
            "drawn": asked & drawn,
            "audited": asked & ~drawn,
            "audit_share": lots(answers.audit_share, review),
            "label": label,
            "truth": np.where(expert != 0, expert, people),
            "known": expert != 0,
        }
    )
    return found[(found["label"] != 0) & (found["drawn"] | found["audited"] | found["known"])]


def strata_of_people(judged: pd.DataFrame, settled: pd.DataFrame) -> list[Stratum]:
    """Return the strata of people's labels.

    Args:
        judged: clips with `JUDGED`.
        settled: the labels: columns strategy and audit_share.

    """
    drawn = settled["strategy"].isin(list(CONTROLS))
    strata = [_stratum(judged[judged["drawn"]], labels=float(drawn.sum()), rate=1.0)] if drawn.any() else []
    shares, counts = np.unique(settled["audit_share"][~drawn].dropna().to_numpy(float), return_counts=True)
    for share, count in zip(shares.tolist(), counts.tolist(), strict=True):
        audited = judged[judged["audited"] & (judged["audit_share"] == share)]
        strata.append(_stratum(audited, labels=count, rate=share))
    return strata


def strata_of_kind(control: pd.DataFrame) -> list[Stratum]:
    """Return the strata of the labels of another kind, from its control: columns clip_id, label, truth and weight."""
    found = control.assign(video_id=[parse_clip_id(clip)[0] for clip in control["clip_id"]])
    parts = [(weight, found[found["weight"] == weight]) for weight in sorted(found["weight"].unique()) if weight > 0]
    return [_stratum(rows, labels=weight * len(rows), rate=1 / weight) for weight, rows in parts]


def of_gold(judged: pd.DataFrame) -> Estimate:
    """Return on which share of the gold clips people's label, as if chosen, is the expert's."""
    gold = judged[judged["known"]]
    return of_clips((gold["label"] == gold["truth"]).to_numpy(bool), gold["video_id"].to_numpy())


def _stratum(judged: pd.DataFrame, *, labels: float, rate: float) -> Stratum:
    return Stratum(
        labels=labels,
        rate=rate,
        clips=len(judged),
        right=int((judged["label"] == judged["truth"]).sum()),
        open=int((judged["truth"] == 0).sum()),
        size=effective(judged["video_id"].to_numpy()),
    )
