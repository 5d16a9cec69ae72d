"""The funnel: what became of everything that was found. Each number is defined once, for terminal and page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the metrics are made from; the columns of sql/queries/funnel.sql."""

    categories: int
    found: int
    kept: int
    clips: int
    scored: int
    asked: int
    answered: int
    finished: int
    votes: int
    seconds: float
    """People's time, in seconds."""
    judged: int
    """Categories that the gate accepted or refused."""
    accepted: int
    """Of these, accepted, or approved by a person."""
    released: int
    releases: int

    @property
    def answer_sec(self) -> float | None:
        """Seconds of an answer; None before the first."""
        return self.seconds / self.votes if self.votes else None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number of the funnel."""

    name: str
    meaning: str
    value: Callable[[Facts], int]
    whole: Callable[[Facts], int] | None = None
    """What the number is a part of; None: it stands for itself."""


METRICS: Sequence[Metric] = (
    Metric(name="categories", meaning="registered", value=lambda facts: facts.categories),
    Metric(name="found", meaning="videos that the sources offered", value=lambda facts: facts.found),
    Metric(name="kept", meaning="videos admitted", value=lambda facts: facts.kept, whole=lambda facts: facts.found),
    Metric(name="clips", meaning="candidate clips of 2 seconds", value=lambda facts: facts.clips),
    Metric(
        name="scored", meaning="clips with a score of every member", value=lambda facts: facts.scored,
        whole=lambda facts: facts.clips,
    ),
    Metric(name="asked", meaning="clips sent to people", value=lambda facts: facts.asked),
    Metric(
        name="answered", meaning="clips with an answer", value=lambda facts: facts.answered,
        whole=lambda facts: facts.asked,
    ),
    Metric(
        name="finished", meaning="clips that want no more answers", value=lambda facts: facts.finished,
        whole=lambda facts: facts.asked,
    ),
    Metric(
        name="accepted", meaning="categories accepted or approved", value=lambda facts: facts.accepted,
        whole=lambda facts: facts.judged,
    ),
    Metric(name="released", meaning="labels in the newest release", value=lambda facts: facts.released),
)  # fmt: skip
"""Every number of the funnel, from the top down. To add one: its entry here, and its column in Facts and funnel.sql."""


def text(facts: Facts, details: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the funnel as lines of text.

    Args:
        facts: the numbers.
        details: lines that stand below a metric, by its name.

    """
    lines = []
    for metric in METRICS:
        lines.append(f"{metric.name:<12} {metric.value(facts):>9,}  {metric.meaning}")
        lines += [f"  {line}" for line in details.get(metric.name, ())]
    return lines


def rows(facts: Facts, details: Mapping[str, Sequence[str]]) -> list[dict[str, object]]:
    """Return the funnel as one row for each number; see `text`."""
    return [
        {
            "name": metric.name, "value": metric.value(facts), "whole": metric.whole(facts) if metric.whole else None,
            "meaning": metric.meaning, "details": list(details.get(metric.name, ())),
        }
        for metric in METRICS
    ]  # fmt: skip
