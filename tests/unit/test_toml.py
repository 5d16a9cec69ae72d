"""Settings as TOML: what is written can be read, and what cannot be read says where."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks import toml
from slac_tasks.collect.settings import Collect
from slac_tasks.config import Config
from slac_tasks.errors import NotConfigured, WrongArguments
from slac_tasks.settings import from_table, sections_of, settings_of

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
"""What a setting may hold."""
VALUES = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()


@given(VALUES | st.lists(st.text()).map(tuple))
def test_what_is_written_is_read_as_the_same_value(value: bool | int | float | str | tuple[str, ...]) -> None:
    found = tomllib.loads(f"value = {toml.literal(value)}")["value"]
    assert (tuple(found) if isinstance(found, list) else found) == value
    assert type(found) is (list if isinstance(value, tuple) else type(value))


def test_a_path_that_is_no_text_is_refused() -> None:
    with pytest.raises(WrongArguments, match="is not Unicode"):
        toml.literal("/videos/\udcff")


def test_the_template_parses_to_the_defaults_and_names_every_setting() -> None:
    text = toml.template(Config)
    tables = tomllib.loads(text)
    assert from_table(Config, {**tables, "store_url": "/store"}) == Config(store_url="/store")
    for name, section in sections_of(Config).items():
        assert list(tables[name]) == [each.name for each in settings_of(section)]
        for each in settings_of(section):
            words = " ".join(text.replace("\n# ", " ").split())
            assert f"{' '.join(each.rule.meaning.split())} ({each.wanted}; default" in words
    assert max(map(len, text.splitlines())) <= 120


@given(TEXTS, st.booleans(), st.integers(1, 2**40), st.lists(TEXTS).map(tuple))
def test_changes_are_read_back_as_the_settings_that_they_came_from(
    scratch: str, originals: bool, size: int, sources: tuple[str, ...]
) -> None:
    plain = Config(store_url="/store")
    config = replace(
        plain,
        collect=Collect(sources=sources, keep_originals=originals, max_size_bytes=size),
        fetch=replace(plain.fetch, scratch=scratch),
    )
    text = toml.changes(config, "A test.")
    assert from_table(Config, {**tomllib.loads(text), "store_url": "/store"}) == config
    assert "store_url" not in text


def test_nothing_differs_nothing_is_written() -> None:
    assert toml.changes(Config(store_url="/store"), "A test.") == "# A test.\n"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"device = 'cpu'\n[collect]\nsources = ['M\xfcnchen']\n", "line 3 is not UTF-8"),
        (b"device = 'cpu'\n[collect\n", "at line 2"),
        (b"device = 'cpu'\ndevice = 'cpu'\n", "at line 2"),
        (b"a = " + b"[" * 100_000, "cannot read"),
    ],
)
def test_a_file_that_is_no_toml_says_where(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "slac.toml"
    file.write_bytes(data)
    with pytest.raises(NotConfigured, match=message) as refused:
        toml.read(str(file))
    assert str(file) in str(refused.value)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="Is a directory"):
        toml.read(str(tmp_path))
    with pytest.raises(NotConfigured, match="No such file"):
        toml.read(str(tmp_path / "absent.toml"))


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "slac.toml"
    file.write_bytes(b"\xef\xbb\xbfdevice = 'cpu'\r\n")
    assert toml.read(str(file)) == {"device": "cpu"}
