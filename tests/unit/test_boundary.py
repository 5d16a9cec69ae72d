"""The plugin and the image refuse each other when their command lines differ, and only then."""

from dataclasses import replace

import pytest

from slac_tasks import boundary, cli
from slac_tasks.errors import NotConfigured
from slac_tasks.procedure import STAGES, Flag

OTHER = "0.2.0 0123456789abcdef"


def test_one_release_fits_itself_and_a_person_says_nothing() -> None:
    boundary.check({boundary.VARIABLE: boundary.spoken()})
    boundary.check({})


def test_another_one_is_refused_with_both_versions() -> None:
    with pytest.raises(NotConfigured, match=r"slac 0\.1\.0 .* plugin of slac 0\.2\.0 \(0123456789abcdef\)"):
        boundary.check({boundary.VARIABLE: OTHER})


def test_a_command_does_nothing_for_another_release(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(boundary.VARIABLE, OTHER)
    # A flag that this code does not know is not what is wrong.
    assert cli.main(["fetch", "--flag-of-tomorrow", "1"]) == 78
    assert "want the plugin and the images of one release" in capsys.readouterr().err


def test_what_crosses_the_boundary_changes_it_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    before, fetch = boundary.boundary(), STAGES["fetch"]
    for same in (
        replace(fetch, help="other words"),
        replace(fetch, flags=tuple(replace(flag, help="other words") for flag in fetch.flags)),
    ):
        monkeypatch.setitem(STAGES, "fetch", same)
        assert boundary.boundary() == before
    for other in (
        replace(fetch, flags=(*fetch.flags, Flag(name="more", help=""))),
        replace(fetch, ledger=True),
        replace(fetch, follows=False),
    ):
        monkeypatch.setitem(STAGES, "fetch", other)
        assert boundary.boundary() != before


def test_the_version_names_the_boundary(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert boundary.boundary() in capsys.readouterr().out
