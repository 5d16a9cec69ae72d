"""The certificate: how many of the labels of one kind are wrong at most, and which are good enough to be released.

Control clips were drawn at random before anything was chosen, and three people or more answered each of them. So the
share of control clips on which a way of labelling differs from these people says how often its labels differ from them
elsewhere (PAC labels, Candes et al. 2025). Gold says how many labels agree with people who are wrong (`quality.gold`).
The two shares together bound the share of wrong labels; the threshold is the laxest one at which they are at most the
wanted error, and it holds at every look (`quality.thresholds`).

Labels with answers from sets (kind `sets`) have another control: gold that people answered in sets, whose truth is the
expert's. The share of it on which such labels are wrong bounds them alone.

The promise rests on this: the control was drawn, by known weights, from the clips whose labels are released; the label
of a control clip comes from answers to other clips (of kind people: from its first answers); and people err on the
released clips no more often than on gold. docs/explanation/certificate.md says more.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from slac_tasks.quality.gold import ANSWERS, Gold, Sure
from slac_tasks.quality.settings import Quality
from slac_tasks.quality.thresholds import LEVEL, THRESHOLDS, Control, Way, places
from slac_tasks.storage.datasets.labelling import CertificateRow
from slac_tasks.verification.ballots import Floats
from slac_tasks.verification.carrying import SETS

CONTROL = ("clip_id", "category", "kind", "label", "confidence", "truth", "weight")
"""Columns of the control."""
WAITING = ("category", "kind", "place", "labels", "least")
"""Columns of what waits: how many labels reach the threshold at a place as their strictest, and the least sure one."""


@dataclass(frozen=True, kw_only=True)
class Before:
    """The look before this one."""

    rows: Sequence[CertificateRow]
    control: pd.DataFrame | None
    """With the columns `CONTROL`; None: it is no more, and all may be new."""


def waiting(tables: Iterable[pa.Table]) -> pd.DataFrame:
    """Return how many labels wait for a certificate, with `WAITING`, from tables with category, kind and confidence."""
    group = ["category", "kind", "place"]
    parts = [pd.DataFrame({name: [] for name in WAITING})]
    for table in tables:
        rows = table.select(["category", "kind", "confidence"]).to_pandas()
        rows = rows.assign(place=places(rows["confidence"].to_numpy(float)))
        grouped = rows.groupby(group, observed=True)["confidence"]
        parts.append(grouped.agg(labels="size", least="min").reset_index())
    whole = pd.concat([part for part in parts if len(part)] or parts)
    return whole.groupby(group, observed=True).agg({"labels": "sum", "least": "min"}).reset_index()


def certify(
    control: pd.DataFrame, labels: pd.DataFrame, gold: pd.DataFrame, knobs: Quality, before: Before | None = None
) -> list[CertificateRow]:
    """Return the certificate of each kind, for all categories together and for each category.

    Args:
        control: a row for each control clip and kind, with `CONTROL`; weight 0: some labels of its category and kind
            could not be drawn, and nothing is said of any. Where people are to be asked on, truth is 0, and the label
            counts as wrong: without these clips the easy ones would be left.
        labels: how many wait for it, with `WAITING`.
        gold: with `gold.COLUMNS`, of all categories.
        knobs: the error that is wanted.
        before: the look before this one; None: this is the first.

    """
    changed = _changed(control, before)
    counted = Gold.of(gold, knobs.max_error)
    ways = {(row.category, row.kind): Way(rules=row.rules, judged=row.judged) for row in before.rows} if before else {}
    found: list[CertificateRow] = []
    for kind in sorted({*control["kind"].unique(), *labels["kind"].unique()}):
        judged, waiting = control[control["kind"] == kind], labels[labels["kind"] == kind]
        now = {
            category: way.next if (category, kind) in changed else way
            for category in (None, *sorted({*judged["category"].unique(), *waiting["category"].unique()}))
            for way in [ways.get((category, kind), Way())]
        }
        if kind == SETS:
            found += map(_of_people, _of_kind(kind, judged, waiting, Sure(wanted=knobs.max_error), now))
        else:
            found += _of_kind(kind, judged, waiting, counted, now)
    return found


def _of_people(row: CertificateRow) -> CertificateRow:
    """Return a row whose control was gold as what it is: what people get wrong, and answers to gold."""
    return replace(
        row, people_bound=row.disagreement_bound, disagreement_bound=None, gold=row.control, gold_errors=row.errors,
        control=0, errors=0, gold_needed=row.answers_needed,
    )  # fmt: skip


def _of_kind(
    kind: str, control: pd.DataFrame, labels: pd.DataFrame, gold: Gold, ways: Mapping[str | None, Way]
) -> list[CertificateRow]:
    """Return the rows of one kind: all categories together, and each of `ways`."""
    # A label that would not be written says nothing of those that are.
    least = labels["least"].min() if len(labels) else 0.0
    written = control[control["confidence"] >= least]
    heaviest = float(written["weight"].max()) if (written["weight"] > 0).any() else 1.0
    # Where some of the labels could not be drawn, the control does not stand for them.
    undrawn = set(written["category"][written["weight"] == 0])
    stands = {category: category not in undrawn if category else not undrawn for category in ways}
    counts = {
        category: Control.of(
            own["confidence"].to_numpy(float),
            (own["label"] != own["truth"]).to_numpy(bool),
            own["weight"].to_numpy(float),
            heaviest,
        )
        for category in ways
        for own in [_in(written, category) if stands[category] else written.iloc[:0]]
    }
    return [
        _row(
            category, kind, counts[category], _in(labels, category), gold, way.after(counts[category], gold.left),
            can_be_drawn=stands[category],
        )
        for category, way in ways.items()
    ]  # fmt: skip


def certified_bounds(
    certificates: Sequence[CertificateRow],
    kind: str,
    category: Sequence[str],
    confidence: Sequence[float],
    promise: str,
) -> Floats:
    """Return the share of wrong labels, at most, among those that are certified with each label, shape (labels,).

    A label below its threshold is not certified: NaN.

    Args:
        certificates: of the version of the labels.
        kind: kind of the labels.
        category: of each label.
        confidence: of each label.
        promise: `quality.promise`: `category`, each has its own threshold, or `all`, they share one.

    """
    found = {
        row.category: (row.threshold, row.bound)
        for row in certificates
        if row.kind == kind and row.threshold is not None and row.bound is not None
    }
    own = [found.get(None if promise == "all" else one, (math.inf, math.nan)) for one in category]
    least, bound = np.array(own, dtype=float).reshape(-1, 2).T
    return np.where(np.asarray(confidence, dtype=float) >= least, bound, math.nan)


def _row(
    category: str | None, kind: str, control: Control, labels: pd.DataFrame, gold: Gold, way: Way, *, can_be_drawn: bool
) -> CertificateRow:
    place, alphas = control.walk(gold.left, way.alpha)
    at = len(THRESHOLDS) - 1 if place is None else place
    differs = control.bound(at, alphas[at])
    needed = _needed(control, gold, way.alpha) if place is None and can_be_drawn else None
    return CertificateRow(
        category=category,
        kind=kind,
        wanted=gold.wanted,
        level=LEVEL,
        threshold=None if place is None else THRESHOLDS[place],
        certified=0 if place is None else int(labels["labels"][labels["place"] <= place].sum()),
        bound=None if differs is None or gold.bound is None else min(1.0, differs + gold.bound),
        disagreement_bound=differs,
        people_bound=gold.bound,
        control=int(control.clips[at].sum()),
        errors=int(control.sample.wrong[at].sum()),
        gold=gold.clips,
        gold_errors=gold.wrong,
        answers_needed=needed and ANSWERS * sum(needed),
        gold_needed=needed and ANSWERS * needed[1],
        rules=way.rules,
        judged=way.judged,
    )


def _changed(control: pd.DataFrame, before: Before | None) -> set[tuple[str | None, str]]:
    """Return the (category, kind), and (None, kind), whose control says other things of clips that it held before.

    People who decide on a clip later are no change: it counted as wrong until then, at a disadvantage to the labels.
    """
    if before is None:
        return set()
    if before.control is None:
        return {(row.category, row.kind) for row in before.rows}
    same = [name for name in CONTROL if name != "truth"]
    both = before.control[list(CONTROL)].merge(control[list(CONTROL)], on=same, how="left", suffixes=("_before", ""))
    other = both[both["truth"].isna() | ((both["truth_before"] != both["truth"]) & (both["truth_before"] != 0))]
    pairs = set(zip(other["category"], other["kind"], strict=True))
    return {*pairs, *((None, kind) for _, kind in pairs)}


def _needed(control: Control, gold: Gold, alpha: float) -> tuple[int, int] | None:
    """Return the fewest (control clips, gold clips) after which something is certified, if all are judged right."""
    best = None
    for more, left in gold.options:
        if best is None or more < sum(best):
            clips = control.fewest_more(left, alpha)
            if clips is not None and (best is None or clips + more < sum(best)):
                best = clips, more
    return best


def _in(rows: pd.DataFrame, category: str | None) -> pd.DataFrame:
    return rows if category is None else rows[rows["category"] == category]
