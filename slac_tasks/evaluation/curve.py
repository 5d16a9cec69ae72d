"""The table of a transfer: what each start was worth with each number of labels, and what pretraining gained."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from slac_tasks.evaluation.intervals import Measured, Sample, repeated
from slac_tasks.evaluation.measures import Floats, Ints, by_video, confusion, top_k
from slac_tasks.evaluation.subjects import ACCURACY, CONFUSION, GAIN, MEAN_CLASS, PRETRAINED, SCRATCH, TOP_5, VIDEO
from slac_tasks.evaluation.transfer import Outcome, Trimmed
from slac_tasks.storage.datasets.releasing import EvaluationRow


def of_transfer(outcomes: Sequence[Outcome], test: Trimmed, budget: str) -> Iterator[EvaluationRow]:
    """Yield what each subject was worth, what it gained over a start from nothing, and what was taken for what.

    Args:
        outcomes: of all subjects and numbers of labels.
        test: the clips that were judged.
        budget: what each subject was given, beside its labels.

    """
    clips = Sample.of(test.recordings)
    of_class = np.bincount(test.classes, minlength=len(test.names))
    classes = Sample.of(test.recordings, 1 / of_class[test.classes])
    firsts = np.unique(test.videos, return_index=True)[1]
    videos = Sample.of([test.recordings[place] for place in firsts])
    right = {(one.subject, one.labels): _right(one, test.classes, 1) for one in outcomes}
    for one in outcomes:
        own = right[one.subject, one.labels]
        whole = np.stack([by_video(scores, test.videos).argmax(axis=1) for scores in one.scores])
        found = {
            ACCURACY: repeated(own, clips),
            TOP_5: repeated(_right(one, test.classes, 5), clips),
            MEAN_CLASS: repeated(own, classes),
            VIDEO: repeated((whole == test.classes[firsts]).astype(np.float64), videos),
        }
        for measure, value in found.items():
            yield _row(measure, one, value, budget)
        if one.subject != SCRATCH and (scratch := right.get((SCRATCH, one.labels))) is not None:
            yield _row(GAIN, one, repeated(own - scratch, clips, least=-1.0), budget)
    yield from _confusions(outcomes, test, budget)


def _right(one: Outcome, truth: Ints, k: int) -> Floats:
    """Return 1.0 where the class is among the first `k`, shape (seeds, clips)."""
    return np.stack([top_k(scores, truth, k) for scores in one.scores]).astype(np.float64)


def _row(measure: str, one: Outcome, found: Measured, budget: str) -> EvaluationRow:
    return EvaluationRow(
        measure=measure, subject=one.subject, value=found.value or 0.0, low=found.low, high=found.high,
        repeats=len(one.scores), budget=budget, labels=one.labels, clips=found.clips, videos=found.videos,
        rate=one.rate,
    )  # fmt: skip


def _confusions(outcomes: Sequence[Outcome], test: Trimmed, budget: str) -> Iterator[EvaluationRow]:
    """Yield the share of each class's clips that the pretrained network took for another, with the most labels."""
    most = max((one.labels for one in outcomes), default=0)
    recordings = np.asarray(test.recordings)
    for one in outcomes:
        if one.subject != PRETRAINED or one.labels != most:
            continue
        guesses = np.stack([scores.argmax(axis=1) for scores in one.scores])
        table = sum(confusion(each, test.classes, len(test.names)) for each in guesses)
        for truth, guess in np.argwhere(table * (1 - np.eye(len(test.names), dtype=np.int64))).tolist():
            places = np.flatnonzero(test.classes == truth)
            taken = (guesses[:, places] == guess).astype(np.float64)
            found = repeated(taken, Sample.of(recordings[places]))
            row = _row(CONFUSION, one, found, budget)
            yield replace(row, category=test.names[truth], guess=test.names[guess])
