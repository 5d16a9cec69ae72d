import dataclasses

import pytest
from learning_world import WINDOW, LearningWorld
from released import write_rows

from slac_tasks.admission.withdrawals import write_withdrawal
from slac_tasks.errors import NotConfigured, NotMade, Temporary
from slac_tasks.evaluation.transfer import Transfer
from slac_tasks.release.exports import EXPORTS
from slac_tasks.release.exports.contents import Contents
from slac_tasks.stages import evaluate, pretrain
from slac_tasks.storage.datasets import EVALUATIONS, GOLD_JUDGES, JUDGED, RELEASES
from slac_tasks.storage.datasets.releasing import GoldJudgeRow


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


def add_gold(world: LearningWorld) -> GoldJudgeRow:
    """Write gold: a clip that people never answered."""
    video = world.add_category("skip", videos=1, split="testing")[0]
    row = GoldJudgeRow(
        **{name: video[name] for name in ("clip_id", "video_id", "start_sec", "end_sec", "split")}, category="wave",
        label=1, window=WINDOW, proxy_128=video["proxy_128"], proxy_256=video["proxy_256"],
    )  # fmt: skip
    keys = {"labels": "000001"}
    world.datasets.write(GOLD_JUDGES, [GOLD_JUDGES.table([row])], keys=keys, stage="test", settings={}, made_from={})
    return row


def test_what_the_network_says_does_not_depend_on_how_many_clips_it_is_given_together(world, monkeypatch):
    evaluate.run(world.job("evaluate", release="r0001"))
    together = list(world.datasets.rows(JUDGED, release="r0001"))
    monkeypatch.setattr(evaluate, "_AT_A_TIME", 1)
    evaluate.run(world.job("evaluate", release="r0001", remake=True))
    alone = list(world.datasets.rows(JUDGED, release="r0001"))
    assert [dataclasses.replace(row, score=0) for row in alone] == [
        dataclasses.replace(row, score=0) for row in together
    ]
    assert [row.score for row in alone] == pytest.approx([row.score for row in together], abs=1e-5)


def test_gold_judges_and_its_name_reaches_no_page_no_card_and_no_export(world):
    gold = add_gold(world)
    evaluate.run(world.job("evaluate", release="r0001", config=transfer_at(world, "")))
    judged = {row.clip_id: row for row in world.datasets.rows(JUDGED, release="r0001")}
    assert len(judged) == 9
    assert (judged[gold.clip_id].label, judged[gold.clip_id].window) == (1, WINDOW)
    assert len({row.control for row in judged.values()}) == 1, "no column says which of them is gold"
    released = list(world.datasets.rows(RELEASES, release="r0001"))
    contents = Contents(
        release="r0001", number="1.0.0", rows=lambda: iter(released), names={"wave": "Wave", "jump": "Jump"}
    )
    (world.folder / "exports").mkdir()
    for export in (one for one in EXPORTS.values() if one.always):
        export.write(contents, world.folder / "exports" / export.file)
    for path in (world.folder / "exports").rglob("*"):
        assert path.is_dir() or gold.video_id.encode() not in path.read_bytes(), path
    for name in world.store.names(""):
        private = name.startswith(("judged/", "gold_judges/", "media/", "clips/"))
        assert private or gold.video_id.encode() not in world.store.get(name), name


def test_gold_of_a_withdrawn_video_judges_nothing_and_is_named_nowhere(world):
    gold = add_gold(world)
    write_withdrawal(world.store, gold.video_id, "takedown")
    evaluate.run(world.job("evaluate", release="r0001", config=transfer_at(world, "")))
    judged = world.datasets.need(JUDGED, release="r0001")
    assert judged.rows == 8
    assert not judged.drops


def test_without_a_target_data_set_the_answers_alone_judge(world):
    evaluate.run(world.job("evaluate", release="r0001", config=transfer_at(world, "")))
    measures = {row.measure for row in world.datasets.rows(EVALUATIONS, release="r0001")}
    assert measures
    assert not any(measure.startswith("transfer") for measure in measures)


def test_a_target_folder_that_is_absent_ends_it_and_a_start_that_diverges_is_set_aside(world, monkeypatch):
    with pytest.raises(NotConfigured, match="is no folder"):
        evaluate.run(world.job("evaluate", release="r0001", config=transfer_at(world, "/nowhere/at/all")))
    assert world.datasets.manifest(EVALUATIONS, release="r0001") is None
    monkeypatch.setattr("slac_tasks.evaluation.transfer.DEFAULT_RATE", 1e30)
    evaluate.run(world.job("evaluate", release="r0001"))
    made = world.datasets.need(EVALUATIONS, release="r0001")
    assert [drop.item for drop in made.drops if drop.reason == "diverged"] == [
        "pretrained, 2 labels", "scratch, 2 labels",
    ]  # fmt: skip
    rows = {(row.measure, row.subject) for row in world.datasets.rows(EVALUATIONS, release="r0001")}
    assert {subject for measure, subject in rows if measure == "transfer_accuracy"} == {"frozen"}
    assert ("testing_accuracy", "pretrained") in rows


def test_an_evaluation_that_was_cut_off_goes_on_with_the_next_training_and_leaves_nothing(world, monkeypatch):
    evaluate.run(world.job("evaluate", release="r0001"))
    whole = list(world.datasets.rows(EVALUATIONS, release="r0001"))
    for name in list(world.store.names("evaluations/")):
        world.store.delete(name)
    trained, before = [], Transfer._trained

    def cut_off_once(self, one, *given):
        if len(trained) == 3:
            trained.append("cut off")
            raise Temporary("the machine is taken away")
        found = before(self, one, *given)
        trained.append(one)
        return found

    monkeypatch.setattr(Transfer, "_trained", cut_off_once)
    with pytest.raises(Temporary):
        evaluate.run(world.job("evaluate", release="r0001"))
    evaluate.run(world.job("evaluate", release="r0001"))
    assert trained[3] == "cut off"
    assert len(trained) == 1 + 2 * 2
    assert list(world.datasets.rows(EVALUATIONS, release="r0001")) == whole
    assert not [name for name in world.store.names("") if "/unfinished/" in name]


def test_a_release_that_is_not_finished_judges_no_model(world):
    write_rows(world.datasets, "r0001", world.datasets.rows(RELEASES, release="r0001"))  # and cut off before the end
    with pytest.raises(NotMade, match="r0001: is not finished"):
        evaluate.run(world.job("evaluate", release="r0001"))
    assert world.datasets.manifest(EVALUATIONS, release="r0001") is None
