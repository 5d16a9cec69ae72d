import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.networks.features import LENGTH, projection, unpacked


@pytest.mark.parametrize(
    ("length", "key"), [(60, "64215296450d9674"), (512, "b57b06a0a80d4411"), (2048, "c6f2f11b7696f69c")]
)  # fmt: skip
def test_a_projection_never_changes(length: int, key: str) -> None:
    assert projection(length).key == key
    assert projection(length).matrix.shape == (length, LENGTH)


@given(clips=st.integers(0, 5), length=st.sampled_from([3, 64, 65, 512]), seed=st.integers(0, 100))
def test_features_come_back_clip_by_clip(clips: int, length: int, seed: int) -> None:
    features = torch.randn(clips, length, generator=torch.Generator().manual_seed(seed))
    kept = projection(length)
    found = unpacked(kept.packed(features))
    assert found.shape == (clips, LENGTH)
    assert found == pytest.approx((features @ kept.matrix).numpy(), abs=0.01)


def test_a_short_output_is_kept_as_it_is() -> None:
    assert unpacked(projection(3).packed(torch.tensor([[1.0, 2.0, -0.5]])))[0, :4].tolist() == [1.0, 2.0, -0.5, 0.0]


def test_near_clips_stay_near() -> None:
    dice = torch.Generator().manual_seed(0)
    features = torch.randn(200, 512, generator=dice)
    found = unpacked(projection(512).packed(features))
    before = torch.cdist(features, features).numpy()[np.triu_indices(200, 1)]
    after = np.linalg.norm(found[:, None] - found[None], axis=2)[np.triu_indices(200, 1)]
    assert abs(after / before - 1).mean() < 1 / 8


def test_what_no_half_float_holds_is_bounded() -> None:
    assert np.isfinite(unpacked(projection(3).packed(torch.full((1, 3), 1e9)))).all()
