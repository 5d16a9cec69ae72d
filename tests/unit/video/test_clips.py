import os
import subprocess
import sys
import time
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning_world import WINDOW, LearningWorld

from slac_tasks.errors import BrokenContract
from slac_tasks.model import View
from slac_tasks.storage.datasets import CLIPS
from slac_tasks.storage.objects import Media
from slac_tasks.video import clips as module
from slac_tasks.video.clips import ClipAddress, Footage, addresses, batched, spread


def clips(video: str, n: int) -> list[ClipAddress]:
    return [
        ClipAddress(clip_id=f"{video}:{i}", video_id=video, start_sec=i / 2, proxy_128=video, proxy_256=video)
        for i in range(n)
    ]


def test_pixels_that_do_not_fit_their_clips_are_refused():
    with pytest.raises(BrokenContract, match="1 clips decoded, want 2"):
        Footage(clips=tuple(clips("a", 2)), pixels={View(1, 2): np.zeros((1, 1, 2, 2, 3), np.uint8)})


def test_spread_takes_the_ends_and_the_middle_of_each_video():
    chosen = spread([*clips("b", 2), *clips("a", 9)], 3)
    assert [clip.clip_id for clip in chosen] == ["a:0", "a:4", "a:8", "b:0", "b:1"]


SEEN = View(1, 2)


@given(lengths=st.lists(st.integers(1, 9), max_size=8), size=st.integers(1, 7))
def test_batches_hold_every_clip_once_in_order_and_beside_its_own_pixels(lengths, size):
    reels = []
    for video, length in enumerate(lengths):
        marks = np.arange(length, dtype=np.uint8) + 10 * video
        pixels = np.broadcast_to(marks[:, None, None, None, None], (length, 1, 2, 2, 3))
        reels.append(Footage(clips=tuple(clips(str(video), length)), pixels={SEEN: pixels}))
    batches = list(batched(reels, size))
    assert all(len(batch.clips) == size for batch in batches[:-1])
    found = [
        (clip.clip_id, int(mark))
        for b in batches
        for clip, mark in zip(b.clips, b.pixels[SEEN][:, 0, 0, 0, 0], strict=True)
    ]
    assert found == [(f"{v}:{i}", 10 * v + i) for v, length in enumerate(lengths) for i in range(length)]


def test_a_large_view_is_read_from_the_large_rendition():
    clip = ClipAddress(clip_id="v:0", video_id="v", start_sec=0, proxy_128="small", proxy_256="large")
    assert [clip.proxy(View(16, size)) for size in (56, 112, 224)] == ["small", "small", "large"]


class Started(Exception):
    """Raised in place of the start of workers."""


def test_workers_are_started_with_little_however_many_clips_wait(monkeypatch, tmp_path):
    """A process object of more than 64 KiB blocks its parent until the child has imported torch."""
    sizes = []

    def start(dataset, *, sampler, **settings):
        sizes.append(len(ForkingPickler.dumps((dataset, settings["worker_init_fn"], settings["collate_fn"]))))
        raise Started

    monkeypatch.setattr(module, "DataLoader", start)
    reels = module.reels_of([clip for video in range(500) for clip in clips(f"{video:016d}", 20)], [SEEN])
    with pytest.raises(Started):
        next(module.decoded(reels, Media(str(tmp_path), dict(os.environ)), workers=4))
    assert sizes[0] < 64 * 1024


ENDLESS = """
import itertools, sys
from slac_tasks.model import View
from slac_tasks.storage.objects import Media
from slac_tasks.video.clips import ClipAddress, decoded, reels_of
clip = ClipAddress(clip_id="v:0", video_id="v", start_sec=0, proxy_128="small", proxy_256="large")
(reel,) = reels_of([clip], [View(4, 16)])
for result in decoded(itertools.repeat(reel), Media(sys.argv[1], {}), workers=1):
    print("decoding", flush=True)
    sys.stdin.read()
"""


def test_workers_end_with_a_stage_that_is_killed(tmp_path):
    def left():
        return [
            process
            for process in Path("/proc").glob("[0-9]*")
            if (process / "environ").exists() and str(tmp_path).encode() in _bytes(process / "environ")
        ]

    stage = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path)], env={**os.environ, "MARK": str(tmp_path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert stage.stdout.readline() == b"decoding\n"
    assert len(left()) > 2
    stage.kill()
    stage.communicate()
    deadline = time.monotonic() + 30
    while left() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left()


def _bytes(path):
    try:
        return path.read_bytes()
    except OSError:  # it has just ended
        return b""


def test_more_processes_gather_the_same_clips_in_the_same_order(tmp_path):
    world = LearningWorld(tmp_path)
    world.add_category("wave", videos=3)
    wanted = addresses(world.datasets.read(CLIPS, category="wave", window=WINDOW))
    media, view, lost = Media(world.store.url, {}), View(4, 16), []
    alone, pixels = module.gather(wanted, view, media, lambda *found: lost.append(found), "decode")
    shared, others = module.gather(wanted[::-1], view, media, lambda *found: lost.append(found), "decode", workers=2)
    assert shared == alone
    assert np.array_equal(pixels, others)
    assert not lost
