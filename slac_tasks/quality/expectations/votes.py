"""What is expected of a batch of votes.

Beside it: `categories` (category, guideline_version), `known` (clip_id, category, answer: gold), `asked` (clip_id),
`earlier` (vote_id: votes of earlier batches that this one corrects).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.model import Answer
from slac_tasks.quality.expectations.clip_rows import CATEGORY_REGISTERED
from slac_tasks.quality.expectations.declared import declared
from slac_tasks.quality.expectations.entries import (
    CRITICAL,
    WARNING,
    Bools,
    Expectation,
    Finding,
    Handover,
    Measure,
    Wanted,
)
from slac_tasks.quality.expectations.measures import not_among, not_in, not_like, outside, shares_by, wrong_rows
from slac_tasks.storage.datasets import VOTES
from slac_tasks.verification.answers import LONGEST_SEC
from slac_tasks.verification.ballots import clip_key

_FEW = 30
"""Answers of one person below which a share says little."""
_MANY = 100
"""Answers of one person from which on the same answer each time is strange."""


def _standing(handover: Handover) -> Bools:
    """Return which votes are not corrected by another one of the batch, shape (rows,)."""
    corrected = handover.column("supersedes").drop_null()
    gone = pc.is_in(handover.column("vote_id"), value_set=corrected)
    return ~np.asarray(gone.to_numpy(zero_copy_only=False), dtype=bool)


def _said_twice(handover: Handover) -> Bools:
    """Return which standing votes are a person's second one on the same clip and category."""
    key = np.zeros(handover.rows.num_rows, dtype=np.int64)
    for name in ("clip_id", "category", "annotator"):
        codes = handover.places(name)
        key = np.unique(key * (int(codes.max(initial=0)) + 2) + codes + 1, return_inverse=True)[1]
    standing = np.flatnonzero(_standing(handover))
    first = np.unique(key[standing], return_index=True)[1]
    wrong = np.zeros(len(key), dtype=bool)
    wrong[np.delete(standing, first)] = True
    return wrong


def _corrects(handover: Handover) -> tuple[np.ndarray, np.ndarray]:
    """Return (rows that correct a vote; the row of that vote in the batch or -1)."""
    rows = np.flatnonzero(handover.known("supersedes"))
    named = handover.column("supersedes").take(pa.array(rows))
    place = pc.index_in(named, value_set=handover.column("vote_id"))
    return rows, place.fill_null(-1).to_numpy().astype(np.int64)


def _corrects_nothing(handover: Handover) -> Bools:
    rows, place = _corrects(handover)
    named = handover.column("supersedes").take(pa.array(rows))
    earlier = pc.is_in(named, value_set=handover.beside["earlier"]["vote_id"].combine_chunks())
    wrong = np.zeros(handover.rows.num_rows, dtype=bool)
    wrong[rows] = (place < 0) & ~np.asarray(earlier.to_numpy(zero_copy_only=False), dtype=bool)
    return wrong


def _corrects_others(handover: Handover) -> Bools:
    """Return which votes correct one of another person or on another clip."""
    rows, place = _corrects(handover)
    rows, place = rows[place >= 0], place[place >= 0]
    wrong = np.zeros(handover.rows.num_rows, dtype=bool)
    for name in ("annotator", "clip_id", "category"):
        codes = handover.places(name)
        wrong[rows] |= codes[rows] != codes[place]
    return wrong


def _in_the_future(handover: Handover) -> Bools:
    late = pc.greater(handover.column("cast_at"), pa.scalar(handover.now, pa.timestamp("us", tz="UTC")))
    return np.asarray(late.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)


def _strange_guideline(handover: Handover) -> Bools:
    """Return which votes name a guideline's version that their category does not have yet."""
    place = handover.place_in("category", "categories")
    newest = np.append(handover.beside["categories"]["guideline_version"].to_numpy(), np.inf)[place]
    version = handover.numbers("guideline_version")
    return np.asarray((version < 1) | (version > newest))


def _gold(by: str) -> Measure:
    """Return a measure of the share of answers to gold that are right, for each value of a column."""

    def measure(handover: Handover) -> Iterator[Finding]:
        gold = handover.beside["known"]
        place = pc.index_in(clip_key(handover.rows), value_set=clip_key(gold)).fill_null(-1).to_numpy()
        truth = pc.equal(gold["answer"].combine_chunks(), Answer.YES.value).to_numpy(zero_copy_only=False)
        yes = handover.equals("answer", Answer.YES)
        plain = (place >= 0) & (yes | handover.equals("answer", Answer.NO)) & _standing(handover)
        yield from shares_by(*handover.codes(by), yes == np.append(truth, False)[place], plain, least=5)

    return measure


def _hurried(handover: Handover) -> Iterator[Finding]:
    soon = handover.numbers("seconds") < handover.knobs.hurried_sec
    # One key answers a set of clips that look alike, so the time of each of them is short.
    yield from shares_by(*handover.codes("annotator"), soon, ~handover.known("set_id"), least=_FEW)


def _same_answer(handover: Handover) -> Iterator[Finding]:
    """Yield the share of each person's most frequent answer."""
    answers, answer = handover.codes("answer")
    people, person = handover.codes("annotator")
    # The clips of a set have one answer, as they should.
    alone = ~handover.known("set_id")
    counts = np.bincount((person * len(answers) + answer)[alone], minlength=len(people) * len(answers))
    most = counts.reshape(len(people), len(answers)).argmax(axis=1)
    yield from shares_by(people, person, answer == most[person], alone, least=_MANY)


def _undecided(handover: Handover) -> Iterator[Finding]:
    left = handover.equals("answer", Answer.UNSURE) | handover.equals("answer", Answer.BROKEN)
    yield from shares_by(*handover.codes("category"), left, np.ones_like(left), least=_FEW)


EXPECTATIONS: tuple[Expectation, ...] = (
    *declared(VOTES),
    CATEGORY_REGISTERED,
    Expectation(
        name="answer_registered", severity=CRITICAL, reads=("answer",),
        measure=not_among("answer", [answer.value for answer in Answer]),
        sentence="Every answer is yes, no, unsure or broken.",
    ),
    Expectation(
        name="clip_named", severity=CRITICAL, reads=("clip_id",), measure=not_like("clip_id", r"^[^:]+:[0-9]+$"),
        sentence="Every clip_id is video_id:start in milliseconds.",
    ),
    Expectation(
        name="clip_was_asked", severity=CRITICAL, reads=("clip_id",), needs=("asked",),
        measure=not_in("clip_id", "asked"), sentence="Every vote is on a clip that was put into the queue.",
    ),
    Expectation(
        name="seconds_in_range", severity=CRITICAL, reads=("seconds",), measure=outside("seconds", 0.0, LONGEST_SEC),
        sentence="An answer takes between no time and a day.",
    ),
    Expectation(
        name="cast_before_now", severity=CRITICAL, reads=("cast_at",), measure=wrong_rows(_in_the_future),
        sentence="No vote is cast in the future.",
    ),
    Expectation(
        name="one_vote_per_person", severity=CRITICAL,
        reads=("clip_id", "category", "annotator", "vote_id", "supersedes"), measure=wrong_rows(_said_twice),
        sentence="A person has one vote on a clip and category that stands.",
    ),
    Expectation(
        name="correction_of_a_vote", severity=CRITICAL, reads=("vote_id", "supersedes"), needs=("earlier",),
        measure=wrong_rows(_corrects_nothing), sentence="A correction names a vote that exists.",
    ),
    Expectation(
        name="correction_of_own_vote", severity=CRITICAL,
        reads=("vote_id", "supersedes", "annotator", "clip_id", "category"), measure=wrong_rows(_corrects_others),
        sentence="A correction is of the person's own vote on the same clip.",
    ),
    Expectation(
        name="guideline_exists", severity=CRITICAL, reads=("category", "guideline_version"), needs=("categories",),
        measure=wrong_rows(_strange_guideline), sentence="Every vote names a version of the guideline that exists.",
    ),
    Expectation(
        name="gold_accuracy_of_person", severity=WARNING,
        reads=("clip_id", "category", "annotator", "answer", "vote_id", "supersedes"), needs=("known",),
        wanted=Wanted(low="min_gold_accuracy"), measure=_gold("annotator"),
        sentence="A person's answers to gold are mostly right.",
    ),
    Expectation(
        name="gold_accuracy_of_category", severity=WARNING,
        reads=("clip_id", "category", "answer", "vote_id", "supersedes"), needs=("known",),
        wanted=Wanted(low="min_gold_accuracy"), measure=_gold("category"),
        sentence="Answers to a category's gold are mostly right.",
    ),
    Expectation(
        name="few_hurried_answers", severity=WARNING, reads=("seconds", "annotator", "set_id"),
        wanted=Wanted(high="max_hurried"),
        measure=_hurried, sentence="Few answers of a person come sooner than anybody can judge a clip.",
    ),
    Expectation(
        name="no_straight_line", severity=WARNING, reads=("answer", "annotator", "set_id"),
        wanted=Wanted(high="max_same_answer"), measure=_same_answer,
        sentence="Nobody gives the same answer to nearly every clip.",
    ),
    Expectation(
        name="few_undecided", severity=WARNING, reads=("answer", "category"), wanted=Wanted(high="max_undecided"),
        measure=_undecided, sentence="Few answers about a category are unsure or broken.",
    ),
)  # fmt: skip
