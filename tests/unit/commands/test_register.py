"""`slac register`: each name gets a key of its own, and no name takes another one's."""

from pathlib import Path

import pytest

from slac_tasks import cli
from slac_tasks.collect.names import Categories
from slac_tasks.storage.ledger import Ledger


@pytest.fixture
def folders(tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sources; the settings of the command line name it."""
    (tmp_path / "slac.toml").write_text(f'[collect]\nsources = ["{tmp_path}/videos"]\n')
    monkeypatch.setenv("SLAC_CONFIG", str(tmp_path / "slac.toml"))
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    (tmp_path / "videos").mkdir()
    return tmp_path / "videos"


def names(ledger: Ledger) -> dict[str, str]:
    return {row["category"]: row["name"] for row in ledger.rows("categories")}


def test_sources_register_every_name_that_has_a_key_of_its_own(
    folders: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("Clean and jerk", "—", "C", "C#", b"caf\xe9".decode("utf-8", "surrogateescape")):
        (folders / name).mkdir()
    assert cli.main(["register", "--from-sources"]) == 0
    assert names(ledger) == {"clean_and_jerk": "Clean and jerk"}
    told = capsys.readouterr().err
    assert "set aside 3 entries" in told
    for words in ("'—' has no letter", "'caf\\xe9' is not UTF-8", "'C' and 'C#' are different names"):
        assert words in told


def test_sources_without_any_key_are_refused(folders: Path, ledger: Ledger) -> None:
    (folders / "—").mkdir()
    assert cli.main(["register", "--from-sources"]) == 65
    assert names(ledger) == {}


def test_a_registered_name_is_not_replaced_by_another_one(
    folders: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["register", "--category", "C", "--category", "judo"]) == 0
    assert cli.main(["register", "--category", "C++"]) == 64
    assert "category 'C++' would get the key 'c' of the registered category 'C'" in capsys.readouterr().err
    assert cli.main(["register", "--category", "golf", "--category", "C", "--category", "C#"]) == 64
    assert names(ledger) == {"c": "C", "judo": "judo"}
    (folders / "C++").mkdir()
    (folders / "golf").mkdir()
    assert cli.main(["register", "--from-sources"]) == 0
    assert names(ledger) == {"c": "C", "golf": "golf", "judo": "judo"}
    # The key alone is no name that somebody chose, and another spelling is the same name.
    assert cli.main(["register", "--category", "Judo (柔道)", "--category", "c"]) == 0
    assert names(ledger) == {"c": "c", "golf": "golf", "judo": "Judo (柔道)"}


def test_a_name_that_no_source_offers_is_refused_where_it_is_wanted(
    folders: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("Clean and jerk", "柔道", "golf"):
        (folders / name).mkdir()
    assert cli.main(["register", "--offered", "--category", "clean_and_jerk", "--category", "Golff"]) == 64
    assert "no source offers 'Golff', did you mean golf?" in capsys.readouterr().err
    assert names(ledger) == {}
    assert cli.main(["register", "--offered", "--category", "柔道"]) == 0
    assert list(names(ledger).values()) == ["柔道"]
    assert cli.main(["register", "--offered", "--category", "swimming"]) == 64
    assert "no source offers 'swimming', the sources offer Clean and jerk, golf\n" in capsys.readouterr().err
    assert cli.main(["register", "--offered"]) == 64
    assert "no name is given, and the sources offer Clean and jerk, golf, which nobody" in capsys.readouterr().err
    assert cli.main(["register"]) == 64
    assert "--category: no name is given" in capsys.readouterr().err
    assert cli.main(["register", "--offered", "--category", " "]) == 64
    assert "' ' has no letter and no digit to make a key of\n" in capsys.readouterr().err, "a name was given"


@pytest.mark.usefixtures("folders")
def test_a_category_is_retired_by_its_own_name_or_key_alone(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    word = ["--person", "mara", "--reason", "no source has it"]
    assert cli.main(["register", "--category", "C", "--category", "柔道", "--category", "café"]) == 0
    for others, why in (("C++", "would get the key 'c' of the registered category 'C'"), ("—", "has no letter")):
        assert cli.main(["retire", "--category", "café", "--category", others, *word]) == 64
        assert why in capsys.readouterr().err
    assert not any(row["retired_at"] for row in ledger.rows("categories"))
    (judo,) = Categories.of(["柔道"]).names
    assert cli.main(["retire", "--category", "c", "--category", judo, "--category", "Café", *word]) == 0
    assert all(row["retired_at"] for row in ledger.rows("categories"))


def test_a_retired_category_is_not_registered_and_the_way_back_is_said(
    folders: Path, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["register", "--category", "judo"]) == 0
    assert cli.main(["retire", "--category", "judo", "--person", " Mare\u0301 ", "--reason", "no source has it"]) == 0
    # By the name that votes have somebody is forgotten.
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT person FROM rulings")
        assert cursor.fetchall() == [("Mar\u00e9",)]
    for words in (["register", "--category", "Judo"], ["category", "add", "judo", "--floor", "0.9"]):
        assert cli.main(words) == 64
        assert "is retired and stays so; `slac retire --category judo --undo`" in capsys.readouterr().err
    assert ledger.rows("category_plans") == []
    (folders / "Judo").mkdir()
    # The sources still have its folder: that is no failure, and others are registered.
    assert cli.main(["register", "--from-sources"]) == 0
    assert "register: 0 categories" in capsys.readouterr().err
    (folders / "golf").mkdir()
    assert cli.main(["register", "--from-sources"]) == 0
    told = capsys.readouterr().err
    assert "category 'Judo' is retired and stays so" in told
    assert "register: 1 category: golf" in told
    assert cli.main(["category", "show", "judo"]) == 0
    assert "category: judo: is retired" in capsys.readouterr().err
    assert cli.main(["retire", "--category", "judo", "--person", "mara", "--reason", "it does", "--undo"]) == 0
    assert cli.main(["register", "--category", "Judo"]) == 0
