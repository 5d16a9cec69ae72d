"""Every setting has a default in its range, and refuses any other value with its name, the value and the range."""

import math
import re
import sys
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slac_tasks.admission.settings import Admission
from slac_tasks.collect.settings import Collect
from slac_tasks.config import Config
from slac_tasks.errors import WrongArguments
from slac_tasks.mining.plan import plan_round
from slac_tasks.mining.settings import Mining
from slac_tasks.quality.settings import Quality
from slac_tasks.settings import Section, Setting, from_table, sections_of, setting, settings_of
from slac_tasks.training.planned import steps_of
from slac_tasks.training.settings import Training
from slac_tasks.verification.settings import Review

SECTIONS: tuple[type[Section], ...] = (Config, *sections_of(Config).values())
ALL = [each for section in SECTIONS for each in settings_of(section)]
NUMBERS = [each for each in ALL if each.kind in (int, float)]


def path(each: Setting) -> str:
    return each.path


def made(each: Setting, value: Any) -> Section:
    """The section of a setting with that value, as the settings file would make it."""
    table = {each.name: value}
    return from_table(Config, {"store_url": "/store", **({each.table: table} if each.table else table)})


def outside(each: Setting) -> st.SearchStrategy[Any]:
    """Values that a setting may not have: of another type, past an end, not among its choices, no number at all."""
    others = [st.none(), st.dictionaries(st.text(), st.integers(), max_size=2)]
    others += [st.lists(st.integers(), min_size=1).filter(lambda items: not each.allows(tuple(items)))]
    if each.kind is not str or each.rule.choices:
        others += [st.text().filter(lambda text: text not in each.rule.choices)]
    others += [st.booleans()] if each.kind is not bool else [st.integers()]
    numbers = st.integers() if each.kind is int else st.integers() | st.floats(allow_nan=False)
    if each.kind in (int, float):
        ends = [end for end in (each.rule.least, each.rule.most) if end is not None]
        others += [st.sampled_from([math.nan, math.inf, -math.inf, 1e308]), st.just(10**400)]
        others += [numbers.filter(lambda number: not each.allows(number))]
        others += [st.sampled_from([math.floor(end) - 1 for end in ends] + [math.ceil(end) + 1 for end in ends]).filter(
            lambda number: not each.allows(number)
        )]  # fmt: skip
    return st.one_of(others)


@pytest.mark.parametrize("each", ALL, ids=path)
@settings(max_examples=20)
@given(data=st.data())
def test_a_value_that_a_setting_may_not_have_is_refused_with_its_name(each: Setting, data: st.DataObject) -> None:
    value = data.draw(outside(each))
    with pytest.raises(WrongArguments) as refused:
        made(each, value)
    found = each.converted(value)
    assert f"setting {each.path}: is {found!r}, want {each.wanted}" == str(refused.value)


@pytest.mark.parametrize("each", ALL, ids=path)
def test_every_default_may_be_had_and_every_setting_says_what_it_means(each: Setting) -> None:
    assert each.default is None or each.allows(each.default)
    assert each.rule.meaning.endswith(".")


@pytest.mark.parametrize("each", NUMBERS, ids=path)
def test_what_means_nothing_at_0_means_something_at_its_lower_end(each: Setting) -> None:
    assert each.rule.least is not None
    assert each.rule.least <= 0 or not each.allows(sys.float_info.min)


def ends(name: str) -> tuple[Any, Any]:
    """The smallest and the largest value of a setting."""
    (each,) = (each for each in NUMBERS if each.path == name)
    return each.kind(each.rule.least), each.kind(each.rule.most)


def test_what_is_computed_of_numbers_at_their_ends_is_a_number() -> None:
    """Of 1e308 minutes, at 1e-320 seconds an answer, nobody can say how many clips they buy."""
    for minutes, seconds in product(ends("mining.minutes_per_round"), ends("mining.seconds_per_answer")):
        knobs = Mining(minutes_per_round=minutes, seconds_per_answer=seconds)
        assert 0 <= sum(plan_round(knobs, seconds_per_clip=seconds).clips.values()) <= knobs.clips_per_round
    for epochs, batch in product(ends("training.epochs"), ends("training.batch")):
        assert steps_of(Training(epochs=epochs, batch=batch), 10**9) > 0
    for gap_sec in ends("mining.min_gap_sec") + ends("mining.coherence_sec"):
        assert 0 <= round(gap_sec * 1000) < 2**63
    assert 0 <= int(max(ends("training.scratch_gib")) * 2**30) < 2**63
    for name in ("fetch.max_download_sec", "fetch.max_wait_sec"):
        assert max(ends(name)) < threading.TIMEOUT_MAX
    assert 2**20 / min(ends("fetch.bytes_per_sec")) < threading.TIMEOUT_MAX


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("fetch.retry_drops_after_days", "days"),
        ("judge_pause_min", "minutes"),
        ("quality.approve_timeout_sec", "seconds"),
    ],
)  # fmt: skip
def test_the_longest_time_that_may_be_set_is_one_that_a_calendar_holds(name: str, unit: str) -> None:
    (most,) = (each.rule.most for each in NUMBERS if each.path == name)
    assert most is not None
    for now in (datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)):
        assert now - timedelta(**{unit: most}) < now < now + timedelta(**{unit: most})


@pytest.mark.parametrize("each", NUMBERS, ids=path)
def test_the_ends_of_a_range_are_as_they_are_said(each: Setting) -> None:
    assert each.rule.least is not None
    assert f"from {each.rule.least:_} to {each.rule.most:_}" in each.wanted
    for end, beyond in ((each.rule.least, -1), (each.rule.most, 1)):
        assert each.allows(each.kind(end))
        assert not each.allows(each.kind(end) + beyond)


def test_a_section_is_called_as_its_table() -> None:
    assert {name: section.table() for name, section in sections_of(Config).items()} == {
        name: name for name in sections_of(Config)
    }


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Review(votes_wanted=5), r"review\.votes_most: is 3, want votes_wanted \(5\) or more"),
        (
            lambda: Admission(validation_share=0.5, testing_share=0.5),
            r"testing_share: is 0\.5, want less than 1 with",
        ),
        (lambda: Quality(min_positive_share=0.9, max_positive_share=0.2), r"max_positive_share: is 0\.2, want min_pos"),
        (lambda: Collect(max_duration_sec=1.0), r"max_duration_sec: is 1\.0, want min_duration_sec \(2\.0\) or more"),
        (lambda: Mining(disagreement=0.5, entropy=0.3), r"mining\.disagreement: is 0\.5, want at most 0\.95 together"),
    ],
)
def test_two_settings_that_contradict_each_other_are_refused(make: Any, message: str) -> None:
    with pytest.raises(WrongArguments, match=message):
        make()


@given(st.floats(0, 1), st.floats(0, 1))
def test_no_split_takes_what_the_others_need(validation: float, testing: float) -> None:
    assume(validation + testing >= 1)
    with pytest.raises(WrongArguments, match=r"setting admission\.testing_share"):
        Admission(validation_share=validation, testing_share=testing)


def test_all_wrong_settings_are_named_at_once() -> None:
    tables = {
        "batch_categories": 0,
        "sauces": 1,
        "mining": {"clips_per_round": 0, "diversity": 2},
        "quality": {"min_labels": 0, "max_labels": 3},
        "release": 7,
    }
    with pytest.raises(WrongArguments) as refused:
        from_table(Config, {"store_url": "/store", **tables})
    named = re.findall(r"setting ([\w.]+):", str(refused.value))
    assert sorted(named) == [
        "batch_categories", "mining.clips_per_round", "mining.diversity", "quality.max_labels", "quality.min_labels",
        "release", "sauces",
    ]  # fmt: skip


@pytest.mark.parametrize("table", [{"fetch": {"scratch": "a\0"}}, {"collect": {"sources": ["a", "b\0"]}}])
def test_no_text_holds_a_nul(table: dict[str, dict[str, object]]) -> None:
    with pytest.raises(WrongArguments, match=r"is .*\\x00.*, want a (list of )?text"):
        from_table(Config, {"store_url": "/store", **table})


def test_a_section_is_checked_however_it_is_made() -> None:
    with pytest.raises(WrongArguments, match=r"setting mining\.clips_per_round: is 0, want a whole number from 1 to"):
        replace(Mining(), clips_per_round=0)


def test_a_whole_number_is_a_number_and_a_truth_is_none() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Toy(Section):
        share: float = setting(0.5, "A share.", least=0, most=1)

    found = from_table(Toy, {"share": 1})
    assert (found.share, type(found.share)) == (1.0, float)
    with pytest.raises(WrongArguments, match=r"setting toy\.share: is True, want a number from 0 to 1"):
        from_table(Toy, {"share": True})
