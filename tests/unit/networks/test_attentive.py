from pathlib import Path

import pytest
import torch
from tiny_networks import SIZE, image_text_folder, video_folder

from slac_tasks.errors import NotConfigured
from slac_tasks.networks import folders
from slac_tasks.networks.attentive import attentive_backbone
from slac_tasks.networks.registry import Classifier, architecture, to_stream
from slac_tasks.networks.starting import starting_backbone, starting_entry
from slac_tasks.networks.weights import decode_backbone, encode_backbone

WIDTHS = {"videomae": 16, "vjepa2": 24}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return video_folder(tmp_path_factory.mktemp("videomae"))


@pytest.fixture
def clips() -> torch.Tensor:
    return torch.randint(0, 255, (2, 4, SIZE, SIZE, 3), generator=torch.Generator().manual_seed(1)).to(torch.uint8)


@pytest.mark.parametrize("kind", WIDTHS)
def test_a_backbone_comes_back_from_its_blob_as_it_was(kind: str, tmp_path: Path, clips: torch.Tensor) -> None:
    entry = starting_entry("attentive", str(video_folder(tmp_path, kind)))
    assert entry.name == f"attentive:4x{SIZE}:{WIDTHS[kind]}"
    assert architecture(entry.name).view == entry.view
    backbone, pretrained = starting_backbone(entry, str(tmp_path))
    assert pretrained
    blob = encode_backbone(entry, backbone)
    again = decode_backbone(architecture(entry.name), blob)
    found = again(to_stream(entry, clips))
    assert found.shape == (2, WIDTHS[kind])
    # Where numbers lie in memory may decide by which instructions they are added.
    assert torch.allclose(found, backbone(to_stream(entry, clips)), atol=1e-6)
    assert encode_backbone(entry, again) == blob
    assert not [name for name in again.state_dict() if "predictor" in name]


def test_frames_are_those_that_the_configuration_names(tmp_path: Path) -> None:
    config = video_folder(tmp_path, "vjepa2") / "config.json"
    config.write_text(config.read_text().replace('"frames_per_clip": 4', '"frames_per_clip": 2'))
    entry = starting_entry("attentive", str(tmp_path))
    assert entry.view.frames == 2
    backbone, _ = starting_backbone(entry, str(tmp_path))
    assert backbone.tokens(torch.zeros(1, *entry.shape)).shape == (1, 4, WIDTHS["vjepa2"])  # half of the tokens


@pytest.mark.parametrize("kind", WIDTHS)
def test_tokens_are_those_of_the_network_itself_to_the_precision_of_bfloat16(
    kind: str, tmp_path: Path, clips: torch.Tensor
) -> None:
    transformers = pytest.importorskip("transformers")
    entry = starting_entry("attentive", str(video_folder(tmp_path, kind)))
    backbone, _ = starting_backbone(entry, str(tmp_path))
    mean, std = torch.tensor([0.48, 0.46, 0.41]), torch.tensor([0.23, 0.22, 0.22])
    pixels = ((clips / 255 - mean) / std).permute(0, 1, 4, 2, 3)
    network = transformers.AutoModel.from_pretrained(tmp_path).eval()
    with torch.inference_mode():
        want = network(pixels).last_hidden_state
        found = backbone.tokens(to_stream(entry, clips))
    assert found.dtype is torch.float32
    assert found.shape == want.shape
    assert float((found - want).norm() / want.norm()) < 0.02


def test_the_pool_alone_learns_whatever_mode_the_rest_is_put_in(folder: Path, clips: torch.Tensor) -> None:
    entry = starting_entry("attentive", str(folder))
    classifier = Classifier(entry, 2, starting_backbone(entry, str(folder))[0])
    classifier.requires_grad_(True).train()
    assert not any(module.training for module in classifier.backbone.tokens.modules())
    classifier.freeze()
    learns = {name for name, one in classifier.named_parameters() if one.requires_grad}
    assert {name.split(".")[0] for name in learns} == {"backbone", "head"}
    assert all(name.startswith(("backbone.pool.", "head.")) for name in learns)
    classifier(to_stream(entry, clips)).sum().backward()
    assert all(one.grad is not None for name, one in classifier.named_parameters() if name in learns)
    assert not [name for name in classifier.own_state() if "tokens" in name]


def test_autocast_changes_features_by_its_precision_alone(folder: Path, clips: torch.Tensor) -> None:
    entry = starting_entry("attentive", str(folder))
    backbone, _ = starting_backbone(entry, str(folder))
    exact = backbone.requires_grad_(False)(to_stream(entry, clips))
    with torch.autocast("cpu", torch.bfloat16):
        found = backbone(to_stream(entry, clips)).float()
    assert float((found - exact).norm() / exact.norm()) < 0.02


@pytest.mark.parametrize(
    ("gone", "what"),
    [
        ("config.json", "the network's shape: want config.json"),
        ("model.safetensors", r"its weights: want \*.safetensors or"),
        ("preprocessor_config.json", "the mean and deviation of pixels: want video_preprocessor_config.json or"),
    ],
)
def test_a_file_that_is_missing_is_named(folder: Path, tmp_path: Path, gone: str, what: str) -> None:
    for file in folder.iterdir():
        if file.name != gone:
            (tmp_path / file.name).symlink_to(file)
    with pytest.raises(NotConfigured, match=f"training.start: folder {tmp_path} lacks {what}"):
        starting_entry("attentive", str(tmp_path))


def test_a_start_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(NotConfigured, match=r"training.start: is 'random', which is no folder, but .* is attentive"):
        starting_entry("attentive", "random")


def test_an_extra_that_is_missing_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "find_spec", lambda name: None)
    with pytest.raises(NotConfigured, match=r"training.start: needs the package transformers.* extra `vlm`") as failure:
        starting_entry("attentive", str(folder))
    assert failure.value.exit_code == 78
    with pytest.raises(NotConfigured, match="weights of an attentive network: needs the package transformers"):
        attentive_backbone("{}")


def test_weights_of_something_else_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="a clip, has null for num_frames or frames_per_clip, want a whole number"):
        starting_entry("attentive", str(image_text_folder(tmp_path / "clip")))
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    entry = starting_entry("attentive", str(tmp_path))
    with pytest.raises(NotConfigured, match=f"training.start: cannot read {tmp_path}"):
        starting_backbone(entry, str(tmp_path))
