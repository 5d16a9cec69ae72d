"""What the forms of Airflow offer, and that nothing in them is red before a person types."""

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Param
from airflow.sdk.exceptions import ParamValidationError
from slac_forms import (
    category_field,
    guideline_field,
    offered_field,
    past_fields,
    reason_field,
    text_field,
    wish_fields,
    yes_field,
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write the settings that a DAG file is read with: these sources."""

    def write(*sources: str) -> None:
        (tmp_path / "slac.toml").write_text(f"[collect]\nsources = {list(sources)}\n")

    monkeypatch.setenv("SLAC_CONFIG", str(tmp_path / "slac.toml"))
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    return write


def test_the_folders_of_the_sources_are_offered_by_name(tmp_path: Path, settings: Any) -> None:
    for name in ("videos/polo", "videos/柔道", "videos/.hidden", "more/judo"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "videos" / "read.me").touch()
    settings(f"{tmp_path}/videos", f"{tmp_path}/more", "s3://bucket/prefix", "yt-dlp:ytsearch5:{query}")
    assert offered_field()["offered"].schema["examples"] == ["judo", "polo", "柔道"]


def test_a_form_without_anything_to_offer_has_no_such_field(tmp_path: Path, settings: Any) -> None:
    settings("s3://bucket/prefix")
    assert offered_field() == {}
    (tmp_path / "slac.toml").write_text("this is no TOML")
    assert offered_field() == {}


@pytest.mark.parametrize(
    "field",
    [
        *(category_field("x"), guideline_field(), reason_field("x"), yes_field("x", "x"), text_field("x", "x")),
        *wish_fields().values(),
    ],
    ids=lambda one: "field",
)
def test_an_untouched_field_is_no_error(field: Param) -> None:
    field.resolve()
    if field.schema["type"] != "boolean":  # a box is ticked or not
        field.resolve(None)


def test_a_wish_is_nobodys_until_a_person_ticks_it() -> None:
    assert yes_field("x", "x").resolve() is False


@pytest.mark.parametrize(
    ("field", "other"),
    [
        (category_field("x"), "judo"), (category_field("x"), [""]), (guideline_field(), 3),
        (reason_field("x"), ["few"]), (yes_field("x", "x"), "yes"), (text_field("x", "x"), 3),
        (past_fields()["from"], 3), (past_fields()["to"], 3),
    ],
    ids=lambda one: "",
)  # fmt: skip
def test_a_field_says_what_it_is_for_and_takes_nothing_else(field: Param, other: Any) -> None:
    assert field.schema["title"]
    assert field.description
    with pytest.raises(ParamValidationError):
        field.resolve(other)


@pytest.mark.parametrize(
    ("name", "value", "is_fine"),
    [
        ("floor", 0, True), ("floor", 0.999, True), ("floor", 1, False), ("floor", -0.1, False),
        ("videos", 1, True), ("videos", 0, False), ("videos", 1.5, False),
    ],
)  # fmt: skip
def test_a_wish_that_the_command_would_refuse_is_red_in_the_form(name: str, value: Any, is_fine: bool) -> None:
    field = wish_fields()[name]
    if is_fine:
        assert field.resolve(value) == value
    else:
        with pytest.raises(ParamValidationError):
            field.resolve(value)
