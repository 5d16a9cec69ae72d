import pytest

from slac_tasks.model import Window
from slac_tasks.world.card import Card, measure_catalogue
from slac_tasks.world.catalogue import PLANTED, SIZES, WINDOWS, make_catalogue


@pytest.fixture(scope="module")
def demo() -> Card:
    return measure_catalogue(make_catalogue(0, "demo"))


def test_one_frame_does_not_tell_motion_pairs_apart(demo: Card) -> None:
    assert demo.still_over_chance <= 1.3


def test_motion_tells_them_apart(demo: Card) -> None:
    assert demo.motion_over_chance >= 1.7


def test_half_of_each_video_is_not_the_action(demo: Card) -> None:
    assert demo.not_action_least >= 0.5


def test_retrieval_is_often_wrong(demo: Card) -> None:
    assert demo.wrong_share >= 0.15


def test_retrieval_is_often_wrong_without_the_planted_category_too() -> None:
    films = [e for e in make_catalogue(0, "demo").entries if not e.broken and e.category != PLANTED.key]
    assert sum(not e.contains for e in films) / len(films) >= 0.15


def test_categories_share_backgrounds(demo: Card) -> None:
    assert demo.shared_places >= 0.9


def test_planted_category_never_shows_its_action(demo: Card) -> None:
    assert demo.planted_positive_share == 0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_promises_hold_for_every_seed_and_size(size: str, seed: int) -> None:
    catalogue = make_catalogue(seed, size)
    films = [e for e in catalogue.entries if not e.broken and not e.copy_of]
    for entry in films:
        acted = sum(s.end_sec - s.start_sec for s in entry.script.segments if s.action.key == entry.category)
        assert acted <= entry.script.duration_sec / 2
        assert all(0 <= s.start_sec < s.end_sec <= entry.script.duration_sec for s in entry.script.segments)
        assert not any(shot.segments for shot in entry.script.shots if not shot.people)
    wrong = SIZES[size].wrong / SIZES[size].videos
    good = [e for e in films if e.category != PLANTED.key]
    assert sum(not e.contains for e in good) / len(good) == pytest.approx(wrong)


def test_names_are_unique_and_dates_are_inside_their_weeks() -> None:
    entries = make_catalogue(0, "demo").entries
    assert len({e.source_id for e in entries}) == len(entries)
    assert {Window.of(e.published_at) for e in entries} == set(WINDOWS)


def test_shots_fill_the_video_without_gaps() -> None:
    for entry in make_catalogue(3, "quick").entries:
        ends = [shot.end_sec for shot in entry.script.shots]
        assert [shot.start_sec for shot in entry.script.shots] == [0.0, *ends[:-1]]
        assert ends[-1] == entry.script.duration_sec


def test_catalogue_is_a_function_of_its_seed() -> None:
    assert make_catalogue(4, "quick") == make_catalogue(4, "quick")
    assert make_catalogue(4, "quick") != make_catalogue(5, "quick")
