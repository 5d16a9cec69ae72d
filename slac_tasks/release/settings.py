"""Settings of releases."""

from collections.abc import Iterator
from dataclasses import dataclass

from slac_tasks.settings import Section, setting


@dataclass(frozen=True, kw_only=True)
class Release(Section):
    """When validated labels become a release."""

    min_new_labels: int = setting(50_000, "Validated labels that the last release does not hold.", least=0)
    kinds: tuple[str, ...] = setting(
        ("people",),
        "Kinds of labels that are released: `people`; and `carried`, `model` and `imported`, as far as they are "
        "certified to hold `quality.max_error`.",
    )
    wait_for_queue: bool = setting(
        False, "Wait until every collected window is mined and every clip in the queue is answered."
    )

    def conflicts(self) -> Iterator[str]:
        """Every kind is one that there is, and people's labels are among them."""
        if not {"people"} <= set(self.kinds) <= {"people", "carried", "model", "imported"}:
            yield self.refusal("kinds", "people, and carried, model and imported or none of them")
