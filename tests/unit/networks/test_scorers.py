import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.networks.forms import plain
from slac_tasks.networks.inference import Extractor
from slac_tasks.networks.registry import Stream, architecture
from slac_tasks.networks.scorers import Scorer, Sheet
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.video.clips import ClipAddress, Footage


class Mean(torch.nn.Module):
    """A backbone whose feature is how bright a clip is."""

    def forward(self, stream):
        return stream.mean((1, 2, 3, 4))[:, None]


BRIGHT = dataclasses.replace(architecture("small_3d"), name="bright", stream=Stream.RGB, features=1)


@given(data=st.data())
def test_no_score_lands_on_another_clip(data):
    """Each clip is as bright as its number says; videos come shuffled, some not at all, in batches of any size."""
    lengths = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=6))
    numbers = iter(data.draw(st.permutations(range(sum(lengths)))))
    bright: dict[str, int] = {}
    reels = []
    for video, length in enumerate(lengths):
        clips = tuple(
            ClipAddress(clip_id=f"v{video}:{i}", video_id=f"v{video}", start_sec=i, proxy_128="p", proxy_256="q")
            for i in range(length)
        )
        bright |= {clip.clip_id: 6 * next(numbers) for clip in clips}
        values = np.array([bright[clip.clip_id] for clip in clips], np.uint8)
        pixels = np.ones((length, 2, 4, 4, 3), np.uint8) * values[:, None, None, None, None]
        reels.append(Footage(clips=clips, pixels={BRIGHT.view: pixels}))
    arrived = data.draw(st.lists(st.sampled_from(reels), unique_by=id))
    member = CommitteeRow(
        member="m", architecture="bright", category="c", backbone="b", head="h", output=1, weights="w", origin="o"
    )
    sheet = Sheet(member=member)
    head = torch.nn.Linear(1, 2)
    torch.nn.init.ones_(head.weight)
    torch.nn.init.zeros_(head.bias)
    memory = data.draw(st.integers(1, 5))
    extractor = Extractor(
        entry=BRIGHT, form=plain(Mean()), where=torch.device("cpu"), batch=memory, dtype=torch.float32
    )
    scorer = Scorer(extractor=extractor, exact=Mean(), heads={"h": head})
    for reel in arrived:
        scorer.note(reel.clips, extractor.features(reel.pixels[BRIGHT.view]), [sheet])
    found = {row.clip_id: row.score for row in sheet.scores}
    assert set(found) == {clip.clip_id for reel in arrived for clip in reel.clips}
    for clip_id, value in found.items():
        assert value == pytest.approx(1 / (1 + np.exp(1 - bright[clip_id] / 127.5)), abs=1e-5)
    for row in sheet.features:
        assert np.frombuffer(row.features, "<f2")[0] == pytest.approx(bright[row.clip_id] / 127.5 - 1, abs=1e-3)
