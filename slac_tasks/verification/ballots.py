"""From votes to labels: what each answer does, votes as arrays, and the table of labels. Pure functions.

A method of `slac_tasks.verification.aggregation` decides; this is what holds under every one of them (HACS v3: three
people per clip, kept when at least two agree; the rest is ours):

* yes, no: evidence for the label +1 or -1.
* broken ("cannot be played or judged"): given twice before a label stands, the clip is broken and has no label.
* unsure: an answer that was given, and evidence of nothing. It uses up one of the answers that may be asked.
* A clip is *open* while it wants another answer: it is back in the queue and wants one answer more than it was given.
* It is *unsettled* when no further answer is asked and there is still no label. It keeps its votes, is never released,
  and counts against its category at the gate. A later vote (a correction, an import) may still settle it.
* A correction takes the place of the answer that it corrects, which no longer counts. Nothing is deleted.
* Answers of a person who was flagged (see `slac_tasks.verification.annotators`) count by what they are worth under a
  model of the people, and are set aside and asked again under a count of votes.

Fewer answers than `votes_wanted` never make a label.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from slac_tasks.errors import BrokenContract
from slac_tasks.model import Answer, Status
from slac_tasks.verification.answers import LONGEST_SEC

VOTE = ("vote_id", "clip_id", "category", "annotator", "answer", "cast_at", "supersedes", "set_id")
"""Columns of the votes that aggregation reads."""

LABEL = (
    "clip_id", "category", "status", "label", "confidence", "method", "yes", "no", "unsure", "broken",
    "first_two_agree", "votes",
)  # fmt: skip
"""Columns of the labels that it returns."""

ANSWERS = tuple(answer.value for answer in Answer)
"""Answers in the order of their codes."""
YES, NO, UNSURE, BROKEN = range(4)

ALONE = -1
"""Set of a vote that was given in none."""

STATUSES = tuple(status.value for status in Status)
"""What may become of a clip, in the order of their codes."""
OPEN, SETTLED, UNSETTLED, IS_BROKEN = range(4)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def counted_seconds(seconds: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return what each answer counts of people's time: a day at most, as `counted_seconds` in sql/schema.sql has it."""
    return pc.min_element_wise(seconds, LONGEST_SEC)


@dataclass(frozen=True, kw_only=True)
class Ballots:
    """The votes that count, as arrays sorted by (category, clip, place).

    A clip here is a (clip, category): the same two seconds asked for two categories are two of them.
    """

    clip_ids: pa.Array
    """Identity of each clip, shape (clips,)."""
    category: Ints
    """Index in `categories` of each clip, shape (clips,)."""
    categories: tuple[str, ...]
    people: tuple[str, ...]
    vote_ids: pa.Array
    """Shape (votes,)."""
    clip: Ints
    """Row of each vote's clip, ascending, shape (votes,)."""
    person: Ints
    """Index in `people` of each vote, shape (votes,)."""
    answer: Ints
    """Code of each vote's answer, an index in `ANSWERS`, shape (votes,)."""
    cast_at: Ints
    """When it was cast, or the vote that it corrects: microseconds since 1970, UTC, shape (votes,)."""
    row: Ints
    """Row of each vote in the table that was read, shape (votes,)."""
    set: Ints
    """Number of the set in which each vote was given, from 0; ALONE: in none. Shape (votes,)."""
    wanted: Ints | None = None
    """Answers that each clip wants before anything is decided, shape (clips,); None: the method's own number."""
    lead: Ints | None = None
    """By how many answers one side must lead before nobody more is asked, shape (clips,); None: no clip has to."""

    @property
    def clips(self) -> int:
        """How many clips there are."""
        return len(self.clip_ids)

    def asked(self, queued: pa.Table) -> "Ballots":
        """Return the same with what each clip asks of people; one that the queue has not wants a single answer.

        Args:
            queued: columns clip_id, category, votes_first and lead.

        """
        names = pa.array(self.categories, pa.string()).take(pa.array(self.category))
        place = pc.index_in(
            clip_key(pa.table({"clip_id": self.clip_ids, "category": names})), value_set=clip_key(queued)
        )
        wanted, lead = (queued[name].take(place) for name in ("votes_first", "lead"))
        return replace(self, wanted=wanted.fill_null(1).to_numpy(), lead=lead.fill_null(0).to_numpy())

    @property
    def planned(self) -> Bools:
        """Which clips were to get two answers or more whatever the first one was, shape (clips,).

        Agreement is counted on these: a second person who is asked because the first one is doubted differs more often.
        """
        if self.wanted is None or self.lead is None:
            return np.ones(self.clips, dtype=bool)
        return np.asarray((self.wanted > 1) | (self.lead > 1))

    def as_planned(self) -> "Ballots":
        """Return the same clips with the votes on those that were to get two answers or more."""
        return self._of(self.planned[self.clip])

    def without_ids(self) -> "Ballots":
        """Return the same without the ids of the votes: half of the memory, and who reads all votes needs none."""
        return replace(self, vote_ids=pa.nulls(len(self.clip), pa.null()))

    @classmethod
    def joined(cls, parts: Sequence["Ballots"]) -> "Ballots":
        """Return the votes on the clips of several categories, each part those of one, in order of their names.

        The ids of the votes are left out (see `without_ids`). What each clip asks of people is known where every part
        knows it.
        """
        people = tuple(sorted({name for part in parts for name in part.people}))
        none = np.zeros(0, dtype=np.int64)
        code = {name: index for index, name in enumerate(people)}
        clips = np.cumsum([0, *(part.clips for part in parts)])
        votes = np.cumsum([0, *(len(part.clip) for part in parts)])
        own = [np.array([code[name] for name in part.people], dtype=np.int64) for part in parts]
        return cls(
            clip_ids=pa.concat_arrays([pa.array([], pa.string()), *(part.clip_ids for part in parts)]),
            category=np.repeat(np.arange(len(parts)), [part.clips for part in parts]),
            categories=tuple(name for part in parts for name in part.categories),
            people=people,
            vote_ids=pa.nulls(int(votes[-1]), pa.null()),
            clip=np.concatenate([none, *(part.clip + first for part, first in zip(parts, clips, strict=False))]),
            person=np.concatenate([none, *(names[part.person] for part, names in zip(parts, own, strict=True))]),
            answer=np.concatenate([none, *(part.answer for part in parts)]),
            cast_at=np.concatenate([none, *(part.cast_at for part in parts)]),
            row=np.concatenate([none, *(part.row + first for part, first in zip(parts, votes, strict=False))]),
            set=np.concatenate(
                [
                    none,
                    *(
                        np.where(part.set == ALONE, ALONE, part.set + first)
                        for part, first in zip(parts, votes, strict=False)
                    ),
                ]
            ),
            wanted=_joined([part.wanted for part in parts]),
            lead=_joined([part.lead for part in parts]),
        )

    def counts(self) -> Ints:
        """Return how often each answer was given to each clip, shape (clips, 4)."""
        flat = np.bincount(self.clip * len(ANSWERS) + self.answer, minlength=self.clips * len(ANSWERS))
        return flat.reshape(self.clips, len(ANSWERS))

    def asked_on(self, counts: Ints, most: int) -> Bools:
        """Return about which clips people are asked on: one side must lead, does not yet, and may still.

        Args:
            counts: of answers, as `counts`.
            most: answers after which nobody more is asked about such a clip.

        """
        if self.lead is None:
            return np.zeros(self.clips, dtype=bool)
        return np.asarray((abs(counts[:, YES] - counts[:, NO]) < self.lead) & (counts.sum(axis=1) < most))

    def without(self, people: frozenset[str]) -> "Ballots":
        """Return the same clips without the votes of these people."""
        return self._of(~np.isin(self.person, [index for index, name in enumerate(self.people) if name in people]))

    def asked_alone(self) -> "Ballots":
        """Return the same clips with the votes that were given in no set."""
        return self._of(self.set == ALONE)

    def asked_in_sets(self) -> "Ballots":
        """Return the same clips with the votes that were given in sets."""
        return self._of(self.set != ALONE)

    def _of(self, keep: Bools) -> "Ballots":
        return replace(
            self,
            vote_ids=self.vote_ids.filter(pa.array(keep)),
            clip=self.clip[keep],
            person=self.person[keep],
            answer=self.answer[keep],
            cast_at=self.cast_at[keep],
            row=self.row[keep],
            set=self.set[keep],
        )


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """What a method says of each clip, in the order of the ballots' clips."""

    ballots: Ballots
    """The votes that the method counted."""
    status: Ints
    """Index in `STATUSES`, shape (clips,)."""
    positive: Bools
    """Whether the label is +1; means nothing unless settled, shape (clips,)."""
    confidence: Floats
    """How sure the method is of the label, 0 to 1; means nothing unless settled, shape (clips,)."""
    method: str
    """Name and version of the method, kept with every label."""


class Aggregator(Protocol):
    """Decides from votes, one method per file of `slac_tasks.verification.aggregation`."""

    def __call__(self, ballots: Ballots) -> Decisions:
        """Return the decision on every clip. It does not depend on the order of the clips, nor on people's names."""


def joined_key(rows: pa.Table, name: str) -> pa.Array:
    """Return the category of each row and its value of the column `name`, as one column."""
    joined = pc.binary_join_element_wise(rows["category"], rows[name], " ")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def clip_key(rows: pa.Table) -> pa.Array:
    """Return what names the clip and category of each row, as one column."""
    return joined_key(rows, "clip_id")


def label_key(labels: pa.Table) -> pa.Array:
    """Return what names the clip, the category and the sign of each label, as one column."""
    sign = labels["label"].combine_chunks().cast(pa.string())
    return pc.binary_join_element_wise(clip_key(labels), sign, " ")


def read_ballots(votes: pa.Table) -> Ballots:
    """Return the votes that count, from rows with the columns of `VOTE` in any order.

    A superseded vote is left out; the one that corrects it stands where the first of the chain stood.
    """
    ids = _whole(votes["vote_id"])
    place = votes["cast_at"].cast(pa.int64()).to_numpy()
    keep = np.arange(votes.num_rows)
    tie = None
    corrects = votes["supersedes"]
    if corrects.null_count < len(corrects):
        places, roots = _places(votes)
        standing = pc.invert(pc.is_in(votes["vote_id"], corrects.drop_null().unique()))
        keep = np.flatnonzero(standing.to_numpy())
        place, ids = places[keep], ids.take(pa.array(keep))
        tie = _ranks(roots.take(pa.array(keep)))
        votes = votes.take(pa.array(keep))
    clip_ids, clip_code = _sorted_codes(votes["clip_id"])
    categories, category_code = _sorted_codes(votes["category"])
    people, person = _sorted_codes(votes["annotator"])
    key = category_code * max(1, len(clip_ids)) + clip_code
    order = np.lexsort((place, key))
    if tie is None and np.any((np.diff(key[order]) == 0) & (np.diff(place[order]) == 0)):
        tie = _ranks(ids)
    if tie is not None:
        order = np.lexsort((tie, place, key))
    key = key[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    answer = pc.index_in(_whole(votes["answer"]), pa.array(ANSWERS, pa.string()))
    if answer.null_count:
        raise BrokenContract(f"votes: an answer is none of {', '.join(ANSWERS)}")
    return Ballots(
        clip_ids=clip_ids.take(pa.array(key[starts] % max(1, len(clip_ids)))),
        category=key[starts] // max(1, len(clip_ids)),
        categories=tuple(categories.to_pylist()),
        people=tuple(people.to_pylist()),
        vote_ids=ids.take(pa.array(order)),
        clip=np.repeat(np.arange(len(starts)), np.diff(starts, append=len(key))),
        person=person[order],
        answer=answer.to_numpy().astype(np.int64)[order],
        cast_at=place[order],
        row=keep[order],
        set=_sets(votes["set_id"])[order],
    )


def _joined(parts: Sequence[Ints | None]) -> Ints | None:
    """Return the parts as one; None where one of them is unknown, or there is none."""
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known and len(known) == len(parts) else None


def _sorted_codes(column: pa.ChunkedArray) -> tuple[pa.Array, Ints]:
    """Return (the values, sorted, once each; the index of each row's value)."""
    encoded = _whole(column).dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return encoded.dictionary.take(pa.array(order)), rank[encoded.indices.to_numpy()]


def _sets(column: pa.ChunkedArray) -> Ints:
    """Return the number of each row's set, ALONE for a null."""
    if column.null_count == len(column):
        return np.full(len(column), ALONE)
    return np.asarray(_whole(column).dictionary_encode().indices.fill_null(ALONE).to_numpy(), dtype=np.int64)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """Return the column as one array."""
    return column.cast(pa.string()).combine_chunks()


def _ranks(values: pa.Array) -> Ints:
    """Return the place of each value among all of them, in ascending order."""
    return np.asarray(pc.rank(values, tiebreaker="first").to_numpy(), dtype=np.int64)


def _places(votes: pa.Table) -> tuple[Ints, pa.Array]:
    """Return, for each vote, when the first vote of its chain of corrections was cast, and that vote's id."""
    place = votes["cast_at"].cast(pa.int64()).to_numpy().copy()
    ids = votes["vote_id"].to_pylist()
    row_of = {vote: row for row, vote in enumerate(ids)}
    corrects = votes["supersedes"].to_pylist()
    roots = list(ids)
    for row in np.flatnonzero(votes["supersedes"].is_valid().to_numpy()):
        first = int(row)
        while corrects[first] is not None and corrects[first] in row_of:
            first = row_of[corrects[first]]
        place[row], roots[row] = place[first], ids[first]
    return place, pa.array(roots, pa.string())


def label_table(decisions: Decisions) -> pa.Table:
    """Return the labels: one row per clip, sorted by (category, clip_id), with the columns of `LABEL`.

    Unknown label, confidence and first_two_agree are null; so is the last where a second answer was not planned.
    """
    ballots = decisions.ballots
    counts = ballots.counts()
    settled = decisions.status == SETTLED
    agree, known = _first_two_agree(ballots)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(ballots.clip, minlength=ballots.clips))])
    columns = {
        "clip_id": ballots.clip_ids,
        "category": pa.array(ballots.categories, pa.string()).take(pa.array(ballots.category)),
        "status": pa.array(STATUSES, pa.string()).take(pa.array(decisions.status)),
        "label": pa.array(np.where(decisions.positive, 1, -1).astype(np.int8), mask=~settled),
        "confidence": pa.array(decisions.confidence, pa.float64(), mask=~settled),
        "method": pa.repeat(decisions.method, ballots.clips),
        **{name: pa.array(counts[:, code].astype(np.int32)) for code, name in enumerate(ANSWERS)},
        "first_two_agree": pa.array(agree, mask=~known),
        "votes": pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), ballots.vote_ids),
    }
    return pa.table({name: columns[name] for name in LABEL})


def _first_two_agree(ballots: Ballots) -> tuple[Bools, Bools]:
    """Return (whether the first two yes or no answers to each clip are the same; whether there are two as planned)."""
    plain = ballots.answer <= NO
    clip, answer = ballots.clip[plain], ballots.answer[plain]
    twice = np.bincount(clip, minlength=ballots.clips) >= 2
    first = np.searchsorted(clip, np.flatnonzero(twice))
    agree = np.zeros(ballots.clips, dtype=bool)
    agree[twice] = answer[first] == answer[first + 1]
    return agree, twice & ballots.planned
