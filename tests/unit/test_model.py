import unicodedata
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.errors import WrongArguments
from slac_tasks.model import (
    Split,
    Window,
    check_slug,
    clip_id,
    content_hash,
    parse_clip_id,
    parse_round_key,
    round_key,
    slug,
    split_of,
    unit_hash,
)

WINDOW_ENDINGS = ("T00:00:00", "T00:00:00Z", "T00:00:00+00:00")


@given(st.text("0123456789abcdef", min_size=16, max_size=16), st.integers(0, 480))
def test_a_clip_id_says_what_it_was_made_of(video_id: str, step: int) -> None:
    assert parse_clip_id(clip_id(video_id, step * 0.5)) == (video_id, step * 0.5)


@pytest.mark.parametrize("bad", ["", "abc", ":500", "abc:", "abc:-500", "abc:1.5"])
def test_other_clip_ids_are_refused(bad: str) -> None:
    with pytest.raises(WrongArguments, match="want video_id:start_ms"):
        parse_clip_id(bad)


@given(st.text(min_size=1, max_size=60))
def test_a_slug_is_its_own_slug_or_refused(name: str) -> None:
    try:
        key = slug(name)
    except WrongArguments:
        assert not any(c.isascii() and c.isalnum() for c in name.lower())
    else:
        assert slug(key) == check_slug(key) == key


def test_a_slug_reads_well() -> None:
    assert slug("Clean and jerk") == "clean_and_jerk"


@pytest.mark.parametrize("name", ["Übung", "é", "café", "柔道ガ", "Kung Fu"])
def test_a_name_has_one_key_however_its_accents_are_composed(name: str) -> None:
    assert slug(unicodedata.normalize("NFD", name)) == slug(unicodedata.normalize("NFC", name))


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2999, 1, 1), timezones=st.just(UTC)))
def test_every_moment_is_in_exactly_one_window(moment: datetime) -> None:
    window = Window.of(moment)
    assert moment in window
    assert window.end - window.start == timedelta(days=7)
    assert moment not in Window.of(window.end)
    assert moment not in Window.of(window.start - timedelta(seconds=1))
    assert Window.parse(str(window)) == window


@pytest.mark.parametrize(
    "bad",
    [
        *("2026-01-06", "monday", "", "2026-13-01", "20260105", "2026-W02-1", " 2026-01-05", "2026-01-05\n"),
        *("2026-01-05 garbage", "2026-01-05T", "2026-01-05T00:00", "2026-01-05T12:00:00", "2026-01-05T00:00:00+05:00"),
    ],
)
def test_other_windows_are_refused(bad: str) -> None:
    with pytest.raises(WrongArguments, match="Monday"):
        Window.parse(bad)


def test_every_window_ends_within_the_calendar() -> None:
    assert Window.parse("9999-12-20").end.year == 9999
    with pytest.raises(WrongArguments, match="9999-12-27: ends outside the calendar"):
        Window.parse("9999-12-27")


@given(st.from_regex(r"2026-01-05[\s\S]{0,20}", fullmatch=True))
def test_a_window_has_few_spellings(key: str) -> None:
    try:
        window = Window.parse(key)
    except WrongArguments:
        return
    assert window == Window(date(2026, 1, 5))
    assert key.removeprefix("2026-01-05") in ("", *WINDOW_ENDINGS)


@pytest.mark.parametrize("ending", WINDOW_ENDINGS)
def test_a_partition_key_may_say_midnight(ending: str) -> None:
    assert str(Window.parse(f"2026-01-05{ending}")) == "2026-01-05"


def test_a_round_is_its_window_and_panel() -> None:
    key = round_key("2026-01-05", "p1234abcd")
    assert key == "2026-01-05.p1234abcd"
    assert parse_round_key(key) == (Window(date(2026, 1, 5)), "p1234abcd")
    with pytest.raises(WrongArguments, match=r"want window\.panel"):
        parse_round_key("2026-01-05")


@given(st.lists(st.text(max_size=8), max_size=4))
def test_a_unit_hash_is_a_share(parts: list[str]) -> None:
    assert 0 <= unit_hash(*parts) < 1


def test_a_hash_depends_on_the_order_and_the_borders() -> None:
    assert len({content_hash("a", "b"), content_hash("b", "a"), content_hash("ab"), content_hash("a", "b", "")}) == 4


def test_splits_have_their_shares_and_never_move() -> None:
    groups = [f"group{n}" for n in range(4000)]
    small = [split_of(group, validation_share=0.1, testing_share=0.2) for group in groups]
    assert small == [split_of(group, validation_share=0.1, testing_share=0.2) for group in groups]
    assert small.count(Split.TESTING) / 4000 == pytest.approx(0.2, abs=0.03)
    assert small.count(Split.VALIDATION) / 4000 == pytest.approx(0.1, abs=0.03)
