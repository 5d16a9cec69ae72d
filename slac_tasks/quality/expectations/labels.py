"""What is expected of a version of the labels.

Beside it: `admitted` (video_id, group_id, split), `videos` (video_id, duration_sec), `withdrawn` (video_id),
`categories` (category), `votes` (vote_id, answer), `last_release` (clip_id, category, label).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.model import Answer, Status, Strategy
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
from slac_tasks.quality.expectations.entries import (
    CRITICAL,
    WARNING,
    Bools,
    Expectation,
    Finding,
    Floats,
    Handover,
    Ints,
    Measure,
    Wanted,
    whole,
)
from slac_tasks.quality.expectations.measures import not_among, share, shares_by, wrong_rows
from slac_tasks.storage.datasets import LABELS
from slac_tasks.verification.ballots import ANSWERS
from slac_tasks.verification.queue import CONTROLS
from slac_tasks.verification.ruled import BY_A_LEAD

_COUNTED = "two_of_three"
"""The method whose labels follow from counts alone; the others learn how good people are."""
_FEW = 30
"""Clips of one category or strategy below which a share says little."""


def _settled(handover: Handover) -> Bools:
    return handover.equals("status", Status.SETTLED)


def _plain(handover: Handover) -> tuple[Floats, Floats, Floats]:
    """Return (answers on the label's side, on the other side, both), shape (rows,); NaN without a label."""
    sign, yes, no = (handover.numbers(name) for name in ("label", "yes", "no"))
    side = np.where(sign > 0, yes, np.where(sign < 0, no, np.nan))
    return side, yes + no - side, yes + no


def _by_count(handover: Handover) -> Bools:
    methods, codes = handover.codes("method")
    counted = np.array([method.startswith(_COUNTED) for method in methods] + [False], dtype=bool)
    return np.asarray(counted[codes] & _settled(handover))


def _label_without_decision(handover: Handover) -> Bools:
    return ~_settled(handover) & (handover.known("label") | handover.known("confidence"))


def _decision_without_label(handover: Handover) -> Bools:
    return _settled(handover) & ~(handover.known("label") & handover.known("confidence"))


def _no_answer(handover: Handover) -> Bools:
    """Return which labels nobody gave; a lead may settle what people could not decide."""
    nobody = handover.numbers("yes") + handover.numbers("no") < 1
    return _settled(handover) & nobody & ~handover.equals("method", BY_A_LEAD)


def _against_counts(handover: Handover) -> Bools:
    """Return which labels are on the weaker side without having been given twice (two of three, HACS v3)."""
    side, other, _ = _plain(handover)
    return _by_count(handover) & handover.known("label") & (side < other) & (side < 2)


def _other_confidence(handover: Handover) -> Bools:
    side, _, both = _plain(handover)
    want = side / np.maximum(both, 1)
    return _by_count(handover) & handover.known("label") & ~(np.abs(handover.numbers("confidence") - want) < 1e-6)


def _few_against_counts(handover: Handover) -> Iterator[Finding]:
    side, other, _ = _plain(handover)
    model = _settled(handover) & ~_by_count(handover) & handover.known("label")
    yield from shares_by(
        *handover.codes("category"), side < other, model, videos=handover.places("video_id"), least=_FEW
    )


def _sizes(handover: Handover) -> Ints:
    """Return how many votes each label names, shape (rows,)."""
    return np.asarray(pc.list_value_length(handover.column("votes")).fill_null(0).to_numpy(), dtype=np.int64)


def _named_votes(handover: Handover) -> Ints:
    """Return the place of each vote that a label names among the known votes, or -1; shape (votes,)."""
    known = handover.beside["votes"]["vote_id"]
    return handover.once(
        "named votes",
        lambda: np.asarray(
            pc.index_in(handover.column("votes").flatten(), value_set=whole(known)).fill_null(-1).to_numpy(),
            dtype=np.int64,
        ),
    )


def _other_votes(handover: Handover) -> Bools:
    """Return which labels count other answers than those of the votes that they name."""
    sizes, named = _sizes(handover), _named_votes(handover)
    row = np.repeat(np.arange(len(sizes)), sizes)
    answers = pc.index_in(whole(handover.beside["votes"]["answer"]), value_set=pa.array(ANSWERS))
    answer = np.append(answers.fill_null(-1).to_numpy().astype(np.int64), -1)[named]
    wrong = np.bincount(row[answer < 0], minlength=len(sizes)) > 0
    for code, name in enumerate(ANSWERS):
        wrong |= np.bincount(row[answer == code], minlength=len(sizes)) != handover.numbers(name)
    return np.asarray(wrong)


def _other_number_of_votes(handover: Handover) -> Bools:
    return np.asarray(_sizes(handover) != sum(handover.numbers(name) for name in ANSWERS))


def _vote_of_another(handover: Handover) -> Bools:
    """Return which labels name a vote that an earlier label, or they themselves, name too."""
    sizes, named = _sizes(handover), _named_votes(handover)
    again = np.ones(len(named), dtype=bool)
    again[np.unique(named, return_index=True)[1]] = False
    row = np.repeat(np.arange(len(sizes)), sizes)
    return np.asarray(np.bincount(row[again & (named >= 0)], minlength=len(sizes)) > 0)


def _first_two(handover: Handover) -> Bools:
    """Return where `first_two_agree` contradicts the counts: known without two answers, or of two the wrong one."""
    yes, no = handover.numbers("yes"), handover.numbers("no")
    agree, known = handover.numbers("first_two_agree"), handover.known("first_two_agree")
    alike = (yes == 0) | (no == 0)
    two = yes + no == 2
    contradicts = (two & ((agree == 1) != alike)) | (alike & (agree == 0))
    return np.asarray(known & ((yes + no < 2) | contradicts))


def _agreement_lost(handover: Handover) -> Bools:
    """Return which clips drawn by lot have two answers, of which nobody knows whether they agree."""
    two = handover.numbers("yes") + handover.numbers("no") >= 2
    return np.asarray(_drawn(handover) & two & ~handover.known("first_two_agree"))


def _drawn(handover: Handover) -> Bools:
    return np.asarray(np.logical_or.reduce([handover.equals("strategy", one) for one in sorted(CONTROLS)]))


def _agreement(handover: Handover) -> Iterator[Finding]:
    agree = handover.numbers("first_two_agree") == 1
    yield from shares_by(
        *handover.codes("category"),
        agree,
        handover.known("first_two_agree"),
        videos=handover.places("video_id"),
        least=_FEW,
    )


def _positive(by: str) -> Measure:
    def measure(handover: Handover) -> Iterator[Finding]:
        positive = handover.numbers("label") == 1
        yield from shares_by(*handover.codes(by), positive, _settled(handover), least=_FEW)

    return measure


def _unsettled(handover: Handover) -> Iterator[Finding]:
    finished = ~handover.equals("status", Status.OPEN)
    yield from shares_by(
        *handover.codes("category"),
        ~_settled(handover) & finished,
        finished,
        videos=handover.places("video_id"),
        least=_FEW,
    )


def _undecided(handover: Handover) -> Iterator[Finding]:
    """Yield the share of answers that are unsure or broken, for each category."""
    categories, codes = handover.codes("category")
    counts = {name: np.bincount(codes, handover.numbers(name), len(categories)) for name in ANSWERS}
    every = np.sum(list(counts.values()), axis=0)
    left = counts[Answer.UNSURE] + counts[Answer.BROKEN]
    for place, category in enumerate(categories):
        if every[place] >= _FEW:
            yield share(int(left[place]), int(every[place]), category, subjects=len(categories))


def _methods(handover: Handover) -> Iterator[Finding]:
    methods, _ = handover.codes("method")
    families = {method.partition("/")[0] for method in methods}
    yield Finding(value=float(len(families)), count=handover.rows.num_rows, examples=tuple(sorted(families))[:3])


EXPECTATIONS: tuple[Expectation, ...] = (
    *declared(LABELS),
    *of_clips(),
    ID_OF_CLIP,
    NOT_WITHDRAWN,
    CATEGORY_REGISTERED,
    LABEL_IS_A_SIGN,
    CONFIDENCE_IN_RANGE,
    FRESH,
    Expectation(
        name="status_registered", severity=CRITICAL, reads=("status",),
        measure=not_among("status", [status.value for status in Status]),
        sentence="Every status is open, settled, unsettled or broken.",
    ),
    Expectation(
        name="strategy_registered", severity=CRITICAL, reads=("strategy",),
        measure=not_among("strategy", [strategy.value for strategy in Strategy]),
        sentence="Every strategy is one by which clips are chosen.",
    ),
    Expectation(
        name="no_label_before_a_decision", severity=CRITICAL, reads=("status", "label", "confidence"),
        measure=wrong_rows(_label_without_decision), sentence="A clip that is not settled has no label.",
    ),
    Expectation(
        name="settled_has_a_label", severity=CRITICAL, reads=("status", "label", "confidence"),
        measure=wrong_rows(_decision_without_label), sentence="A settled clip has a label and a confidence.",
    ),
    Expectation(
        name="settled_has_answers", severity=CRITICAL, reads=("status", "method", "yes", "no"),
        measure=wrong_rows(_no_answer), sentence="A settled clip has an answer of yes or no, or a lead settled it.",
    ),
    Expectation(
        name="label_follows_counts", severity=CRITICAL, reads=("status", "method", "label", "yes", "no"),
        measure=wrong_rows(_against_counts), sentence="A counted label is what more people, or the first two, said.",
    ),
    Expectation(
        name="confidence_follows_counts", severity=CRITICAL,
        reads=("status", "method", "label", "confidence", "yes", "no"), measure=wrong_rows(_other_confidence),
        sentence="The confidence of a counted label is the share of yes and no on its side.",
    ),
    Expectation(
        name="counts_of_votes", severity=CRITICAL, reads=("votes", *ANSWERS), needs=("votes",),
        measure=wrong_rows(_other_votes), sentence="A label counts the answers of the votes that it names.",
    ),
    Expectation(
        name="number_of_votes", severity=CRITICAL, reads=("votes", *ANSWERS),
        measure=wrong_rows(_other_number_of_votes), sentence="A label names as many votes as it counts.",
    ),
    Expectation(
        name="vote_counted_once", severity=CRITICAL, reads=("votes",), needs=("votes",),
        measure=wrong_rows(_vote_of_another), sentence="No vote is counted twice.",
    ),
    Expectation(
        name="first_two_follow_counts", severity=CRITICAL, reads=("first_two_agree", "yes", "no"),
        measure=wrong_rows(_first_two), sentence="Whether the first two answers agree is what the counts allow.",
    ),
    Expectation(
        name="agreement_known", severity=WARNING, reads=("first_two_agree", "yes", "no", "strategy"),
        measure=wrong_rows(_agreement_lost),
        sentence="Whether the first two answers agree is known of every clip that was drawn by lot and has two.",
    ),
    Expectation(
        name="one_method", severity=WARNING, reads=("method",), wanted=Wanted(high=1), measure=_methods,
        sentence="All labels were decided by one method.",
    ),
    Expectation(
        name="few_labels_against_counts", severity=WARNING,
        reads=("status", "method", "label", "yes", "no", "category", "video_id"),
        wanted=Wanted(high="max_against_counts"), measure=_few_against_counts,
        sentence="Where a model decides, few labels of a category are on the side with fewer answers.",
    ),
    Expectation(
        name="agreement", severity=WARNING, reads=("first_two_agree", "category", "video_id"),
        wanted=Wanted(low="min_agreement"), measure=_agreement,
        sentence="The first two answers to a category's clips agree often.",
    ),
    Expectation(
        name="positive_share_of_category", severity=WARNING, reads=("label", "status", "category"),
        wanted=Wanted(low="min_positive", high="max_positive"), measure=_positive("category"),
        sentence="Each category has positives and negatives.",
    ),
    Expectation(
        name="positive_share_of_strategy", severity=WARNING, reads=("label", "status", "strategy"),
        wanted=Wanted(low="min_positive", high="max_positive"), measure=_positive("strategy"),
        sentence="Each strategy finds positives and negatives.",
    ),
    Expectation(
        name="few_unsettled", severity=WARNING, reads=("status", "category", "video_id"),
        wanted=Wanted(high="max_unsettled"), measure=_unsettled,
        sentence="People can agree on most clips of a category.",
    ),
    Expectation(
        name="few_undecided", severity=WARNING, reads=("category", *ANSWERS), wanted=Wanted(high="max_undecided"),
        measure=_undecided, sentence="Few answers about a category are unsure or broken.",
    ),
    *SPREAD,
)  # fmt: skip
