import argparse
import io
from dataclasses import replace

import pytest
import torch
from learning_world import LearningWorld
from released import write_rows
from safetensors.torch import load

from slac_tasks.commands import show
from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.stages import pretrain
from slac_tasks.storage.datasets import MODELS, RELEASES
from slac_tasks.video.lost import MISSING


@pytest.fixture
def world(tmp_path):
    made = LearningWorld(tmp_path)
    made.add_release({category: made.add_category(category) for category in ("wave", "jump")})
    return made


def test_a_release_becomes_a_model_that_repeats(world, monkeypatch, capsys):
    monkeypatch.setenv("SLAC_STORE", world.store.url)
    pretrain.run(world.job("pretrain", release="r0001"))
    first = world.datasets.read(MODELS, release="r0001").to_pylist()
    pretrain.run(world.job("pretrain", release="r0001", remake=True))
    assert world.datasets.read(MODELS, release="r0001").to_pylist() == first
    assert first[0]["categories"] == ["jump", "wave"]
    assert first[0]["clips"] == 8  # 2 categories x 1 training video x 4 clips; the testing videos are left out
    assert world.store.exists(f"weights/{first[0]['backbone']}.pt")
    assert load(world.store.get(f"weights/{first[0]['network']}.safetensors"))["fc.weight"].shape == (2, 60)
    text = world.store.get(f"weights/{first[0]['card']}.md").decode()
    assert "| 1 | wave | 2 | 2 |" in text
    assert "small_3d from random weights: 8 clips" in text
    show.main(argparse.Namespace(dataset="card", keys=["release=r0001"], named=[], rows=5, json=False))
    shown = capsys.readouterr().out
    assert shown.startswith(text)
    _, events = (name for name in world.store.names("runs/release=r0001/") if "tfevents" in name)
    assert b"train/loss" in world.store.get(events)
    assert f"network: weights/{first[0]['network']}.safetensors" in shown


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


def test_a_video_whose_rendition_is_gone_is_set_aside_as_that(tmp_path):
    world = LearningWorld(tmp_path)
    clips = {category: world.add_category(category, videos=3) for category in ("wave", "jump")}
    world.add_release(clips)
    gone = min(clip["video_id"] for clip in clips["wave"])
    for name in list(world.store.names(f"media/{gone}/")):
        world.store.delete(name)
    pretrain.run(world.job("pretrain", release="r0001"))
    (drop,) = world.datasets.need(MODELS, release="r0001").drops
    assert (drop.item, drop.reason, drop.retryable) == (gone, MISSING, True)


def test_a_release_that_is_not_finished_is_not_trained_on(world):
    write_rows(world.datasets, "r0001", world.datasets.rows(RELEASES, release="r0001"))  # and cut off before the end
    with pytest.raises(NotMade, match="r0001: is not finished"):
        pretrain.run(world.job("pretrain", release="r0001"))
    assert world.datasets.manifest(MODELS, release="r0001") is None


def weights_of(world: LearningWorld) -> list[torch.Tensor]:
    (row,) = world.datasets.read(MODELS, release="r0001").to_pylist()
    blobs = (world.store.get(f"weights/{row[part]}.pt") for part in ("backbone", "head"))
    states = (torch.load(io.BytesIO(blob), weights_only=True)["state"] for blob in blobs)
    return [tensor for state in states for tensor in state.values() if tensor.is_floating_point()]


@pytest.mark.usefixtures("one_thread")
def test_two_processes_make_the_weights_of_one(world, capsys):
    def run(**settings: object) -> None:
        config = world.config()
        config = replace(config, training=replace(config.training, checkpoint_steps=2, **settings))
        pretrain.run(world.job("pretrain", release="r0001", remake=True, config=config))

    run(micro_batch=2)
    one = weights_of(world)
    run(processes=2)
    for own, wanted in zip(weights_of(world), one, strict=True):
        assert torch.allclose(own, wanted, atol=1e-6, rtol=0)
    assert "3 steps of 4 clips (1.5 epochs), 2 processes with 2 each" in capsys.readouterr().err
    assert [name for name in world.store.names("models/") if "unfinished" in name] == []
