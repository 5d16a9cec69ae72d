"""Dense features: one for each cell of frames, the same whatever decodes them, and one bad video stops no other."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from learning_world import draw

from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.localization.features import TOO_SHORT, Clock, Dense, Film, Unseen, dense_features
from slac_tasks.localization.networks import frozen, of_file, of_registry
from slac_tasks.networks.inference import Extractor
from slac_tasks.networks.registry import REGISTRY, Classifier
from slac_tasks.networks.settings import Scoring
from slac_tasks.networks.weights import encode_network
from slac_tasks.training.trainer import seeded
from slac_tasks.video.frames import read_clips
from slac_tasks.video.pieces import UNDECODABLE


@contextmanager
def media(name: str) -> Iterator[Path]:
    yield Path(name)


def network(name: str = "small_3d") -> Extractor:
    with seeded(0):
        entry, backbone = of_registry(name, "random")
    return frozen(entry, backbone, "cpu", Scoring(precision="float32"))


@given(fps=st.sampled_from([24, 25, 29.97, 30]), frames=st.integers(48, 400), seen=st.sampled_from([1, 8, 16]))
def test_windows_stand_in_the_middle_of_cells_that_cover_the_video(fps: float, frames: int, seen: int) -> None:
    clock = Clock(fps=fps, frames=frames)
    numbers = clock.windows(seen)
    assert numbers.shape == (clock.count, seen)
    assert numbers.min() >= 0
    assert numbers.max() < frames
    assert (np.diff(numbers) >= 0).all()
    middles = clock.offset_sec + np.arange(clock.count) * clock.stride_sec
    assert middles[0] < clock.stride_sec
    assert middles[-1] > clock.duration_sec - clock.stride_sec
    inside = (middles >= 1) & (middles <= clock.duration_sec - 1)
    assert np.abs((numbers[inside] + 0.5).mean(axis=1) / fps - middles[inside]).max(initial=0) < 1 / fps


def test_a_feature_is_what_the_network_makes_of_the_two_seconds_around_it(tmp_path: Path) -> None:
    draw(tmp_path / "a.mp4", colour=(200, 40, 90), speed=2, seconds=7)
    eye = network()
    (dense,) = dense_features([Film(name="a", proxy=str(tmp_path / "a.mp4"))], eye, media)
    assert isinstance(dense, Dense)
    assert dense.values.shape == (42, eye.entry.features)
    assert dense.values.dtype == np.float32
    assert dense.clock.duration_sec == 7
    # The window around 2.5 s: the middle of cell 15 is 62 / 24 s.
    start = dense.clock.offset_sec + 15 * dense.clock.stride_sec - 1
    clip = read_clips(tmp_path / "a.mp4", [start], frames=8, size=56)
    assert np.allclose(dense.values[15], eye.features(clip)[0].numpy(), atol=1e-5)


@pytest.mark.parametrize("stride", [4, 48, 64, 100])
def test_a_window_shows_its_own_frames_however_far_apart_windows_lie(tmp_path: Path, stride: int) -> None:
    draw(tmp_path / "a.mp4", colour=(200, 40, 90), speed=2, seconds=23)
    eye = network()
    (dense,) = dense_features([Film(name="a", proxy=str(tmp_path / "a.mp4"))], eye, media, stride_frames=stride)
    assert isinstance(dense, Dense)
    starts = dense.clock.offset_sec + np.arange(dense.clock.count) * dense.clock.stride_sec - 1
    inside = (starts >= 0) & (starts <= 21)
    clips = read_clips(tmp_path / "a.mp4", starts[inside].tolist(), frames=8, size=56)
    assert np.allclose(dense.values[inside], eye.features(clips).numpy(), atol=1e-5)


@pytest.mark.parametrize("name", ["small_frame", "small_motion"])
def test_two_processes_and_none_give_the_same_features(tmp_path: Path, name: str) -> None:
    films = []
    for number in range(3):
        path = tmp_path / f"{number}.mp4"
        draw(path, colour=(200, 80 * number, 40), speed=1 + number, seconds=19 + number)
        films.append(Film(name=str(number), proxy=str(path)))
    alone, together = (list(dense_features(films, network(name), media, workers=workers)) for workers in (0, 2))
    for one, other in zip(alone, together, strict=True):
        assert isinstance(one, Dense)
        assert isinstance(other, Dense)
        assert one.name == other.name
        assert np.array_equal(one.values, other.values)


def test_each_frame_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw(tmp_path / "a.mp4", colour=(200, 40, 90), speed=2, seconds=8)
    asked = []

    def counted(path: Path, start_secs: list[float], **how: int) -> np.ndarray:
        asked.extend(start_secs)
        return read_clips(path, start_secs, **how)

    monkeypatch.setattr("slac_tasks.video.decoding.read_clips", counted)
    list(dense_features([Film(name="a", proxy=str(tmp_path / "a.mp4"))], network(), media))
    assert asked == [0, 2, 4, 6]


def test_a_bad_video_stops_no_other(tmp_path: Path) -> None:
    draw(tmp_path / "good.mp4", colour=(200, 40, 90), speed=2, seconds=3)
    draw(tmp_path / "short.mp4", colour=(200, 40, 90), speed=2, seconds=1)
    (tmp_path / "text.mp4").write_text("no video")
    names = ["text", "good", "short", "good", "text"]
    found = list(
        dense_features([Film(name=one, proxy=str(tmp_path / f"{one}.mp4")) for one in names], network(), media)
    )
    assert [one.name for one in found] == names
    assert [one.lost.reason for one in found if isinstance(one, Unseen)] == [UNDECODABLE, TOO_SHORT, UNDECODABLE]


@pytest.mark.parametrize("name", ["small_3d", "small_frame"])
def test_the_network_that_pretrain_wrote_looks_as_it_did(tmp_path: Path, name: str) -> None:
    with seeded(1):
        classifier = Classifier(REGISTRY[name], 2).eval()
    (tmp_path / "abc.safetensors").write_bytes(encode_network(classifier, ["hop", "wave"]))
    entry, backbone = of_file(tmp_path)
    stream = torch.rand(1, *entry.shape)
    assert torch.equal(backbone(stream), classifier.backbone(stream))


def damaged(data: bytes, told: Any) -> bytes:
    """Return a file of a network with another note of what it is."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"]["slac"] = json.dumps(told)
    written = json.dumps(header).encode()
    return len(written).to_bytes(8, "little") + written + data[8 + length :]


def test_a_file_of_no_network_is_refused_by_name(tmp_path: Path) -> None:
    good = encode_network(Classifier(REGISTRY["small_3d"], 2).eval(), ["hop", "wave"])
    odd = [damaged(good, told) for told in (None, {}, [], {"architecture": None}, {"architecture": ["small_3d"]})]
    for data in (b"", good[:1000], good[: len(good) // 2], b"\xff" * 5000, *odd):
        (tmp_path / "abc.safetensors").write_bytes(data)
        with pytest.raises(BrokenContract, match=r"network .*/abc\.safetensors: is no file of `slac pretrain`"):
            of_file(tmp_path)
    for path in (tmp_path / "nowhere", tmp_path / ("x" * 300)):
        with pytest.raises(WrongArguments, match=f"network {path}: "):
            of_file(path)
