"""Decoding processes: the same clips whatever their number, bounded ahead, and failures that keep their meaning."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from failing_media import FailingMedia
from learning_world import draw

from slac_tasks.errors import NotConfigured, Temporary
from slac_tasks.model import View
from slac_tasks.storage.objects import Media
from slac_tasks.video.frames import read_clips
from slac_tasks.video.lost import DIED, HUNG, MISSING
from slac_tasks.video.pieces import UNDECODABLE
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
    with Pool(media, [VIEW], batch=4, buffer=2, workers=workers) as pool:
        found = [decoded.pixels[VIEW].copy() for decoded in pool.batches(wanted)]
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

    with Pool(media, [VIEW], batch=4, buffer=3, workers=2) as pool:
        for number, _ in enumerate(pool.batches(wanted())):
            assert len(asked) <= number + 3


def test_a_loop_that_is_left_in_its_middle_does_not_show_in_the_next(media: Media) -> None:
    with Pool(media, [VIEW], batch=4, buffer=3, workers=2) as pool:
        next(pool.batches(cuts(number) for number in range(6)))
        (found,) = pool.batches([cuts(5)])
        with media(cuts(5)[0].proxy) as path:
            assert np.array_equal(found.pixels[VIEW][0], read_clips(path, [cuts(5)[0].start_sec], frames=2, size=16)[0])


@pytest.mark.parametrize("workers", [0, 2])
def test_what_cannot_be_decoded_is_named_and_holds_up_nothing(media: Media, workers: int) -> None:
    with Pool(media, [VIEW], batch=4, workers=workers) as pool:
        (found,) = pool.batches([[*cuts(0)[:2], Cut("broken.mp4", 0.0), Cut("none.mp4", 0.0)]])
        assert {row: lost.reason for row, lost in found.lost.items()} == {2: UNDECODABLE, 3: MISSING}
        assert {row: lost.drop("v").retryable for row, lost in found.lost.items()} == {2: False, 3: True}
        assert "cannot be decoded" in found.lost[2].detail
        assert "does not exist" in found.lost[3].detail


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(("why", "kind"), [("gone", Temporary), ("refused", NotConfigured)])
def test_a_store_that_fails_is_no_fault_of_a_clip(why: str, kind: type[Exception], workers: int) -> None:
    with (
        Pool(FailingMedia(why), [VIEW], batch=4, workers=workers) as pool,
        pytest.raises(kind, match=rf"[01]\.mp4: {why}"),
    ):
        list(pool.batches([cuts(0)]))


def test_a_bug_in_a_worker_is_a_bug_here(media: Media) -> None:
    with (
        Pool(media, [VIEW], batch=4, workers=1) as pool,
        pytest.raises(RuntimeError, match=r"decoding 0\.mp4: ValueError"),
    ):
        list(pool.batches([[Cut("0.mp4", "no number")]]))  # type: ignore[arg-type]


@pytest.mark.parametrize("workers", [0, 2])
def test_each_view_is_decoded_from_its_own_rendition(media: Media, workers: int) -> None:
    large, half = View(3, 160), View(1, 8)
    cut = Cut("0.mp4", 1.0, "2.mp4")
    with Pool(media, [VIEW, large, half], batch=2, workers=workers) as pool:
        (found,) = pool.batches([[None, cut]])
        assert not found.lost
        for view, name in ((VIEW, "0.mp4"), (large, "2.mp4"), (half, "0.mp4")):
            with media(name) as path:
                want = read_clips(path, [1.0], frames=view.frames, size=view.size)
            assert np.array_equal(found.pixels[view][1:], want)
        found.pixels[VIEW][0] = 7  # a row of the caller's own


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost(media: Media) -> None:
    wanted = [cuts(number) for number in range(40)]
    with Pool(media, [VIEW], batch=4, buffer=2) as alone:
        want = [found.pixels[VIEW].copy() for found in alone.batches(wanted)]
    with Pool(media, [VIEW], batch=4, buffer=8, workers=2) as pool:
        for number, found in enumerate(pool.batches(wanted)):
            if number % 10 == 5:
                os.kill(pool.processes[-1], signal.SIGKILL)
            assert not found.lost
            assert np.array_equal(found.pixels[VIEW], want[number])


@pytest.mark.usefixtures("media")
def test_what_kills_its_decoder_twice_is_lost_with_that_reason_and_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "deadly.mp4")  # who opens it waits, and is killed below
    with Pool(lambda name: nullcontext(tmp_path / name), [VIEW], batch=4, buffer=1, workers=1) as pool:
        batches = pool.batches([[Cut("0.mp4", 0.0)], [Cut("1.mp4", 0.0), Cut("deadly.mp4", 0.0), Cut("2.mp4", 0.0)]])
        next(batches)
        killed: list[int] = []

        def kill() -> None:
            while len(killed) < 2:
                for pid in set(pool.processes) - set(killed):
                    if _waits_for_a_writer(pid):
                        os.kill(pid, signal.SIGKILL)
                        killed.append(pid)
                time.sleep(0.01)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        (found,) = batches
        killer.join()
        assert {row: lost.reason for row, lost in found.lost.items()} == {1: DIED}
        assert "deadly.mp4: 2 processes" in found.lost[1].detail


def _waits_for_a_writer(pid: int) -> bool:
    try:
        return "wait_for_partner" in Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        return False


@pytest.mark.usefixtures("media")
def test_a_worker_that_hangs_is_killed_and_its_video_lost_with_that_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless.mp4")
    with Pool(lambda name: nullcontext(tmp_path / name), [VIEW], batch=4, workers=2, patience_sec=3) as pool:
        (first, second) = [
            (dict(found.lost), found.pixels[VIEW].copy())
            for found in pool.batches([[Cut("0.mp4", 0.0), Cut("endless.mp4", 0.0)], cuts(0)])
        ]
        assert {row: lost.reason for row, lost in first[0].items()} == {1: HUNG}
        assert not second[0]


def test_workers_that_die_one_after_the_other_end_the_loop_as_temporary(media: Media) -> None:
    with Pool(media, [VIEW], batch=4, buffer=2, workers=1) as pool:
        found = pool.batches(cuts(number) for number in range(50))
        next(found)
        program = Path(f"/proc/{pool.processes[0]}/stat").read_text().rpartition(")")[2].split()[1]
        os.kill(int(program), signal.SIGKILL)
        with pytest.raises(Temporary, match="were killed"):
            list(found)


FULL = """
import resource, sys
from slac_tasks.errors import Temporary
from slac_tasks.model import View
from slac_tasks.storage.objects import Media
from slac_tasks.video.pool import Pool
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
try:
    Pool(Media(sys.argv[1], {}), [View(16, 112)], batch=64, workers=1)
except Temporary as error:
    print(error)
"""


def test_shared_memory_that_is_full_is_temporary_and_says_how_much_was_wanted(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "no room for 147 MiB" in done.stdout


def test_no_secret_reaches_a_process_that_decodes(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "qk3v" * 7
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    with Pool(Media(media.url, {"AWS_SECRET_ACCESS_KEY": secret}), [VIEW], batch=4, workers=2) as pool:
        list(pool.batches([cuts(0), cuts(1)]))
        for pid in pool.processes:
            assert b"PATH=" in Path(f"/proc/{pid}/environ").read_bytes()
            assert not _holds(pid, secret.encode())


def _holds(pid: int, secret: bytes) -> bool:
    """Return whether the memory of a process holds these bytes."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            begin, end = (int(at, 16) for at in span.split("-"))
            if rights.startswith("rw") and end - begin < 2**28:
                try:
                    memory.seek(begin)
                    if secret in memory.read(end - begin):
                        return True
                except OSError:  # a device
                    continue
    return False
