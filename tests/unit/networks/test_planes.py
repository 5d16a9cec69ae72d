"""Video ResNets written anew: the same function of the same weights."""

import pytest
import torch
from torch import nn

from slac_tasks.networks.planes import Planes
from slac_tasks.networks.registry import architecture, laid_out


def lived(name: str) -> nn.Module:
    """A backbone whose normalisations have seen something."""
    torch.manual_seed(0)
    network = laid_out(architecture(name).build()).eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.uniform_(0.8, 1.2)
            module.bias.normal_(0, 0.1)
    return network


@pytest.mark.parametrize("name", ["r3d_18", "mc3_18", "r2plus1d_18", "motion_r3d_18"])
def test_planes_compute_what_the_network_does(name: str) -> None:
    network = lived(name)
    stream = torch.randn(2, 3, 8, 40, 48)
    with torch.inference_mode():
        want = network(stream)
        found = Planes(network, dtype=torch.float32, fused=False)(stream)
        low = Planes(network, dtype=torch.bfloat16, fused=False)(stream)
    assert found.dtype is low.dtype is torch.float32
    assert torch.allclose(found, want, atol=1e-4 * float(want.abs().max()))
    assert float((low - want).norm() / want.norm()) < 0.02


def test_every_convolution_has_a_multiple_of_eight_channels() -> None:
    planes = Planes(lived("r2plus1d_18"), dtype=torch.float32, fused=False)
    convolutions = [unit for part in (planes.stem, *(block.units for block in planes.blocks)) for unit in part]
    assert all(channels % 8 == 0 for unit in convolutions for channels in unit.weight.shape[:2])


@pytest.mark.parametrize("name", ["small_3d", "frame_resnet18", "swin3d_t"])
def test_other_networks_do_not_fit(name: str) -> None:
    assert not Planes.fits(architecture(name).build())
