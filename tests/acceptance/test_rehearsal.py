"""A rehearsal end to end, without Airflow: trimmed videos become labels, a release, and figures against the truth."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bench.loop import RehearsalLoop
from slac_tasks import cli, toml
from slac_tasks.admission.settings import Admission
from slac_tasks.collect.settings import Collect
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.storage.datasets import RELEASES, VIDEOS
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.world import presets
from slac_tasks.world.catalogue import PAIRS
from slac_tasks.world.film import film
from slac_tasks.world.rehearsal import Rehearsal
from slac_tasks.world.scene import trimmed_script

ACTIONS = [action for pair in PAIRS[:2] for action in pair][:3]
SERIES = ("g01", "g02", "g03", "g04")
TAKE_SEC = 3.5

pytestmark = pytest.mark.timeout(900)


def takes(folder: Path) -> Path:
    for kind, action in enumerate(ACTIONS):
        (folder / action.key).mkdir(parents=True)
        for place, series in enumerate(SERIES):
            for number in range(2):
                name = f"v_{action.key.replace('_', '')}_{series}_c{number:02d}.mp4"
                film(folder / action.key / name, trimmed_script((place, kind, number), TAKE_SEC, action))
    return folder


def test_a_rehearsal_goes_around_the_loop(
    postgres: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("SLAC_DATABASE_URL", postgres.url("acceptance_rehearsal"))
    monkeypatch.setenv("SLAC_CONFIG", str(tmp_path / "world" / "slac.toml"))
    loop = RehearsalLoop(tmp_path, Rehearsal.of(takes(tmp_path / "takes"), videos=3))
    loop.make()
    # Networks that learn for two steps: what is tried is that every stage takes what the one before it made.
    tiny = replace(
        presets.PRESETS["tiny"],
        admission=Admission(),
        collect=Collect(sources=(str(loop.world / "manifest.jsonl"),)),
    )
    (loop.world / "slac.toml").write_text(toml.changes(tiny, "For a test."))
    loop.run()

    shelf = Datasets(open_store(os.environ["SLAC_STORE"]))
    found = [row for keys in shelf.partitions(VIDEOS) for row in shelf.read(VIDEOS, **keys).to_pylist()]
    assert {row["split"] for row in found} >= {"training", "testing"}
    assert len(shelf.partitions(RELEASES)) == 1
    capsys.readouterr()
    assert cli.main(["funnel"]) == 0
    assert "verified" in capsys.readouterr().out
    assert cli.main(["world", "measure", str(loop.world)]) == 0
    (accuracy,) = [
        float(line.rpartition(" ")[2]) for line in capsys.readouterr().out.splitlines() if "accuracy" in line
    ]
    assert accuracy > 0.85, "people are right in nine of ten"
