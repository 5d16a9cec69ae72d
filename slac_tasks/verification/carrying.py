"""Ask once, carry on, ask again: what each answer is worth beyond its own clip. Pure functions (ours).

Three things speak about a clip, and their log-odds add up:

* its own answers (kind `people`);
* answers to other clips of its shot: an action goes on, so what one clip shows its neighbour shows as well, the less
  surely the further away it is. A shot is a hidden Markov chain of two states (Rabiner 1989, forward-backward): the
  nearest answer on each side counts most, and two that agree make what lies between them nearly sure;
* the people's model, trained without the clip's video.

A label is of kind `people` where the clip has answers of its own, and of kind `sets` where one of them was given in a
set, beside other clips; `imported` where an existing dataset labels it and nothing contradicts that too far
(`label_errors`); `carried` where an answer starts within `reach_sec` in its shot, else `model`. Later answers overrule,
since everything is computed from the answers that stand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.special import expit, logit

from slac_tasks.networks.features import Features, in_own_unit
from slac_tasks.verification import peoples_model
from slac_tasks.verification.ballots import Bools, Floats, Ints
from slac_tasks.verification.peoples_model import Taught

REDRAWN_PER_SEC = 0.18
"""Rate at which a shot draws anew whether it shows the action. With it, two clips of one shot whose category is in 38 %
of the clips are of one truth in .960, .922, .888 and .858 of all pairs that start .5, 1, 1.5 and 2 s apart; generated
worlds have .951, .926, .902 and .878 (ours)."""

PEOPLE, CARRIED, MODEL, IMPORTED = "people", "carried", "model", "imported"
KINDS = (PEOPLE, CARRIED, MODEL, IMPORTED)
"""What a label may rest on."""
SETS = "sets"
"""People's labels with an answer that was given in a set: other errors than people's make them wrong."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Clips:
    """Clips of one category, in any order, as arrays of one length."""

    video: Ints
    """Code of each clip's video."""
    shot: Ints
    start_ms: Ints
    features: Features
    """Kept features, shape (clips, numbers)."""
    committee: Floats
    """Log-odds of the committee's joint score."""

    def __len__(self) -> int:
        return len(self.video)


@dataclass(frozen=True, kw_only=True, eq=False)
class Said:
    """What is known of each clip, in log-odds of the action: above 0 for it. Arrays of shape (clips,)."""

    own: Floats
    """By its own answers; 0: none, or as many for as against."""
    near: Floats
    """By answers to other clips of its shot."""
    model: Floats
    """By the people's model, trained without its video."""
    answered: Ints
    """Neighbours within reach that have an answer."""
    shared: Ints
    """Clips, this one included, in the reach of such a neighbour; the most where there are several."""
    imported: Floats
    """By an imported label, less what contradicts it; 0: there is none, or it is not believed."""

    @property
    def others(self) -> Floats:
        """All but its own answers: what could contradict them."""
        return self.near + self.model

    @property
    def total(self) -> Floats:
        """All of it together."""
        return self.own + self.others

    @property
    def kind(self) -> Ints:
        """Index in KINDS of each clip's label."""
        near = np.where(self.answered > 0, KINDS.index(CARRIED), KINDS.index(MODEL))
        unasked = np.where(self.imported != 0, KINDS.index(IMPORTED), near)
        return np.where(self.own != 0, KINDS.index(PEOPLE), unasked)

    @property
    def positive(self) -> Bools:
        """Whether the label is +1: what people said where they were asked, then what was imported, else the sum."""
        return np.asarray(np.where(self.own != 0, self.own, self._unasked) > 0)

    @property
    def confidence(self) -> Floats:
        """Probability that the label is right, 0 to 1. An answer that all else contradicts may fall below a half."""
        total = np.where(self.own != 0, self.total, self._unasked)
        return np.asarray(expit(np.where(self.positive, total, -total)))

    @property
    def _unasked(self) -> Floats:
        """What is known of a clip that nobody answered; an imported label holds what all else says of it."""
        return np.where(self.imported != 0, self.imported, self.total)


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """How good the people are who answer, on average."""

    sensitivity: float
    """Chance of a yes to a clip with the action."""
    specificity: float
    """Chance of a no to a clip without it."""

    @classmethod
    def of(cls, people: pa.Table) -> "Abilities":
        """Return the average of people, each weighing as much as the answers given.

        Args:
            people: columns answers, sensitivity and specificity, one row for each person.

        """
        if not people.num_rows:
            return cls(sensitivity=0.9, specificity=0.9)
        weight = people["answers"].to_numpy()
        means = (float(np.average(people[name].to_numpy(), weights=weight)) for name in ("sensitivity", "specificity"))
        sensitivity, specificity = (min(max(mean, 0.55), 0.99) for mean in means)
        return cls(sensitivity=sensitivity, specificity=specificity)

    def weigh(self, yes: Ints, no: Ints) -> Floats:
        """Return the log-odds of the action that these counts of yes and no give a clip; as many of both give 0."""
        for_yes = np.log(self.sensitivity / (1 - self.specificity))
        for_no = np.log(self.specificity / (1 - self.sensitivity))
        return np.asarray(np.where(yes == no, 0.0, yes * for_yes - no * for_no))


def as_clips(clips: pa.Table, features: Sequence[Mapping[str, Features]], committee: Floats) -> Clips:
    """Return clips of one category as arrays, in their order.

    Args:
        clips: columns video_id, shot and start_sec.
        features: by window, in the order of its clips: features by member.
        committee: log-odds of the committee's joint score, shape (clips,).

    """
    codes = clips["video_id"].combine_chunks().dictionary_encode().indices
    return Clips(
        video=np.asarray(codes.to_numpy(), dtype=np.int64), shot=clips["shot"].to_numpy().astype(np.int64),
        start_ms=np.rint(clips["start_sec"].to_numpy() * 1000).astype(np.int64),
        features=joined_features(features, clips.num_rows), committee=committee,
    )  # fmt: skip


def joined_features(parts: Sequence[Mapping[str, Features]], clips: int) -> Features:
    """Return the members' features side by side, each member in its own unit of length, shape (clips, numbers).

    Args:
        parts: by window, in the order of its clips: features by member. Where some clip has none, none are used.
        clips: how many there are.

    """
    members = set.intersection(*(set(part) for part in parts)) if parts else set()
    found = [in_own_unit(np.concatenate([part[member] for part in parts])) for member in sorted(members)]
    return np.concatenate([np.empty((clips, 0), np.float32), *found], axis=1)


def spread(clips: Clips, own: Floats, reach_sec: float, *, teaches: Bools, imported: Floats | None = None) -> Said:
    """Return what all answers together say of every clip.

    Args:
        clips: of one category.
        own: log-odds by each clip's own answers, 0 where there are none, shape (clips,).
        reach_sec: how far a neighbour in the same shot may start from a clip; 0: answers stay where they were given.
        teaches: which clips the people's model may learn from, shape (clips,).
        imported: log-odds by imported labels (`label_errors.standing`), which teach nothing here, shape (clips,); None:
            there are none.

    """
    near = carried(clips, own) if reach_sec else np.zeros(len(clips))
    answered, shared = within_reach(clips, own, round(reach_sec * 1000))
    taught = np.flatnonzero(teaches & ((own != 0) | (answered > 0)))
    known = own[taught] + near[taught]
    # An answer that is carried with .9 teaches .8 of a clip: what is sure counts, what is even does not.
    lesson = Taught(row=taught, positive=known > 0, weight=abs(np.tanh(known / 2)))
    model = peoples_model.log_odds(clips.features, clips.committee, clips.video, lesson)
    held = np.zeros(len(clips)) if imported is None else imported
    return Said(own=own, near=near, model=model, answered=answered, shared=shared, imported=held)


def carried(clips: Clips, own: Floats) -> Floats:
    """Return the log-odds of the action in each clip by the answers to the other clips of its shot, shape (clips,).

    0 in a shot without answers: how frequent the action is has no say. Linear in the clips, a step of the loop for each
    clip of the longest shot.
    """
    near = np.zeros(len(clips))
    said = np.flatnonzero(own != 0)
    if not len(said):
        return near
    share = _share(clips.video, own)
    place = _shot_of(clips)
    rows = np.flatnonzero(np.isin(place, place[said]))
    rows = rows[np.lexsort((clips.start_ms[rows], place[rows]))]
    begins = np.flatnonzero(np.diff(place[rows], prepend=-1))
    length = np.diff(np.append(begins, len(rows)))
    at_sec = clips.start_ms[rows] / 1000
    before = _foretold(at_sec, own[rows], begins, length, share[rows])
    # Backwards is forwards on the mirrored clips: the chain looks alike from both ends.
    ends = len(rows) - begins - length
    after = _foretold(-at_sec[::-1], own[rows][::-1], ends, length, share[rows][::-1])[::-1]
    near[rows] = logit(before) + logit(after) - 2 * logit(share[rows])
    return near


def _share(video: Ints, own: Floats) -> Floats:
    """Return what share of the answered clips of all other videos contains the action, shape (clips,)."""
    answered, sure = own != 0, np.where(own != 0, expit(own), 0.0)
    of_video = np.stack([np.bincount(video, weights=column) for column in (answered, sure)])
    count, positive = of_video.sum(axis=1, keepdims=True) - of_video
    return np.asarray(((positive + 1) / (count + 2))[video])


def _foretold(at_sec: Floats, own: Floats, begins: Ints, length: Ints, share: Floats) -> Floats:
    """Return how probable the action is in each clip by the clips before it in its shot.

    Args:
        at_sec: where the clips start, ascending in each shot.
        own: log-odds by each clip's own answers.
        begins: place of the first clip of each shot.
        length: clips of each shot.
        share: of clips that contain the action, where nothing is known; the same in all clips of a shot.

    """
    foretold = share.copy()
    longest_first = np.argsort(-length, kind="stable")
    shots, lengths = begins[longest_first], length[longest_first]
    for step in range(1, int(lengths[0])):
        clip = shots[: np.searchsorted(-lengths, -step)] + step
        goes_on = np.exp(-REDRAWN_PER_SEC * (at_sec[clip] - at_sec[clip - 1]))
        foretold[clip] = goes_on * expit(logit(foretold[clip - 1]) + own[clip - 1]) + (1 - goes_on) * share[clip]
    return foretold


def within_reach(clips: Clips, own: Floats, reach_ms: int) -> tuple[Ints, Ints]:
    """Return the fields `answered` and `shared` of `Said`."""
    answered, shared = np.zeros(len(clips), dtype=np.int64), np.zeros(len(clips), dtype=np.int64)
    if not len(clips) or reach_ms <= 0:
        return answered, shared
    place = _shot_of(clips) * np.int64(2**40) + clips.start_ms
    order = np.argsort(place, kind="stable")
    sorted_place = place[order]
    sources = np.flatnonzero(own != 0)
    first = np.searchsorted(sorted_place, place[sources] - reach_ms, side="left")
    last = np.searchsorted(sorted_place, place[sources] + reach_ms, side="right")
    lengths = last - first
    source = np.repeat(sources, lengths)
    offset = np.arange(len(source)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    target = order[np.repeat(first, lengths) + offset]
    apart = source != target
    target, reached = target[apart], np.repeat(lengths - 1, lengths)[apart]
    np.add.at(answered, target, 1)
    np.maximum.at(shared, target, reached)
    return answered, shared


def _shot_of(clips: Clips) -> Ints:
    """Return a number for the shot of each clip, another one for each shot of each video."""
    return clips.video * (int(clips.shot.max(initial=0)) + 1) + clips.shot


def log_odds_of(consensus: Floats) -> Floats:
    """Return a joint score as log-odds, within what a network can be believed."""
    return np.asarray(logit(consensus.clip(1e-3, 1 - 1e-3)))
