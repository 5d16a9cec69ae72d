"""What is expected of the videos of a category and window that were admitted.

Beside them: `fetched` (video_id, proxy_sha256), `admitted` (video_id, group_id, split; of all categories).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from slac_tasks.quality.expectations.clip_rows import SPLITS
from slac_tasks.quality.expectations.declared import declared
from slac_tasks.quality.expectations.entries import CRITICAL, WARNING, Bools, Expectation, Finding, Handover, Wanted
from slac_tasks.quality.expectations.measures import not_in, several, share, wrong_rows
from slac_tasks.quality.expectations.renditions import RENDITIONS
from slac_tasks.storage.datasets import VIDEOS


def _group_in_two_splits(handover: Handover) -> Bools:
    mixed = np.append(several(handover.places("group_id"), handover.places("split")), False)
    return np.asarray(mixed[handover.places("group_id")])


def _other_group(handover: Handover) -> Bools:
    """Return which videos were admitted to another group than the one that they name."""
    place = handover.place_in("video_id", "admitted")
    if not handover.beside["admitted"].num_rows:
        return np.zeros(len(place), dtype=bool)
    groups = handover.beside["admitted"]["group_id"].combine_chunks().take(np.maximum(place, 0))
    same = pc.equal(groups, handover.column("group_id")).to_numpy(zero_copy_only=False)
    return np.asarray((place >= 0) & ~same.astype(bool))


def _training(handover: Handover) -> Iterator[Finding]:
    training = handover.equals("split", "training")
    yield share(int(np.count_nonzero(training)), len(training))


EXPECTATIONS: tuple[Expectation, ...] = (
    *declared(VIDEOS),
    *RENDITIONS,
    *SPLITS,
    Expectation(
        name="of_fetched_media", severity=CRITICAL, reads=("candidate_id",), needs=("fetched",),
        measure=not_in("candidate_id", "fetched"), sentence="Every admitted video was fetched.",
    ),
    Expectation(
        name="group_in_one_split", severity=CRITICAL, reads=("group_id", "split"),
        measure=wrong_rows(_group_in_two_splits), sentence="The videos of one group are in one split.",
    ),
    Expectation(
        name="group_exists", severity=CRITICAL, reads=("group_id",), needs=("admitted",),
        measure=not_in("group_id", "admitted", "video_id"),
        sentence="Every group is named after an admitted video.",
    ),
    Expectation(
        name="group_of_admission", severity=CRITICAL, reads=("video_id", "group_id"), needs=("admitted",),
        measure=wrong_rows(_other_group), sentence="The group of a video is the one that it was admitted to.",
    ),
    Expectation(
        name="training_share", severity=WARNING, reads=("split",), wanted=Wanted(low="min_training"),
        measure=_training, sentence="Many videos are for training.",
    ),
)  # fmt: skip
