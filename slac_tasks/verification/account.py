"""The account of the strategies: what people's time bought with each in one category (ours).

What a strategy found says little of its worth: it chose clips on which something is to be found. So its answers are
judged elsewhere, on the random control. The people's model is trained without a fifth of the videos. In that fifth,
each answer's pull on the model is known to first order (Koh and Liang 2017, influence functions), and so is by how much
it would lower the model's loss on the control clips of other videos. Neither was seen by the model. A strategy's worth
is the mean of that over its answers for the time that they took, less that of all answers together: the worth of one
more minute with it, whatever its share was. The random control's own answers are an account of their own.

The loss weighs every control clip alike, as the model weighs every answer. With yes and no made equal on one side alone
a strategy would be worth something for its share of yes. The fifths are five measurements: their mean is the worth, and
their spread gives its standard error.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import expit

from slac_tasks.model import Strategy
from slac_tasks.storage.datasets.labelling import AccountRow
from slac_tasks.verification import peoples_model
from slac_tasks.verification.ballots import Bools, Floats, Ints
from slac_tasks.verification.carrying import Clips, within_reach
from slac_tasks.verification.control import Answers
from slac_tasks.verification.peoples_model import FOLDS, PENALTIES, Inputs, Taught

LONGEST_SEC = 60.0
"""What an answer counts at most: who answers later had left. The pace of people is measured likewise."""
_PENALTY = PENALTIES[1]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Judged:
    """Answered clips of one category."""

    inputs: Inputs
    """What the people's model reads, with a 1 for its offset, shape (clips, numbers)."""
    video: Ints
    taught: Taught
    control: Bools
    arms: dict[str, Bools]
    seconds: Floats


def seconds_of(votes: pa.Table, clip_ids: pa.ChunkedArray) -> Floats:
    """Return the seconds that people spent on each clip, shape (clips,); votes: columns clip_id and seconds."""
    spent = pc.min_element_wise(votes["seconds"], LONGEST_SEC)
    place = pc.index_in(votes["clip_id"], value_set=clip_ids.combine_chunks())
    known = place.is_valid()
    of, weights = place.filter(known).to_numpy(), spent.filter(known).to_numpy()
    return np.asarray(np.bincount(of, weights=weights, minlength=len(clip_ids)), dtype=float)


def account(
    category: str, clips: Clips, own: Floats, answers: Answers, seconds: Floats, *, reach_sec: float, teaches: Bools
) -> list[AccountRow]:
    """Return what each strategy's answers bought, in the order of the strategies' names.

    Args:
        category: of the clips.
        clips: all clips of the category.
        own: log-odds by each clip's own answers, 0 where there are none, shape (clips,).
        answers: of people.
        seconds: of people's time on each clip, shape (clips,).
        reach_sec: how far an answer is carried.
        teaches: which clips may teach, shape (clips,).

    """
    arms = sorted({str(name) for name in answers.strategy[seconds > 0] if name is not None})
    judged = _judged(clips, own, answers, seconds, arms, teaches)
    worth = _worth(judged) if judged else {}
    reach_ms = round(reach_sec * 1000)
    found = []
    for arm in arms:
        asked = answers.strategy == arm
        labelled = asked & (own != 0)
        reached, _ = within_reach(clips, np.where(labelled, own, 0.0), reach_ms)
        mean, error = worth.get(arm, (None, None))
        found.append(
            AccountRow(
                category=category, strategy=arm, seconds=float(seconds[asked].sum()), labels=int(labelled.sum()),
                carried=int(((reached > 0) & (own == 0) & teaches).sum()),
                errors=int((labelled & ((own > 0) != (clips.committee > 0))).sum()),
                control=int(judged.control.sum()) if judged else 0, worth=mean, worth_error=error,
            )
        )  # fmt: skip
    return found


def _judged(
    clips: Clips, own: Floats, answers: Answers, seconds: Floats, arms: Sequence[str], teaches: Bools
) -> _Judged | None:
    """Return the answered clips that may teach; None where none of the control is among them."""
    rows = np.flatnonzero(teaches & (own != 0) & (seconds > 0))
    control = answers.strategy[rows] == Strategy.RANDOM.value
    if not control.any():
        return None
    inputs = peoples_model.inputs_of(clips.features[rows], clips.committee[rows], answered=len(rows))
    return _Judged(
        inputs=np.column_stack([inputs, np.ones(len(rows))]),
        video=np.unique(clips.video[rows], return_inverse=True)[1],
        taught=Taught(row=np.arange(len(rows)), positive=own[rows] > 0, weight=abs(np.tanh(own[rows] / 2))),
        control=control,
        arms={arm: answers.strategy[rows] == arm for arm in arms},
        seconds=seconds[rows],
    )


def _worth(judged: _Judged) -> dict[str, tuple[float, float]]:
    """Return (worth, standard error) of each strategy that two fifths of the videos or more say something of."""
    measured: dict[str, list[float]] = {arm: [] for arm in judged.arms}
    for gain, of in _gains(judged):
        average = gain.sum() / judged.seconds[of].sum()
        for arm, asked in judged.arms.items():
            spent = judged.seconds[of][asked[of]].sum()
            if spent > 0:
                measured[arm].append(float(gain[asked[of]].sum() / spent - average))
    total = float(judged.seconds.sum())
    return {
        arm: (total * float(np.mean(each)), total * float(np.std(each, ddof=1)) / len(each) ** 0.5)
        for arm, each in measured.items()
        if len(each) >= 2
    }


def _gains(judged: _Judged) -> Iterator[tuple[Floats, Ints]]:
    """Yield for each fifth (by how much each answer lowers the control's loss, shape (answers,); their rows)."""
    x, taught, positive = judged.inputs, judged.taught, judged.taught.positive
    weight, judges = taught.weight, judged.control
    fold = peoples_model.folds_of(judged.video, taught)
    for held_out in range(FOLDS):
        learns, of = fold != held_out, np.flatnonzero(fold == held_out)
        # Control clips of the answer's own video say nothing of others: they are left out.
        videos, place = np.unique(judged.video[of], return_inverse=True)
        counted = judges[of].sum() - np.bincount(place, weights=judges[of], minlength=len(videos))[place]
        if not learns.any() or not counted.any():
            continue
        line = peoples_model.fit(x[:, :-1], taught, learns, _PENALTY)
        slope = expit(x @ line.weights) - positive
        chance = expit(x[learns] @ line.weights)
        curved = x[learns] * (weight[learns] * chance * (1 - chance))[:, None]
        curve = curved.T @ x[learns] / weight[learns].sum() + np.diag(peoples_model.penalties(x.shape[1], _PENALTY))
        pull = np.linalg.solve(curve, (x[of] * (weight[of] * slope[of])[:, None]).T).T
        wanted = x[of] * (judges[of] * slope[of])[:, None]
        of_video = np.zeros((len(videos), x.shape[1]))
        np.add.at(of_video, place, wanted)
        lowered = (pull * (wanted.sum(axis=0) - of_video[place])).sum(axis=1)
        seen = counted > 0
        yield lowered[seen] / counted[seen] / weight.sum(), of[seen]
