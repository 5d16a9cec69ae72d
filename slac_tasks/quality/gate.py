"""The gate: what makes the labels of a category worth training on (thresholds ours, see `settings.py`).

Every measure of a category has a value, a 95 % interval, the clips that it rests on, the range wanted, and a state:

* `settled`, a count, comes first: with fewer labels the category is `pending`, and nothing else is asked of it.
* `agreement` is counted on the clips that were to get two answers from the start: those drawn by lot, the audit, and
  clips that judge networks. People differ more often on a clip that was asked again because its first answer was
  doubted. Without the others it is unknown.
* A share (`agreement`, `positive_share`, `unsettled_share`, `gold`) is outside where its value is. The interval says
  whether more answers may change that; but a category on which few clips leave a doubt is refused, and a person is
  asked, since one that waits for certainty would wait for ever where nobody is asked any more.
* `precision` is met where the lower end of its interval reaches the floor. Where it could not, had every clip been
  right, too little is known: `unclear`, and the category is `pending`. Else it is outside.

One measure outside refuses the category alone, until a person says otherwise. What the table of labels as such must be
is in `expectations/labels.py`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from slac_tasks.progress import counted
from slac_tasks.quality.estimates import Estimate, Stratum, best_case, of_clips, of_strata
from slac_tasks.quality.precision import of_gold, strata_of_kind, strata_of_people
from slac_tasks.quality.settings import Quality
from slac_tasks.quality.thresholds import smallest
from slac_tasks.storage.datasets.labelling import MeasureRow, QualityRow
from slac_tasks.verification.carrying import KINDS, PEOPLE
from slac_tasks.verification.settings import Review

MET, OUTSIDE, UNCLEAR, SHOWN = "met", "outside", "unclear", "shown"
SETTLED, PRECISION = "settled", "precision"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of the labels of one category."""

    category: str
    labels: pd.DataFrame
    """Its labels: columns video_id, strategy, status, label, first_two_agree and audit_share, the chance of its lot."""
    judged: pd.DataFrame
    """Clips with a better truth, with `precision.JUDGED`."""
    control: pd.DataFrame
    """The control of the other kinds: columns clip_id, kind, label, truth and weight."""
    floor: float | None = None
    """Precision that was asked of the category when it was added; None: what the settings say."""


def measures(evidence: Evidence, knobs: Quality, review: Review) -> list[MeasureRow]:
    """Return every measure of a category."""
    return [*_of_labels(evidence.labels, knobs, review), *_of_truth(evidence, knobs, review)]


def judged(category: str, rows: Sequence[MeasureRow]) -> QualityRow:
    """Return the verdict on a category, from its measures."""
    missed = [row for row in rows if row.state in (OUTSIDE, UNCLEAR)]
    # Of so few labels nothing else can be said.
    wrong = [row for row in missed if row.measure == SETTLED] or missed
    refused = any(row.state == OUTSIDE for row in wrong)
    found = {row.measure: row for row in rows if row.kind is None}
    settled = int(found[SETTLED].value or 0)
    return QualityRow(
        category=category,
        verdict="refused" if refused else "pending" if wrong else "accepted",
        reasons=tuple(map(reason, wrong)),
        failed=tuple(row.measure for row in wrong),
        shortfalls=tuple(map(shortfall, wrong)),
        settled=settled,
        positive=round((found["positive_share"].value or 0.0) * settled),
        agreement=found["agreement"].value,
        unsettled=round((found["unsettled_share"].value or 0.0) * found["unsettled_share"].count),
    )


def reason(row: MeasureRow) -> str:
    """Return why a measure is not met, in words, with the value found and the value wanted."""
    measure = row.measure.replace("_", " ")
    name = measure if row.kind is None else f"{measure} of {row.kind}'s labels"
    found = "unknown" if row.value is None else f"{row.value:.3f}" if row.high is not None else f"{row.value:g}"
    if row.low is not None and row.high is not None and row.value is not None:
        found += f" ({row.low:.3f} to {row.high:.3f}, {counted(row.count, 'clip')})"
    wanted = f"at least {row.least:g}" if row.most is None else f"{row.least or 0:g} to {row.most:g}"
    end = " at the lower end" if row.measure == PRECISION else ""
    more = f"; at least {counted(row.needed, 'answer more is', 'answers more are')} wanted" if row.needed else ""
    return f"{name} is {found}, want {wanted}{end}{more}"


def shortfall(row: MeasureRow) -> float | None:
    """Return how far a measure lies outside its range, in its own unit; None where it is unknown.

    Of precision it is the lower end that must lie in the range.
    """
    found = row.low if row.measure == PRECISION else row.value
    if found is None:
        return None
    least, most = -math.inf if row.least is None else row.least, math.inf if row.most is None else row.most
    return max(least - found, found - most)


def _of_labels(labels: pd.DataFrame, knobs: Quality, review: Review) -> Iterator[MeasureRow]:
    """Yield what the labels themselves say."""
    settled = labels[labels["status"] == "settled"]
    count = len(settled)
    yield MeasureRow(
        measure=SETTLED, kind=None, value=float(count), low=None, high=None, count=count, least=float(knobs.min_labels),
        most=None, state=MET if count >= knobs.min_labels else UNCLEAR,
        needed=max(0, knobs.min_labels - count) * review.votes_wanted or None,
    )  # fmt: skip
    twice = labels[labels["first_two_agree"].notna()]
    finished = labels[labels["status"] != "open"]
    shares = (
        ("agreement", twice, twice["first_two_agree"], knobs.min_agreement, 1.0),
        ("positive_share", settled, settled["label"] == 1, knobs.min_positive_share, knobs.max_positive_share),
        ("unsettled_share", finished, finished["status"] == "unsettled", 0.0, knobs.max_unsettled_share),
    )
    for name, clips, holds, least, most in shares:
        found = of_clips(holds.to_numpy(bool), clips["video_id"].to_numpy())
        yield _share(name, found, least, most)


def _of_truth(evidence: Evidence, knobs: Quality, review: Review) -> Iterator[MeasureRow]:
    """Yield what clips with a better truth say of the labels, by kind of label."""
    floor = knobs.floor(evidence.category) if evidence.floor is None else evidence.floor
    settled = evidence.labels[evidence.labels["status"] == "settled"]
    strata = strata_of_people(evidence.judged, settled)
    yield _precision(PEOPLE, strata, floor, review)
    gold = of_gold(evidence.judged)
    if gold.value is not None:
        yield _share("gold", gold, floor, None)
    for kind in (one for one in KINDS if one != PEOPLE):
        strata = strata_of_kind(evidence.control[evidence.control["kind"] == kind])
        if strata:
            # Each of these labels needs a certificate, which is stricter: people's labels do not wait for them.
            yield _row(PRECISION, of_strata(strata), kind=kind, least=floor, most=None, state=SHOWN, needed=None)


def _share(name: str, found: Estimate, least: float, most: float | None) -> MeasureRow:
    """Return a share that is judged by its value."""
    if found.value is None:
        state = UNCLEAR if least > 0 else MET
    else:
        state = MET if least <= found.value <= (1.0 if most is None else most) else OUTSIDE
    return _row(name, found, kind=None, least=least, most=most, state=state, needed=None)


def _precision(kind: str, strata: Sequence[Stratum], floor: float, review: Review) -> MeasureRow:
    """Return a precision that is judged by the lower end of its interval."""
    found = of_strata(strata)
    needed = None
    if found.low >= floor:
        state = MET
    elif best_case(strata) >= floor:
        state = OUTSIDE
    else:
        state = UNCLEAR
        more = smallest(lambda clips: best_case(strata, clips) >= floor)
        needed = None if more is None else more * max(review.control_votes, review.control_lead)
    return _row(PRECISION, found, kind=kind, least=floor, most=None, state=state, needed=needed)


def _row(
    measure: str, found: Estimate, *, kind: str | None, least: float, most: float | None, state: str, needed: int | None
) -> MeasureRow:
    return MeasureRow(
        measure=measure, kind=kind, value=found.value, low=found.low, high=found.high, count=found.count, least=least,
        most=most, state=state, needed=needed,
    )  # fmt: skip
