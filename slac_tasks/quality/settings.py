"""Settings of the gate and of the certificate."""

from collections.abc import Iterator
from dataclasses import dataclass

from slac_tasks.settings import Section, setting


@dataclass(frozen=True, kw_only=True)
class Quality(Section):
    """What the gate demands of a category's labels, and what is promised of those that are released (ours)."""

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
    max_error: float = setting(
        0.05,
        "Share of the released labels that may be wrong, what people get wrong included; what is certified holds it.",
        above=0,
        most=0.5,
    )
    promise: str = setting(
        "category",
        "What `max_error` is promised of: the labels of each `category`, or those of `all` categories together, of "
        "which a single one may then be worse. Each kind of labels holds it by itself.",
        choices=("category", "all"),
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
