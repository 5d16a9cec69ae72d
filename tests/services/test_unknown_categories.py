"""A category that is not registered is refused by every command that names one, with the name that is close to it."""

from pathlib import Path

import pytest

from slac_tasks import cli


@pytest.mark.parametrize(
    "words",
    [
        ("known", "add", "--clip", "a:0", "--answer", "yes", "--as", "gold", "--person", "mara"),
        ("known", "drop", "--clip", "a:0"),
        ("annotator", "assign", "club"),
        ("votes", "tasks", "--media", "https://media.example/slac"),
        ("plan", "--for", "collect_videos", "--window", "2026-01-05"),
        ("category", "show"),
        ("category", "pause"),
        ("show", "verdicts"),
        ("show", "duplicates"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_an_unknown_category_is_answered_with_what_is_close_to_it(
    words: tuple[str, ...],
    ledger_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "store").mkdir()
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    monkeypatch.delenv("SLAC_CONFIG", raising=False)
    assert cli.main(["register", "--category", "High kick"]) == 0
    assert cli.main([*words, *([] if words[0] == "category" else ["--category"]), "hig_kick"]) == 64
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith("category 'hig_kick': not registered, did you mean high_kick?")
