"""A card's line of batches: the features that one batch after the other has."""

from collections import deque

import numpy as np
import pytest
import torch

from slac_tasks.networks.forms import plain
from slac_tasks.networks.inference import Extractor
from slac_tasks.networks.line import line_of
from slac_tasks.networks.registry import architecture, laid_out


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_batches_that_overlap_have_the_features_of_batches_alone() -> None:
    entry, where = architecture("small_3d"), torch.device("cuda")
    network = laid_out(entry.build()).eval().requires_grad_(False).to(where)
    extractor = Extractor(entry=entry, form=plain(network), where=where, batch=8, dtype=torch.float32)
    chance = np.random.default_rng(0)
    ring = chance.integers(0, 256, (8, entry.frames, entry.size, entry.size, 3), np.uint8)
    line = line_of({"b": extractor}, 8, ring.reshape(-1))
    under_way, found, want = deque(), [], []
    for count in (8, 8, 8, 8, 8, 3):
        ring[:count] = chance.integers(0, 256, ring[:count].shape, np.uint8)  # the same memory each time
        want.append(extractor.features(ring[:count]))
        under_way.append(line.give({entry.view: ring[:count]}, ["b"]))
        if len(under_way) > line.ahead:
            found.append(under_way.popleft().features()["b"])
    found += [result.features()["b"] for result in under_way]
    line.close()
    for own, alone in zip(found, want, strict=True):
        assert own.shape == alone.shape
        assert torch.allclose(own, alone, atol=1e-4)
