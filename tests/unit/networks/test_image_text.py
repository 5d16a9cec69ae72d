import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from tiny_networks import FEATURES, SIZE, image_text_folder

from slac_tasks.errors import NotConfigured
from slac_tasks.networks import folders
from slac_tasks.networks.calibration import Calibration
from slac_tasks.networks.image_text import ImageText
from slac_tasks.networks.image_tower import image_tower
from slac_tasks.networks.registry import architecture, to_stream
from slac_tasks.networks.weights import decode_backbone, decode_calibration, encode_backbone, encode_head
from slac_tasks.networks.words import NEUTRAL, Words

JUMP, WAVE = Words(name="jump", synonyms=("hop",), guideline="legs"), Words(name="wave")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image_text_folder(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def clips() -> torch.Tensor:
    return torch.randint(0, 255, (4, 3, SIZE, SIZE, 3), generator=torch.Generator().manual_seed(1)).to(torch.uint8)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_the_seeing_half_comes_back_from_its_blob_as_it_was(kind: str, tmp_path: Path, clips: torch.Tensor) -> None:
    network = ImageText.load(str(image_text_folder(tmp_path, kind)))
    assert network.entry.name == f"image_text:3x{SIZE}:{FEATURES}"
    assert architecture(network.entry.name).view == network.entry.view
    blob = encode_backbone(network.entry, network.tower)
    again = decode_backbone(architecture(network.entry.name), blob)
    found = again(to_stream(network.entry, clips))
    assert torch.allclose(found, network.tower(to_stream(network.entry, clips)), atol=1e-6)
    assert torch.allclose(found.norm(dim=1), torch.ones(4))
    assert encode_backbone(network.entry, again) == blob
    assert not [name for name in again.state_dict() if "text" in name or "logit" in name]


def test_a_score_says_how_much_nearer_the_pictures_are_to_the_words_than_to_any_video(
    folder: Path, clips: torch.Tensor
) -> None:
    network = ImageText.load(str(folder))
    seen = network.tower(to_stream(network.entry, clips))
    texts = torch.stack([network._meaning(JUMP.texts), network._meaning([NEUTRAL])])
    want = F.softmax(network.scale * seen @ texts.T, dim=1)[:, 0]
    (found,) = torch.sigmoid(network.head([JUMP], Calibration())(seen)).T
    assert torch.allclose(found, want, atol=1e-5)
    assert JUMP.texts == ["a video of jump", "a video of hop", "legs"]


def test_a_calibration_is_in_the_weights_and_can_be_read_back(folder: Path, clips: torch.Tensor) -> None:
    network = ImageText.load(str(folder))
    seen = network.tower(to_stream(network.entry, clips))
    calibration = Calibration(slope=0.25, offset=-1.5, answers=9)
    plain, calibrated = (network.head([JUMP, WAVE], one)(seen) for one in (Calibration(), calibration))
    assert torch.allclose(calibrated, 0.25 * plain - 1.5, atol=1e-5)
    blob = encode_head(network.entry, network.head([JUMP, WAVE], calibration), ["jump", "wave"], calibration)
    known = decode_calibration(network.entry, blob)
    assert (known.slope, known.offset) == (0.25, -1.5)


def test_other_words_are_another_head_and_equal_words_the_same(folder: Path) -> None:
    network = ImageText.load(str(folder))
    blobs = [
        encode_head(network.entry, network.head([words], Calibration()), ["jump"])
        for words in (JUMP, JUMP, Words(name="jump", synonyms=("hop",), guideline="arms"))
    ]
    assert blobs[0] == blobs[1] != blobs[2]


@pytest.mark.parametrize(
    ("gone", "what"),
    [
        ("config.json", "the network's shape: want config.json"),
        ("model.safetensors", r"its weights: want \*.safetensors or"),
        ("tokenizer.json", "a tokenizer: want tokenizer.json or"),
        ("preprocessor_config.json", "the mean and deviation of pixels: want preprocessor_config.json or"),
    ],
)
def test_a_file_that_is_missing_is_named(folder: Path, tmp_path: Path, gone: str, what: str) -> None:
    for file in folder.iterdir():
        if file.name != gone:
            (tmp_path / file.name).symlink_to(file)
    with pytest.raises(NotConfigured, match=f"folder {tmp_path} lacks {what}"):
        ImageText.load(str(tmp_path))


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(NotConfigured, match=r"committee.image_text: is empty, but committee.members names image_text"):
        ImageText.load("")
    with pytest.raises(NotConfigured, match=f"no folder {tmp_path}/none"):
        ImageText.load(str(tmp_path / "none"))


def test_an_extra_that_is_missing_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "find_spec", lambda name: None)
    with pytest.raises(NotConfigured, match=r"install the extra `vlm` \(uv pip install 'slac\[vlm\]'\)") as failure:
        ImageText.load(str(folder))
    assert failure.value.exit_code == 78
    with pytest.raises(NotConfigured, match="extra `vlm`"):
        image_tower("{}")


def test_weights_of_something_else_are_refused(folder: Path, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    from safetensors.torch import load_file, save_file

    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    state = load_file(tmp_path / "model.safetensors")
    del state["visual_projection.weight"]
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(NotConfigured, match=r"lack 1 tensors, such as visual_projection\.weight"):
        ImageText.load(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(NotConfigured, match=f"cannot read {tmp_path}"):
        ImageText.load(str(tmp_path))
    shape = json.loads((folder / "config.json").read_text())["vision_config"]
    transformers.CLIPVisionModel(transformers.CLIPVisionConfig(**shape)).save_pretrained(tmp_path)
    with pytest.raises(NotConfigured, match="holds a CLIPVisionModel, which does not turn pictures and texts into"):
        ImageText.load(str(tmp_path))
