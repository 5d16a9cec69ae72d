import pytest
import torch
from torchvision.models import get_weight

from slac_tasks.errors import WrongArguments
from slac_tasks.networks.registry import REGISTRY, Kind, Stream, architecture, committee, laid_out, to_stream
from slac_tasks.networks.settings import Committee

SMALL = [entry for entry in REGISTRY.values() if entry.name.startswith("small")]


@pytest.mark.parametrize("entry", SMALL, ids=lambda entry: entry.name)
def test_a_small_backbone_keeps_its_promises(entry):
    backbone = entry.build().eval()
    clips = torch.randint(0, 255, (2, entry.frames, entry.size, entry.size, 3), dtype=torch.uint8)
    assert backbone(to_stream(entry, clips)).shape == (2, entry.features)
    assert sum(parameter.numel() for parameter in backbone.parameters()) < 1_000_000


def test_the_default_committee_shares_one_decode_and_holds_nothing_small():
    members = [architecture(name) for name in committee(Committee().members)]
    assert {member.kind for member in members} == set(Kind)
    assert len({member.view for member in members}) == 1
    assert not any(member.name.startswith("small") for member in members)


@pytest.mark.parametrize("name", ["frame_resnet18", "frame_resnet50", "mc3_18", "s3d", "mvit_v2_s", "swin3d_t"])
def test_a_torchvision_backbone_gives_the_features_it_declares(name):
    entry = architecture(name)
    clips = torch.zeros(1, entry.frames, entry.size, entry.size, 3, dtype=torch.uint8)
    with torch.inference_mode():
        assert entry.build().eval()(to_stream(entry, clips)).shape == (1, entry.features)


def test_every_entry_of_torchvision_names_weights_that_exist():
    named = [entry for entry in REGISTRY.values() if entry.hub]
    assert {"r3d_18", "mc3_18", "r2plus1d_18", "s3d", "mvit_v2_s", "swin3d_t"} <= {entry.name for entry in named}
    for entry in named:
        transforms = get_weight(entry.hub).transforms()
        if entry.stream in (Stream.RGB, Stream.CENTRE):
            assert (list(entry.mean), list(entry.std)) == (transforms.mean, transforms.std)
        assert entry.size in (112, 224)


def test_motion_sees_nothing_of_what_stands_still():
    entry = architecture("small_motion")
    still = torch.randint(0, 255, (1, 1, 56, 56, 3), dtype=torch.uint8).expand(1, 8, 56, 56, 3)
    assert to_stream(entry, still).abs().max() == 0


def test_a_frame_network_sees_the_middle_frame_alone():
    entry = architecture("small_frame")
    clips = torch.randint(0, 255, (1, 8, 56, 56, 3), dtype=torch.uint8)
    other = clips.clone()
    other[:, [0, 1, 2, 3, 5, 6, 7]] = 0
    assert torch.equal(to_stream(entry, clips), to_stream(entry, other))


@pytest.mark.parametrize(
    "names",
    [
        ("r3d_18", "mc3_18", "frame_resnet18"),
        ("small_frame", "small_3d"),
        ("small_frame", "small_3d", "small_motion") * 2,
    ],
)
def test_a_committee_of_too_few_kinds_is_refused(names):
    with pytest.raises(WrongArguments, match="one at least of each kind"):
        committee(names)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(WrongArguments, match="r2plus1d_18"):
        architecture("resnet_900")


@pytest.mark.parametrize(("name", "last"), [("r3d_18", True), ("frame_resnet18", True), ("mvit_v2_s", False)])
def test_kernels_lie_channels_last_but_where_some_see_one_channel(name: str, last: bool) -> None:
    kernels = [one for one in laid_out(architecture(name).build()).parameters() if one.ndim >= 4 and one.shape[1] > 1]
    layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
    assert all(kernel.is_contiguous(memory_format=layouts[kernel.ndim]) == last for kernel in kernels)
