from pathlib import Path

import pytest

from slac_tasks import config
from slac_tasks.collect.settings import Collect
from slac_tasks.errors import NotConfigured, Temporary, WrongArguments
from slac_tasks.mining.settings import Mining


def load(tmp_path: Path, text: str) -> config.Config:
    file = tmp_path / "slac.toml"
    file.write_text(text)
    return config.load({"SLAC_STORE": "/store", "SLAC_CONFIG": str(file)})


def test_every_knob_has_a_default() -> None:
    assert config.load({"SLAC_STORE": "/store"}) == config.Config(store_url="/store")


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    found = load(tmp_path, '[collect]\nsources = ["/videos"]\nmax_duration_sec = 60\n')
    assert found.collect == Collect(sources=("/videos",), max_duration_sec=60.0)
    assert found.mining == Mining()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[collect]\nsauces = []", r"setting collect\.sauces: unknown, did you mean sources"),
        ("[fetch]\nworkers = true", r"setting fetch\.workers: is True, want a whole number from 1 to 1_000"),
        ("[collect]\nsources = [1]", r"setting collect\.sources: is \[1\]"),
        ('[mining]\ndisagreement = "0.6"', r"setting mining\.disagreement: is '0\.6', want a number from 0 to 1"),
        ("collect = 3", "setting collect: is 3, want a table"),
        ("[nothing]", "setting nothing: unknown"),
    ],
)
def test_unknown_names_and_wrong_types_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(WrongArguments, match=f"slac.toml: {message}"):
        load(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "batch_categories = 0", "[scoring]\nbatch = 0", "[committee]\nsteps = 0", "[committee]\nclips_per_video = -1",
        "[admission]\ntesting_share = 7.0", "[review]\nvotes_wanted = 5", "[quality]\nmin_agreement = 2.0",
        "[training]\ntransfer_seeds = 0", "[fetch]\ntimeout_sec = nan", "[mining]\nminutes_per_round = inf",
    ],
)  # fmt: skip
def test_a_value_that_would_fail_later_or_in_silence_is_refused_at_load(tmp_path: Path, text: str) -> None:
    with pytest.raises(WrongArguments, match=r"slac\.toml: setting [a-z_.]+: is .*, want "):
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


def test_settings_know_where_they_came_from(tmp_path: Path) -> None:
    file = tmp_path / "slac.toml"
    file.write_text('store_url = "/other"\ndevice = "cpu"\n[mining]\nclips_per_round = 7\n')
    found = config.loaded({"SLAC_STORE": "/store", "SLAC_CONFIG": str(file)})
    assert found.config.store_url == "/store"
    assert found.origins == {"store_url": "SLAC_STORE", "device": str(file), "mining.clips_per_round": str(file)}
    assert config.loaded({"SLAC_CONFIG": str(file)}).config.store_url == "/other"


def test_a_process_that_finds_other_settings_than_its_worker_refuses_to_work(tmp_path: Path) -> None:
    worker = load(tmp_path, "[mining]\nclips_per_round = 7\n")
    handed = {config.FINGERPRINT: worker.fingerprint, "SLAC_CONFIG": str(tmp_path / "slac.toml")}
    # The same file serves another store: where rows are is no setting that a worker and a pod could disagree on.
    assert config.load({"SLAC_STORE": "/elsewhere", **handed}).mining == worker.mining
    with pytest.raises(Temporary, match=f"are not those of Airflow's worker, {worker.fingerprint}"):
        config.load({"SLAC_STORE": "/store", **handed, "SLAC_CONFIG": ""})
