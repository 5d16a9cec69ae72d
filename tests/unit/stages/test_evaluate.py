import dataclasses

import pytest
from learning_world import LearningWorld
from released import write_rows

from slac_tasks.errors import NotConfigured, NotMade
from slac_tasks.stages import evaluate, pretrain
from slac_tasks.storage.datasets import EVALUATIONS, JUDGED, RELEASES


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


def test_every_start_gets_the_same_budget_and_every_value_its_interval(world, monkeypatch, capsys):
    evaluate.run(world.job("evaluate", release="r0001"))
    found = list(world.datasets.rows(EVALUATIONS, release="r0001"))
    rows = {(row.measure, row.subject): row for row in found if row.category is None}
    starts = ("pretrained", "scratch", "frozen")
    measures = ("transfer_accuracy", "transfer_top5", "transfer_mean_class", "transfer_video")
    assert set(rows) == {
        ("testing_accuracy", "pretrained"), ("testing_best_guess", "guess"), ("testing_brier", "pretrained"),
        ("testing_mean_class", "pretrained"),
        ("testing_calibration_error", "pretrained"), ("testing_mean_average_precision", "pretrained"),
        ("transfer_gain", "pretrained"), ("transfer_gain", "frozen"),
        *((measure, start) for measure in measures for start in starts),
    }  # fmt: skip
    assert all(row.low <= row.value <= row.high for row in found)
    assert rows["testing_best_guess", "guess"].value == 0.5  # clips are answered in turn yes and no
    assert rows["testing_accuracy", "pretrained"].clips == 8
    assert rows["testing_accuracy", "pretrained"].videos == 2
    # Eight answers are too few to be choosy: the row says that chosen clips were judged too.
    assert rows["testing_accuracy", "pretrained"].budget.endswith("judged on all answered clips, chosen ones too")
    assert len({rows["transfer_accuracy", start].budget for start in starts}) == 1
    assert {row.labels for row in found if row.measure == "transfer_accuracy"} == {2}
    assert {row.category for row in found if row.measure == "testing_average_precision"} == {"wave", "jump"}
    page = world.store.get("reports/v1/release=r0001/index.html").decode()
    assert "pretrained and frozen" in page
    assert "20.1 on UCF-101" in page
    assert "On the diagonal the action is there as often as the network says." in page
    assert "| testing accuracy | pretrained | - |" in world.store.get("reports/v1/release=r0001/MODEL_CARD.md").decode()
    monkeypatch.setattr(evaluate, "_transfer", lambda *_: pytest.fail("evaluated again"))
    evaluate.run(world.job("evaluate", release="r0001"))
    assert "finished already" in capsys.readouterr().err


def test_what_the_network_says_of_each_judging_clip_is_kept_beside_the_answer(world):
    evaluate.run(world.job("evaluate", release="r0001", config=transfer_at(world, "")))
    rows = list(world.datasets.rows(JUDGED, release="r0001"))
    assert len(rows) == 8
    assert {row.label for row in rows} == {1, -1}
    assert all(0 < row.score < 1 and row.weight == 1 and not row.control for row in rows)


def test_without_a_target_data_set_the_answers_alone_judge(world):
    evaluate.run(world.job("evaluate", release="r0001", config=transfer_at(world, "")))
    measures = {row.measure for row in world.datasets.rows(EVALUATIONS, release="r0001")}
    assert measures
    assert not any(measure.startswith("transfer") for measure in measures)


def test_a_target_folder_that_is_absent_is_said_and_nothing_is_written(world):
    with pytest.raises(NotConfigured, match="is no folder"):
        evaluate.run(world.job("evaluate", release="r0001", config=transfer_at(world, "/nowhere/at/all")))
    assert world.datasets.manifest(EVALUATIONS, release="r0001") is None


def test_a_release_that_is_not_finished_judges_no_model(world):
    write_rows(world.datasets, "r0001", world.datasets.rows(RELEASES, release="r0001"))  # and cut off before the end
    with pytest.raises(NotMade, match="r0001: is not finished"):
        evaluate.run(world.job("evaluate", release="r0001"))
    assert world.datasets.manifest(EVALUATIONS, release="r0001") is None
