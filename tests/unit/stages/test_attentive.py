"""A frozen video network from `pretrain` to a seat in the committee: one query and a linear layer learn."""

import io
from dataclasses import asdict, replace

import pytest
import torch
from learning_world import WINDOW, LearningWorld
from safetensors import safe_open
from tiny_networks import video_folder

from slac_tasks.config import Config
from slac_tasks.errors import NotConfigured
from slac_tasks.networks import folders
from slac_tasks.networks.committees import PRETRAINED, committee_id
from slac_tasks.stages import bootstrap, evaluate, pretrain, score
from slac_tasks.stages.promote import rows_of_model
from slac_tasks.storage.datasets import COMMITTEES, EVALUATIONS, JUDGED, MODELS, SCORES
from slac_tasks.storage.datasets.releasing import ModelRow
from slac_tasks.training.learner import Learner


@pytest.fixture
def world(tmp_path):
    made = LearningWorld(tmp_path)
    made.add_release({category: made.add_category(category) for category in ("wave", "jump")})
    video_folder(tmp_path / "videomae")
    return made


def settings(world: LearningWorld, **own: object) -> Config:
    config = world.config()
    start = str(world.folder / "videomae")
    known = {"architecture": "attentive", "start": start, "transfer": "", "checkpoint_steps": 1, **own}
    return replace(config, training=replace(config.training, **known))


def pretrained(world: LearningWorld, **own: object) -> ModelRow:
    pretrain.run(world.job("pretrain", release="r0001", remake=True, config=settings(world, **own)))
    (row,) = world.datasets.rows(MODELS, release="r0001")
    return row


def state_of(world: LearningWorld, blob: str) -> dict[str, torch.Tensor]:
    return torch.load(io.BytesIO(world.store.get(f"weights/{blob}.pt")), weights_only=True)["state"]


def seat(world: LearningWorld, model: ModelRow) -> str:
    """Write a committee of this network alone, and return its id."""
    rows = rows_of_model(model, "r0001")
    keys = {"committee": committee_id(rows)}
    table = COMMITTEES.from_records([asdict(row) for row in rows])
    world.datasets.write(COMMITTEES, [table], keys=keys, stage="promote", settings={}, made_from={})
    return keys["committee"]


def test_a_query_and_a_linear_layer_learn_and_the_network_stays_what_it_was(world, tmp_path):
    model = pretrained(world)
    assert pretrained(world) == model
    state = state_of(world, model.backbone)
    start = pytest.importorskip("transformers").AutoModel.from_pretrained(tmp_path / "videomae").state_dict()
    assert {name.removeprefix("tokens.network.") for name in state if "tokens.network" in name} == set(start)
    for name, tensor in start.items():
        assert torch.equal(state[f"tokens.network.{name}"], tensor.to(torch.bfloat16))
    other = pretrained(world, negatives="none", loss="softmax")
    assert not torch.equal(state_of(world, other.backbone)["pool.query"], state["pool.query"])


def test_the_file_for_others_says_how_its_network_is_built(world, tmp_path):
    model = pretrained(world)
    path = tmp_path / "network.safetensors"
    path.write_bytes(world.store.get(f"weights/{model.network}.safetensors"))
    with safe_open(path, "pt") as opened:
        assert opened.get_slice("fc.weight").get_shape() == [2, 16]
        assert {"pool.query", "tokens.mean"} <= set(opened.keys())
        assert "videomae" in opened.metadata()["slac"]
    card = world.store.get(f"weights/{model.card}.md").decode()
    assert "attentive:4x32:16 from pretrained weights, its pool and head alone: 8 clips" in card
    assert "The frozen network has a licence of its own" in card


def test_a_run_that_is_cut_off_goes_on_to_the_same_weights(world, monkeypatch, capsys):
    whole = pretrained(world, steps=5)
    before = Learner.step

    def cut_off(self: Learner, *batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self.step_number == 3:
            raise KeyboardInterrupt
        return before(self, *batch)

    monkeypatch.setattr(Learner, "step", cut_off)
    with pytest.raises(KeyboardInterrupt):
        pretrained(world, steps=5)
    kept = [name for name in world.store.names("models/") if name.endswith(".pt")]
    states = [torch.load(io.BytesIO(world.store.get(name)), weights_only=True)["learner"] for name in kept]
    assert states
    assert not [name for state in states for name in state["model"] if "tokens" in name]
    monkeypatch.setattr(Learner, "step", before)
    assert pretrained(world, steps=5) == whole
    assert "goes on after step 3" in capsys.readouterr().err


def test_two_processes_learn_what_one_learns(world):
    one = state_of(world, pretrained(world, micro_batch=2).backbone)
    both = state_of(world, pretrained(world, processes=2).backbone)
    assert all(torch.allclose(one[name], tensor, atol=1e-6, rtol=0) for name, tensor in both.items())


def test_it_is_judged_and_transferred_beside_a_fresh_pool_on_the_same_network(world):
    world.add_transfer()
    config = settings(world, transfer=str(world.folder / "transfer"))
    pretrain.run(world.job("pretrain", release="r0001", config=config))
    evaluate.run(world.job("evaluate", release="r0001", config=config))
    rows = list(world.datasets.rows(EVALUATIONS, release="r0001"))
    assert {row.budget for row in rows if row.labels} == {"2 steps of 4; the frozen network is given to every start"}
    found = {(row.measure, row.subject) for row in rows}
    assert {("transfer_gain", "pretrained"), ("transfer_accuracy", "scratch"), ("transfer_gain", "frozen")} <= found
    assert len(list(world.datasets.rows(JUDGED, release="r0001"))) == 8


def test_it_takes_a_seat_and_scores_clips(world):
    model = pretrained(world)
    committee = seat(world, model)
    (row, *_) = world.datasets.rows(COMMITTEES, committee=committee)
    score.run(world.job("score", window=WINDOW, committee=committee, categories=(row.category,)))
    scores = list(world.datasets.rows(SCORES, category=row.category, window=WINDOW, weights=row.weights))
    assert len(scores) == 8
    assert {one.member for one in scores} == {PRETRAINED}


def test_a_new_category_gets_a_head_on_what_the_release_taught(world):
    model = pretrained(world)
    parent = seat(world, model)
    world.add_category("spin")
    committee = world.recipe("spin", parent=parent)
    new = {"window": WINDOW, "committee": committee, "parent": parent, "categories": ("spin",)}
    bootstrap.run(world.job("bootstrap", **new))
    rows = [row for row in world.datasets.rows(COMMITTEES, committee=committee) if row.member == PRETRAINED]
    assert {row.category for row in rows} == {"jump", "wave", "spin"}
    assert {row.backbone for row in rows} == {model.backbone}


def test_a_seat_is_refused_by_name_where_its_package_is_missing(world, monkeypatch):
    committee = seat(world, pretrained(world))
    monkeypatch.setattr(folders, "find_spec", lambda name: None)
    with pytest.raises(NotConfigured, match="weights of an attentive network: needs the package transformers"):
        score.run(world.job("score", window=WINDOW, committee=committee, categories=("wave",)))
