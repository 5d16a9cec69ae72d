"""People over time: what is counted of answers, corrections and gold, in whatever batches they came."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.reports.pace import COLUMNS, Day, charts, days, paces
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
