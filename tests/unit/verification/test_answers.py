"""Whatever another system holds becomes an answer that can be stored, or a rejection that names it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slac_tasks.given.words import fault_of
from slac_tasks.model import Answer
from slac_tasks.verification import label_studio
from slac_tasks.verification.answers import (
    EARLIEST,
    LONGEST_SEC,
    GivenAnswer,
    RawAnswer,
    Rejection,
    parse,
    vote_id,
)

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {"clip_id": "v:0", "category": "judo", "annotator": "ann", "answer": "yes", "seconds": 2.5}
GOOD |= {"cast_at": NOON, "vote_id": None}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes() | st.decimals(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["from_name", "value", "choices"]), inner)
    ),
    max_leaves=6,
)


def parsed(**changes: Any) -> GivenAnswer | Rejection:
    return parse("test", RawAnswer(item="line 2", **({"name": "n"} | GOOD | changes)))


def check(found: GivenAnswer | Rejection) -> None:
    """Whether the ledger can hold it."""
    for value in vars(found).values():
        assert not isinstance(value, str) or fault_of(value) == ""
    if isinstance(found, GivenAnswer):
        assert 0 <= found.seconds <= LONGEST_SEC
        assert EARLIEST <= found.cast_at <= datetime.now(UTC)
        assert found.answer in set(Answer)
        assert all((found.annotator, found.clip_id, found.category))
    else:
        assert found.reason
        assert len(found.detail) <= 300


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), ANYTHING, min_size=1))
@example({"answer": ["yes"]})
@example({"answer": [["yes", "sure"]]})
@example({"seconds": 1.7e308})
@example({"seconds": float("nan")})
@example({"vote_id": 5})
@example({"annotator": "a\x00n"})
@example({"cast_at": "9999-12-31T23:59:59-23:59"})
@example({"clip_id": "caf\udce9:0", "name": "judo/caf\udce9:0\nann"})
@settings(max_examples=400)
def test_any_values_are_an_answer_or_a_rejection(changes: dict[str, Any]) -> None:
    check(parsed(**changes))


@given(
    st.one_of(JSON.map(json.dumps), st.text(), st.just("[" * 5000), st.none()),
    st.none() | st.floats(),
    st.none() | st.integers(-62_135_510_400_000_000, 253_402_214_399_999_999),
    st.none() | st.text(),
    st.booleans(),
)
@settings(max_examples=300)
def test_any_annotation_is_an_answer_or_a_rejection(
    result: str | None, seconds: float | None, changed_us: int | None, email: str | None, cancelled: bool
) -> None:
    row = {"annotation": 7, "cancelled": cancelled, "seconds": seconds, "result": result, "changed_us": changed_us}
    found = parse("label-studio", label_studio._raw({**row, "email": email, "clip_id": "v:0", "category": "judo"}))
    assert found.item == "annotation 7"
    check(found)


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"answer": "perhaps"}, "label", "label 'perhaps', want one of yes"),
        ({"answer": None}, "label", "label is missing or blank"),
        ({"seconds": None}, "seconds", "seconds are missing"),
        ({"seconds": "2,5"}, "seconds", "may be 2.5 or 25"),
        ({"seconds": 86_401}, "seconds", "want 0 to 86400, a day"),
        ({"seconds": "-1"}, "seconds", "seconds -1.0, want 0"),
        ({"annotator": "  "}, "person", "person is missing or blank"),
        ({"annotator": None}, "person", "person is missing or blank"),
        ({"cast_at": "noon"}, "time", "time is 'noon', want ISO 8601"),
        ({"cast_at": "2026-01-05T12:00:00"}, "time", "has no time zone"),
        ({"cast_at": "01/02/2026"}, "time", "may be 2026-02-01 or 2026-01-02"),
        ({"cast_at": "1899-12-31T00:00:00Z"}, "time", "want one from 2000 to now"),
        ({"cast_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, "time", "want one from 2000 to now"),
        ({"clip_id": ""}, "clip", "clip is missing or blank"),
        ({"vote_id": "v1"}, "vote_id", "vote_id 'v1', want a UUID"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], reason: str, detail: str) -> None:
    found = parsed(**changes)
    assert isinstance(found, Rejection)
    assert found.reason == reason
    assert detail in found.detail


def test_what_means_the_same_is_the_same_answer() -> None:
    wanted = parsed()
    assert isinstance(wanted, GivenAnswer)
    assert wanted.vote_id == vote_id("test", "n", NOON)
    tokyo = (NOON + timedelta(hours=9)).isoformat().replace("+00:00", "+09:00")
    for changes in (
        {"annotator": " ann\u00a0"}, {"answer": " Yes"}, {"seconds": " 2.5 "}, {"cast_at": tokyo}, {"vote_id": " "}
    ):  # fmt: skip
        assert parsed(**changes) == wanted
    name = "0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f"
    for spelled in (name, name.upper(), "{" + name + "}", f"urn:uuid:{name}"):
        found = parsed(vote_id=spelled)
        assert isinstance(found, GivenAnswer)
        assert found.vote_id == name
