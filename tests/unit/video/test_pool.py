"""Decoding processes: the same clips whatever their number, bounded ahead, and failures that keep their meaning."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from failing_media import FailingMedia
from learning_world import draw

from slac_tasks.errors import NotConfigured, Temporary
from slac_tasks.model import View
from slac_tasks.storage.objects import Media
from slac_tasks.video.frames import read_clips
from slac_tasks.video.pool import Cut, Pool

VIEW = View(2, 16)


@pytest.fixture
def media(tmp_path: Path) -> Media:
    for number in range(3):
        draw(tmp_path / f"{number}.mp4", colour=(200, 80 * number, 40), speed=1 + number)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    return Media(str(tmp_path), {})


def cuts(number: int) -> list[Cut]:
    return [Cut(f"{(number + at) % 3}.mp4", float((number + 2 * at) % 4)) for at in range(4)]


@pytest.mark.parametrize("workers", [0, 3])
def test_batches_hold_the_clips_that_were_asked_for(media: Media, workers: int) -> None:
    wanted = [*(cuts(number) for number in range(7)), cuts(0)[:1]]
    with Pool(media, VIEW, batch=4, buffer=2, workers=workers) as pool:
        found = [decoded.pixels.copy() for decoded in pool.batches(wanted)]
    assert [len(one) for one in found] == [4] * 7 + [1]
    for batch, pixels in zip(wanted, found, strict=True):
        for cut, clip in zip(batch, pixels, strict=True):
            with media(cut.proxy) as path:
                assert np.array_equal(clip, read_clips(path, [cut.start_sec], frames=2, size=16)[0])


def test_nothing_is_asked_for_beyond_the_buffer(media: Media) -> None:
    asked: list[int] = []

    def wanted() -> Iterator[list[Cut]]:
        for number in range(9):
            asked.append(number)
            yield cuts(number)

    with Pool(media, VIEW, batch=4, buffer=3, workers=2) as pool:
        for number, _ in enumerate(pool.batches(wanted())):
            assert len(asked) <= number + 3


def test_a_loop_that_is_left_in_its_middle_does_not_show_in_the_next(media: Media) -> None:
    with Pool(media, VIEW, batch=4, buffer=3, workers=2) as pool:
        next(pool.batches(cuts(number) for number in range(6)))
        (found,) = pool.batches([cuts(5)])
        with media(cuts(5)[0].proxy) as path:
            assert np.array_equal(found.pixels[0], read_clips(path, [cuts(5)[0].start_sec], frames=2, size=16)[0])


@pytest.mark.parametrize("workers", [0, 2])
def test_what_cannot_be_decoded_is_named_and_holds_up_nothing(media: Media, workers: int) -> None:
    with Pool(media, VIEW, batch=4, workers=workers) as pool:
        (found,) = pool.batches([[*cuts(0)[:2], Cut("broken.mp4", 0.0), Cut("none.mp4", 0.0)]])
        assert found.lost.keys() == {2, 3}
        assert "cannot be decoded" in found.lost[2]
        assert "does not exist" in found.lost[3]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(("why", "kind"), [("gone", Temporary), ("refused", NotConfigured)])
def test_a_store_that_fails_is_no_fault_of_a_clip(why: str, kind: type[Exception], workers: int) -> None:
    with (
        Pool(FailingMedia(why), VIEW, batch=4, workers=workers) as pool,
        pytest.raises(kind, match=rf"[01]\.mp4: {why}"),
    ):
        list(pool.batches([cuts(0)]))


def test_a_bug_in_a_worker_is_a_bug_here() -> None:
    with (
        Pool(FailingMedia("bug"), VIEW, batch=4, workers=1) as pool,
        pytest.raises(RuntimeError, match="ZeroDivisionError"),
    ):
        list(pool.batches([cuts(0)]))


def test_a_worker_that_is_killed_ends_the_loop_as_temporary(media: Media) -> None:
    with Pool(media, VIEW, batch=4, buffer=2, workers=1) as pool:
        found = pool.batches(cuts(number) for number in range(50))
        next(found)
        assert pool.program
        os.kill(pool.program, signal.SIGKILL)
        with pytest.raises(Temporary, match="was killed"):
            list(found)
