"""What prints rows for people prints them for programs too: one JSON object a line."""

import json
from pathlib import Path

import pytest

from slac_tasks import cli
from slac_tasks.reports.funnel import METRICS

LISTS = {
    ("known", "list"): set(),
    ("annotator", "list"): {"annotator", "active", "role", "groups", "has_login"},
    ("segments", "list"): set(),
    ("exclude", "list"): set(),
    ("votes", "rejected"): set(),
    ("show", "verdicts"): {"category", "verdict", "measures"},
    ("show", "retraining"): set(),
    ("show", "duplicates"): set(),
    ("show",): {"dataset", "partitions", "rows", "dropped", "meaning"},
    ("funnel",): {"name", "value", "whole", "meaning", "details"},
    ("gc", "--dry-run"): set(),
}
"""Commands that print rows, each with names that its rows hold; none: there is no row in this ledger."""


@pytest.mark.parametrize("words", LISTS, ids=" ".join)
def test_every_line_is_an_object(
    words: tuple[str, ...],
    ledger_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    monkeypatch.delenv("SLAC_CONFIG", raising=False)
    assert cli.main(["register", "--category", "Judo"]) == 0
    assert cli.main(["annotator", "add", "label-studio:ada@example.com"]) == 0
    capsys.readouterr()
    assert cli.main([*words, "--json"]) == 0, capsys.readouterr().err
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert bool(rows) == bool(LISTS[words])
    for row in rows:
        assert LISTS[words] <= set(row)
    if words == ("funnel",):
        assert [row["name"] for row in rows] == [metric.name for metric in METRICS]
        assert rows[0]["value"] == 1
