"""Faster R-CNN with weights that are made here, biased so that it sees people everywhere or nowhere."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models

from slac_tasks.errors import BrokenContract, NotConfigured, SlacError
from slac_tasks.networks.faster_rcnn import PERSON, FasterRcnn

MOBILENET, RESNET = "fasterrcnn_mobilenet_v3_large_fpn", "fasterrcnn_resnet50_fpn"


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return dict(models.get_model(MOBILENET, weights=None, weights_backbone=None).state_dict())


def biased(state: dict[str, torch.Tensor], path: Path, label: int) -> Path:
    """Write weights that find `label` in every box, whatever it shows."""
    bias = torch.zeros_like(state["roi_heads.box_predictor.cls_score.bias"])
    bias[label] = 50.0
    torch.save({**state, "roi_heads.box_predictor.cls_score.bias": bias}, path)
    return path


@pytest.fixture
def images() -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 255, (2, 96, 128, 3), dtype=np.uint8))


def test_weights_decide_what_is_counted(state, images, tmp_path):
    assert min(FasterRcnn.load(MOBILENET, str(biased(state, tmp_path / "all.pt", PERSON)), "cpu").count(images)) > 0
    cars = FasterRcnn.load(MOBILENET, str(biased(state, tmp_path / "cars.pt", 3)), "cpu")
    assert cars.count(images) == [0, 0]
    assert cars.count([]) == []


def test_a_frame_counts_the_same_alone_and_among_others(state, images, tmp_path, monkeypatch):
    network = FasterRcnn.load(MOBILENET, str(biased(state, tmp_path / "all.pt", PERSON)), "cpu")
    alone = network.count(images)
    monkeypatch.setattr("slac_tasks.networks.faster_rcnn._BATCH", {"cpu": 2})
    assert network.count(images) == alone


def test_files_of_frozen_batch_norms_load(state, images, tmp_path):
    """torchvision's own files of this network lack the counters of training."""
    path = biased({k: v for k, v in state.items() if "num_batches_tracked" not in k}, tmp_path / "hub.pth", PERSON)
    assert min(FasterRcnn.load(MOBILENET, str(path), "cpu").count(images)) > 0


def test_the_network_runs_as_torchvision_runs_its_weights(tmp_path):
    network = models.get_model(RESNET, weights=None, weights_backbone=None)
    torch.save(network.state_dict(), tmp_path / "resnet.pt")
    loaded = FasterRcnn.load(RESNET, str(tmp_path / "resnet.pt"), "cpu").network
    assert {module.eps for module in loaded.modules() if isinstance(module, nn.BatchNorm2d)} == {0.0}


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (None, NotConfigured, r"no file .*w\.pt"),
        (b"no weights, only words", BrokenContract, r"cannot read .*w\.pt"),
        ([1, 2], BrokenContract, "found list, want a state dict of"),
        ({"model": {}}, BrokenContract, "found dict, want a state dict of"),
        ({"fc.weight": torch.zeros(2, 3)}, BrokenContract, r"tensors do not fit; the first is backbone.*found none"),
    ],
)
def test_what_is_no_weights_of_the_network_is_refused(tmp_path, content, kind: type[SlacError], message):
    path = tmp_path / "w.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(kind, match=message):
        FasterRcnn.load(MOBILENET, str(path), "cpu")


def test_another_number_of_classes_is_named(state, tmp_path):
    name = "roi_heads.box_predictor.cls_score.bias"
    torch.save({**state, name: torch.zeros(2)}, tmp_path / "two.pt")
    with pytest.raises(BrokenContract, match=rf"{name}, found \(2,\), want \(91,\)"):
        FasterRcnn.load(MOBILENET, str(tmp_path / "two.pt"), "cpu")


def test_a_hub_out_of_reach_is_a_setting_that_is_missing(no_hub):
    with pytest.raises(NotConfigured, match=r"people_weights to a copy of https://.*\.pth, or .* hog_faces") as failure:
        FasterRcnn.load(MOBILENET, "", "cpu")
    assert failure.value.exit_code == 78
