"""Which labels of an existing dataset are wrong: what all else says against each. Pure functions (ours).

Two things speak about a clip beside its own label: the people's model, which is trained on the dataset's labels without
the clip's video, and the labels of other stretches of its shot. A label that they contradict is doubted. Where people
have answered, their answers teach in place of the label.

Learning once more, from each label as far as it is believed, found no more errors: in the quick world of
`bench.label_errors`, over 20 draws, .918 of the first were errors with and without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.special import expit, logit

from slac_tasks.model import GRID_SEC
from slac_tasks.storage.datasets.labelling import ImportedRow
from slac_tasks.verification import peoples_model
from slac_tasks.verification.ballots import Bools, Floats, Ints
from slac_tasks.verification.carrying import Clips, carried
from slac_tasks.verification.peoples_model import Taught

WRONG = 0.05
"""Share of labels that are taken to be wrong before anything is known of them (ours)."""
_SUREST = 1 - 1e-9
"""No label is believed more than this."""
_TRUST = float(np.log((1 - WRONG) / WRONG))


@dataclass(frozen=True, kw_only=True, eq=False)
class Given:
    """The labels of a dataset on the clips of one category. Arrays of shape (clips,)."""

    label: Ints
    """+1 or -1; 0: the dataset says nothing of the clip."""
    row: Ints
    """Number of the dataset's row that the label comes from, from 0; a segment labels many clips by one row."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Doubted:
    """What is known against each label. Arrays of shape (clips,)."""

    model: Floats
    """Log-odds of the action by the model, without the clip's video."""
    near: Floats
    """Log-odds by the labels of other stretches of its shot, and by people's answers there."""
    wrong: Floats
    """Probability that the label is wrong, 0 to 1; 0 where there is no label."""


def doubted(clips: Clips, given: Given, own: Floats, *, teaches: Bools) -> Doubted:
    """Return how far all else contradicts each label.

    Args:
        clips: of one category.
        given: the dataset's labels.
        own: log-odds by people's answers to each clip; 0: none, shape (clips,).
        teaches: which clips the model may learn from, shape (clips,).

    """
    said = np.where(own != 0, own, _TRUST * given.label)
    # The clips of one segment say one thing, and are no witnesses of each other.
    alone = np.bincount(given.row[given.label != 0], minlength=int(given.row.max(initial=0)) + 1)[given.row] == 1
    near = carried(clips, np.where((own != 0) | alone, said, 0.0))
    taught = np.flatnonzero(teaches & (said != 0))
    lesson = Taught(row=taught, positive=said[taught] > 0, weight=abs(np.tanh(said[taught] / 2)))
    model = peoples_model.log_odds(clips.features, clips.committee, clips.video, lesson)
    wrong = np.asarray(expit(-(_TRUST + given.label * (model + near))))
    return Doubted(model=model, near=near, wrong=np.where(given.label == 0, 0.0, wrong))


def standing(given: Given, doubt: Doubted) -> Floats:
    """Return the log-odds of the action by each label that is more likely right than wrong, shape (clips,).

    0 where there is no label, or where all else contradicts it so far that it is not believed.
    """
    right = 1 - doubt.wrong
    sure = np.where((given.label != 0) & (right > 0.5), given.label * logit(right.clip(0.5, _SUREST)), 0.0)
    return np.asarray(sure)


def given_on(clips: pa.Table, rows: Sequence[ImportedRow], videos: Mapping[str, str]) -> Given:
    """Return what imported rows say of clips.

    A row speaks of the clips inside its stretch, half a step of the grid about its ends; a row without times speaks of
    all clips of its video. A clip of which two rows say the opposite has no label.

    Args:
        clips: of one category: columns video_id, start_sec and end_sec.
        rows: of that category.
        videos: video_id of each candidate that was admitted.

    """
    start, end = clips["start_sec"].to_numpy(), clips["end_sec"].to_numpy()
    ids = clips["video_id"].to_pylist()
    of_video: dict[str, list[int]] = {}
    for place, video_id in enumerate(ids):
        of_video.setdefault(video_id, []).append(place)
    label, row_of = np.zeros(len(ids), dtype=np.int64), np.zeros(len(ids), dtype=np.int64)
    opposed = np.zeros(len(ids), dtype=bool)
    for number, row in enumerate(rows):
        places = np.array(of_video.get(videos.get(row.candidate_id, ""), ()), dtype=np.int64)
        if row.start_sec is not None and row.end_sec is not None:
            inside = (start[places] >= row.start_sec - GRID_SEC / 2) & (end[places] <= row.end_sec + GRID_SEC / 2)
            places = places[inside]
        opposed[places] |= label[places] * row.label < 0
        new = places[label[places] == 0]
        label[new], row_of[new] = row.label, number
    return Given(label=np.where(opposed, 0, label), row=row_of)
