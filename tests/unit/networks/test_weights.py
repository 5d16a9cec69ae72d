import pytest
import torch
from torch import nn

from slac_tasks.errors import BrokenContract
from slac_tasks.networks import weights
from slac_tasks.networks.registry import Classifier, architecture, laid_out
from slac_tasks.networks.weights import decode_backbone, decode_head, encode_backbone, encode_head, encode_network
from slac_tasks.training.trainer import seeded

ENTRY = architecture("small_motion")


def made(seed: int) -> nn.Module:
    with seeded(seed):
        return ENTRY.build()


def test_equal_weights_give_equal_bytes_whatever_their_layout():
    data = encode_backbone(ENTRY, made(1))
    assert data == encode_backbone(ENTRY, laid_out(made(1)))
    assert data == encode_backbone(ENTRY, decode_backbone(ENTRY, data))
    assert data != encode_backbone(ENTRY, made(2))


def test_a_head_comes_back_with_its_categories():
    head = nn.Linear(ENTRY.features, 2)
    found, categories = decode_head(ENTRY, encode_head(ENTRY, head, ["wave", "jump"]))
    assert categories == ["wave", "jump"]
    assert torch.equal(found.weight, head.weight)
    assert not found.weight.requires_grad


def test_a_blob_that_is_damaged_or_of_another_network_is_refused():
    data = encode_backbone(ENTRY, made(1))
    with pytest.raises(BrokenContract, match="damaged"):
        decode_backbone(ENTRY, data[: len(data) // 2])
    with pytest.raises(BrokenContract, match="belong to small_motion, want small_3d"):
        decode_backbone(architecture("small_3d"), data)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_no_numbers_are_neither_written_nor_read(number, monkeypatch):
    backbone, head = made(1), nn.Linear(ENTRY.features, 1)
    next(backbone.parameters()).data.flatten()[3] = number
    head.bias.data[0] = number
    writes = {
        decode_backbone: lambda: encode_backbone(ENTRY, backbone),
        decode_head: lambda: encode_head(ENTRY, head, ["wave"]),
    }
    for decode, write in writes.items():
        with pytest.raises(BrokenContract, match=r"weights of small_motion: .* holds NaN or infinity"):
            write()
        # As an older version wrote them.
        with monkeypatch.context() as older:
            older.setattr(weights, "_check_numbers", lambda *given: None)
            data = write()
        with pytest.raises(BrokenContract, match=r"weights of small_motion: .* holds NaN or infinity"):
            decode(ENTRY, data)
    with pytest.raises(BrokenContract, match="holds NaN or infinity"):
        encode_network(Classifier(ENTRY, 1, backbone), ["wave"])
