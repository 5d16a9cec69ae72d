"""The card says what taught a network, and its code loads the weights without us."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from released import released
from safetensors.torch import load
from torchvision.models import get_model

from slac_tasks.networks.registry import Classifier, architecture
from slac_tasks.networks.weights import encode_network
from slac_tasks.reports.model_card import COLUMNS, Seen, card, taught, with_figures
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.datasets.releasing import EvaluationRow, ModelRow, ReleaseVersionRow

CATEGORIES = ("jump", "wave")
VERSION = ReleaseVersionRow(
    version="2.1.0", content="c" * 64, previous=None, labels=6, positive=3, videos=3, groups=3, categories=CATEGORIES,
    added=6, changed=0, withdrawn=0, corrected=0, files=(), hashes=(),
)  # fmt: skip


def table() -> pa.Table:
    rows = [
        released("a" * 16, 1.0, category="jump", licence="CC BY 4.0"),
        released("a" * 16, 3.0, category="jump", label=-1, licence="CC BY 4.0"),
        released("b" * 16, 1.0, category="wave", licence=None),
        released("c" * 16, 1.0, category="wave", licence="odd | <b>licence</b>"),
        released("d" * 16, 1.0, category="wave", licence="gone"),
        released("e" * 16, 1.0, category="wave", split="testing", licence="of the test"),
    ]
    return RELEASES.table(rows).select(list(COLUMNS))


def card_of(name: str, network: str = "0" * 16) -> str:
    entry = architecture(name)
    model = ModelRow(
        architecture=name, backbone="b" * 16, head="d" * 16, categories=CATEGORIES, steps=3, clips=3, loss=0.5,
        network=network,
    )  # fmt: skip
    seen = Seen(
        torchvision=entry.torchvision, line=entry.preprocessing, shape=entry.shape, plan="r2plus1d_18 in 3 steps"
    )
    return card(model, "r0001", VERSION, taught([table()], withdrawn=["d" * 16]), seen)


def test_the_card_counts_the_training_split_that_is_left() -> None:
    text = card_of("r2plus1d_18")
    assert "| 0 | jump | 1 | 1 |" in text
    assert "| 1 | wave | 2 | 0 |" in text
    assert "| CC BY 4.0 | 1 | 2 |" in text
    assert "| not known | 1 | 1 |" in text
    assert "odd \\| &lt;b>licence&lt;/b>" in text
    assert "gone" not in text
    assert "of the test" not in text
    assert f"sha256 {'c' * 64}" in text
    assert "torchvision has none of its kind" in card_of("small_3d")


def test_figures_take_the_place_of_what_was_said_before() -> None:
    row = EvaluationRow(
        measure="testing_accuracy", subject="pretrained", value=0.75, low=0.5, high=0.9, repeats=40, budget="40 clips",
        clips=40, videos=12,
    )  # fmt: skip
    text = with_figures(card_of("r3d_18"), [row])
    assert "| testing accuracy | pretrained | - | 0.750 | 0.500 to 0.900 | 40 | 12 |" in text
    assert "Not evaluated yet" not in text
    assert with_figures(text, [row]) == text


def test_the_code_of_the_card_loads_the_network_without_us(tmp_path: Path) -> None:
    classifier = Classifier(architecture("r2plus1d_18"), 2).eval()
    (tmp_path / "net.safetensors").write_bytes(encode_network(classifier, CATEGORIES))
    code = card_of("r2plus1d_18", "net").partition("```python\n")[2].partition("```")[0]
    torchs_own = (
        "print(torchvision.models.video.r2plus1d_18(num_classes=2).load_state_dict(load_file('net.safetensors')))"
    )
    guard = "import sys\nassert not [name for name in sys.modules if name.startswith('slac_tasks')]"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{code}\n{torchs_own}\n{guard}"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    with torch.no_grad():
        own = classifier(torch.zeros(1, 3, 16, 112, 112)).sigmoid()
    assert f"{own[0, 0]:.4f}" in done.stdout
    assert "<All keys matched successfully>" in done.stdout


@pytest.mark.parametrize("name", ["frame_resnet18", "s3d", "mvit_v2_s", "swin3d_t"])
def test_networks_of_torchvision_have_its_names_and_shapes(name: str) -> None:
    entry = architecture(name)
    with torch.device("meta"):
        wanted = get_model(entry.torchvision, num_classes=2).state_dict()
    found = load(encode_network(Classifier(entry, 2), CATEGORIES))
    assert {key: value.shape for key, value in found.items()} == {key: value.shape for key, value in wanted.items()}
