"""A certificate says what is good enough, says nothing without evidence, and says how much evidence is lacking."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from slac_tasks.quality.certificate import CONTROL, WAITING, Before, certified_bounds, certify, waiting
from slac_tasks.quality.settings import Quality
from slac_tasks.storage.datasets.labelling import CertificateRow

KNOBS = Quality()


def control(
    count: int, wrong: int = 0, category: str = "judo", kind: str = "model", confidence: float = 1.0, first: int = 0
) -> pd.DataFrame:
    """The first `wrong` of so many clips are labelled wrong."""
    return pd.DataFrame(
        {
            "clip_id": [f"{category}{number}:0" for number in range(first, first + count)], "category": category,
            "kind": kind, "label": np.where(np.arange(count) < wrong, -1, 1), "confidence": confidence, "truth": 1,
            "weight": 1.0,
        },
        columns=list(CONTROL),
    )  # fmt: skip


def gold(count: int, wrong: int = 0) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "clip_id": [f"gold{number}:0" for number in range(count)], "category": "judo",
            "said": np.where(np.arange(count) < wrong, -1, 1), "known": 1,
        }
    )  # fmt: skip


def labels(*confidences: float, category: str = "judo") -> pa.Table:
    kinds = ["model"] * len(confidences)
    return pa.table({"category": [category] * len(confidences), "kind": kinds, "confidence": list(confidences)})


def waits(*confidences: float) -> pd.DataFrame:
    return waiting([labels(*confidences)])


def by_category(rows: Sequence[CertificateRow]) -> dict[str | None, CertificateRow]:
    return {row.category: row for row in rows}


def test_labels_are_counted_part_by_part() -> None:
    found = waiting([labels(0.96, 0.95, 0.1), labels(0.97), labels(0.1, category="chess"), labels()])
    assert found.to_dict("split")["data"] == [
        ["chess", "model", 8, 1, 0.1],
        ["judo", "model", 2, 3, 0.95],
        ["judo", "model", 8, 1, 0.1],
    ]
    assert found.columns.tolist() == waiting([]).columns.tolist() == list(WAITING)
    assert certify(control(0), waiting([]), gold(0), KNOBS) == []


def test_good_labels_are_certified_and_the_two_bounds_add_up() -> None:
    found = by_category(certify(control(1000, 5), waits(1.0, 1.0), gold(500, 1), KNOBS))
    assert set(found) == {None, "judo"}
    for row in found.values():
        assert (row.threshold, row.certified, row.control, row.errors, row.gold) == (0.0, 2, 1000, 5, 500)
        assert row.bound == pytest.approx(row.disagreement_bound + row.people_bound)
        assert row.bound <= row.wanted == 0.05
        assert row.answers_needed is None


def test_labels_below_the_threshold_are_not_certified() -> None:
    both = pd.concat([control(1000, 5, confidence=0.96), control(1000, 300, confidence=0.6, first=1000)])
    (together, judo) = certify(both, waits(0.96, 0.6, 0.97), gold(800), KNOBS)
    assert (judo.threshold, judo.certified, judo.control) == (0.7, 2, 1000)
    assert replace(together, category="judo") == judo


@pytest.mark.parametrize(("clips", "golden"), [(0, 0), (1000, 0), (0, 1000), (40, 40)])
def test_without_evidence_nothing_is_certified(clips: int, golden: int) -> None:
    for row in certify(control(clips), waits(1.0), gold(golden), KNOBS):
        assert (row.threshold, row.certified) == (None, 0)
        assert row.answers_needed
        assert row.gold_needed is not None
        assert (row.bound is None) == (clips == 0 or golden == 0)


@pytest.mark.parametrize(("clips", "wrong", "golden"), [(0, 0, 0), (60, 0, 100), (100, 3, 600), (300, 1, 200)])
def test_so_many_clean_answers_more_certify_and_no_fewer_do(clips: int, wrong: int, golden: int) -> None:
    (row, _) = certify(control(clips, wrong), waits(1.0), gold(golden), KNOBS)
    assert row.threshold is None
    more_gold = row.gold_needed // 3
    more = row.answers_needed // 3 - more_gold
    now = certify(control(clips + more, wrong), waits(1.0), gold(golden + more_gold), KNOBS)
    assert by_category(now)[None].threshold is not None
    assert more
    now = certify(control(clips + more - 1, wrong), waits(1.0), gold(golden + more_gold), KNOBS)
    assert by_category(now)[None].threshold is None


def test_control_below_every_label_says_nothing() -> None:
    both = pd.concat([control(1000, 5, confidence=0.96), control(1000, 300, confidence=0.6, first=1000)])
    (row, _) = certify(both, waits(0.96, 0.92), gold(800), KNOBS)
    assert (row.threshold, row.control, row.errors) == (0.0, 1000, 5)


def test_a_clip_on_which_people_are_to_be_asked_on_counts_as_wrong_and_is_no_new_way_once_they_decide() -> None:
    waiting_clips = control(1000).assign(truth=np.where(np.arange(1000) < 20, 0, 1))
    first = certify(waiting_clips, waits(1.0), gold(500), KNOBS)
    assert {row.errors for row in first} == {20}
    before = Before(rows=first, control=waiting_clips)
    decided = certify(control(1000), waits(1.0), gold(500), KNOBS, before)
    assert {(row.errors, row.rules) for row in decided} == {(0, 1)}
    overturned = certify(waiting_clips.assign(truth=-waiting_clips["truth"]), waits(1.0), gold(500), KNOBS, before)
    assert {row.rules for row in overturned} == {2}


def test_where_some_labels_could_not_be_drawn_nothing_is_said_of_any_and_no_answers_cure_it() -> None:
    unaudited = control(1000).assign(weight=0.0, category="chess")
    found = by_category(certify(pd.concat([control(1000), unaudited]), waits(1.0), gold(500), KNOBS))
    assert found["judo"].threshold == 0.0
    for row in (found["chess"], found[None]):
        assert (row.threshold, row.bound, row.control) == (None, None, 0)
        assert (row.answers_needed, row.gold_needed) == (None, None)


def test_a_heavy_clip_weighs_more() -> None:
    clips = control(2000, 20)
    heavy = clips.assign(weight=np.where(clips["label"] == -1, 20.0, 1.0))
    light = clips.assign(weight=np.where(clips["label"] == -1, 1.0, 20.0))
    bounds = [certify(one, waits(1.0), gold(800), KNOBS)[0].disagreement_bound for one in (heavy, clips, light)]
    assert bounds[0] > bounds[1]
    assert bounds[0] > 0.1, "20 of 2000 clips stand for a sixth of the weight"
    assert bounds[2] < bounds[0]


def test_labels_that_change_are_a_new_way_and_clips_that_come_are_not() -> None:
    before_control = pd.concat([control(400), control(400, category="chess")])
    first = certify(before_control, waits(1.0), gold(800), KNOBS)
    before = Before(rows=first, control=before_control)
    assert {row.category: row.rules for row in first} == {None: 1, "judo": 1, "chess": 1}
    grown = certify(pd.concat([before_control, control(100, first=400)]), waits(1.0), gold(800), KNOBS, before)
    assert {row.category: row.rules for row in grown} == {None: 1, "judo": 1, "chess": 1}
    surer = before_control.assign(confidence=np.where(before_control["category"] == "judo", 0.99, 1.0))
    changed = certify(surer, waits(0.99), gold(800), KNOBS, before)
    assert {row.category: row.rules for row in changed} == {None: 2, "judo": 2, "chess": 1}
    lost = certify(before_control, waits(1.0), gold(800), KNOBS, replace(before, control=None))
    assert {row.category: row.rules for row in lost} == {None: 2, "judo": 2, "chess": 2}
    assert by_category(changed)["judo"].disagreement_bound > by_category(first)["judo"].disagreement_bound


def test_the_promise_says_whose_threshold_counts() -> None:
    (together, judo) = certify(control(1000, 5), waits(1.0), gold(500), KNOBS)
    rows = [replace(together, threshold=0.9), judo, replace(judo, category="chess", threshold=None)]
    some = ["judo", "chess", "judo", "boxing"], [0.5, 0.99, 0.9, 0.89]
    bounds = [certified_bounds(rows, "model", *some, promise).tolist() for promise in ("category", "all")]
    assert bounds == [
        pytest.approx([judo.bound, np.nan, judo.bound, np.nan], nan_ok=True),
        pytest.approx([np.nan, together.bound, together.bound, np.nan], nan_ok=True),
    ]
    assert np.isnan(certified_bounds(rows, "carried", *some, "all")).all()
    assert np.isnan(certified_bounds([], "model", *some, "category")).all()


def of_sets(right: int, wrong: int = 0) -> list[CertificateRow]:
    """The certificate of a thousand labels from sets, with gold in sets and nothing else."""
    rows = pd.concat([control(right, kind="sets"), control(wrong, wrong=wrong, kind="sets")])
    waiting_ = waits(*[0.95] * 1000).assign(kind="sets")
    return certify(rows, waiting_, gold(0), Quality())


def test_labels_from_sets_are_certified_by_gold_in_sets_alone() -> None:
    every, judo = of_sets(400)
    assert every.threshold is not None
    assert judo.certified == 1000
    assert judo.bound == judo.people_bound
    assert judo.bound is not None
    assert judo.bound <= 0.05
    assert (judo.gold, judo.gold_errors, judo.control, judo.disagreement_bound) == (400, 0, 0, None)


@pytest.mark.parametrize(("right", "wrong"), [(0, 0), (20, 0), (300, 40)])
def test_without_enough_gold_in_sets_nothing_of_them_is_certified(right: int, wrong: int) -> None:
    (judo,) = (row for row in of_sets(right, wrong) if row.category == "judo")
    assert (judo.threshold, judo.certified) == (None, 0)
    assert judo.answers_needed == judo.gold_needed
    assert judo.answers_needed is not None
    assert judo.answers_needed > 0
    (enough,) = (row for row in of_sets(right + judo.answers_needed // 3, wrong) if row.category == "judo")
    assert enough.threshold is not None
