"""The procedure as data: what it names exists, and one new entry reaches every part that derives from it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from slac_tasks import cli, procedure
from slac_tasks.config import Config
from slac_tasks.errors import WrongArguments
from slac_tasks.procedure import COMMAND_DATASETS, KEYS, STAGES, Flag, Machine, Part, Stage
from slac_tasks.storage.datasets import ALL

ROOT = Path(__file__).resolve().parents[2]

POLISH = Stage(
    name="polish", part=Part.LABELS, help="polish the labels of a category", keys=("category", "window"),
    reads=("labels",),
    writes={"votes": ("review",)}, ledger=True, machine=Machine(processors=3, memory_gib=7, scratch_gib=11, gpus=2),
    flags=(Flag(name="gloss", help="how much it shines"),),
)  # fmt: skip


def test_datasets_keys_and_settings_that_stages_name_exist() -> None:
    sections = set(Config.__dataclass_fields__)
    for stage in STAGES.values():
        assert {*stage.reads, *stage.writes} <= set(ALL), stage.name
        assert set(stage.keys) <= set(KEYS), stage.name
        assert {name for names in stage.writes.values() for name in names} <= sections, stage.name


def test_every_dataset_is_written_by_a_stage_or_by_a_command_that_a_person_types() -> None:
    by_hand = {name for names in COMMAND_DATASETS.values() for name in names}
    by_stages = {name for stage in STAGES.values() for name in stage.writes}
    assert by_stages | by_hand == set(ALL)
    assert not by_stages & by_hand
    assert set(COMMAND_DATASETS) <= set(cli.COMMANDS)


def test_no_stage_that_holds_the_ledger_wants_a_gpu() -> None:
    assert not [stage.name for stage in STAGES.values() if stage.ledger and stage.machine.gpus]


def test_the_reference_page_is_the_procedure() -> None:
    page = (ROOT / "docs" / "reference" / "stages.md").read_text()
    assert page == procedure.reference(), "run: python -m slac_tasks.procedure > docs/reference/stages.md"


def test_a_new_stage_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STAGES, "polish", POLISH)
    words = ["polish", "--category", "judo", "--window", "2026-01-05", "--gloss", "high", "--remake"]
    parsed = cli.parser().parse_args(words)
    assert (parsed.category, parsed.window, parsed.gloss, parsed.remake) == (["judo"], "2026-01-05", "high", True)
    assert "polish the labels of a category" in cli.parser().format_help()
    assert "| `polish` | polish the labels of a category | `--category` `--window` `--gloss` |" in procedure.reference()
    assert "yes | 3 processors, 7 GiB, 11 GiB scratch, 2 GPU, 24 h at most |" in procedure.reference()


IN_AIRFLOW = """
import json, sys
from slac_tasks.procedure import STAGES, Flag, Machine, Part, Stage
STAGES["polish"] = Stage(
    name="polish", part=Part.LABELS, help="polish", keys=("category", "window"), ledger=True,
    machine=Machine(processors=3, memory_gib=7, scratch_gib=11, gpus=2), flags=(Flag(name="gloss", help="shine"),))
from slac_airflow import defaults
from slac_airflow_pods import resources
from slac_command import argv, environment
from slac_tasks.procedure import machine
asks = resources(machine("polish"))
print(json.dumps({
    "words": argv("polish", {"category": ["judo"], "window": "2026-01-05", "gloss": "high"}),
    "ledger": "SLAC_DATABASE_URL" in environment("polish", {"SLAC_DATABASE_URL": "x"}),
    "requests": asks.requests, "limits": asks.limits, "alone": defaults("polish", pods=False)["max_active_tis_per_dag"],
}))
"""


def test_the_settings_change_what_a_stage_asks_of_a_machine() -> None:
    texts = ("score: memory_gib=48, gpus=2", "fetch: processors=2", "score: gpus=4")
    assert procedure.machine("score", texts) == Machine(processors=8, memory_gib=48, scratch_gib=40, gpus=4, hours=48)
    assert procedure.machine("fetch", texts).processors == 2
    assert procedure.machine("mine", texts) == Machine()
    assert procedure.wants_gpu("evaluate", ["evaluate: gpus=0"]) is False


@pytest.mark.parametrize(
    "text", ["dance: gpus=1", "score", "score: gpus=-1", "score: memory_gib=0", "score: cores=2", "score: gpus=1.5"]
)
def test_a_machine_that_cannot_be_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(WrongArguments, match=re.escape(repr(text))):
        Config(store_url="s", machines=(text,))


def test_a_new_stage_reaches_airflow_without_another_edit() -> None:
    environ = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}", "PYTHONWARNINGS": "ignore"}
    run = subprocess.run([sys.executable, "-c", IN_AIRFLOW], env=environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["words"] == ["slac", "polish", "--category=judo", "--window=2026-01-05", "--gloss=high"]
    assert found["ledger"] is True
    assert found["requests"] == {"cpu": "3", "memory": "7Gi", "ephemeral-storage": "11Gi"}
    assert found["limits"]["nvidia.com/gpu"] == "2"
    assert found["alone"] == 1
