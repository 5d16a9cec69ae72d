import torch

from slac_tasks.training.teaching import weak_targets
from slac_tasks.video.clips import ClipAddress


def test_a_clip_counts_for_every_category_that_its_video_was_retrieved_for():
    clip = ClipAddress(clip_id="v:0", video_id="v", start_sec=0, proxy_128="p", proxy_256="p")
    targets = weak_targets([clip], {"v:0": {"a", "c"}}, ["a", "b", "c"])
    assert torch.equal(targets, torch.tensor([[1, -1, 1]], dtype=torch.int8))
