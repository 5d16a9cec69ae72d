"""Settings of the gate."""

from collections.abc import Iterator
from dataclasses import dataclass

from slac_tasks.settings import Section, setting


@dataclass(frozen=True, kw_only=True)
class Quality(Section):
    """What the gate demands of a category's labels (ours)."""

    min_labels: int = setting(10, "Fewer settled labels are too few to judge.", least=1)
    min_agreement: float = setting(
        0.75, "Share of a category's clips on which the first two answers agree.", least=0, most=1
    )
    min_positive_share: float = setting(
        0.05, "A category with fewer positives is probably not what was retrieved.", least=0, most=1
    )
    max_positive_share: float = setting(
        0.98, "A category with hardly a negative was probably not looked at.", least=0, most=1
    )
    max_unsettled_share: float = setting(
        0.3, "Share of a category's finished clips on which people could not agree.", least=0, most=1
    )
    approve_timeout_sec: float = setting(
        86_400.0,
        "A question about a refused category that nobody answers in this time is closed without a decision; the next "
        "run of `check_labels` asks again.",
        above=0,
        most=31_536_000,
    )

    def conflicts(self) -> Iterator[str]:
        """Some share of positives passes."""
        if self.max_positive_share < self.min_positive_share:
            yield self.refusal("max_positive_share", f"min_positive_share ({self.min_positive_share}) or more")
