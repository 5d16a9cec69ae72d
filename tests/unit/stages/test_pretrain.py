import pytest
from learning_world import LearningWorld
from released import write_rows

from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.stages import pretrain
from slac_tasks.storage.datasets import MODELS, RELEASES


@pytest.fixture
def world(tmp_path):
    made = LearningWorld(tmp_path)
    made.add_release({category: made.add_category(category) for category in ("wave", "jump")})
    return made


def test_a_release_becomes_a_model_that_repeats(world):
    pretrain.run(world.job("pretrain", release="r0001"))
    first = world.datasets.read(MODELS, release="r0001").to_pylist()
    pretrain.run(world.job("pretrain", release="r0001", remake=True))
    assert world.datasets.read(MODELS, release="r0001").to_pylist() == first
    assert first[0]["categories"] == ["jump", "wave"]
    assert first[0]["clips"] == 8  # 2 categories x 1 training video x 4 clips; the testing videos are left out
    assert world.store.exists(f"weights/{first[0]['backbone']}.pt")


def test_a_second_run_does_nothing(world, monkeypatch, capsys):
    pretrain.run(world.job("pretrain", release="r0001"))
    monkeypatch.setattr(pretrain, "pretrain", lambda *_: pytest.fail("trained again"))
    pretrain.run(world.job("pretrain", release="r0001"))
    assert "finished already" in capsys.readouterr().err


def test_a_release_without_readable_training_clips_is_refused(world):
    for name in list(world.store.names("media/")):
        world.store.put(name, b"no video")
    with pytest.raises(BrokenContract, match="8 training clips, none readable"):
        pretrain.run(world.job("pretrain", release="r0001"))


def test_a_release_that_is_not_finished_is_not_trained_on(world):
    write_rows(world.datasets, "r0001", world.datasets.rows(RELEASES, release="r0001"))  # and cut off before the end
    with pytest.raises(NotMade, match="r0001: is not finished"):
        pretrain.run(world.job("pretrain", release="r0001"))
    assert world.datasets.manifest(MODELS, release="r0001") is None
