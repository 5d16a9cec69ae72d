"""Votes about a segment, worked by hand, and what holds of any."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.model import SegmentAnswer, Status
from slac_tasks.verification.segments.deciding import Ends, SegmentVote, decide, tiou
from slac_tasks.verification.settings import Segments

PROPOSED = (10.0, 20.0)
SETTINGS = Segments()


def vote(answer: str, ends: Ends | None = None, person: str = "ann") -> SegmentVote:
    start, end = ends or (None, None)
    return SegmentVote(
        vote_id=person, segment_id="s", annotator=person, answer=answer, start_sec=start, end_sec=end, seconds=3.0
    )


def votes(*said: str | Ends) -> list[SegmentVote]:
    return [
        vote(one, person=str(number)) if isinstance(one, str) else vote("moved", one, str(number))
        for number, one in enumerate(said)
    ]


@pytest.mark.parametrize(
    ("said", "status", "ends", "overlap", "wanted"),
    [
        (["right"], Status.OPEN, None, None, 2),
        (["right", "right"], Status.SETTLED, (10.0, 20.0), 1.0, 2),
        (["right", (12.0, 20.0)], Status.SETTLED, (11.0, 20.0), 0.8, 2),
        # 10-20 and 16-26 share 4 of 16 seconds: nobody agrees, a third person is asked.
        (["right", (16.0, 26.0)], Status.OPEN, None, 0.25, 3),
        # The third agrees with the second: the first one's ends do not count.
        (["right", (16.0, 26.0), (17.0, 26.0)], Status.SETTLED, (16.5, 26.0), None, 3),
        (["right", "absent"], Status.OPEN, None, None, 3),
        (["right", "absent", "absent"], Status.SETTLED, None, None, 3),
        (["right", "absent", "unsure"], Status.UNSETTLED, None, None, 3),
        (["unsure", "unsure"], Status.OPEN, None, None, 3),
        # One person is not enough, whatever the other one cannot say.
        (["unsure", "absent"], Status.OPEN, None, None, 3),
        (["unsure", "right"], Status.OPEN, None, None, 3),
        (["unsure", "right", "right"], Status.SETTLED, (10.0, 20.0), 1.0, 3),
        # One slip of the hand moves nothing: the median of three.
        ([(10.0, 20.0), (10.5, 20.0), (10.0, 26.0)], Status.SETTLED, (10.0, 20.0), None, 3),
    ],
)
def test_a_label_is_what_two_people_agree_on(
    said: list[str | Ends], status: Status, ends: Ends | None, overlap: float | None, wanted: int
) -> None:
    found = decide(votes(*said), PROPOSED, SETTINGS)
    assert (found.status, found.ends, found.votes_wanted) == (status, ends, wanted)
    assert found.present == (None if status != Status.SETTLED else ends is not None)
    if overlap is not None:
        assert found.tiou == pytest.approx(overlap)


def test_one_answer_is_enough_where_the_settings_say_so() -> None:
    once = Segments(votes_wanted=1)
    assert decide(votes("absent"), PROPOSED, once).present is False
    assert decide(votes((1.0, 2.0)), PROPOSED, once).ends == (1.0, 2.0)


def test_overlap_is_the_shared_time_over_all_time() -> None:
    assert tiou((0, 10), (5, 15)) == pytest.approx(1 / 3)
    assert tiou((0, 10), (10, 20)) == 0.0
    assert tiou((3, 4), (3, 4)) == 1.0


ENDS = st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda two: (two[0] / 2, (two[0] + two[1]) / 2))
SAID = st.one_of(st.sampled_from(["right", "absent", "unsure"]), ENDS)


@given(st.lists(SAID, min_size=1, max_size=4))
def test_a_decision_depends_on_no_order_and_its_label_overlaps_those_who_agree(said: list[str | Ends]) -> None:
    own = votes(*said)
    found = decide(own, PROPOSED, SETTINGS)
    assert {decide(list(some), PROPOSED, SETTINGS) for some in permutations(own)} == {found}
    if found.ends is not None:
        agreeing = [
            given for one in own if (given := one.ends(PROPOSED)) and tiou(given, found.ends) >= SETTINGS.tiou_least / 2
        ]
        assert len(agreeing) >= 2
        assert found.ends[0] < found.ends[1]
    if found.status != Status.OPEN:
        assert found.votes_wanted <= max(SETTINGS.votes_most, len(own))
    assert (found.present is None) == (found.status != Status.SETTLED)


def test_the_words_of_answers_are_those_of_the_model() -> None:
    assert [str(one) for one in SegmentAnswer] == ["right", "moved", "absent", "unsure"]
