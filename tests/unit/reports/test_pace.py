"""People over time: what is counted of answers, corrections and gold, in whatever batches they came."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.intervals import wilson
from slac_tasks.reports.charts import Point
from slac_tasks.reports.pace import COLUMNS, DAYS_MOST, Day, charts, days, paces
from slac_tasks.storage.datasets import VOTES

GOLD = {("judo", "gold"): "yes"}
SCHEMA = pa.schema([VOTES.schema.field(name) for name in COLUMNS])


def vote(number: int, answer: str, *, day: int = 5, corrects: int | None = None, **own: Any) -> dict[str, Any]:
    return {
        "vote_id": str(number), "annotator": "ann", "cast_at": datetime(2026, 1, day, tzinfo=UTC), "seconds": 2.0,
        "clip_id": "gold", "category": "judo", "answer": answer,
        "supersedes": None if corrects is None else str(corrects), **own,
    }  # fmt: skip


def table(*votes: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(votes), schema=SCHEMA)


def day(number: int = 5, **counts: Any) -> Day:
    return Day(**{"person": "ann", "day": f"2026-01-0{number}", "answers": 1, "seconds": 2.0, **counts})


@pytest.mark.parametrize(
    ("votes", "found"),
    [
        ([], []),
        ([vote(1, "yes")], [day(gold=1, right=1)]),
        ([vote(1, "no")], [day(gold=1, right=0)]),
        ([vote(1, "unsure")], [day(gold=0, right=0)]),
        ([vote(1, "yes", clip_id="other")], [day(gold=0, right=0)]),
        ([vote(1, "no"), vote(2, "yes", corrects=1)], [day(seconds=4.0, gold=1, right=1)]),
        ([vote(1, "yes"), vote(2, "no", corrects=1)], [day(seconds=4.0, gold=1, right=0)]),
        ([vote(1, "yes"), vote(2, "unsure", corrects=1)], [day(seconds=4.0, gold=0, right=0)]),
        (
            [vote(1, "no"), vote(2, "unsure", corrects=1), vote(3, "yes", corrects=2, day=6)],
            [day(seconds=4.0, gold=0, right=0), day(6, answers=0, gold=1, right=1)],
        ),
    ],
)
def test_on_gold_counts_the_last_word(votes: list[dict[str, Any]], found: list[Day]) -> None:
    assert days([table(*votes)], GOLD) == found
    # A correction may come with a later batch.
    assert days([table(one) for one in votes], GOLD) == found


@given(
    answers=st.lists(st.sampled_from(["yes", "no", "unsure", "broken"]), max_size=6),
    days_of=st.lists(st.integers(1, 9), min_size=6, max_size=6),
)
def test_a_chain_of_corrections_is_one_answer_and_one_word_on_gold(answers: list[str], days_of: list[int]) -> None:
    votes = [
        vote(place, answer, day=days_of[place], corrects=place - 1 if place else None)
        for place, answer in enumerate(answers)
    ]
    found = days([table(one) for one in votes], GOLD)
    last = answers[-1] if answers else None
    assert sum(one.answers for one in found) == min(1, len(answers))
    assert sum(one.gold for one in found) == (last in ("yes", "no"))
    assert sum(one.right for one in found) == (last == "yes")
    assert sum(one.seconds for one in found) == 2.0 * len(answers)
    assert len(charts(found)) == 3
    assert [one.person for one in paces(found)] == ["ann"] * bool(answers)


DAYS = [
    day(5, answers=3, seconds=30.0, gold=2, right=1), day(5, person="bob", answers=1, gold=0, right=0),
    day(6, answers=0, gold=1, right=1), day(7, answers=2, seconds=8.0, gold=0, right=0),
]  # fmt: skip


def test_a_chart_is_of_all_people_and_has_a_point_where_there_is_something_to_divide_by() -> None:
    answers, seconds, right = charts(DAYS)
    for chart in (answers, seconds, right):
        assert chart.ticks == ("2026-01-05", "2026-01-06", "2026-01-07")
    assert [chart.lines[0].points for chart in (answers, seconds, right)] == [
        (Point(at=0, value=4.0), Point(at=1, value=0.0), Point(at=2, value=2.0)),
        (Point(at=0, value=8.0, count=4), Point(at=2, value=4.0, count=2)),
        tuple(
            Point(at=at, value=part / whole, low=wilson(part, whole)[0], high=wilson(part, whole)[1], count=whole)
            for at, part, whole in ((0, 1, 2), (1, 1, 1))
        ),
    ]


def test_the_pace_of_a_person_is_of_their_own_days() -> None:
    ann, bob = paces(DAYS)
    assert (ann.person, ann.answers, ann.seconds, ann.gold) == ("ann", [3, 0, 2], [10.0, 4.0], [0.5, 1.0])
    assert (bob.person, bob.answers, bob.seconds, bob.gold) == ("bob", [1], [2.0], [])


def test_of_many_days_the_newest_are_shown() -> None:
    many = [
        Day(person="ann", day=f"2026-{month:02d}-{number:02d}", answers=month, seconds=1.0, gold=1, right=1)
        for month in range(1, 5) for number in range(1, 29)
    ]  # fmt: skip
    (answers, *_), (pace,) = charts(many), paces(many)
    assert answers.ticks == tuple(one.day for one in many[-DAYS_MOST:])
    assert [point.value for point in answers.lines[0].points] == pace.answers == [
        one.answers for one in many[-DAYS_MOST:]
    ]  # fmt: skip
    assert len(pace.seconds) == len(pace.gold) == DAYS_MOST
