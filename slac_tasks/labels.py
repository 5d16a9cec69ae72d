"""From votes to labels: pure functions over tables of votes, one aggregation method behind one small interface.

What each answer does under `two_of_three` (HACS v3: three people per clip, kept when at least two agree; the rest is
ours):

* yes, no: the first of them to be given twice is the label, once as many answers as were wanted have come.
* broken ("cannot be played or judged"): given twice, the clip is broken and has no label.
* unsure: counts as an answer, towards nothing. Two people who are unsure end a clip of three answers as unsettled, as
  one more answer could not make two that agree.
* Fewer answers than it takes: the clip stays open. As many as may be asked, and no two that agree: unsettled.
* A correction takes the place of the answer that it corrects, which no longer counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from slac_tasks.model import Answer

VOTE = ("vote_id", "clip_id", "category", "answer", "cast_at", "supersedes")
"""Columns of the votes that aggregation reads."""

LABEL = (
    "clip_id", "category", "status", "label", "confidence", "method", "yes", "no", "unsure", "broken",
    "first_two_agree", "votes",
)  # fmt: skip
"""Columns of the labels that it returns."""

_KEY = ["clip_id", "category"]
_SIGN: Mapping[str, int] = {Answer.YES: 1, Answer.NO: -1}


class Aggregator(Protocol):
    """Turns votes into one row per (clip, category)."""

    @property
    def method(self) -> str:
        """Name and version, kept with every label."""

    def __call__(self, votes: pd.DataFrame) -> pd.DataFrame:
        """Return rows with the columns of `LABEL`, sorted by (clip_id, category), from rows with those of `VOTE`.

        The result does not depend on the order of the rows. Unknown label, confidence and first_two_agree are null.
        """


@dataclass(frozen=True, kw_only=True)
class TwoOfThree:
    """The first answer given twice is the label (HACS v3)."""

    votes_wanted: int = 2
    """Answers that a clip must have before anything is decided."""
    votes_most: int = 3
    """Answers after which a clip without agreement is unsettled."""
    method: str = "two_of_three/1"

    def __call__(self, votes: pd.DataFrame) -> pd.DataFrame:
        """Return the labels of these votes; see `Aggregator`."""
        counted = standing(votes)
        counts = (
            pd.crosstab([counted[name] for name in _KEY], counted["answer"])
            .reindex(columns=[answer.value for answer in Answer], fill_value=0)
            .astype("int32")
            if len(counted)
            else pd.DataFrame(
                {answer.value: pd.Series(dtype="int32") for answer in Answer},
                index=pd.MultiIndex.from_arrays([[], []], names=_KEY),
            )
        )
        rows = counts.copy()
        total = counts.sum(axis=1)
        given_twice = _first_given_twice(counted).reindex(rows.index)
        enough = total >= self.votes_wanted
        # [unsure, unsure] of 3: no answer can be given twice any more.
        best = counts[[Answer.YES.value, Answer.NO.value, Answer.BROKEN.value]].max(axis=1)
        hopeless = best + (self.votes_most - total).clip(lower=0) < 2
        rows["status"] = "open"
        rows.loc[enough & given_twice.isna() & hopeless, "status"] = "unsettled"
        rows.loc[enough & given_twice.isin(list(_SIGN)), "status"] = "settled"
        rows.loc[enough & (given_twice == Answer.BROKEN.value), "status"] = "broken"
        settled = rows["status"] == "settled"
        rows["label"] = given_twice.map(_SIGN).where(settled).astype("Int8")
        on_side = counts["yes"].where(given_twice == "yes", counts["no"])
        rows["confidence"] = (on_side / (counts["yes"] + counts["no"])).where(settled).astype("Float64")
        rows["method"] = self.method
        rows["first_two_agree"] = _first_two_agree(counted).reindex(rows.index).astype("boolean")
        rows["votes"] = counted.groupby(_KEY)["vote_id"].agg(list).reindex(rows.index)
        return rows.reset_index()[list(LABEL)]


def standing(votes: pd.DataFrame) -> pd.DataFrame:
    """Return the votes that count, by (clip_id, category) and in the order given.

    A superseded vote is left out; the one that corrects it stands where the first of the chain stood.
    """
    cast_at = dict(zip(votes["vote_id"], votes["cast_at"], strict=True))
    corrects = {
        vote: old for vote, old in zip(votes["vote_id"], votes["supersedes"], strict=True) if isinstance(old, str)
    }
    replaced = set(corrects.values())

    def first(vote: str) -> str:
        while vote in corrects and corrects[vote] in cast_at:
            vote = corrects[vote]
        return vote

    counted = votes[~votes["vote_id"].isin(replaced)].copy()
    roots = [first(vote) for vote in counted["vote_id"]]
    counted["place"] = [cast_at[root] for root in roots]
    counted["root"] = roots
    return counted.sort_values([*_KEY, "place", "root"], ignore_index=True)


def _first_given_twice(counted: pd.DataFrame) -> "pd.Series[str]":
    """Return, by (clip, category), the yes, no or broken that was the first to be given a second time."""
    second = counted[(counted.groupby([*_KEY, "answer"]).cumcount() == 1) & (counted["answer"] != Answer.UNSURE.value)]
    return second.drop_duplicates(_KEY).set_index(_KEY)["answer"]


def _first_two_agree(counted: pd.DataFrame) -> "pd.Series[bool]":
    """Return, by (clip, category) with two yes or no answers at least, whether the first two are the same."""
    plain = counted[counted["answer"].isin(list(_SIGN))]
    place = plain.groupby(_KEY).cumcount()
    one = plain[place == 0].set_index(_KEY)["answer"]
    two = plain[place == 1].set_index(_KEY)["answer"]
    return one.reindex(two.index) == two
