"""What a round was worth, on clips that can be counted by hand."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_trends import trends_of

from slac_tasks.intervals import ratio, wilson
from slac_tasks.reports import round_charts, rounds, rounds_page
from slac_tasks.reports.shares import Share
from slac_tasks.storage.datasets import HARD_CLIPS, LABELS, ROUNDS, VOTES
from slac_tasks.storage.datasets.labelling import RoundRow
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets

ROUND = "2026-01-05.p0001"


def clips(strategy: str, labels: list[float], *, seconds: float = 6.0, **scores: list[float]) -> pd.DataFrame:
    places = range(len(labels))
    return pd.DataFrame(
        {"clip_id": [f"{strategy}:{place}" for place in places], "category": "judo", "round": ROUND,
         "strategy": strategy, "video_id": [f"{strategy}{place}" for place in places], "label": labels,
         "seconds": seconds, **scores}
    )  # fmt: skip


def of(found: list[RoundRow], measure: str, **where: Any) -> list[RoundRow]:
    whole = [row for row in found if row.round is None] if "round" not in where else found
    return [row for row in whole if row.measure == measure and all(getattr(row, k) == v for k, v in where.items())]


@pytest.fixture
def measured() -> list[RoundRow]:
    nan = float("nan")
    asked = pd.concat(
        [
            clips("random", [1, -1, -1, -1], a=[0.9, 0.1, 0.2, 0.6], b=[0.8, 0.3, 0.1, 0.2], joint=[0.9, 0, 0, 0.4]),
            clips("consensus", [1, 1, 1, -1, nan], a=[0.9] * 5, b=[0.95] * 5, joint=[1.0] * 5, seconds=12.0),
        ],
        ignore_index=True,
    )  # fmt: skip
    return rounds.measured(asked)


def test_shares_are_of_settled_labels_and_time_is_of_all(measured: list[RoundRow]) -> None:
    (share,) = of(measured, "positive_share", strategy="consensus", category=None)
    assert (share.count, share.value, share.low, share.high) == (4, 0.75, *wilson(3, 4))
    # 3 positives in 5 clips of 12 s: a minute
    (rate,) = of(measured, "positives_per_minute", strategy="consensus")
    assert rate.value == pytest.approx(3.0)
    assert (rate.low, rate.high) == pytest.approx([4 * end for end in wilson(3, 4)])


def test_the_lift_is_a_ratio_of_rates(measured: list[RoundRow]) -> None:
    # random: 1 positive in 4 clips of 6 s is 2.5 a minute
    (found,) = of(measured, "lift_over_random")
    assert found.strategy == "consensus"
    assert found.value == pytest.approx(3.0 / 2.5)
    # 3 of 4 in a minute beside 1 of 4 in 24 s
    assert (found.low, found.high) == pytest.approx([end * 4 / 10 for end in ratio(3, 4, 1, 4)])


@given(st.integers(1, 50), st.integers(0, 50), st.floats(1, 100))
def test_a_strategy_that_is_random_has_no_lift(positive: int, negative: int, minutes: float) -> None:
    same = (Share.of("", positive, positive + negative), minutes)
    found, low, high = rounds.lift(same, same) or (0, 0, 0)
    assert found == pytest.approx(1.0)
    assert low < found < high, "not even where every clip was positive"


def test_what_took_nobody_any_time_has_a_share_and_no_rate() -> None:
    found = rounds.measured(pd.concat([clips("random", [1, -1]), clips("consensus", [1, -1], seconds=0.0)]))
    assert of(found, "positive_share", strategy="consensus", category=None)
    assert of(found, "positives_per_minute", strategy="random")
    assert not of(found, "positives_per_minute", strategy="consensus")
    assert not of(found, "lift_over_random")


def test_no_positives_no_lift() -> None:
    none, one = Share.of("", 0, 5), Share.of("", 1, 5)
    assert rounds.lift((none, 1.0), (one, 1.0)) is None
    assert rounds.lift((one, 1.0), (none, 1.0)) is None


def test_members_are_compared_on_the_control_alone(measured: list[RoundRow]) -> None:
    # a says yes no no yes, b says yes no no no
    (found,) = of(measured, "agreement", member="a", other="b")
    assert (found.count, found.value) == (4, 0.75)
    # chance: 0.5 x 0.25 + 0.5 x 0.75 = 0.5
    (kappa,) = of(measured, "kappa", member="a", other="b")
    assert kappa.value == pytest.approx((0.75 - 0.5) / 0.5)


def test_calibration_compares_scores_with_what_people_said(measured: list[RoundRow]) -> None:
    bins = {row.bin: (row.count, row.value) for row in of(measured, "reliability", member="a")}
    # A tenth holds its upper end: 0.9 is in the one that begins at 0.8.
    assert bins == {0.0: (1, 0.0), 0.1: (1, 0.0), 0.5: (1, 0.0), 0.8: (1, 1.0)}
    (error,) = of(measured, "calibration_error", member="a")
    assert error.value == pytest.approx((0.1 + 0.2 + 0.6 + 0.1) / 4)


def test_histograms_count_every_clip_of_a_strategy(measured: list[RoundRow]) -> None:
    found = of(measured, "scores", member="joint", strategy="consensus")
    assert [row.count for row in found] == [0] * 9 + [5]
    assert sum(row.value for row in of(measured, "scores", member="a", strategy="random")) == pytest.approx(1.0)


def test_members_who_always_say_the_same_have_no_kappa() -> None:
    same = rounds.measured(clips("random", [1, -1], a=[0.9, 0.8], b=[0.7, 0.9], joint=[0.9, 0.8]))
    (found,) = of(same, "kappa")
    assert found.value is None


def test_rows_fit_the_dataset_and_the_page_shows_them(measured: list[RoundRow]) -> None:
    keys = [tuple(row[name] for name in ROUNDS.unique) for row in ROUNDS.table(measured).to_pylist()]
    assert len(set(keys)) == len(keys)
    html = page(measured)
    assert "1 round up to labels" in html
    assert "1.20 <small" in html, "the lift over random"
    assert "a, 2026-01-05: 25 % of 4" in html, "the calibration error"
    assert "judo" in html


def test_a_page_without_labels_says_so() -> None:
    assert "No settled labels yet." in page([])


def test_names_are_escaped() -> None:
    found = rounds.measured(clips("<b>", [1.0, -1.0]))
    assert "&lt;b&gt;" in page(found)
    assert "<b>&lt;b&gt;" not in page(found)


def page(rows: list[RoundRow]) -> str:
    return rounds_page.page(
        trends_of(
            rounds=len(round_charts.rounds_of(rows)), over_rounds=round_charts.over_rounds(rows),
            of_members=round_charts.of_members(rows), found=round_charts.found(rows),
        )
    )  # fmt: skip


NOTHING = {
    pa.string(): "", pa.float64(): 0.0, pa.float32(): 0.0, pa.bool_(): False,
    pa.timestamp("us", tz="UTC"): datetime(2026, 1, 5, tzinfo=UTC),
}  # fmt: skip


def filled(dataset: Dataset[Any], rows: list[dict[str, Any]]) -> pa.Table:
    """Return rows with something in every column that must not be unknown."""
    empty = {
        each.name: [] if pa.types.is_list(each.type) else NOTHING.get(each.type, 0)
        for each in dataset.schema if not each.nullable
    }  # fmt: skip
    return dataset.from_records([empty | row for row in rows])


def test_a_clip_that_was_asked_has_the_scores_of_its_round_what_people_said_and_their_seconds(
    store: FolderStore,
) -> None:
    datasets = Datasets(store)
    made: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}}

    def hard(round: str, scores: dict[str, dict[str, float]]) -> Any:
        rows = [
            {"clip_id": clip, "video_id": clip[0], "strategy": "random", "consensus": sum(of.values()) / len(of),
             "scores": [{"member": name, "weights": name, "score": score} for name, score in of.items()]}
            for clip, of in scores.items()
        ]  # fmt: skip
        keys = {"category": "judo", "round": round}
        return datasets.write(HARD_CLIPS, [filled(HARD_CLIPS, rows)], keys=keys, **made)

    found = [
        hard(ROUND, {"a:0": {"x": 0.5, "y": 0.7}, "b:0": {"x": 0.1, "y": 0.3}}),
        hard("later", {"c:0": {"z": 0.9}}),
    ]
    said = [("a:0", ROUND, "settled", 1), ("b:0", ROUND, "unsettled", -1), ("c:0", "later", "settled", -1)]
    labels = [
        {"clip_id": clip, "category": "judo", "round": round, "strategy": "random", "video_id": clip[0],
         "status": status, "label": label}
        for clip, round, status, label in said
    ]  # fmt: skip
    datasets.write(LABELS, [filled(LABELS, labels)], keys={"labels": "000001"}, **made)
    votes = [
        datasets.write(
            VOTES,
            [filled(VOTES, [
                {"vote_id": f"{batch}{place}", "clip_id": clip, "category": "judo", "seconds": seconds}
                for place, clip in enumerate(clips)
            ])],
            keys={"batch": batch}, **made,
        )
        for batch, seconds, clips in (("000001", 2.0, ("a:0", "a:0", "b:0")), ("000002", 3.0, ("a:0",)))
    ]  # fmt: skip
    asked = rounds.answered(datasets, found, votes, "000001").sort_values("clip_id")
    assert rounds.members_of(asked) == ["x", "y", "z"]
    rows = asked[["clip_id", "label", "seconds", rounds.JOINT, "x", "y", "z"]].astype(object)
    assert rows.where(rows.notna(), None).to_numpy().tolist() == [
        ["a:0", 1.0, 7.0, pytest.approx(0.6), pytest.approx(0.5), pytest.approx(0.7), None],
        ["b:0", None, 2.0, pytest.approx(0.2), pytest.approx(0.1), pytest.approx(0.3), None],
        ["c:0", -1.0, None, pytest.approx(0.9), None, None, pytest.approx(0.9)],
    ]
    unasked = rounds.answered(datasets, found, [], "000001")
    assert unasked["seconds"].tolist() == [0.0] * 3
