import dataclasses
import itertools
import subprocess
import sys
import time
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
from slac_tasks.video.clips import ClipAddress, Footage, addresses, balanced, chunks, shard_ends, spread


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


@given(sizes=st.lists(st.lists(st.integers(1, 4), max_size=5), max_size=4), most=st.integers(1, 30))
def test_groups_and_in_each_its_videos_get_equal_shares(sizes, most):
    videos = [[clips(f"{group}-{at}", n) for at, n in enumerate(own)] for group, own in enumerate(sizes)]
    groups = [list(itertools.chain.from_iterable(own)) for own in videos]
    every = list(itertools.chain.from_iterable(groups))
    kept = balanced(groups, most)
    assert kept == [clip for clip in every if clip in kept]
    assert len(kept) == min(most, len(every))
    for shares in (groups, *videos):  # one that lacks some has as many as any other, but for the last one dealt
        counts = [len(set(share) & set(kept)) for share in shares]
        lacking = [count for count, share in zip(counts, shares, strict=True) if count < len(share)]
        assert not lacking or max(counts) - min(lacking) <= 1


def test_a_small_group_keeps_all_and_videos_come_before_more_of_one():
    large = [clip for video in "abcd" for clip in clips(video, 3)]
    kept = balanced([large, clips("z", 2)], 6)
    assert [clip.video_id for clip in kept] == ["a", "b", "c", "d", "z", "z"]
    assert balanced([large[::-1], clips("z", 2)], 6) == sorted(kept[:4], key=large[::-1].index) + kept[4:]


@pytest.mark.parametrize("least", [1, 4, 5, 99])
def test_footage_that_is_merged_is_the_same_in_the_same_order(least):
    view, chance = View(1, 2), np.random.default_rng(0)
    reels = [
        Footage(clips=tuple(clips(video, n)), pixels={view: chance.integers(0, 9, (n, 1, 2, 2, 3)).astype(np.uint8)})
        for video, n in (("a", 3), ("b", 2), ("c", 4), ("d", 1))
    ]
    found = list(module.merged(iter(reels), least))
    assert [clip for one in found for clip in one.clips] == [clip for one in reels for clip in one.clips]
    assert np.array_equal(*(np.concatenate([one.pixels[view] for one in all_]) for all_ in (found, reels)))
    assert [len(one.clips) for one in found] == {1: [3, 2, 4, 1], 4: [5, 4, 1], 5: [5, 5], 99: [10]}[least]


@given(lengths=st.lists(st.integers(1, 9), max_size=12), size=st.integers(1, 20))
def test_shards_hold_whole_videos_and_every_clip_once(lengths, size):
    videos = [f"v{index:02d}" for index, length in enumerate(lengths) for _ in range(length)]
    ends = shard_ends(videos, size)
    shards = [videos[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    assert [video for shard in shards for video in shard] == videos
    for shard, later in itertools.pairwise(shards):
        assert not set(shard) & set(later)
        assert len(shard) >= size
        assert len(shard) - shard.count(shard[-1]) < size


@given(count=st.integers(0, 40), size=st.integers(1, 7))
def test_batches_hold_every_row_once_and_in_order(count, size):
    batches = list(chunks(range(count), size))
    assert all(len(batch) == size for batch in batches[:-1])
    assert [row for batch in batches for row in batch] == list(range(count))


def test_a_large_view_is_read_from_the_large_rendition():
    clip = ClipAddress(clip_id="v:0", video_id="v", start_sec=0, proxy_128="small", proxy_256="large")
    assert [clip.cut.source(View(16, size)) for size in (56, 112, 224)] == ["small", "small", "large"]


ENDLESS = """
import itertools, sys
from slac_tasks.model import View
from slac_tasks.storage.objects import Media
from slac_tasks.video.pool import Cut, Pool
with Pool(Media(sys.argv[1], {}), [View(4, 16)], batch=1, workers=2) as pool:
    for result in pool.batches(itertools.repeat([Cut("small", 0.0)])):
        print(*pool.processes, flush=True)
        if len(pool.processes) == 2:
            sys.stdin.read()
"""


def test_workers_end_with_a_stage_that_is_killed(tmp_path):
    stage = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    while len(workers := stage.stdout.readline().split()) < 2:
        continue
    processes = [Path(f"/proc/{int(pid)}") for pid in workers]
    assert all(map(_is_alive, processes))
    stage.kill()
    stage.communicate()
    deadline = time.monotonic() + 30
    while any(map(_is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_is_alive, processes))


def _is_alive(process):
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_video_of_which_a_part_cannot_be_decoded_is_left_out_whole(tmp_path):
    world = LearningWorld(tmp_path)
    world.add_category("wave", videos=3)
    wanted = addresses(world.datasets.read(CLIPS, category="wave", window=WINDOW))
    beyond = dataclasses.replace(wanted[0], clip_id=f"{wanted[0].video_id}:99000", start_sec=99.0)
    lost = {}
    kept, pixels = module.gather([*wanted, beyond], View(4, 16), Media(world.store.url, {}), lost.__setitem__, "decode")
    assert lost.keys() == {wanted[0].video_id}
    assert [clip.clip_id for clip in kept] == [c.clip_id for c in wanted if c.video_id != wanted[0].video_id]
    assert len(pixels) == len(kept)


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
