"""torchcodec on originals: the frames of their renditions, or a refusal. On a card the same code runs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from numbered_films import FIELDS, FILMS, film, number_on, remux, steady

from slac_tasks.collect.settings import Collect
from slac_tasks.errors import BrokenContract
from slac_tasks.model import View
from slac_tasks.video import originals
from slac_tasks.video.frames import Pixels, read_clips

VIEWS = (View(16, 112), View(3, 160))
"""One of each rendition; sixteen frames meet every second one of a clip."""
STARTS = (0.0, 0.5, 1.0)

Read = Callable[[Path, Sequence[float]], dict[View, Pixels]]


@pytest.fixture
def read(by_torchcodec: ModuleType) -> Read:
    def read(path: Path, start_secs: Sequence[float]) -> dict[View, Pixels]:
        clips = {view: np.zeros((len(start_secs), view.frames, view.size, view.size, 3), np.uint8) for view in VIEWS}
        by_torchcodec.read_clips(path, start_secs, clips, device="cpu", limits=Collect())
        return clips

    return read


def made(path: Path, folder: Path) -> originals.Proxy:
    return originals.make_proxy(path, folder, originals.probe(path, Collect()), Collect())


def of_renditions(proxy: originals.Proxy, start_secs: Sequence[float]) -> dict[View, Pixels]:
    return {
        view: read_clips(
            proxy.path_128 if view.small else proxy.path_256, start_secs, frames=view.frames, size=view.size
        )
        for view in VIEWS
    }


def assert_same(found: dict[View, Pixels], wanted: dict[View, Pixels], turns: int = 0) -> None:
    for view in VIEWS:
        pairs = zip(found[view].reshape(-1, *found[view].shape[2:]), wanted[view].reshape(-1, *found[view].shape[2:]),
                    strict=True)  # fmt: skip
        for one, other in pairs:
            assert number_on(np.rot90(one, turns)) == number_on(np.rot90(other, turns))
            assert np.abs(one.astype(int) - other).mean() < 4


STILL = {"still.mp4": ([0, 900, 1800, 2700, 3600], {})}
"""A slide show: clips see each picture many times."""


@pytest.mark.parametrize("name", sorted((FILMS | STILL).keys() - {"steady.mp4", "slides.ts"}))
def test_it_shows_the_frames_of_the_renditions(read: Read, tmp_path: Path, name: str) -> None:
    at_ms, options = (FILMS | STILL)[name]
    path = film(tmp_path / name, at_ms, **options)
    proxy = made(path, tmp_path)
    starts = [start for start in (*STARTS, 1.7, 2.5, 4.0) if start + 2 <= proxy.duration_sec]
    assert_same(read(path, starts), of_renditions(proxy, starts))


@pytest.mark.parametrize(("degrees", "turns"), [(90, -1), (180, 2)])
def test_it_applies_a_rotation(read: Read, tmp_path: Path, degrees: int, turns: int) -> None:
    plain = film(tmp_path / "plain.mp4", steady(25, 3))
    turned = remux(plain, tmp_path / "turned.mp4", ("-display_rotation", str(degrees)))
    assert_same(read(turned, STARTS), of_renditions(made(turned, tmp_path), STARTS), turns)


def test_it_applies_an_edit_list(read: Read, tmp_path: Path) -> None:
    cut = remux(film(tmp_path / "plain.mp4", steady(25, 6)), tmp_path / "cut.mp4", ("-ss", "2.4"))
    assert_same(read(cut, STARTS), of_renditions(made(cut, tmp_path), STARTS))


def interlaced(folder: Path) -> Path:
    return remux(film(folder / "plain.mp4", steady(50, 4), rate=50), folder / "fields.mpg", after=FIELDS)


def of_two_sizes(folder: Path) -> Path:
    parts = [film(folder / f"{n}.ts", steady(25, 2), size=size) for n, size in enumerate([(320, 240), (640, 360)])]
    (folder / "parts.txt").write_text("".join(f"file '{path}'\n" for path in parts))
    return remux(folder / "parts.txt", folder / "joined.ts", ("-f", "concat", "-safe", "0"))


def without_an_end(folder: Path) -> Path:
    return film(folder / "slides.ts", FILMS["slides.ts"][0])


def without_a_middle(folder: Path) -> Path:
    path = film(folder / "whole.mp4", steady(25, 4))
    data = bytearray(path.read_bytes())
    data[len(data) // 4 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 4)
    path.write_bytes(data)
    return path


def no_video(folder: Path) -> Path:
    path = folder / "text"
    path.write_bytes(b"no video")
    return path


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (interlaced, "interlaced"),
        (of_two_sizes, "torchcodec"),
        (without_a_middle, "torchcodec"),
        (without_an_end, "torchcodec"),
        (no_video, "Invalid data"),
    ],
)
def test_what_it_might_show_otherwise_it_refuses(
    read: Read, tmp_path: Path, make: Callable[[Path], Path], why: str
) -> None:
    with pytest.raises(BrokenContract, match=why):
        read(make(tmp_path), [0.0, 1.0, 2.0])


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a card")
def test_a_card_that_is_absent_is_said_before_a_file_is_opened(by_torchcodec: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(by_torchcodec.NoCard, match="cuda:0: "):
        by_torchcodec.read_clips(tmp_path / "none.mp4", [0.0], {}, device="cuda:0", limits=Collect())
