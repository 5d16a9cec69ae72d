"""The random control judges, and each of its clips stands for as many as it was drawn from."""

import pytest
from release_rows import release_row

from slac_tasks.evaluation.judging import FEW, calibration, judges, of_testing, window_of
from slac_tasks.storage.datasets.releasing import GoldJudgeRow, JudgedRow, ReleaseRow

TRAINING, VALIDATION, TESTING = 0, 1, 2


def answers(split: int, count: int, strategy: str = "random", week: str = "2026-01-05") -> list[ReleaseRow]:
    """Return answers on so many clips of this split, one of a video."""
    rows = [release_row(3 * number + split, 1.0) for number in range(count)]
    fields = {name: getattr(rows[0], name) for name in ReleaseRow.__dataclass_fields__} if rows else {}
    return [
        ReleaseRow(**{**fields, "clip_id": row.clip_id, "video_id": row.video_id, "split": row.split,
                      "strategy": strategy, "round": f"{week}.p1"})
        for row in rows
    ]  # fmt: skip


def test_chosen_clips_do_not_judge_where_there_is_enough_control() -> None:
    found = judges(answers(TESTING, FEW) + answers(TESTING, 99, "disagreement"), {})
    assert (found.control, len(found.rows)) == (True, FEW)
    assert {row.strategy for row in found.rows} == {"random"}


def test_the_control_of_validation_helps_out_before_chosen_clips_do() -> None:
    found = judges(answers(TESTING, 10) + answers(VALIDATION, 20) + answers(TESTING, 50, "consensus"), {})
    assert (found.control, len(found.rows)) == (True, 30)
    few = judges(answers(TESTING, 10) + answers(TESTING, 50, "consensus"), {})
    assert (few.control, len(few.rows), few.judged_on) == (False, 60, "testing clips, chosen ones too")


def test_training_never_judges() -> None:
    assert judges(answers(TRAINING, 99), {}).rows == ()


def test_a_control_clip_stands_for_the_clips_of_its_week_over_those_that_were_drawn() -> None:
    # 40 clips of control in each week, 10 of them in training; one week holds ten times as many clips.
    rows = [
        row for week in ("2026-01-05", "2026-01-12")
        for row in answers(TESTING, 30, week=week) + answers(TRAINING, 10, week=week)
    ]  # fmt: skip
    found = judges(rows, {("high_jump", "2026-01-05"): 4_000, ("high_jump", "2026-01-12"): 400})
    assert sorted(set(found.weights)) == [10.0, 100.0]


def test_where_chosen_clips_judge_too_each_clip_weighs_the_inverse_of_its_chance_to_be_asked() -> None:
    # Of 1,000 clips 20 were drawn by lot, and 100 of the others were sure to be asked.
    rows = answers(TESTING, 20) + answers(TESTING, 100, "disagreement")
    found = judges(rows, {("high_jump", "2026-01-05"): 1_000})
    assert not found.control
    weights = {row.strategy: weight for row, weight in zip(found.rows, found.weights, strict=True)}
    assert weights == {"random": (1_000 - 100) / 20, "disagreement": 1.0}
    assert sum(found.weights) == pytest.approx(1_000)


def gold_of(rows: list[ReleaseRow], label: int = 1) -> list[GoldJudgeRow]:
    """Return the same clips as gold."""
    return [
        GoldJudgeRow(
            clip_id=row.clip_id, video_id=row.video_id, start_sec=row.start_sec, end_sec=row.end_sec, split=row.split,
            category=row.category, label=label, window=window_of(row), proxy_128="s", proxy_256="l",
        )
        for row in rows
    ]  # fmt: skip


def test_gold_judges_beside_the_control_and_stands_for_itself() -> None:
    drawn, beside = answers(TESTING, 40)[:10], answers(TESTING, 40)[10:]
    place = ("high_jump", "2026-01-05")
    found = judges(drawn, {place: 40}, gold_of(beside))
    assert (found.control, len(found.rows), found.judged_on) == (True, 40, "the control and gold of testing")
    assert set(found.weights) == {1.0}  # 10 drawn clips stand for the 10 that are no gold
    assert judges(drawn, {place: 40}).judged_on == "testing and validation clips, chosen ones too"


def test_gold_does_not_make_up_for_control_that_stands_for_far_more_clips() -> None:
    # Ten clips that stand for 100 each say as much as ten and a half, whatever gold is beside them.
    drawn, beside = answers(TESTING, 40)[:10], answers(TESTING, 40)[10:]
    chosen = answers(VALIDATION, 60, "disagreement")
    found = judges([*drawn, *chosen], {("high_jump", "2026-01-05"): 1_030}, gold_of(beside))
    assert (found.control, found.judged_on) == (False, "testing and validation clips, chosen ones too")
    assert sum(found.weights) == pytest.approx(1_030)


def test_a_known_answer_stands_above_what_people_say_and_no_clip_judges_twice() -> None:
    rows = answers(TESTING, 40)
    found = judges(rows, {}, gold_of(rows[:5], label=-1))
    assert len(found.rows) == 40
    assert [row.label for row in found.rows if row.clip_id in {one.clip_id for one in rows[:5]}] == [-1] * 5
    chosen = answers(TESTING, 40, "consensus")
    both = judges(chosen, {}, gold_of(chosen[:5], label=-1))
    assert (len(both.rows), sum(row.label for row in both.rows)) == (40, 30)


def test_gold_of_training_never_judges() -> None:
    assert judges(answers(TRAINING, 9), {}, gold_of(answers(TRAINING, 99))).rows == ()


def test_calibration_says_how_often_the_action_is_there_with_intervals_by_video() -> None:
    rows = [
        JudgedRow(clip_id=f"{number}:0", video_id=str(number // 2), category="judo", window=None,
                  label=1 if number % 4 else -1, score=0.75 if number < 60 else 0.15, weight=1.0, control=True)
        for number in range(80)
    ]  # fmt: skip
    low, high = calibration(rows)
    assert (low.part, high.part) == (1, 7)
    assert high.share.value == pytest.approx(0.75)
    assert (high.share.clips, high.share.videos) == (60, 30)
    assert high.share.low < 0.75 < high.share.high


def said(*clips: tuple[str, int, float]) -> list[JudgedRow]:
    """Return what a network says of clips, one of a video: (category, label, score)."""
    return [
        JudgedRow(clip_id=f"{number}:0", video_id=str(number), category=category, window=None, label=label,
                  score=score, weight=1.0, control=True)
        for number, (category, label, score) in enumerate(clips)
    ]  # fmt: skip


def test_figures_of_six_clips_are_those_that_a_person_computes() -> None:
    rows = said(
        ("judo", 1, 0.95), ("judo", -1, 0.65), ("judo", 1, 0.35), ("judo", -1, 0.25), ("polo", 1, 0.85),
        ("polo", -1, 0.15),
    )  # fmt: skip
    found = {(row.measure, row.category): row.value for row in of_testing(rows, "")}
    assert found == {
        ("testing_accuracy", None): pytest.approx(4 / 6),
        ("testing_mean_class", None): pytest.approx((2 / 4 + 2 / 2) / 2),
        ("testing_best_guess", None): 0.5,
        # Each clip lies alone in its tenth.
        ("testing_calibration_error", None): pytest.approx((0.05 + 0.65 + 0.65 + 0.25 + 0.15 + 0.15) / 6),
        ("testing_brier", None): pytest.approx((0.05**2 + 2 * 0.65**2 + 0.25**2 + 2 * 0.15**2) / 6),
        ("testing_mean_average_precision", None): pytest.approx(((1 + 2 / 3) / 2 + 1) / 2),
        ("testing_average_precision", "judo"): pytest.approx((1 + 2 / 3) / 2),
        ("testing_average_precision", "polo"): 1.0,
    }


def test_a_category_that_no_clip_shows_has_no_average_precision_and_is_not_in_the_mean() -> None:
    rows = said(("judo", 1, 0.35), ("judo", -1, 0.65), ("polo", -1, 0.15))
    of = {(row.measure, row.category): row.value for row in of_testing(rows, "")}
    assert {category for measure, category in of if measure == "testing_average_precision"} == {"judo"}
    assert of["testing_mean_average_precision", None] == 0.5
    assert not any("average_precision" in row.measure for row in of_testing(rows[1:], ""))


def test_figures_of_the_control_are_weighed() -> None:
    rows = [
        JudgedRow(clip_id=f"{number}:0", video_id=str(number), category="judo", window=None, label=1,
                  score=0.9 if number % 2 else 0.1, weight=3.0 if number % 2 else 1.0, control=True)
        for number in range(40)
    ]  # fmt: skip
    value = {row.measure: row.value for row in of_testing(rows, "")}
    assert value["testing_accuracy"] == pytest.approx(0.75)
    assert value["testing_best_guess"] == 1.0


def test_a_tie_is_a_yes_as_it_is_to_mining() -> None:
    value = {row.measure: row.value for row in of_testing(said(("judo", 1, 0.5), ("judo", 1, 0.5)), "")}
    assert (value["testing_accuracy"], value["testing_mean_class"]) == (1.0, 1.0)
