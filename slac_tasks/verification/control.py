"""The control: what each way of labelling says of clips that were drawn by lot, beside what three people say (ours).

A way of labelling is judged as if the clip had not been drawn: people's by its first answers, as many as would have
been asked; the others by answers to other clips alone. Who was drawn was decided before anybody looked:

* clips of strategy `random` stand for all clips: for those to which answers are carried where an answer is near, for
  those that the people's model labels elsewhere, and for those whose imported label is believed. A round draws as many
  from few clips as from many, so each stands for the clips of its window over the random ones there;
* they and the audited share of the chosen clips stand for all clips that were asked;
* `companion` clips, each a neighbour of a chosen clip, stand for the clips to which answers are carried, which the
  random ones seldom meet where few of many clips were asked.

Nobody is asked about the control in sets. So labels with answers from sets are judged by gold that people met in sets:
what would be said of a gold clip by its first answers there, beside what the expert knows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import expit

from slac_tasks.model import Strategy
from slac_tasks.storage.datasets.labelling import ControlRow
from slac_tasks.verification.ballots import NO, YES, Ballots, Bools, Floats, Ints
from slac_tasks.verification.carrying import CARRIED, IMPORTED, MODEL, PEOPLE, SETS, Abilities, Said
from slac_tasks.verification.queue import CONTROLS, first_votes, lots
from slac_tasks.verification.settings import Review

GOLD = "gold"
"""Purpose of a known answer with which people are measured; examples are shown to them."""

FIRST = 3
"""Answers of a clip that are read one by one: as many as the control gets."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What people said of the clips of one category, as arrays of the caller's clips: shape (clips,) each."""

    yes: Ints
    no: Ints
    given: Ints
    """Answers of every kind, unsure and broken among them."""
    first: Ints
    """+1 or -1 for each of the first answers of yes or no, in the order given; 0: none. Shape (clips, FIRST)."""
    strategy: NDArray[np.object_]
    """Why the clip was asked; None: it was not."""
    wanted: Ints
    """Answers that it wanted at first; 0: it was not asked."""
    lead: Ints
    """By how many answers one side must lead; 0: the clip is none of the control, nor audited."""
    audit_share: Floats
    """Which share of the chosen clips was audited when it was queued; NaN: nobody kept it, or it was not asked."""

    @classmethod
    def of(cls, ballots: Ballots, queued: pa.Table, clip_ids: pa.ChunkedArray) -> "Answers":
        """Return the answers to these clips; those to others are left out.

        Args:
            ballots: the votes on one category.
            queued: what the queue holds of its clips: columns clip_id, strategy, votes_first, lead and audit_share.
            clip_ids: the caller's clips.

        """
        count = len(clip_ids)
        place = pc.index_in(ballots.clip_ids, value_set=clip_ids.combine_chunks()).fill_null(-1).to_numpy()
        counts = ballots.counts()
        yes, no, given = (np.zeros(count, dtype=np.int64) for _ in range(3))
        here = place >= 0
        yes[place[here]], no[place[here]] = counts[here, YES], counts[here, NO]
        given[place[here]] = counts[here].sum(axis=1)
        first = np.zeros((count, FIRST), dtype=np.int64)
        votes = np.flatnonzero(np.isin(ballots.answer, (YES, NO)) & here[ballots.clip])
        clip = ballots.clip[votes]
        turn = np.arange(len(votes)) - np.searchsorted(clip, clip, side="left")
        early = turn < FIRST
        signs = np.where(ballots.answer[votes] == YES, 1, -1)
        first[place[clip[early]], turn[early]] = signs[early]
        asked = pc.index_in(clip_ids, value_set=queued["clip_id"].combine_chunks())
        return cls(
            yes=yes, no=no, given=given, first=first,
            strategy=np.array(queued["strategy"].take(asked).to_pylist(), dtype=object),
            wanted=queued["votes_first"].take(asked).fill_null(0).to_numpy(),
            lead=queued["lead"].take(asked).fill_null(0).to_numpy(),
            audit_share=queued["audit_share"].take(asked).cast(pa.float64()).fill_null(np.nan).to_numpy(),
        )  # fmt: skip

    def own(self, abilities: Abilities) -> Floats:
        """Return the log-odds by each clip's own answers."""
        return abilities.weigh(self.yes, self.no)

    @property
    def once(self) -> Bools:
        """Which clips were asked once and have that answer alone."""
        return np.asarray((self.wanted == 1) & (self.yes + self.no == 1))

    @property
    def truth(self) -> Ints:
        """+1 or -1 by most of the yes and no to a clip with as many answers as the control gets; 0 elsewhere."""
        return np.asarray(np.where(self.given >= FIRST, np.sign(self.yes - self.no), 0))

    @property
    def asked(self) -> Bools:
        """Which clips of the control have as many answers as it gets.

        Unsure is an answer too: nobody more is asked about a clip with two of yes and one of unsure, and without such
        clips the easy ones would be left.
        """
        return np.asarray((self.lead > 0) & (self.given >= FIRST))

    def judged(self, most: int) -> Bools:
        """Which clips of the control have all answers: one side leads, or it has `most` and nobody more is asked."""
        led = abs(self.yes - self.no) >= self.lead
        return np.asarray((self.lead > 0) & (led | (self.given >= most)) & (self.truth != 0))


def as_if_chosen(
    answers: Answers, others: Floats, abilities: Abilities, training: Bools, review: Review
) -> tuple[Ints, Floats]:
    """Return (label, confidence) that each clip would have, had it been asked like the chosen ones; label 0: none.

    Args:
        answers: of people.
        others: log-odds by all but the clip's own answers, shape (clips,).
        abilities: of people.
        training: which clips are for training, shape (clips,): of the others more answers may be wanted.
        review: how people are asked.

    """
    first = answers.first
    number = np.where(training, first_votes(review, True), first_votes(review, False)).clip(max=FIRST)
    number[(number == 1) & (_confidence(first[:, 0], abilities, others) < review.again_below)] = 2
    number[(number == 2) & (first[:, 0] + first[:, 1] == 0)] = FIRST
    counted = first * (np.arange(FIRST) < number[:, None])
    yes, no = (counted > 0).sum(axis=1), (counted < 0).sum(axis=1)
    label = np.sign(yes - no)
    total = abilities.weigh(yes, no) + others
    return label, np.asarray(expit(total * label))


def _confidence(answer: Ints, abilities: Abilities, others: Floats) -> Floats:
    own = abilities.weigh((answer > 0).astype(np.int64), (answer < 0).astype(np.int64))
    return np.asarray(expit((own + others) * answer))


def control_rows(
    category: str, clip_ids: pa.ChunkedArray, window: Ints, training: Bools, said: Said, answers: Answers,
    abilities: Abilities, review: Review,
) -> Iterator[ControlRow]:  # fmt: skip
    """Yield what each way of labelling says of the control of a category.

    Args:
        category: its key.
        clip_ids: its clips.
        window: number of each clip's window, from 0, shape (clips,).
        training: which of them are for training, shape (clips,): others are labelled by people alone.
        said: what is known of each clip.
        answers: of people, those that were given in no set.
        abilities: of people.
        review: how people are asked.

    """
    drawn = np.isin(answers.strategy, list(CONTROLS))
    asked = answers.asked
    truth = np.where(answers.judged(review.control_most), answers.truth, 0)
    label, sure = as_if_chosen(answers, said.others, abilities, training, review)
    # A clip with an imported label gets one of no other kind but people's.
    unlabelled = training & (said.imported == 0)
    chance = np.where(drawn, 1.0, lots(answers.audit_share, review))
    if ((answers.wanted > 0) & (chance == 0)).any():
        # Nothing stands for what was chosen without an audit, and other clips are often easier.
        chance = np.full(len(chance), np.inf)
    weight = 1 / np.maximum(chance, 1e-9)
    random = chance_of_random(answers, window, training).clip(1e-9)
    ways = (
        (PEOPLE, asked & (label != 0), label, sure, weight),
        (
            CARRIED, asked & unlabelled & np.isin(answers.strategy, list(CONTROLS)) & (said.answered > 0),
            *_by(said.others), 1 / _met(answers, said.shared, random),
        ),
        (
            MODEL, asked & unlabelled & (answers.strategy == Strategy.RANDOM) & (said.answered == 0),
            *_by(said.others), 1 / random,
        ),
        (
            IMPORTED, asked & training & (answers.strategy == Strategy.RANDOM) & (said.imported != 0),
            *_by(said.imported), 1 / random,
        ),
    )  # fmt: skip
    for kind, rows, labels, confidence, weights in ways:
        places = np.flatnonzero(rows)
        names = clip_ids.take(pa.array(places)).to_pylist()
        for place, name in zip(places, names, strict=True):
            yield ControlRow(
                clip_id=name, category=category, kind=kind, label=int(labels[place]),
                confidence=float(confidence[place]), truth=int(truth[place]), weight=float(weights[place]),
            )  # fmt: skip


def chance_of_random(answers: Answers, window: Ints, training: Bools) -> Floats:
    """Return the chance of the training clips of each clip's window to be random ones with answers enough.

    0: there is none yet, so nothing stands for the labels of that window which people did not give.

    Args:
        answers: of people, those that were given in no set.
        window: number of each clip's window, from 0, shape (clips,).
        training: which clips are for training, shape (clips,).

    """
    drawn = np.bincount(window, answers.asked & training & (answers.strategy == Strategy.RANDOM))
    return np.asarray((drawn / np.maximum(np.bincount(window, training), 1))[window])


def _met(answers: Answers, shared: Ints, random: Floats) -> Floats:
    """Return the chance that a clip near an answer was drawn, at random or as a companion."""
    is_random, companions = answers.strategy == Strategy.RANDOM, answers.strategy == Strategy.COMPANION
    sources = (answers.wanted > 0) & ~is_random & ~companions
    return np.asarray(companions.sum() / max(int(sources.sum()), 1) / np.maximum(shared, 1) + random)


def set_rows(
    category: str, clip_ids: pa.ChunkedArray, training: Bools, said: Said, answers: Answers, known: Mapping[str, bool],
    abilities: Abilities, review: Review,
) -> Iterator[ControlRow]:  # fmt: skip
    """Yield what labels from sets would say of the gold of a category, beside what the expert knows.

    Args:
        category: its key.
        clip_ids: its clips.
        training: which of them are for training, shape (clips,).
        said: what is known of each clip.
        answers: of people, those that were given in sets.
        known: by gold clip: whether it contains the action.
        abilities: of people.
        review: how people are asked.

    """
    label, sure = as_if_chosen(answers, said.others, abilities, training, review)
    enough = (answers.given >= FIRST) & (label != 0)
    for place, name in zip(np.flatnonzero(enough), clip_ids.filter(pa.array(enough)).to_pylist(), strict=True):
        if name in known:
            yield ControlRow(
                clip_id=name, category=category, kind=SETS, label=int(label[place]), confidence=float(sure[place]),
                truth=1 if known[name] else -1, weight=1.0,
            )  # fmt: skip


def _by(log_odds: Floats) -> tuple[Ints, Floats]:
    """Return the label that log-odds give, and its confidence."""
    return np.where(log_odds > 0, 1, -1), np.asarray(expit(abs(log_odds)))
