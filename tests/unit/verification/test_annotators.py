"""Who is good, who clicks, who tires: rates with intervals that hold, and flags that name the right people."""

import numpy as np
import pyarrow as pa
import pytest
from crowds import crowd, vote_table

from slac_tasks.intervals import wilson
from slac_tasks.storage.datasets.labelling import PersonRow
from slac_tasks.verification.aggregation.dawid_skene import Model
from slac_tasks.verification.annotators import DRIFTING, HURRIED, RANDOM, STRAIGHT_LINE, qualities
from slac_tasks.verification.ballots import Ballots, read_ballots

PEOPLE = 20


def measured(ballots: Ballots, seconds: np.ndarray | None = None) -> list[PersonRow]:
    pace = np.full(len(ballots.answer), 3.5) if seconds is None else seconds
    return qualities(ballots, pace, Model())


def test_rates_have_intervals_that_hold_and_the_right_people_are_flagged() -> None:
    chance = np.random.default_rng(0)
    sensitivity, specificity = chance.uniform(0.85, 0.95, PEOPLE), chance.uniform(0.89, 0.97, PEOPLE)
    sensitivity[3] = specificity[3] = 0.5
    sensitivity[7], specificity[7] = 0.0, 1.0  # no, whatever is shown
    ballots, _ = crowd(0, 2000, sensitivity, specificity)
    seconds = np.where(ballots.person == 5, 0.4, 3.5)
    found = measured(ballots, seconds)
    overall = found[:PEOPLE]
    assert [row.annotator for row in overall] == list(ballots.people)
    inside = [
        row.sensitivity_low <= true <= row.sensitivity_high for row, true in zip(overall, sensitivity, strict=True)
    ] + [row.specificity_low <= true <= row.specificity_high for row, true in zip(overall, specificity, strict=True)]
    assert np.mean(inside) >= 0.85
    flags = {row.annotator: row.flags for row in overall if row.flags}
    assert flags == {"p03": (RANDOM,), "p05": (HURRIED,), "p07": (RANDOM, STRAIGHT_LINE)}
    assert sum(row.answers for row in overall) == len(ballots.answer), "nobody's answers are left out"
    by_category = found[PEOPLE:]
    assert {row.category for row in by_category} == {"c0", "c1"}
    assert sum(row.answers for row in by_category) == len(ballots.answer)
    # Half the answers: a wider interval.
    widths = [(row.sensitivity_high - row.sensitivity_low) for row in found]
    assert np.mean(widths[PEOPLE:]) > np.mean(widths[:PEOPLE])


def test_intervals_hold_where_nobody_knows_the_truth() -> None:
    inside = []
    for seed in range(4):
        chance = np.random.default_rng(seed)
        sensitivity, specificity = chance.beta(18, 2, 30), chance.beta(18, 2, 30)
        ballots, _ = crowd(seed, 600, sensitivity, specificity)
        for row, of_yes, of_no in zip(measured(ballots)[:30], sensitivity, specificity, strict=True):
            inside.append(row.sensitivity_low <= of_yes <= row.sensitivity_high)
            inside.append(row.specificity_low <= of_no <= row.specificity_high)
    assert np.mean(inside) >= 0.9


def test_a_vote_says_less_of_a_person_where_the_truth_is_in_doubt() -> None:
    rates = np.full(PEOPLE, 0.8)
    ballots, truth = crowd(4, 2000, rates, rates)
    names = zip(ballots.category.tolist(), ballots.clip_ids.to_pylist(), strict=True)
    known = {(ballots.categories[of], clip): bool(yes) for (of, clip), yes in zip(names, truth, strict=True)}
    sure = qualities(ballots, np.full(len(ballots.answer), 3.5), Model(), known)
    widths = [
        np.mean([row.sensitivity_high - row.sensitivity_low for row in rows[:PEOPLE]])
        for rows in (measured(ballots), sure)
    ]
    assert widths[0] > 1.15 * widths[1]


def test_somebody_who_tires_is_seen() -> None:
    good = np.full(10, 0.93)
    ballots, truth = crowd(1, 1500, good, good)
    late = (ballots.person == 2) & (ballots.cast_at > np.median(ballots.cast_at))
    chance = np.random.default_rng(2)
    ballots.answer[late] = chance.integers(0, 2, int(late.sum()))
    flags = {row.annotator: row.flags for row in measured(ballots)[:10]}
    assert flags.pop("p02") == (DRIFTING,)
    assert not any(flags.values())
    assert len(truth) == ballots.clips


def test_gold_counts_and_teaches() -> None:
    rates = np.full(6, 0.9)
    ballots, truth = crowd(3, 300, rates, rates)
    names = zip(ballots.category.tolist(), ballots.clip_ids.to_pylist(), truth.tolist(), strict=True)
    known = {(ballots.categories[category], clip): bool(true) for category, clip, true in names}
    found = qualities(ballots, np.full(len(ballots.answer), 3.5), Model(), known)
    for row in found[:6]:
        said = ballots.person == ballots.people.index(row.annotator)
        right = (ballots.answer[said] == 0) == truth[ballots.clip[said]]
        assert (row.gold, row.gold_right) == (int(said.sum()), int(right.sum()))


def test_only_a_yes_or_no_about_gold_is_an_answer_to_gold() -> None:
    rows = [("g1", "yes", None), ("g2", "unsure", None), ("g3", "broken", None), ("g4", "yes", None), ("a", "no", None)]
    gold = {("judo", clip): clip == "g1" for clip in ("g1", "g2", "g3", "g4")}
    row = qualities(in_sets(rows), np.full(len(rows), 3.0), Model(), gold)[0]
    assert (row.answers, row.gold, row.gold_right) == (5, 2, 1)


def test_few_answers_raise_no_flag_and_no_drift() -> None:
    ballots, _ = crowd(4, 6, np.full(3, 0.5), np.full(3, 0.5))
    for row in measured(ballots):
        assert (row.flags, row.drift) == ((), None)
        assert 0 < row.sensitivity_low < row.sensitivity < row.sensitivity_high < 1
        assert row.seconds == pytest.approx(3.5)


def in_sets(rows: list[tuple[str, str, str | None]]) -> Ballots:
    """Ballots of one person from (clip, answer, set)."""
    clips, answers, sets = (list(column) for column in zip(*rows, strict=True))
    table = vote_table(clips, ["ann"] * len(rows), answers, ["judo"] * len(rows))
    return read_ballots(table.set_column(table.column_names.index("set_id"), "set_id", pa.array(sets, pa.string())))


def missed(rows: list[tuple[str, str, str | None]], known: dict[str, bool]) -> list[object]:
    gold = {("judo", clip): contains for clip, contains in known.items()}
    row = qualities(in_sets(rows), np.full(len(rows), 3.0), Model(), gold)[0]
    return [row.set_gold, row.set_missed, row.set_miss_low, row.set_miss_high]


def test_the_pace_of_a_set_is_no_hurry() -> None:
    sets = [(f"c{number}", "no", f"s{number // 12}") for number in range(48)]
    alone = [(clip, answer, None) for clip, answer, _ in sets]
    fast = np.full(48, 0.8)
    assert HURRIED not in qualities(in_sets(sets), fast, Model())[0].flags
    assert HURRIED in qualities(in_sets(alone), fast, Model())[0].flags


def test_gold_that_got_the_wrong_answer_of_its_set_was_missed() -> None:
    first = [(f"a{number}", "no", "s1") for number in range(5)]
    second = [(f"b{number}", "yes", "s2") for number in range(5)]
    rows = [*first, *second, ("g1", "no", "s1"), ("g2", "yes", "s1"), ("g3", "yes", "s2"), ("g4", "no", "s1")]
    known = {"g1": True, "g2": True, "g3": True, "g4": False}
    # g3 and g4 were to get the answer of their sets; g1 and g2 were not, and g1 got it.
    assert missed(rows, known) == [2, 1, *map(pytest.approx, wilson(1, 2))]


@pytest.mark.parametrize(
    ("rows", "known"),
    [
        ([("a", "no", None), ("g", "no", None)], {"g": True}),
        ([("a", "no", "s"), ("b", "yes", "s"), ("g", "no", "s")], {"g": True}),
        ([("a", "no", "s"), ("g", "unsure", "s")], {"g": True}),
        ([("a", "no", "s"), ("g", "no", "t")], {"g": True}),
    ],
    ids=["alone", "a set without an answer of most", "unsure", "another set"],
)
def test_gold_that_no_set_could_hide_says_nothing_of_sets(
    rows: list[tuple[str, str, str | None]], known: dict[str, bool]
) -> None:
    assert missed(rows, known) == [0, 0, None, None]
