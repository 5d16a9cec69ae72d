"""What labels change in the queue."""

import pyarrow as pa
import pytest

from slac_tasks.verification.outcome import Settled, queue_changes

ASKED_ONCE = {"was_again": False, "again": False}


def queued(**clips: tuple[int, str, int]) -> pa.Table:
    """Clips by name: (answers wanted, state, answers given)."""
    wanted, state, given = zip(*clips.values(), strict=True)
    names = [f"{name}:0" for name in clips]
    columns = {"clip_id": names, "votes_wanted": wanted, "state": state, "given": given, "again": [False] * len(names),
               "lead": [0] * len(names)}  # fmt: skip
    return pa.table({"category": ["judo"] * len(names), **columns})


def labels(**status: str) -> pa.Table:
    names = [f"{name}:0" for name in status]
    columns = {"status": list(status.values()), "yes": [1] * len(names), "no": [1] * len(names)}
    return pa.table({"clip_id": names, "category": ["judo"] * len(names), **columns})


def test_only_what_changed_is_written() -> None:
    said = labels(a="open", b="open", c="settled", d="settled", e="settled")
    asked = queued(
        e=(2, "withdrawn", 2), d=(2, "finished", 2), c=(2, "open", 2), b=(2, "open", 2), a=(2, "open", 1)
    )  # fmt: skip
    assert queue_changes(said, asked, 7) == [
        Settled(clip_id="c:0", category="judo", votes_wanted=2, state="finished", **ASKED_ONCE),
        Settled(clip_id="b:0", category="judo", votes_wanted=3, state="open", **ASKED_ONCE),
    ]


def test_a_finished_clip_that_is_open_again_wants_one_more_answer_than_it_was_given() -> None:
    (change,) = queue_changes(labels(d="open"), queued(d=(2, "finished", 2)), 7)
    assert change == Settled(clip_id="d:0", category="judo", votes_wanted=3, state="open", **ASKED_ONCE)


def test_no_clip_wants_fewer_answers_than_before() -> None:
    assert queue_changes(labels(a="open"), queued(a=(5, "open", 2)), 7) == []


def test_clips_that_one_side_alone_knows_are_left_alone() -> None:
    assert queue_changes(labels(a="open"), queued(b=(2, "open", 2)), 7) == []


def test_a_clip_that_is_asked_again_waits_for_that_answer_although_its_label_stands() -> None:
    asked = queued(a=(2, "open", 1), b=(2, "open", 2))
    asked = asked.set_column(asked.column_names.index("again"), "again", pa.array([True, True]))
    (change,) = queue_changes(labels(a="settled", b="settled"), asked, 7)
    assert change == Settled(
        clip_id="b:0", category="judo", votes_wanted=2, state="finished", was_again=True, again=False
    )  # fmt: skip


def test_a_label_that_fell_is_asked_again_until_it_stands() -> None:
    asked = queued(a=(2, "open", 2))
    asked = asked.set_column(asked.column_names.index("again"), "again", pa.array([True]))
    (change,) = queue_changes(labels(a="open"), asked, 7)
    assert (change.votes_wanted, change.state, change.again) == (3, "open", True)


@pytest.mark.parametrize(("given", "yes", "wanted"), [(3, 2, 5), (5, 3, 7), (6, 3, 7), (3, 3, 4)])
def test_as_many_more_are_asked_as_it_takes_until_one_side_leads(given: int, yes: int, wanted: int) -> None:
    asked = queued(a=(3, "open", given))
    asked = asked.set_column(asked.column_names.index("lead"), "lead", pa.array([3]))
    said = labels(a="open")
    for name, count in (("yes", yes), ("no", given - yes)):
        said = said.set_column(said.column_names.index(name), name, pa.array([count]))
    (change,) = queue_changes(said, asked, 7)
    assert change.votes_wanted == wanted
