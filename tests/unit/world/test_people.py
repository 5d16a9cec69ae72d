import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.model import Answer
from slac_tasks.world.people import PEOPLE, RANDOM_PEOPLE, OpenClip, assigned, crew, votes_for

CLIPS = [f"{number:016x}:0" for number in range(2000)]


def _row(clip: str, wanted: int, given: tuple[str, ...] = ()) -> OpenClip:
    return OpenClip(
        clip_id=clip, category="judo", start_sec=0.0, end_sec=2.0, votes_wanted=wanted, guideline_version=1,
        source_id="v", annotators=given,
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
    one_by_one: list[dict[str, object]] = []
    for wanted in (1, 2, 3):
        given_by = tuple(str(vote["annotator"]) for vote in one_by_one)
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
