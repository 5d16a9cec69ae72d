import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.networks.features import LENGTH, Features, projection, unpacked


@pytest.mark.parametrize(
    ("length", "key"), [(60, "64215296450d9674"), (512, "b57b06a0a80d4411"), (2048, "c6f2f11b7696f69c")]
)  # fmt: skip
def test_a_projection_never_changes(length: int, key: str) -> None:
    assert projection(length).key == key
    assert projection(length).matrix.shape == (length, LENGTH)


def back(stored: list[bytes]) -> Features:
    """What a reader makes of a column in two chunks, the second of which begins within its buffer."""
    array = pa.array(stored[:1] + stored, pa.binary(2 * LENGTH))
    return unpacked(pa.chunked_array([array[1:2], array[2:]]))


@given(clips=st.integers(0, 5), length=st.sampled_from([3, 64, 65, 512]), seed=st.integers(0, 100))
def test_features_come_back_clip_by_clip(clips: int, length: int, seed: int) -> None:
    features = np.random.default_rng(seed).normal(size=(clips, length)).astype(np.float32)
    kept = projection(length)
    found = back(kept.packed(features))
    assert found.shape == (clips, LENGTH)
    assert found == pytest.approx(features @ kept.matrix, abs=0.02)


@given(clips=st.integers(2, 9), seed=st.integers(0, 100))
def test_a_clip_is_stored_the_same_whatever_stands_beside_it(clips: int, seed: int) -> None:
    features = np.random.default_rng(seed).normal(size=(clips, 512)).astype(np.float32)
    kept = projection(512)
    assert kept.packed(features) == [kept.packed(row[None])[0] for row in features]


def test_a_short_output_is_kept_as_it_is() -> None:
    assert back(projection(3).packed(np.array([[1.0, 2.0, -0.5]], np.float32)))[0, :4].tolist() == [1.0, 2.0, -0.5, 0.0]


def test_near_clips_stay_near() -> None:
    features = np.random.default_rng(0).normal(size=(200, 512)).astype(np.float32)
    found = back(projection(512).packed(features))
    before = np.linalg.norm(features[:, None] - features[None], axis=2)[np.triu_indices(200, 1)]
    after = np.linalg.norm(found[:, None] - found[None], axis=2)[np.triu_indices(200, 1)]
    assert abs(after / before - 1).mean() < 1 / 8


def test_what_no_half_float_holds_is_bounded() -> None:
    assert np.isfinite(back(projection(3).packed(np.full((1, 3), 1e9, np.float32)))).all()
