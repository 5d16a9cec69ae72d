"""Forms of a network: equal to it, and a note of the fastest that a damaged file does not replace."""

from pathlib import Path

import pytest
import torch
from torch import nn

from slac_tasks.networks import forms
from slac_tasks.networks.registry import architecture, laid_out, to_stream


@pytest.mark.parametrize("name", ["mc3_18", "frame_resnet18", "small_3d", "small_frame"])
def test_every_form_computes_what_the_network_does(name: str) -> None:
    torch.manual_seed(0)
    entry = architecture(name)
    network = laid_out(entry.build()).eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    clips = torch.randint(0, 256, (2, entry.frames, 32, 32, 3), dtype=torch.uint8)
    with torch.inference_mode():
        want = network(to_stream(entry, clips))
        makers = forms._makers(network, torch.float32, compiled=False)
        for made in [make() for kind, make in makers.items() if kind != "fused"]:  # a card's own kernels
            form = forms.Form(name="x", network=made, mixed=False)
            found = forms.run(entry, form, clips, torch.float32)
            assert torch.allclose(found, want, atol=1e-4 * float(want.abs().max()))


def test_what_was_found_is_read_again_and_a_damaged_note_is_not(tmp_path: Path) -> None:
    note = tmp_path / "cards" / "n.json"
    assert forms._read(note) is None
    note.parent.mkdir()
    note.write_text('{"form": "planes"}')
    assert forms._read(note) == "planes"
    for damaged in ('{"fo', "[]", "{}"):
        note.write_text(damaged)
        assert forms._read(note) is None
