"""Settings of releases."""

from dataclasses import dataclass

from slac_tasks.settings import Section, setting


@dataclass(frozen=True, kw_only=True)
class Release(Section):
    """When validated labels become a release."""

    min_new_labels: int = setting(50_000, "Validated labels that the last release does not hold.", least=0)
    wait_for_queue: bool = setting(
        False, "Wait until every collected window is mined and every clip in the queue is answered."
    )
