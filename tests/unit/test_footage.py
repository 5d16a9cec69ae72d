import numpy as np
import pytest

from slac_tasks.errors import BrokenContract
from slac_tasks.footage import ClipAddress, Footage, spread


def clips(video: str, n: int) -> list[ClipAddress]:
    return [ClipAddress(clip_id=f"{video}:{i}", video_id=video, start_sec=i / 2, proxy=video) for i in range(n)]


def test_pixels_that_do_not_fit_their_clips_are_refused():
    with pytest.raises(BrokenContract, match="1 clips decoded, want 2"):
        Footage(clips=tuple(clips("a", 2)), pixels={(1, 2): np.zeros((1, 1, 2, 2, 3), np.uint8)})


def test_spread_takes_the_ends_and_the_middle_of_each_video():
    chosen = spread([*clips("b", 2), *clips("a", 9)], 3)
    assert [clip.clip_id for clip in chosen] == ["a:0", "a:4", "a:8", "b:0", "b:1"]
