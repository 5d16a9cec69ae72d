"""Whether a network joins the committee: what it gains over the member that it would replace, on the same clips.

Both networks are judged on the clips of `judged` that both have a score of: mostly the random control and gold, which
training never saw. The gain is a difference on the same clips, and its interval resamples videos. A network that
replaces nobody is held against the member that did best on these clips, and where no member scored any, against always
giving the commoner answer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slac_tasks.evaluation.intervals import Measured, Sample, difference, measured
from slac_tasks.evaluation.measures import Bools, commoner, share
from slac_tasks.model import SAYS_YES
from slac_tasks.progress import counted
from slac_tasks.storage.datasets.releasing import JudgedRow

Scores = Mapping[tuple[str, str], float]
"""What a member says of clips: (clip, category) to the probability of the action."""

GUESS = "the commoner answer"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was found, on all categories together or on one."""

    category: str | None
    """None: all together."""
    new: Measured
    """Share of the clips on which the network is right."""
    old: Measured
    gain: Measured
    loses: bool = False
    """The network is surely worse here, and by more than the settings allow."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The decision on a network, and what it rests on."""

    promoted: bool
    reason: str
    incumbent: str
    evidence: tuple[Evidence, ...] = ()
    """All categories together first."""


def incumbent(rows: Sequence[JudgedRow], members: Mapping[str, Scores], replaced: str) -> tuple[str, Scores | None]:
    """Return (name, scores) of the member that a network is held against; without scores: the commoner answer.

    Args:
        rows: the clips that judge.
        members: scores of the members of the current committee, by name.
        replaced: name of the member whose seat the network would take.

    """
    if members.get(replaced):
        return replaced, members[replaced]
    known = {name: scores for name, scores in members.items() if any(_key(row) in scores for row in rows)}
    if not known:
        return GUESS, None

    def worth(name: str) -> tuple[float, str]:
        own = [row for row in rows if _key(row) in known[name]]
        found = Sample.of([row.video_id for row in own], [row.weight for row in own]).value(
            share(_right(own, [known[name][_key(row)] for row in own]))
        )
        return found or 0.0, name

    best = max(known, key=worth)
    return best, known[best]


def decide(rows: Sequence[JudgedRow], name: str, scores: Scores | None, *, min_gain: float, max_loss: float) -> Verdict:
    """Return whether the network is promoted, and why.

    Args:
        rows: the clips that judge it.
        name: whom it is held against.
        scores: what that member says of clips; None: the commoner answer of the clips.
        min_gain: the lower end of its gain in accuracy must be above; -1 asks for nothing.
        max_loss: where a category's gain is below minus this, and its whole interval below 0, it is not promoted.

    """
    both = [row for row in rows if scores is None or _key(row) in scores]
    if not both:
        return Verdict(
            promoted=False, incumbent=name,
            reason=f"none of {counted(len(rows), 'judging clip')} has a score of {name}: nothing "
            "says that the network is better",
        )  # fmt: skip
    new = _right(both, [row.score for row in both])
    if scores is not None:
        old = _right(both, [scores[_key(row)] for row in both])
    else:
        old = commoner(_positive(both), np.array([row.weight for row in both]))
    found = list(_evidence(both, new, old, max_loss))
    gain = found[0].gain
    text = (
        f"gain over {name} {_shown(gain)} on {counted(gain.clips, 'clip')} of {counted(gain.videos, 'video')}, "
        f"want a lower end above {min_gain:+.3f}"
    )
    lost = [one for one in found if one.loses]
    worse = ", ".join(f"{one.category} {_shown(one.gain)}" for one in lost)
    reason = text + (f"; worse by more than {max_loss:.3f} on {worse}" if lost else "")
    control = "" if all(row.control for row in both) else "; chosen clips judge too, since there is too little control"
    return Verdict(
        promoted=(gain.low > min_gain or min_gain <= -1) and not lost,
        reason=reason + control,
        incumbent=name,
        evidence=tuple(found),
    )


def _evidence(rows: Sequence[JudgedRow], new: Bools, old: Bools, max_loss: float) -> Iterator[Evidence]:
    """Yield what was found on all clips, and then on those of each category."""
    sample = Sample.of([row.video_id for row in rows], [row.weight for row in rows])
    categories = np.array([row.category for row in rows])
    for category in (None, *sorted(set(categories.tolist()))):
        at = np.arange(len(rows)) if category is None else np.flatnonzero(categories == category)
        own = sample.part(at)
        gain = difference(share(new[at]), share(old[at]), own)
        loses = category is not None and gain.value is not None and gain.value < -max_loss and gain.high < 0
        yield Evidence(
            category=category, new=measured(share(new[at]), own), old=measured(share(old[at]), own), gain=gain,
            loses=loses,
        )  # fmt: skip


def table(verdict: Verdict) -> Iterator[str]:
    """Yield the evidence as lines of text, for people."""
    yield f"held against {verdict.incumbent}"
    heads = ("category", "clips", "videos", "network", "member", "gain")
    rows = [
        (
            (one.category or "all together") + (" (lost)" if one.loses else ""), str(one.gain.clips),
            str(one.gain.videos), _share(one.new), _share(one.old), _shown(one.gain),
        )
        for one in verdict.evidence
    ]  # fmt: skip
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    for row in (heads, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield f"{'promoted' if verdict.promoted else 'not promoted'}: {verdict.reason}"


def _key(row: JudgedRow) -> tuple[str, str]:
    return row.clip_id, row.category


def _right(rows: Sequence[JudgedRow], scores: Sequence[float]) -> Bools:
    """Return on which clips a score and the answer agree."""
    return np.asarray((np.array(scores) >= SAYS_YES) == _positive(rows))


def _positive(rows: Sequence[JudgedRow]) -> Bools:
    """Return of which clips people say that they show the action."""
    return np.array([row.label > 0 for row in rows])


def _share(found: Measured) -> str:
    return f"{found.value or 0.0:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _shown(gain: Measured) -> str:
    return f"{gain.value or 0.0:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
