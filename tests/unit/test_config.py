from pathlib import Path

import pytest

from slac_tasks import config
from slac_tasks.errors import NotConfigured, WrongArguments


def load(tmp_path: Path, text: str) -> config.Config:
    file = tmp_path / "slac.toml"
    file.write_text(text)
    return config.load({"SLAC_STORE": "/store", "SLAC_CONFIG": str(file)})


def test_every_knob_has_a_default() -> None:
    assert config.load({"SLAC_STORE": "/store"}) == config.Config(store_url="/store")


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    found = load(tmp_path, '[collect]\nsources = ["/videos"]\nmax_duration_sec = 60\n')
    assert found.collect == config.Collect(sources=("/videos",), max_duration_sec=60.0)
    assert found.mining == config.Mining()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[collect]\nsauces = []", r"setting collect\.sauces: unknown, want one of"),
        ("[fetch]\nworkers = true", r"setting fetch\.workers: is True, want int"),
        ("[collect]\nsources = [1]", r"setting collect\.sources: is \[1\]"),
        ('[mining]\ndisagreement = "0.6"', r"setting mining\.disagreement: is '0\.6', want float"),
        ("collect = 3", "setting collect: is 3, want Collect"),
        ("[nothing]", "setting nothing: unknown"),
    ],
)
def test_unknown_names_and_wrong_types_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(WrongArguments, match=message):
        load(tmp_path, text)


def test_a_file_that_cannot_be_read_is_a_missing_setting(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="SLAC_CONFIG: cannot read"):
        load(tmp_path, "[collect")
    with pytest.raises(NotConfigured, match="SLAC_CONFIG: cannot read"):
        config.load({"SLAC_STORE": "/store", "SLAC_CONFIG": str(tmp_path / "absent.toml")})
    with pytest.raises(NotConfigured, match="SLAC_STORE: not set"):
        config.load({})


def test_a_digest_holds_the_named_sections_alone(tmp_path: Path) -> None:
    before, after = load(tmp_path, ""), load(tmp_path, "[mining]\nclips_per_round = 7\n")
    assert set(before.digest(("proposal", "mining"))) == {"proposal", "mining"}
    assert before.digest(("proposal",)) == after.digest(("proposal",))
    assert before.digest(("mining",)) != after.digest(("mining",))
