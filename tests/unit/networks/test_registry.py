import pytest
import torch
from torchvision import models
from torchvision.models import get_weight

from slac_tasks.errors import NotConfigured, WrongArguments
from slac_tasks.networks import registry
from slac_tasks.networks.registry import REGISTRY, Kind, Stream, architecture, committee, starting_backbone, to_stream
from slac_tasks.networks.settings import Committee

SMALL = [entry for entry in REGISTRY.values() if entry.name.startswith("small")]


@pytest.mark.parametrize("entry", SMALL, ids=lambda entry: entry.name)
def test_a_small_backbone_keeps_its_promises(entry):
    backbone = entry.build().eval()
    clips = torch.randint(0, 255, (2, entry.frames, entry.size, entry.size, 3), dtype=torch.uint8)
    assert backbone(to_stream(entry, clips)).shape == (2, entry.features)
    assert sum(parameter.numel() for parameter in backbone.parameters()) < 1_000_000


def test_the_default_committee_shares_one_decode_and_holds_nothing_small():
    members = committee(Committee().members)
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


@pytest.mark.parametrize("name", ["s3d", "mvit_v2_s"])
def test_kinetics_weights_of_any_last_layer_load_from_a_folder(name, tmp_path):
    entry = architecture(name)
    state = getattr(models.video, name)(weights=None).state_dict()
    torch.save(state, tmp_path / f"{name}.pt")
    backbone, pretrained = starting_backbone(entry, str(tmp_path))
    assert pretrained
    assert all(torch.equal(tensor, state[key]) for key, tensor in backbone.state_dict().items())


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


def test_a_hub_out_of_reach_is_a_setting_that_is_missing(no_hub):
    with pytest.raises(NotConfigured, match=r"put https://.* into a folder as frame_resnet18\.pt") as failure:
        starting_backbone(architecture("frame_resnet18"), "hub")
    assert failure.value.exit_code == 78


def test_weights_from_a_folder_start_the_backbone(tmp_path):
    entry = architecture("small_motion")
    want = entry.build()
    torch.save({**want.state_dict(), "fc.weight": torch.zeros(1)}, tmp_path / "small_motion.pt")
    found, pretrained = starting_backbone(entry, str(tmp_path))
    assert pretrained
    assert all(torch.equal(a, b) for a, b in zip(found.state_dict().values(), want.state_dict().values(), strict=True))


def test_weights_that_are_absent_or_do_not_fit_are_refused(tmp_path):
    with pytest.raises(NotConfigured, match="cannot read"):
        starting_backbone(architecture("small_motion"), str(tmp_path))
    torch.save({"other": torch.zeros(1)}, tmp_path / "small_motion.pt")
    with pytest.raises(NotConfigured, match="do not fit"):
        starting_backbone(architecture("small_motion"), str(tmp_path))


def test_ours_without_hub_weights_start_at_random():
    assert starting_backbone(registry.architecture("small_3d"), "hub")[1] is False
