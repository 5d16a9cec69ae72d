"""The gate says yes, no and not yet, with each measure's value, interval and the value wanted."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from judged_labels import labels

from slac_tasks.admission.settings import Admission
from slac_tasks.errors import WrongArguments
from slac_tasks.mining.plan import plan_round, shares
from slac_tasks.mining.settings import Mining
from slac_tasks.quality.estimates import Stratum, best_case, of_strata
from slac_tasks.quality.gate import Evidence, judged, measures
from slac_tasks.quality.precision import JUDGED
from slac_tasks.quality.settings import Quality
from slac_tasks.storage.datasets.labelling import MeasureRow, QualityRow
from slac_tasks.verification.queue import CONTROLS, answers_per_clip
from slac_tasks.verification.settings import Review

KNOBS = Quality(min_labels=4, min_precision=0.0)
REVIEW = Review()


def clips(
    right: int, wrong: int = 0, *, audited: bool = False, known: bool = False, waiting: int = 0, share: float = 0.05
) -> pd.DataFrame:
    """Judged clips, each of a video of its own."""
    truth = [1] * right + [-1] * wrong + [0] * waiting
    names = [f"{'a' if audited else 'c'}{index}" for index in range(len(truth))]
    values = {"drawn": not audited and not known, "audited": audited, "audit_share": share, "label": 1, "known": known}
    kinds = {"drawn": bool, "audited": bool, "known": bool, "audit_share": float}
    return pd.DataFrame({"video_id": names, **values, "truth": truth})[list(JUDGED)].astype(kinds)


def evidence(
    table: pd.DataFrame | None = None,
    judged_clips: pd.DataFrame | None = None,
    control: pd.DataFrame | None = None,
    shares: Sequence[float] | None = None,
) -> Evidence:
    none = pd.DataFrame({name: [] for name in ("clip_id", "kind", "label", "truth", "weight")})
    return Evidence(
        category="judo",
        labels=(labels() if table is None else table).assign(audit_share=0.05 if shares is None else shares),
        judged=clips(0) if judged_clips is None else judged_clips,
        control=none if control is None else control,
    )


def verdict(of: Evidence, knobs: Quality = KNOBS) -> QualityRow:
    return judged("judo", measures(of, knobs, REVIEW))


def measure(of: Evidence, name: str, kind: str | None = None, knobs: Quality = KNOBS) -> MeasureRow:
    (row,) = [row for row in measures(of, knobs, REVIEW) if (row.measure, row.kind) == (name, kind)]
    return row


def test_sound_labels_are_accepted_with_every_measure_that_they_were_judged_by() -> None:
    found = verdict(evidence())
    assert (found.verdict, found.reasons, found.settled, found.positive) == ("accepted", (), 4, 2)
    assert found.agreement == 1.0
    rows = measures(evidence(), KNOBS, REVIEW)
    assert [(row.measure, row.kind) for row in rows] == [
        *((name, None) for name in ("settled", "agreement", "positive_share", "unsettled_share")),
        ("precision", "people"),
    ]  # fmt: skip
    positive = rows[2]
    assert (positive.value, positive.count, positive.least, positive.most) == (0.5, 4, 0.05, 0.98)
    assert positive.low == pytest.approx(0.0676, abs=1e-4)


def test_a_share_outside_its_range_refuses_and_its_reason_has_the_interval() -> None:
    found = verdict(evidence(labels(first_two_agree=[False, False, True, None], label=[1, 1, 1, 1])))
    assert found.verdict == "refused"
    assert found.reasons == (
        "agreement is 0.333 (0.008 to 0.906, 3 clips), want 0.75 to 1",
        "positive share is 1.000 (0.398 to 1.000, 4 clips), want 0.05 to 0.98",
    )
    assert found.shortfalls == (pytest.approx(0.75 - 1 / 3), pytest.approx(0.02))


def test_of_too_few_labels_nothing_else_is_said() -> None:
    found = verdict(evidence(labels(status=["open"] * 4, label=[None] * 4, first_two_agree=[None] * 4)))
    assert (found.verdict, found.agreement, found.failed) == ("pending", None, ("settled",))
    assert found.reasons == ("settled is 0, want at least 4; at least 8 answers more are wanted",)
    # Not even that all of them are positive, which of more labels would be a reason to refuse.
    few = verdict(evidence(labels(status=["settled", "open", "open", "open"], label=[1, None, None, None])))
    assert (few.verdict, few.failed) == ("pending", ("settled",))


def test_where_nothing_is_finished_nothing_is_unsettled() -> None:
    of_nothing = evidence(labels(status=["open"] * 4, label=[None] * 4, first_two_agree=[None] * 4))
    assert (measure(of_nothing, "unsettled_share").value, measure(of_nothing, "unsettled_share").state) == (None, "met")
    assert measure(of_nothing, "positive_share").state == "unclear"


def test_what_nobody_knows_yet_is_pending_and_the_reason_says_so() -> None:
    found = verdict(evidence(labels(first_two_agree=[None] * 4)))
    assert (found.verdict, found.agreement, found.shortfalls) == ("pending", None, (None,))
    assert found.reasons == ("agreement is unknown, want 0.75 to 1",)


def test_the_unsettled_are_a_share_of_what_is_finished() -> None:
    found = evidence(labels(status=["settled", "settled", "unsettled", "open"], label=[1, -1, None, None]))
    row = measure(found, "unsettled_share")
    assert (row.value, row.count) == (pytest.approx(1 / 3), 3)
    assert verdict(found).reasons == ("settled is 2, want at least 4; at least 4 answers more are wanted",)
    refused = verdict(found, replace(KNOBS, min_labels=2))
    assert (refused.verdict, refused.failed, refused.unsettled) == ("refused", ("unsettled_share",), 1)


FLOOR = replace(KNOBS, min_precision=0.8)
CHOSEN = labels(strategy=["random", "disagreement", "disagreement", "consensus"])


def test_precision_is_met_where_its_lower_end_reaches_the_floor() -> None:
    sure = evidence(CHOSEN, pd.concat([clips(30), clips(40, audited=True)]))
    assert verdict(sure, FLOOR).verdict == "accepted"
    row = measure(sure, "precision", "people", FLOOR)
    assert (row.value, row.count, row.least, row.state) == (1.0, 70, 0.8, "met")
    assert row.low is not None
    assert 0.9 < row.low < 1


def test_precision_under_the_floor_refuses_by_its_lower_end() -> None:
    doubtful = evidence(CHOSEN, pd.concat([clips(30), clips(37, 3, audited=True)]))
    row = measure(doubtful, "precision", "people", FLOOR)
    assert row.value is not None
    assert row.value > 0.9
    found = verdict(doubtful, replace(FLOOR, min_precision=0.9))
    assert (found.verdict, found.failed) == ("refused", ("precision",))
    assert "want at least 0.9 at the lower end" in found.reasons[0]
    assert row.low is not None
    assert found.shortfalls == (pytest.approx(0.9 - row.low),)


def test_too_little_evidence_of_precision_is_pending_with_what_is_wanted() -> None:
    little = evidence(CHOSEN, pd.concat([clips(5), clips(1, audited=True)]))
    found = verdict(little, FLOOR)
    assert (found.verdict, found.failed) == ("pending", ("precision",))
    row = measure(little, "precision", "people", FLOOR)
    assert row.needed is not None
    assert f"at least {row.needed:,} answers more are wanted" in found.reasons[0]
    # So many clips more, drawn by the same lots, are enough if all of them are right, and one fewer is not.
    strata = [
        Stratum(labels=1, clips=5, right=5, size=5), Stratum(labels=3, rate=0.05, clips=1, right=1, size=1),
    ]  # fmt: skip
    more = row.needed // 3
    assert best_case(strata, more) >= 0.8 > best_case(strata, more - 1)


def test_without_a_single_judged_clip_precision_is_unknown_and_the_category_pending() -> None:
    found = verdict(evidence(CHOSEN), FLOOR)
    assert found.verdict == "pending"
    assert found.reasons[0].startswith("precision of people's labels is unknown, want at least 0.8")
    assert verdict(evidence(CHOSEN), KNOBS).verdict == "accepted"  # no floor


def test_what_is_refused_names_what_is_not_known_too_since_an_approval_covers_both() -> None:
    one_sided = labels(label=[1, 1, 1, 1], strategy=["random", *["disagreement"] * 3])
    found = verdict(evidence(one_sided), FLOOR)
    assert (found.verdict, found.failed) == ("refused", ("positive_share", "precision"))


def test_a_category_may_have_a_floor_of_its_own() -> None:
    judo = replace(KNOBS, floors=("judo: 0.8", "polo: 0.2"))
    assert measure(evidence(), "precision", "people", judo).least == 0.8
    asked = replace(evidence(), floor=0.5)
    assert measure(asked, "precision", "people", judo).least == 0.5, "what was asked when it was added comes first"
    assert judo.floor("chess") == 0.0
    for wrong in ("judo 0.8", "judo: 2", ": 0.5", "judo: nan"):
        with pytest.raises(WrongArguments, match="floors"):
            Quality(floors=(wrong,))
    with pytest.raises(WrongArguments, match="one share for each category"):
        Quality(floors=("judo: 0.8", "judo: 0.9"))


def test_gold_is_a_measure_of_its_own() -> None:
    gold = evidence(CHOSEN, pd.concat([clips(30), clips(40, audited=True), clips(6, 4, known=True)]))
    assert measure(gold, "gold", None, FLOOR).value == 0.6
    assert measure(gold, "precision", "people", FLOOR).count == 70
    assert verdict(gold, FLOOR).failed == ("gold",)


def test_the_other_kinds_are_shown_with_their_interval_and_hold_up_nothing() -> None:
    control = pd.DataFrame(
        {
            "clip_id": [f"v{index}:0" for index in range(40)],
            "kind": ["carried"] * 20 + ["model"] * 20,
            "label": 1,
            "truth": [1] * 20 + [1, -1] * 10,
            "weight": [1.0, 4.0] * 10 + [1.0] * 20,
        }
    )
    both = evidence(CHOSEN, pd.concat([clips(30), clips(40, audited=True)]), control)
    carried, model = (measure(both, "precision", kind, FLOOR) for kind in ("carried", "model"))
    assert (carried.value, model.value) == (1.0, 0.5)
    assert (carried.state, model.state) == ("shown", "shown")
    assert model.high is not None
    assert model.high < 0.8
    assert verdict(both, FLOOR).verdict == "accepted"


def test_rounds_that_were_audited_by_other_shares_weigh_as_many_labels_as_each_has() -> None:
    table = pd.concat([labels(strategy=["coverage"] * 4)] * 1000, ignore_index=True)
    # 2 % of the first 2,000 labels are wrong, of which 40 % were audited; 30 % of the next, of which 5 % were.
    found = pd.concat([clips(784, 16, audited=True, share=0.4), clips(70, 30, audited=True, share=0.05)])
    row = measure(evidence(table, found, shares=[0.4] * 2000 + [0.05] * 2000), "precision", "people")
    assert row.value == pytest.approx(1 - (0.02 + 0.3) / 2)
    assert row.low is not None
    # Of labels that were chosen without an audit nothing is known.
    row = measure(evidence(table, found, shares=[0.4] * 2000 + [0.0] * 2000), "precision", "people")
    assert row.value == pytest.approx(0.98)
    assert (row.low, row.high) == (pytest.approx(0.483, abs=2e-3), pytest.approx(0.994, abs=2e-3))


@pytest.mark.parametrize(("wrong", "passes"), [(0, True), (1, True), (2, True), (4, False)])
def test_a_default_round_can_show_the_default_floor(wrong: int, passes: bool) -> None:
    mining, review, admission = Mining(), Review(), Admission()
    control = sum(share for strategy, share in shares(mining).items() if strategy in CONTROLS)
    judging = admission.validation_share + admission.testing_share
    seconds = mining.seconds_per_answer * answers_per_clip(review, control, judging)
    plan = plan_round(mining, seconds_per_clip=seconds)
    drawn = sum(count for strategy, count in plan.clips.items() if strategy in ("random", "companion"))
    chosen = sum(plan.clips.values()) - drawn
    audited = round(chosen * review.audit_share)
    assert (drawn, chosen, audited) == (30, 240, 12)
    strata = [
        Stratum(labels=drawn, clips=drawn, right=drawn, size=drawn),
        Stratum(labels=chosen, rate=review.audit_share, clips=audited, right=audited - wrong, size=audited),
    ]
    assert (of_strata(strata).low >= Quality().min_precision) is passes
    assert np.isclose(best_case(strata), 0.764, atol=1e-3)
