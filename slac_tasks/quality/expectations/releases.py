"""What is expected of a release.

Beside it: `admitted` (video_id, group_id, split), `withdrawn` (video_id), `categories` (category), `labels` (clip_id,
category, label; of the version that it was made from), `last_release` (clip_id, category, label; the one before it).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from slac_tasks.model import Split
from slac_tasks.quality.expectations.clip_rows import (
    CATEGORY_REGISTERED,
    CONFIDENCE_IN_RANGE,
    ID_OF_CLIP,
    LABEL_IS_A_SIGN,
    NOT_WITHDRAWN,
    of_clips,
)
from slac_tasks.quality.expectations.declared import FRESH, declared
from slac_tasks.quality.expectations.drift import SPREAD
from slac_tasks.quality.expectations.entries import CRITICAL, WARNING, Bools, Expectation, Finding, Handover, Wanted
from slac_tasks.quality.expectations.measures import not_among, outside, several, shares_by, wrong_rows
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.verification.ballots import clip_key
from slac_tasks.verification.carrying import KINDS, PEOPLE

_FEW = 30
"""Labels of a category below which a share says little."""


def _of_nobody(handover: Handover) -> Bools:
    """Return which labels of people name no round or no strategy."""
    return handover.equals("kind", PEOPLE) & ~(handover.known("round") & handover.known("strategy"))


def _against_labels(handover: Handover) -> Bools:
    """Return which labels of people are not those of the version that the release was made from."""
    labels = handover.beside["labels"]
    place = pc.index_in(clip_key(handover.rows), value_set=clip_key(labels)).fill_null(-1).to_numpy()
    signs = np.asarray(labels["label"].cast("float64").to_numpy(), dtype=np.float64)
    differs = np.append(signs, np.nan)[place] != handover.numbers("label")
    return np.asarray(handover.equals("kind", PEOPLE) & differs)


def _unlikely(handover: Handover) -> Bools:
    """Return which labels are of the side that is less likely than the other one."""
    return ~handover.equals("kind", PEOPLE) & (handover.numbers("confidence") < 0.5 - 1e-9)


def _name_of_several(handover: Handover) -> Bools:
    """Return the rows whose name several videos have."""
    name = handover.places("name")
    mixed = np.append(several(name, handover.places("video_id")), False)
    return np.asarray(mixed[name])


def _positive(handover: Handover) -> Iterator[Finding]:
    positive = handover.numbers("label") == 1
    yield from shares_by(*handover.codes("category"), positive, np.ones_like(positive), least=_FEW)


def _splits(handover: Handover) -> Iterator[Finding]:
    """Yield how many of the splits each category with enough labels has."""
    categories, category = handover.codes("category")
    splits, split = handover.codes("split")
    counts = np.bincount(category * len(splits) + split, minlength=len(categories) * len(splits))
    held = counts.reshape(len(categories), len(splits))
    for place, name in enumerate(categories):
        if held[place].sum() >= 10 * _FEW:
            yield Finding(value=float(np.count_nonzero(held[place])), count=int(held[place].sum()), subject=name)


EXPECTATIONS: tuple[Expectation, ...] = (
    *declared(RELEASES),
    *of_clips(of_video="duration_sec"),
    ID_OF_CLIP,
    NOT_WITHDRAWN,
    CATEGORY_REGISTERED,
    LABEL_IS_A_SIGN,
    CONFIDENCE_IN_RANGE,
    FRESH,
    Expectation(
        name="kind_registered", severity=CRITICAL, reads=("kind",), measure=not_among("kind", KINDS),
        sentence=f"Every label is of one of the kinds {', '.join(KINDS)}.",
    ),
    Expectation(
        name="asked_in_a_round", severity=CRITICAL, reads=("kind", "round", "strategy"),
        measure=wrong_rows(_of_nobody), sentence="A label of people names its round and its strategy.",
    ),
    Expectation(
        name="label_as_judged", severity=CRITICAL, reads=("clip_id", "category", "label", "kind"), needs=("labels",),
        measure=wrong_rows(_against_labels), sentence="A label of people is the one that was judged.",
    ),
    Expectation(
        name="name_of_one_video", severity=CRITICAL, reads=("name", "video_id"),
        measure=wrong_rows(_name_of_several, "name"), sentence="No two videos have one name.",
    ),
    Expectation(
        name="likelier_side", severity=CRITICAL, reads=("kind", "confidence"), measure=wrong_rows(_unlikely),
        sentence="A label that nobody was asked for is the likelier one.",
    ),
    Expectation(
        name="support_counted", severity=CRITICAL, reads=("support",), measure=outside("support", 1, 2.0**31),
        sentence="A label rests on one answer or more.",
    ),
    Expectation(
        name="positive_share_of_category", severity=WARNING, reads=("label", "category"),
        wanted=Wanted(low="min_positive", high="max_positive"), measure=_positive,
        sentence="Each category has positives and negatives.",
    ),
    Expectation(
        name="splits_of_category", severity=WARNING, reads=("split", "category"), wanted=Wanted(low=len(Split)),
        measure=_splits, sentence="A large category has labels for training, validation and testing.",
    ),
    *SPREAD,
)  # fmt: skip
