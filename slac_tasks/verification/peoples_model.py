"""The people's model: what all answers about a category together say of a clip, from the features that are kept of it.

A logistic regression on the members' features and the committee's log-odds (the weak labels), with a penalty that is
chosen by how well it foretells answers about videos that it has not seen. Every log-odds that it returns is of a model
that was trained without the clip's video, so a label of it can be compared with people's and with the control (ours).
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from slac_tasks.verification.ballots import Bools, Floats, Ints

FOLDS = 5
PENALTIES = (0.003, 0.03, 0.3)
"""Of a weight's square, per answer; the best one is taken."""
SUREST = 4.0
"""Log-odds beyond which the model is not believed: one wrong label in 55."""
_LEAST_ANSWERS = 10
"""Answers below which features are not used: the committee's log-odds alone are scaled."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Taught:
    """What answers teach, clip by clip."""

    row: Ints
    """Rows of the clips that are learnt from, shape (taught,)."""
    positive: Bools
    """Whether the clip is taken to contain the action, shape (taught,)."""
    weight: Floats
    """How much the clip counts, 0 to 1, shape (taught,)."""


def log_odds(features: NDArray[np.float32], committee: Floats, video: Ints, taught: Taught) -> Floats:
    """Return the log-odds of the action in each clip, by models that were trained without its video, shape (clips,).

    Args:
        features: shape (clips, numbers); no columns where none are kept.
        committee: log-odds of the committee's joint score, shape (clips,).
        video: code of each clip's video, shape (clips,).
        taught: what is learnt from. With one kind of answer alone, the model says the same of every clip.

    """
    inputs = inputs_of(features, committee, answered=len(taught.row))
    fold = folds_of(video, taught)
    best: tuple[float, Floats] | None = None
    for penalty in PENALTIES if inputs.shape[1] > 1 else PENALTIES[:1]:
        found = np.zeros(len(video))
        for held_out in range(FOLDS):
            learns = fold[taught.row] != held_out
            rows = fold == held_out
            found[rows] = fit(inputs, taught, learns, penalty)(inputs[rows])
        said = found[taught.row] * np.where(taught.positive, 1, -1)
        loss = -float(np.average(log_expit(said), weights=taught.weight)) if len(taught.row) else 0.0
        if best is None or loss < best[0]:
            best = loss, found
    assert best is not None
    return best[1].clip(-SUREST, SUREST)


Inputs: TypeAlias = NDArray[np.float64]
"""What the regression reads, shape (clips, numbers)."""


def inputs_of(features: NDArray[np.float32], committee: Floats, *, answered: int) -> Inputs:
    """Return what the regression reads, each column with mean 0 and deviation 1; features share one unit of length.

    Args:
        features: shape (clips, numbers).
        committee: log-odds of the committee's joint score, shape (clips,).
        answered: clips with answers; few are not enough for features.

    """
    columns = [_scaled(committee[:, None])]
    if features.shape[1] and answered >= _LEAST_ANSWERS:
        columns.append(_scaled(features.astype(np.float64)) / np.sqrt(features.shape[1]))
    return np.concatenate(columns, axis=1)


def _scaled(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((columns - columns.mean(axis=0)) / np.maximum(columns.std(axis=0), 1e-9))


def folds_of(video: Ints, taught: Taught) -> Ints:
    """Return the fold of each clip: a video is in one of them, and videos with answers are spread over all."""
    answered = np.bincount(video[taught.row], minlength=int(video.max(initial=-1)) + 1)
    place = np.empty(len(answered), dtype=np.int64)
    place[np.argsort(-answered, kind="stable")] = np.arange(len(answered)) % FOLDS
    return place[video]


class Line:
    """A fitted regression."""

    def __init__(self, weights: Floats) -> None:
        self.weights = weights

    def __call__(self, inputs: Inputs) -> Floats:
        """Return the log-odds of the action, shape (clips,)."""
        return np.asarray(inputs @ self.weights[:-1] + self.weights[-1])


def fit(inputs: Inputs, taught: Taught, learns: Bools, penalty: float) -> Line:
    """Return the regression on these of the taught clips."""
    # Here and not above: it takes a third of a second, and most commands that import this room learn nothing.
    from scipy.optimize import minimize

    x = inputs[taught.row[learns]]
    sign, weight = np.where(taught.positive[learns], 1.0, -1.0), taught.weight[learns]
    total = max(float(weight.sum()), 1e-9)
    curvature = penalties(inputs.shape[1] + 1, penalty)

    def loss(weights: Floats) -> tuple[float, Floats]:
        said = sign * (x @ weights[:-1] + weights[-1])
        slope = -weight * sign * expit(-said) / total
        value = -float((weight * log_expit(said)).sum()) / total + float((curvature * weights**2).sum()) / 2
        return value, np.append(slope @ x, slope.sum()) + curvature * weights

    return Line(minimize(loss, np.zeros(inputs.shape[1] + 1), jac=True, method="L-BFGS-B").x)


def penalties(numbers: int, penalty: float) -> Floats:
    """Return the second derivative of the penalty by each weight, the offset last, shape (numbers,).

    There is a little on the offset: with one kind of answer it would grow without end.
    """
    return np.append(np.full(numbers - 1, 2 * penalty), 2e-3)
