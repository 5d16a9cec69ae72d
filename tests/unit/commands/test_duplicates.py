"""Pairs of look-alikes are listed, told apart and told the same by a command."""

import pytest

from slac_tasks import cli
from slac_tasks.storage.ledger import Ledger

DROPPED, ADMITTED, WEEK = "b" * 16, "a" * 16, "2026-01-05"


@pytest.fixture(autouse=True)
def _pair(ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    for category in ("judo", "polo"):
        ledger.run("register_category", category=category, name=category, guideline=None)
    ledger.run(
        "add_duplicate", category="judo", window=WEEK, candidate_id="c", video_id=DROPPED, other_id=ADMITTED,
        evidence="12 of 13 half seconds agree", source="folder", source_id="b.mp4", proxy_256="b-256.mp4",
    )  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = cli.main(words)
    found = capsys.readouterr()
    return code, found.out + found.err


def test_a_pair_is_listed_told_apart_and_told_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, "show", "duplicates", "category=judo", f"window={WEEK}")
    assert code == 0
    assert f"{DROPPED} (folder b.mp4) was dropped for {ADMITTED}" in text
    assert "12 of 13 half seconds agree" in text
    assert "0 pairs" in run(capsys, "show", "duplicates", "category=polo")[1]
    word = ("--person", "mara", "--reason", "two people")
    code, text = run(capsys, "duplicates", "differ", ADMITTED, DROPPED, *word)
    assert (code, f"slac deduplicate --window {WEEK} --follow" in text) == (0, True)
    text = run(capsys, "show", "duplicates")[1]
    assert "told apart by mara, and not admitted yet" in text
    assert f"told apart: {ADMITTED} and {DROPPED} by mara: two people" in text
    assert run(capsys, "duplicates", "same", DROPPED, ADMITTED)[0] == 0
    code, text = run(capsys, "duplicates", "same", DROPPED, ADMITTED)
    assert (code, "nobody told them apart" in text) == (64, True)


def test_what_cannot_be_undone_is_refused_by_name(capsys: pytest.CaptureFixture[str], ledger: Ledger) -> None:
    word = ("--person", "mara", "--reason", "two people")
    code, text = run(capsys, "duplicates", "differ", DROPPED, "f" * 16, *word)
    assert (code, "are no pair of look-alikes" in text) == (64, True)
    assert run(capsys, "duplicates", "differ", DROPPED, ADMITTED, "--person", "mara", "--reason", " ")[0] == 64
    assert run(capsys, "show", "duplicates", "round=1")[0] == 64
    assert run(capsys, "duplicates", "differ", DROPPED, ADMITTED, *word)[0] == 0
    with ledger._connection.cursor() as cursor:
        for video in (DROPPED, ADMITTED):
            cursor.execute("INSERT INTO videos VALUES (%s, %s, %s, 'training', '{}')", (video, video, video))
    code, text = run(capsys, "duplicates", "same", DROPPED, ADMITTED)
    assert (code, "takedown" in text) == (64, True)
