"""What may be wrong with votes."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa

from bench.harness.defects.planting import Defect, Plant, at, column, doubled, in_category, of, retyped
from slac_tasks.quality.expectations.entries import Bools, Handover
from slac_tasks.storage.datasets import VOTES


def of_person(handover: Handover, person: str = "person 3") -> Bools:
    """Return the votes of one person."""
    return handover.equals("annotator", person)


def straight_line(handover: Handover) -> Handover:
    """Let a person say yes to every clip that is asked alone; more are asked in sets, which she answers with no."""
    mine = np.flatnonzero(of_person(handover))
    answers, sets = (handover.rows[name].to_pylist() for name in ("answer", "set_id"))
    for number, place in enumerate(mine):
        in_set = number % 5 < 3
        answers[place] = "no" if in_set else "yes"
        sets[place] = f"set {number}" if in_set else None
    return column(column(handover, "answer", answers), "set_id", sets)


def random_clicks(handover: Handover) -> Handover:
    """Let a person toss a coin."""
    mine = of_person(handover)
    coin = np.random.default_rng(1).random(len(mine)) < 0.5
    answers = np.array(handover.rows["answer"].to_pylist(), dtype=object)
    answers[mine] = np.where(coin, "yes", "no")[mine]
    return column(handover, "answer", answers.tolist())


def category_misread(handover: Handover) -> Handover:
    """Let everybody answer the opposite in one category, whose guideline is misread."""
    mine = in_category(handover)
    answers = np.array(handover.rows["answer"].to_pylist(), dtype=object)
    other = {"yes": "no", "no": "yes"}
    answers[mine] = [other.get(answer, answer) for answer in answers[mine]]
    return column(handover, "answer", answers.tolist())


def voted_again(handover: Handover) -> Handover:
    """Store some votes a second time, under other ids."""
    again = replace(handover, rows=handover.rows.slice(0, 4))
    again = column(again, "vote_id", [f"ffffffff-0000-4000-8000-{number:012x}" for number in range(4)])
    return replace(handover, rows=pa.concat_tables([handover.rows, again.rows]))


def correcting(row: int) -> Plant:
    """Return a plant in which a vote corrects the vote so many rows before it: another person's."""

    def plant(handover: Handover) -> Handover:
        supersedes: list[str | None] = [None] * handover.rows.num_rows
        supersedes[row] = handover.rows["vote_id"][0].as_py()
        return column(handover, "supersedes", supersedes)

    return plant


def correcting_nothing(handover: Handover) -> Handover:
    """Let a vote correct one that does not exist."""
    supersedes: list[str | None] = [None] * handover.rows.num_rows
    supersedes[5] = "ffffffff-0000-4000-8000-000000000000"
    return column(handover, "supersedes", supersedes)


def cast_tomorrow(handover: Handover) -> Handover:
    """Let some votes be cast in the future."""
    return at("cast_at", handover.now + timedelta(days=2))(handover)


DEFECTS: tuple[Defect, ...] = (
    *of(
        VOTES.name,
        ("a straight-liner", "no_straight_line", straight_line),
        ("random clicks", "gold_accuracy_of_person", random_clicks),
        ("a misread guideline", "gold_accuracy_of_category", category_misread),
        ("a bot", "few_hurried_answers", lambda h: at("seconds", 0.05, least=10**9, among=of_person(h))(h)),
        ("an unregistered category", "category_registered", at("category", "jodu")),
        ("an unknown answer", "answer_registered", at("answer", "maybe")),
        ("votes sent twice", "rows_unique", doubled),
        ("duplicated votes", "one_vote_per_person", voted_again),
        ("a correction of nothing", "correction_of_a_vote", correcting_nothing),
        ("a correction of another's vote", "correction_of_own_vote", correcting(7)),
        ("votes from the future", "cast_before_now", cast_tomorrow),
        ("negative seconds", "seconds_in_range", at("seconds", -3.0)),
        ("seconds without a number", "numbers_finite", at("seconds", float("nan"))),
        ("votes on clips nobody asked", "clip_was_asked", at("clip_id", "0123456789abcdef:500")),
        ("clips without a start", "clip_named", at("clip_id", "0123456789abcdef")),
        ("a guideline to come", "guideline_exists", at("guideline_version", 9)),
        ("broken videos", "few_undecided", lambda h: at("answer", "broken", share=0.7, among=in_category(h))(h)),
        ("voters without a name", "values_known", at("annotator", None)),
        ("a schema change", "schema", retyped("seconds", pa.float32())),
    ),
)  # fmt: skip
