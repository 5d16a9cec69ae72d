"""Clips are read from proxies frame by frame right, and what no clip needs is not decoded."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numbered_films import film, steady

from slac_tasks.collect.settings import Collect
from slac_tasks.video import frames, originals
from slac_tasks.video.frames import read_clips, read_frames

FPS = 30


def proxied(path: Path, folder: Path) -> originals.Proxy:
    return originals.make_proxy(path, folder, originals.probe(path, Collect()), Collect())


@pytest.fixture(scope="module")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small rendition of a minute."""
    folder = tmp_path_factory.mktemp("minute")
    return proxied(film(folder / "a.mp4", steady(FPS, 60)), folder).path_128


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of each frame that is decoded."""
    sent, found = frames._sent, []

    def counted(*given: object) -> Iterator[tuple[int, av.VideoFrame]]:
        for number, frame in sent(*given):
            found.append(number)
            yield number, frame

    monkeypatch.setattr(frames, "_sent", counted)
    return found


@pytest.mark.parametrize("start_sec", [0.0, 29.5, 57.9])
def test_of_what_comes_before_a_clip_less_than_a_second_is_decoded(
    minute: Path, decoded: list[int], start_sec: float
) -> None:
    read_clips(minute, [start_sec], frames=16, size=112)
    assert min(decoded) >= (start_sec - 1) * FPS
    assert max(decoded) <= (start_sec + 2) * FPS


def test_what_lies_between_two_clips_is_skipped(minute: Path, decoded: list[int]) -> None:
    read_clips(minute, [2.0, 50.0], frames=16, size=112)
    assert not [number for number in decoded if 5 * FPS < number < 49 * FPS]


def test_clips_that_overlap_share_what_is_decoded(minute: Path, decoded: list[int]) -> None:
    read_clips(minute, [2.0 + k / 10 for k in range(20)], frames=16, size=112)
    assert len(decoded) == len(set(decoded)) <= 5 * FPS


def test_frames_that_neither_a_clip_nor_another_frame_needs_are_not_decoded(minute: Path, decoded: list[int]) -> None:
    read_clips(minute, [2.0 * k for k in range(30)], frames=4, size=112)
    assert 4 * 30 <= len(decoded) <= 0.7 * 60 * FPS


def test_every_frame_is_the_same_however_it_is_reached(tmp_path: Path) -> None:
    proxy = proxied(film(tmp_path / "a.mp4", steady(30, 5)), tmp_path)
    starts = [k / 30 for k in range(0, 90, 7)]
    together = read_clips(proxy.path_128, starts, frames=16, size=112)
    for start, clip in zip(starts, together, strict=True):
        assert (read_clips(proxy.path_128, [start], frames=16, size=112)[0] == clip).all()


def test_colours_are_those_of_the_original(tmp_path: Path) -> None:
    colours = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200], [180, 180, 60]], np.uint8)
    source = tmp_path / "colours.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for _ in range(60):
            image = np.repeat(np.repeat(colours.reshape(2, 2, 3), 120, 0), 160, 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    proxy = proxied(source, tmp_path)
    clip = read_clips(proxy.path_128, [0.0], frames=2, size=112)[0, 1]
    for quarter, colour in zip(((20, 20), (20, 90), (90, 20), (90, 90)), colours, strict=True):
        assert clip[quarter].astype(int) == pytest.approx(colour.astype(int), abs=12)
        whole = read_frames(proxy.path_128, [0.5])[0]
    assert whole[20, 20].astype(int) == pytest.approx(colours[0].astype(int), abs=12)
