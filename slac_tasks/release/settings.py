"""Settings of releases."""

from collections.abc import Iterator
from dataclasses import dataclass

from slac_tasks.settings import Section, setting


@dataclass(frozen=True, kw_only=True)
class Release(Section):
    """When validated labels become a release."""

    min_new_labels: int = setting(50_000, "Validated labels that the last release does not hold.", least=0)
    due_share: float = setting(
        0.1,
        "Share of `min_new_labels` that is enough for a release where the last one is older than `max_age_days`, or "
        "scores have drifted by more than `max_drift`. 1: nothing but new labels counts.",
        least=0,
        most=1,
    )
    max_age_days: float = setting(90.0, "Days after which a release is old.", least=0.001)
    max_drift: float = setting(
        0.25,
        "How far the scores of the newest window may lie from those of the window before, under the same weights: the "
        "population stability index that `inspect` measures at least, the median over categories and members.",
        least=0.001,
    )
    kinds: tuple[str, ...] = setting(
        ("people",),
        "Kinds of labels that are released: `people`; and `carried`, `model` and `imported`, as far as they are "
        "certified to hold `quality.max_error`.",
    )
    wait_for_queue: bool = setting(
        False,
        "Wait until every collected window is mined and every clip in the queue is answered; the label of a clip that "
        "is asked again stands meanwhile.",
    )

    def conflicts(self) -> Iterator[str]:
        """Every kind is one that there is, and people's labels are among them."""
        if not {"people"} <= set(self.kinds) <= {"people", "carried", "model", "imported"}:
            yield self.refusal("kinds", "people, and carried, model and imported or none of them")
