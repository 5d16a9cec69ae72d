"""How good people are, on answers worked by hand."""

from typing import Any

import pytest

from slac_tasks.intervals import wilson
from slac_tasks.verification.segments.deciding import SegmentVote, decide
from slac_tasks.verification.segments.measuring import AskedSegment, label_row, person_rows, settled
from slac_tasks.verification.settings import Segments

SETTINGS = Segments()


def segment(name: str, gold: tuple[float, float] | None = None, **changes: Any) -> AskedSegment:
    start, end = gold or (None, None)
    values = {
        "segment_id": name, "category": "judo", "video_id": "v", "split": "training", "start_sec": 10.0,
        "end_sec": 20.0, "score": 0.5, "origin": "net", "round": "net.1", "votes_wanted": 2, "state": "open",
        "is_gold": gold is not None, "gold_start_sec": start, "gold_end_sec": end,
    }  # fmt: skip
    return AskedSegment(**(values | changes))


def vote(name: str, person: str, answer: str, *ends: float, seconds: float = 4.0) -> SegmentVote:
    start, end = ends or (None, None)
    return SegmentVote(
        vote_id=f"{name} {person}", segment_id=name, annotator=person, answer=answer, start_sec=start, end_sec=end,
        seconds=seconds,
    )  # fmt: skip


def test_a_person_is_measured_beside_others_and_beside_gold() -> None:
    segments = [segment("a", (10.0, 20.0)), segment("b", is_gold=True, category="yoga"), segment("c")]
    votes = {
        "a": [vote("a", "ann", "right"), vote("a", "bob", "moved", 15.0, 20.0, seconds=8.0)],
        "b": [vote("b", "ann", "absent"), vote("b", "bob", "right", seconds=6.0)],
        "c": [vote("c", "ann", "unsure"), vote("c", "bob", "right", seconds=7.0)],
    }
    rows = {(row.annotator, row.category): row for row in person_rows(segments, votes, SETTINGS)}
    assert set(rows) == {
        ("ann", None),
        ("ann", "judo"),
        ("ann", "yoga"),
        ("bob", None),
        ("bob", "judo"),
        ("bob", "yoga"),
    }
    ann, bob = rows["ann", None], rows["bob", None]
    # Both answered a and b; on a both saw the action, and half of it overlaps; on b they differ.
    assert (ann.answers, ann.shared, ann.agree, ann.tiou) == (3, 2, 1, pytest.approx(0.5))
    assert (ann.gold, ann.gold_right, ann.gold_tiou) == (2, 2, 1.0)
    # Half of the gold is enough; where the action is absent, ends are wrong.
    assert (bob.gold, bob.gold_right, bob.gold_tiou) == (2, 1, 0.5)
    assert (bob.seconds, bob.answers) == (7.0, 3)
    # Nobody differs from somebody who is unsure.
    assert (bob.shared, bob.agree) == (2, 1)
    assert (bob.gold_low, bob.gold_high) == pytest.approx(wilson(1, 2))
    assert (rows["ann", "yoga"].tiou, rows["ann", "yoga"].gold_tiou) == (None, None)


def test_a_label_holds_counts_ends_and_votes() -> None:
    own = [vote("a", "ann", "right"), vote("a", "bob", "moved", 12.0, 20.0)]
    decision = decide(own, (10.0, 20.0), SETTINGS)
    row = label_row(segment("a"), own, decision)
    assert (row.kind, row.status, row.present, row.label_start_sec, row.label_end_sec) == (
        "people", "settled", True, 11.0, 20.0,
    )  # fmt: skip
    assert (row.right, row.moved, row.absent, row.unsure, row.votes) == (1, 1, 0, 0, ("a ann", "a bob"))
    assert settled(segment("a"), decision) == {"segment_id": "a", "votes_wanted": 2, "state": "finished"}
