import dataclasses

import pytest
from learning_world import LearningWorld
from released import write_rows

from slac_tasks.errors import NotConfigured, NotMade
from slac_tasks.stages import evaluate, pretrain
from slac_tasks.storage.datasets import EVALUATIONS, RELEASES


@pytest.fixture
def world(tmp_path):
    made = LearningWorld(tmp_path)
    made.add_transfer()
    made.add_release({category: made.add_category(category) for category in ("wave", "jump")})
    pretrain.run(made.job("pretrain", release="r0001"))
    return made


def transfer_at(world: LearningWorld, folder: str):
    config = world.config()
    return dataclasses.replace(config, training=dataclasses.replace(config.training, transfer=folder))


def test_both_starts_get_the_same_budget_and_every_value_its_interval(world, monkeypatch, capsys):
    evaluate.run(world.job("evaluate", release="r0001"))
    rows = {(r["measure"], r["subject"]): r for r in world.datasets.read(EVALUATIONS, release="r0001").to_pylist()}
    assert set(rows) == {
        ("testing_accuracy", "pretrained"), ("testing_best_guess", "guess"),
        ("transfer_accuracy", "pretrained"), ("transfer_accuracy", "scratch"),
    }  # fmt: skip
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows.values())
    assert rows["testing_best_guess", "guess"]["value"] == 0.5  # clips are answered in turn yes and no
    assert rows["testing_accuracy", "pretrained"]["repeats"] == 8
    # Few testing answers: the row says that those of validation were judged too.
    assert rows["testing_accuracy", "pretrained"]["budget"].endswith("judged on testing and validation clips")
    assert len({rows["transfer_accuracy", subject]["budget"] for subject in ("pretrained", "scratch")}) == 1
    monkeypatch.setattr(evaluate, "_transfer", lambda *_: pytest.fail("evaluated again"))
    evaluate.run(world.job("evaluate", release="r0001"))
    assert "finished already" in capsys.readouterr().err


def test_without_a_target_data_set_the_testing_split_alone_is_judged(world):
    evaluate.run(world.job("evaluate", release="r0001", config=transfer_at(world, "")))
    measures = world.datasets.read(EVALUATIONS, release="r0001")["measure"].to_pylist()
    assert measures == ["testing_accuracy", "testing_best_guess"]


def test_a_target_folder_that_is_absent_is_said_and_nothing_is_written(world):
    with pytest.raises(NotConfigured, match="is no folder"):
        evaluate.run(world.job("evaluate", release="r0001", config=transfer_at(world, "/nowhere/at/all")))
    assert world.datasets.manifest(EVALUATIONS, release="r0001") is None


def test_a_release_that_is_not_finished_judges_no_model(world):
    write_rows(world.datasets, "r0001", world.datasets.rows(RELEASES, release="r0001"))  # and cut off before the end
    with pytest.raises(NotMade, match="r0001: is not finished"):
        evaluate.run(world.job("evaluate", release="r0001"))
    assert world.datasets.manifest(EVALUATIONS, release="r0001") is None
