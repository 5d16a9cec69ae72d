"""A network is promoted when it is surely better than the member that it replaces, on the same clips."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from slac_tasks.evaluation.promotion import GUESS, decide, incumbent, table
from slac_tasks.storage.datasets.releasing import JudgedRow

KNOBS = {"min_gain": 0.0, "max_loss": 0.1}
CLIPS = 120


def judged(right: Sequence[bool], category: str = "judo", *, control: bool = True) -> list[JudgedRow]:
    """Return clips, three of a video, answered in turn yes and no, on which a network is right or wrong."""
    return [
        JudgedRow(
            clip_id=f"{category}{number // 3}:{number}", video_id=f"{category}{number // 3}", category=category,
            window="2026-01-05", label=1 if number % 2 else -1, score=0.9 if bool(number % 2) == good else 0.1,
            weight=1.0, control=control,
        )
        for number, good in enumerate(right)
    ]  # fmt: skip


def scores(rows: Sequence[JudgedRow], right: Sequence[bool]) -> dict[tuple[str, str], float]:
    """Return what a member says that is right on these clips."""
    return {
        (row.clip_id, row.category): 0.9 if (row.label > 0) == good else 0.1
        for row, good in zip(rows, right, strict=True)
    }


def shares(*parts: tuple[int, bool]) -> list[bool]:
    return [good for count, good in parts for _ in range(count)]


def test_a_network_that_is_surely_better_is_promoted() -> None:
    rows = judged(shares((100, True), (20, False)))
    verdict = decide(rows, "pretrained", scores(rows, shares((60, True), (60, False))), **KNOBS)
    assert verdict.promoted
    assert verdict.evidence[0].gain.value == pytest.approx(1 / 3)
    assert "over pretrained +0.333" in verdict.reason


def test_a_network_that_is_better_by_chance_is_not() -> None:
    rows = judged(shares((100, True), (20, False)))
    verdict = decide(rows, "pretrained", scores(rows, shares((99, True), (21, False))), **KNOBS)
    assert not verdict.promoted
    assert verdict.evidence[0].gain.value > 0
    assert verdict.evidence[0].gain.low <= 0


def test_the_margin_is_asked_of_the_lower_end() -> None:
    rows = judged(shares((100, True), (20, False)))
    old = scores(rows, shares((60, True), (60, False)))
    low = decide(rows, "pretrained", old, **KNOBS).evidence[0].gain.low
    assert decide(rows, "pretrained", old, min_gain=low - 0.001, max_loss=0.1).promoted
    assert not decide(rows, "pretrained", old, min_gain=low, max_loss=0.1).promoted


def test_a_margin_of_minus_one_asks_for_nothing() -> None:
    rows = judged(shares((CLIPS, False)))
    old = scores(rows, shares((CLIPS, True)))
    verdict = decide(rows, "pretrained", old, min_gain=-1.0, max_loss=1.0)
    assert (verdict.evidence[0].gain.value, verdict.evidence[0].gain.low, verdict.promoted) == (-1.0, -1.0, True)


def test_a_network_that_is_surely_worse_on_one_category_is_not_promoted() -> None:
    rows = judged(shares((CLIPS, True))) + judged(shares((CLIPS, True)), "yoga")
    rows += judged(shares((10, True), (50, False)), "spin")
    old = scores(rows, shares((2 * CLIPS, False), (60, True)))
    verdict = decide(rows, "pretrained", old, **KNOBS)
    assert verdict.evidence[0].gain.low > 0
    assert not verdict.promoted
    assert [one.category for one in verdict.evidence if one.loses] == ["spin"]
    assert "worse by more than 0.100 on spin" in verdict.reason
    assert decide(rows, "pretrained", old, min_gain=0.0, max_loss=1.0).promoted


def test_the_difference_is_paired_so_what_makes_clips_hard_cancels() -> None:
    hard = np.random.default_rng(0).random(CLIPS // 3).repeat(3) < 0.5
    rows = judged((~hard).tolist())
    better = [bool(good or number % 12 == 0) for number, good in enumerate(~hard)]
    found = decide(judged(better), "pretrained", scores(rows, (~hard).tolist()), **KNOBS).evidence[0]
    assert found.gain.high - found.gain.low < (found.new.high - found.new.low) / 2


def test_without_a_clip_that_both_scored_nothing_is_promoted() -> None:
    verdict = decide(judged(shares((9, True))), "pretrained", {}, **KNOBS)
    assert not verdict.promoted
    assert "none of 9 judging clips has a score of pretrained" in verdict.reason
    assert not decide([], GUESS, None, **KNOBS).promoted


def test_chosen_clips_that_judge_are_named_in_the_reason() -> None:
    rows = judged(shares((CLIPS, True)), control=False)
    assert "chosen clips judge too" in decide(rows, GUESS, None, **KNOBS).reason
    assert "control" not in decide(judged(shares((CLIPS, True))), GUESS, None, **KNOBS).reason


def test_a_network_is_held_against_its_predecessor_else_the_best_member_else_the_commoner_answer() -> None:
    rows = judged(shares((CLIPS, True)))
    weak, strong = scores(rows, shares((CLIPS, False))), scores(rows, shares((80, True), (40, False)))
    assert incumbent(rows, {"small": strong, "pretrained": weak}, "pretrained") == ("pretrained", weak)
    assert incumbent(rows, {"small": strong, "frame": weak, "new": {}}, "pretrained") == ("small", strong)
    part = scores(rows[:90], shares((70, True), (20, False)))
    assert incumbent(rows, {"small": strong, "part": part, "never right": weak}, "pretrained") == ("part", part)
    assert incumbent(rows, {"new": {}}, "pretrained") == (GUESS, None)
    assert decide(rows, GUESS, None, **KNOBS).promoted


def test_the_table_shows_every_category_with_both_and_the_gain() -> None:
    rows = judged(shares((CLIPS, True))) + judged(shares((60, False)), "spin")
    lines = list(table(decide(rows, "small", scores(rows, shares((CLIPS, False), (60, True))), **KNOBS)))
    assert lines[0] == "held against small"
    assert [line.split("  ")[0] for line in lines[1:5]] == ["category", "all together", "judo", "spin (lost)"]
    assert lines[-1].startswith("not promoted: ")


def test_a_tie_is_a_yes_as_it_is_to_mining() -> None:
    rows = judged(shares((CLIPS, True)))
    tied = decide(rows, "small", dict.fromkeys(scores(rows, shares((CLIPS, True))), 0.5), **KNOBS)
    assert tied.evidence[0].old.value == pytest.approx(0.5), "half of the clips are positive"
    (odd,) = decide([replace(rows[1], score=0.5)], GUESS, None, **KNOBS).evidence[:1]
    assert odd.new.value == 1.0
