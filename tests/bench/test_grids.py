"""What a grid of alike clips costs, on sets and people whose answers are known."""

import pytest

from bench.harness.grids import alone, in_sets, judged
from slac_tasks.world import people
from slac_tasks.world.people import OpenClip, Person

SURE = tuple(Person(name=f"p{number}", sensitivity=1.0, specificity=1.0) for number in range(5))


def clips(count: int = 12) -> list[OpenClip]:
    return [
        OpenClip(
            clip_id=f"v{number}:0", category="judo", start_sec=0.0, end_sec=2.0, votes_wanted=1, alike="set",
            guideline_version=1, source_id="", annotators=(),
        )
        for number in range(count)
    ]  # fmt: skip


def test_a_set_of_one_kind_is_one_screen_of_one_person() -> None:
    votes = in_sets(SURE, 0, clips(), lambda clip: True)
    assert len({vote["annotator"] for vote in votes}) == len({vote["set_id"] for vote in votes}) == 1
    found = judged([clips()], [votes], lambda clip: True)
    assert (found.error, found.mixed) == (0.0, 0.0)
    assert found.per_minute == pytest.approx(60 * 12 / people.set_seconds(12, 0))


def test_a_mixed_set_is_asked_again_in_halves_and_costs_more_than_it_saves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "SET_MISS", 0.0)

    def shows(clip: OpenClip) -> bool:
        return int(clip.clip_id[1:-2]) < 2

    votes = in_sets(SURE, 0, clips(), shows)
    # A screen of twelve, then one of ten by a second person; the other two are asked alone.
    sizes = sorted(sum(vote["set_id"] == of for vote in votes) for of in {vote["set_id"] for vote in votes})
    assert sizes == [2, 10, 12]
    found = judged([clips()], [votes], shows)
    assert (found.error, found.mixed) == (0.0, 1.0)
    seconds = people.set_seconds(12, 2) + people.set_seconds(10, 0) + 2 * people.alone_seconds()
    assert found.per_minute == pytest.approx(60 * 12 / seconds)
    once = judged([clips()], [alone(SURE, 0, clips(), shows, 1)], shows)
    assert once.per_minute == pytest.approx(60 / people.alone_seconds())
    assert once.per_minute > found.per_minute


def test_of_two_who_differ_a_third_decides() -> None:
    half = tuple(Person(name=f"p{number}", sensitivity=number % 2, specificity=1.0) for number in range(5))
    votes = alone(half, 0, clips(), lambda clip: True, 2)
    for clip in clips():
        said = [vote["answer"] for vote in votes if vote["clip_id"] == clip.clip_id]
        assert len(said) == (2 if said[0] == said[1] else 3)
