import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.model import Answer
from slac_tasks.verification.sets import SET_MOST
from slac_tasks.world.people import (
    PEOPLE,
    RANDOM_PEOPLE,
    SET_MISS,
    CastVote,
    OpenClip,
    alone_seconds,
    assigned,
    crew,
    set_seconds,
    votes_for,
    votes_for_set,
)

CLIPS = [f"{number:016x}:0" for number in range(2000)]


def _row(clip: str, wanted: int, given: tuple[str, ...] = (), alike: str | None = None) -> OpenClip:
    return OpenClip(
        clip_id=clip, category="judo", start_sec=0.0, end_sec=2.0, votes_wanted=wanted, guideline_version=1,
        source_id="v", annotators=given, alike=alike,
    )  # fmt: skip


def test_one_in_twenty_clicks_at_random_and_the_others_are_within_their_ranges() -> None:
    people = crew(0)
    careful = [person for person in people if person.sensitivity != 0.5]
    assert (len(people), len(people) - len(careful)) == (PEOPLE, RANDOM_PEOPLE)
    assert RANDOM_PEOPLE / PEOPLE == 1 / 20
    assert all(0.85 <= p.sensitivity <= 0.95 and 0.89 <= p.specificity <= 0.97 for p in careful)


def test_answers_are_as_good_as_the_person() -> None:
    for person in crew(1)[:5]:
        hits = np.mean([person.answer(1, clip, "judo", True) is Answer.YES for clip in CLIPS])
        passes = np.mean([person.answer(1, clip, "judo", False) is Answer.NO for clip in CLIPS])
        assert abs(hits - person.sensitivity) < 0.04
        assert abs(passes - person.specificity) < 0.04


@given(st.sampled_from(CLIPS), st.booleans())
def test_votes_asked_one_at_a_time_are_the_votes_asked_at_once(clip: str, contains: bool) -> None:
    people = crew(0)
    at_once = votes_for(people, 0, _row(clip, 3), contains)
    one_by_one: list[CastVote] = []
    for wanted in (1, 2, 3):
        given_by = tuple(vote["annotator"] for vote in one_by_one)
        one_by_one += votes_for(people, 0, _row(clip, wanted, given_by), contains)
    assert one_by_one == at_once


@given(st.sampled_from(CLIPS))
def test_nobody_answers_a_clip_twice(clip: str) -> None:
    people = crew(0)
    names = [person.name for person in assigned(people, 0, clip, "judo")]
    assert sorted(names) == sorted(person.name for person in people)
    assert votes_for(people, 0, _row(clip, 2, tuple(names[:2])), True) == []


def test_time_is_the_clip_once_and_the_decision() -> None:
    (vote,) = votes_for(crew(0), 0, _row(CLIPS[0], 1), True)
    assert vote["seconds"] == 3.55


def test_a_set_is_answered_by_one_person_and_costs_less_than_its_clips() -> None:
    asked = [_row(clip, 2, alike="a") for clip in CLIPS[:SET_MOST]]
    votes = votes_for_set(crew(0), 0, asked, lambda clip: False)
    sets = {
        vote["annotator"]: {one["set_id"] for one in votes if one["annotator"] == vote["annotator"]} for vote in votes
    }
    assert len(votes) == 2 * SET_MOST
    assert len(sets) == 2
    assert all(len(ids) == 1 for ids in sets.values())
    assert sum(vote["seconds"] for vote in votes) < len(votes) * 3.55
    assert [round(set_seconds(SET_MOST, count) / SET_MOST, 2) for count in (0, 1, 3)] == [1.72, 1.85, 2.12]
    assert round(alone_seconds(), 2) == 2.86


def test_what_differs_from_most_of_a_set_is_overlooked_as_often_as_stated() -> None:
    people = crew(0)
    alone = in_sets = exceptions = 0
    for start in range(0, len(CLIPS), SET_MOST):
        asked = [_row(clip, 1, alike=f"a{start}") for clip in CLIPS[start : start + SET_MOST]]
        odd = asked[0].clip_id
        (vote, *_) = votes_for_set(people, 0, asked, lambda clip, odd=odd: clip.clip_id == odd)
        (person,) = [person for person in people if person.name == vote["annotator"]]
        if person.sensitivity > 0.5:
            exceptions += 1
            alone += person.answer(0, odd, "judo", True) is Answer.YES
            in_sets += vote["answer"] == "yes"
    assert abs(in_sets / alone - (1 - SET_MISS)) < 0.08
    assert exceptions > 100
