"""Clips of originals that were kept: as of their renditions, and what one way cannot read is read the other way."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from numbered_films import FIELDS, film, number_on, remux, steady

from slac_tasks.collect.settings import Collect
from slac_tasks.errors import NotConfigured
from slac_tasks.model import View
from slac_tasks.storage.objects import Media
from slac_tasks.video import originals
from slac_tasks.video.frames import read_clips
from slac_tasks.video.kept import KeptPool
from slac_tasks.video.lost import MISSING
from slac_tasks.video.pieces import UNDECODABLE
from slac_tasks.video.pool import Cut, Decoded

VIEW, LARGE = View(4, 112), View(2, 160)
FINE, FIELDED, BROKEN, GONE = "fine", "fielded", "broken", "gone"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that keeps originals alone: a film, an interlaced one, which torchcodec is not given, and no film."""
    folder = tmp_path_factory.mktemp("store")
    for name in (FINE, FIELDED, BROKEN):
        (folder / "media" / name).mkdir(parents=True)
    film(folder / "fine.mp4", steady(25, 4)).rename(folder / "media" / FINE / "original")
    fielded = remux(film(folder / "plain.mp4", steady(50, 4), rate=50), folder / "fields.mpg", after=FIELDS)
    fielded.rename(folder / "media" / FIELDED / "original")
    (folder / "media" / BROKEN / "original").write_bytes(b"no video")
    return folder


@pytest.fixture(scope="module")
def renditions(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, originals.Proxy]:
    made = {}
    for name in (FINE, FIELDED):
        path = folder / "media" / name / "original"
        found = originals.probe(path, Collect())
        made[name] = originals.make_proxy(path, tmp_path_factory.mktemp(name), found, Collect())
    return made


def cut(name: str, start_sec: float) -> Cut:
    small, large = (originals.rendition_name(name, "0" * 64, side) for side in (128, 256))
    return Cut(small, start_sec, large)


WANTED: list[list[Cut | None]] = [
    [cut(FINE, 0.0), cut(FIELDED, 1.0), None, cut(FINE, 1.5)],
    [cut(FINE, 0.5), cut(BROKEN, 0.0)],
    [cut(GONE, 0.0), cut(FIELDED, 0.0)],
]


def pool(folder: Path, torchcodec: str = "", workers: int = 1) -> KeptPool:
    return KeptPool(
        Media(str(folder), {}), [VIEW, LARGE], batch=4, buffer=2, workers=workers, limits=Collect(),
        torchcodec=torchcodec,
    )  # fmt: skip


def kept(found: Iterator[Decoded]) -> Iterator[Decoded]:
    for one in found:
        yield Decoded(pixels={view: pixels.copy() for view, pixels in one.pixels.items()}, lost=dict(one.lost))


def assert_right(found: list[Decoded], renditions: dict[str, originals.Proxy], *, exact: bool) -> None:
    for cuts, one in zip(WANTED, found, strict=True):
        for row, wanted in enumerate(cuts):
            if wanted is None:
                continue
            name = wanted.proxy.split("/")[1]
            if name not in renditions:
                assert name in one.lost[row].detail
                assert one.lost[row].reason == (MISSING if name == GONE else UNDECODABLE)
                continue
            assert row not in one.lost
            for view, path in ((VIEW, renditions[name].path_128), (LARGE, renditions[name].path_256)):
                want = read_clips(path, [wanted.start_sec], frames=view.frames, size=view.size)[0]
                if exact or name == FIELDED:
                    assert np.array_equal(one.pixels[view][row], want)
                elif view == VIEW:
                    # No rendition was encoded in between.
                    assert not np.array_equal(one.pixels[view][row], want)
                assert list(map(number_on, one.pixels[view][row])) == list(map(number_on, want))


def test_renditions_are_made_again_and_are_the_same(
    folder: Path, renditions: dict[str, originals.Proxy], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pool(folder) as own:
        assert_right(list(kept(own.batches(WANTED))), renditions, exact=True)
        assert len(list(tmp_path.iterdir())) <= 3, "what nobody reads goes when another is asked for"
    assert list(tmp_path.iterdir()) == []


def test_what_torchcodec_cannot_read_is_read_by_ffmpeg(
    by_torchcodec: ModuleType, folder: Path, renditions: dict[str, originals.Proxy]
) -> None:
    with pool(folder, "cpu") as own:
        assert own.memory is not None
        assert_right(list(kept(own.batches(WANTED))), renditions, exact=False)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a card")
def test_a_card_that_cannot_be_used_is_named_once_and_nothing_is_lost(
    by_torchcodec: ModuleType, folder: Path, renditions: dict[str, originals.Proxy], capsys: pytest.CaptureFixture[str]
) -> None:
    with pool(folder, "cuda:0") as own:
        assert_right(list(kept(own.batches(WANTED))), renditions, exact=True)
    said = capsys.readouterr().err
    assert said.count("originals are read by ffmpeg from here on") == 1
    assert said.startswith("torchcodec: cuda:0: ")


def test_a_machine_without_torchcodec_is_told_what_it_lacks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    with pytest.raises(NotConfigured, match="torchcodec: is not installed; want the extra `nvdec`"):
        pool(folder, "cpu")


def test_torchcodec_that_lacks_a_library_is_no_fault_of_the_videos(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "torchcodec").mkdir()
    (tmp_path / "torchcodec" / "__init__.py").write_text("raise RuntimeError('no libavutil\\nat all')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "torchcodec", raising=False)
    with pool(folder, "cpu") as own, pytest.raises(NotConfigured, match=r"loaded: RuntimeError: no libavutil; want"):
        list(own.batches(WANTED))
