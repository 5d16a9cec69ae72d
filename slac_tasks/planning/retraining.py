"""Whether it is time for a release and a network trained on it, and why: a function of what is known on a day."""

from dataclasses import dataclass

from slac_tasks.progress import counted
from slac_tasks.release.settings import Release


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known when it is decided."""

    new_labels: int
    """Labels that may be released and that the last release does not hold, as they are."""
    age_days: float | None
    """Since the last release; None: there is none."""
    drift: float | None
    """Of the newest scores at least, as a population stability index; None: not measured."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was decided on a day."""

    retrain: bool
    reason: str
    evidence: Evidence | None = None
    """None: something else decided."""
    release: str | None = None
    """The release that is to be made or finished."""


def decide(known: Evidence, knobs: Release, *, at_once: bool = False) -> Decision:
    """Return whether to retrain.

    Enough new labels suffice. A share of them, `release.due_share`, suffices where the last release is old or scores
    have drifted, and any where a person asks for a release at once. Without a new label nothing is learned, so then
    never.
    """
    enough = max(1, knobs.min_new_labels)
    due = max(1, round(enough * knobs.due_share))
    labels = counted(known.new_labels, "new label")
    if at_once:
        reason = f"{labels}, and a person asks for a release at once"
        return Decision(retrain=known.new_labels > 0, reason=reason, evidence=known)
    if known.new_labels >= enough:
        return Decision(retrain=True, reason=f"{labels}, {enough:,} are enough", evidence=known)
    causes = _causes(known, knobs)
    if causes and known.new_labels >= due:
        reason = f"{' and '.join(causes)}; then {due:,} new labels are enough, and there are {known.new_labels:,}"
        return Decision(retrain=True, reason=reason, evidence=known)
    if causes:
        reason = f"{labels}, want {due:,} although {' and '.join(causes)}"
        return Decision(retrain=False, reason=reason, evidence=known)
    age = "no release yet" if known.age_days is None else f"the last release is {known.age_days:.0f} days old"
    unknown = "the drift of scores is not known"
    drift = unknown if known.drift is None else f"scores drifted by {known.drift:.2f} at least"
    reason = f"{labels}, want {enough:,}; {age} and {drift}, neither is a cause"
    return Decision(retrain=False, reason=reason, evidence=known)


def _causes(known: Evidence, knobs: Release) -> list[str]:
    found = []
    if known.age_days is not None and known.age_days > knobs.max_age_days:
        found.append(f"the last release is {known.age_days:.0f} days old, more than {knobs.max_age_days:g}")
    if known.drift is not None and known.drift > knobs.max_drift:
        found.append(f"scores drifted by {known.drift:.2f} at least, more than {knobs.max_drift:g}")
    return found
