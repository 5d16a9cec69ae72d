"""What `slac show` lists: categories by name, drops by the names of files, and rows as JSON."""

import json
from pathlib import Path

import pytest

from slac_tasks import cli
from slac_tasks.storage.datasets import CANDIDATES, CLIPS, FETCHED
from slac_tasks.storage.datasets.collecting import CandidateRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.manifests import Drop
from slac_tasks.storage.tables import Datasets

KEYS = {"category": "asl", "window": "2026-01-05"}
PARTITION = ("--category", "asl", "--window", "2026-01-05")


@pytest.fixture(autouse=True)
def _datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A week of one category: one candidate, which `fetch` dropped."""
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("SLAC_CONFIG", raising=False)
    datasets = Datasets(FolderStore(tmp_path / "store"))
    row = CandidateRow(
        candidate_id="3f2a9c01d4e5b677", source="s", source_id="asl/asl_milk.mkv", location="/asl_milk.mkv"
    )
    made = {"keys": KEYS, "settings": {}, "made_from": {}}
    datasets.write(CANDIDATES, [CANDIDATES.table([row])], stage="discover", **made)
    drops = [Drop(item=row.candidate_id, reason="too long", detail="301 s"), Drop(item="unlisted", reason="gone")]
    datasets.write(FETCHED, [], stage="fetch", drops=drops, **made)
    datasets.write(CLIPS, [], stage="propose", **made)


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert cli.main(["show", *words]) == 0, capsys.readouterr().err
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("words", [(), ("--category", "asl"), PARTITION])
def test_a_drop_is_listed_with_the_name_that_its_source_gives_it(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(capsys, "fetched", *words)
    assert "dropped asl/asl_milk.mkv (3f2a9c01d4e5b677): too long: 301 s" in lines
    assert "dropped unlisted: gone" in lines


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("videos",), "videos: no partition yet"),
        (("scores", "--weights", "none"), "scores: no partition yet weights=none"),
        (("fetched", "--window", "2026-02-02"), "fetched: no partition yet window=2026-02-02"),
    ],
)
def test_where_nothing_is_that_is_said(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, *words) == [said]
    assert shown(capsys, *words, "--json") == []


def test_a_key_as_a_flag_is_the_key_as_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "fetched", *PARTITION) == shown(capsys, "fetched", "category=asl", "window=2026-01-05")


def test_rows_are_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    (listed,) = map(json.loads, shown(capsys, "fetched", "--json"))
    assert listed["rows"] == 0
    assert listed["dropped"] == {"gone": 1, "too long": 1}
    (one,) = map(json.loads, shown(capsys, "fetched", *PARTITION, "--json"))
    assert {drop["item"]: drop["name"] for drop in one["drops"]} == {
        "3f2a9c01d4e5b677": "asl/asl_milk.mkv", "unlisted": None,
    }  # fmt: skip
    (candidates,) = map(json.loads, shown(capsys, "candidates", *PARTITION, "--json"))
    assert candidates["first"][0]["source_id"] == "asl/asl_milk.mkv"
    totals = {row["dataset"]: row for row in map(json.loads, shown(capsys, "--json"))}
    assert totals["fetched"]["dropped"] == 2


@pytest.mark.parametrize(
    "words",
    [
        ("show", "fetched", "--category", "als"),
        ("fetch", "--category", "als", "--window", "2026-01-05"),
        ("score", "--category", "als", "--window", "2026-01-05", "--committee", "c1a2b3c4"),
    ],
)
def test_an_unknown_category_is_refused_before_a_stage_is_imported(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.sys.modules, f"slac_tasks.stages.{words[0]}", None)  # to import it now fails
    assert cli.main(list(words)) == 64
    said = capsys.readouterr().err.splitlines()[-1]
    assert "category 'als': the store holds no" in said
    assert said.endswith("did you mean asl?")
