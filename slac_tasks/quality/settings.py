"""Settings of the gate, of the certificate and of the expectations of hand-overs."""

from collections.abc import Iterator
from dataclasses import dataclass

from slac_tasks.settings import Section, setting

_MOST_FLOOR = 0.999
"""No number of answers shows that every label is right."""


@dataclass(frozen=True, kw_only=True)
class Quality(Section):
    """What the gate demands of a category's labels, and what is promised of those that are released (ours)."""

    min_labels: int = setting(10, "Fewer settled labels are too few to judge.", least=1)
    min_agreement: float = setting(
        0.75, "Share of a category's clips with two planned answers on which these agree.", least=0, most=1
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
    min_precision: float = setting(
        0.55,
        "Share of a category's labels that is right, at least; the lower end of its 95 % interval must reach it. One "
        "default round of 45 minutes can show as much; raise it as answers come in. 0: nothing is demanded.",
        least=0,
        most=_MOST_FLOOR,
    )
    floors: tuple[str, ...] = setting((), "Such shares of single categories instead, such as `judo: 0.9`.")
    max_error: float = setting(
        0.05,
        "Share of the released labels that may be wrong, what people get wrong included; what is certified holds it.",
        least=0.000_001,
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
        least=0.001,
        most=31_536_000,
    )

    @property
    def with_floor(self) -> frozenset[str]:
        """The categories that have a floor of their own."""
        return frozenset(category for category, _ in map(_floor, self.floors))

    def floor(self, category: str) -> float:
        """Return which share of a category's labels must be right."""
        return dict(map(_floor, self.floors)).get(category, self.min_precision)

    def conflicts(self) -> Iterator[str]:
        """Some share of positives passes, and floors are shares."""
        try:
            found = [category for category, _ in map(_floor, self.floors)]
        except ValueError:
            yield self.refusal("floors", "texts `<category>: <share>` with a share of 0 to 0.999")
        else:
            if len(set(found)) < len(found):
                yield self.refusal("floors", "one share for each category")
        if self.max_positive_share < self.min_positive_share:
            yield self.refusal("max_positive_share", f"min_positive_share ({self.min_positive_share}) or more")


def _floor(text: str) -> tuple[str, float]:
    """Return (category, share) of a text such as `judo: 0.9`; raises ValueError where it is none."""
    category, _, share = text.partition(":")
    if not category.strip() or not 0 <= float(share) <= _MOST_FLOOR:
        raise ValueError(text)
    return category.strip(), float(share)


@dataclass(frozen=True, kw_only=True)
class Expectations(Section):
    """What is expected of every hand-over beyond its contract; a value outside is a warning (ours)."""

    min_gold_accuracy: float = setting(
        0.8, "Share of the answers to gold that are right, of one person or one category.", least=0, most=1
    )
    min_agreement: float = setting(
        0.6, "Share of a category's clips with two planned answers on which these agree.", least=0, most=1
    )
    hurried_sec: float = setting(0.4, "An answer that comes sooner than this was hardly thought about.", least=0.001)
    max_hurried: float = setting(0.2, "Share of one person's answers that are so soon.", least=0, most=1)
    max_same_answer: float = setting(0.97, "Share of one person's answers that are the same one.", least=0, most=1)
    max_undecided: float = setting(0.4, "Share of a category's answers that are unsure or broken.", least=0, most=1)
    min_positive: float = setting(
        0.02, "Share of positives among the labels of one category or strategy.", least=0, most=1
    )
    max_positive: float = setting(0.98, "The same, at most.", least=0, most=1)
    max_unsettled: float = setting(0.4, "Share of a category's finished clips without a label.", least=0, most=1)
    max_against_counts: float = setting(
        0.1, "Share of a category's labels on the side with fewer answers, where a model decides.", least=0, most=1
    )
    min_balance: float = setting(
        0.2, "Effective number of categories (exponential of the entropy), as a share of their number.", least=0, most=1
    )
    max_drift: float = setting(
        0.25, "Population stability index against the last release or window; from 0.25 on it is a shift.", least=0.001
    )
    max_flipped: float = setting(
        0.1, "Share of a category's released labels that now have the other sign.", least=0, most=1
    )
    max_age_days: float = setting(45.0, "Older rows are stale.", least=0.001)
    min_decoded: float = setting(0.9, "Share of the items that could be decoded.", least=0, most=1)
    min_with_clips: float = setting(0.1, "Share of a window's videos that gave clips.", least=0, most=1)
    min_licensed: float = setting(0.1, "Share of the candidates whose source names a licence.", least=0, most=1)
    max_repeated_titles: float = setting(
        0.5, "Share of the candidates whose title another one of the window has too.", least=0, most=1
    )
    min_fingerprinted: float = setting(0.5, "Share of the fetched media with a fingerprint.", least=0, most=1)
    min_training: float = setting(0.3, "Share of a window's videos that are for training.", least=0, most=1)
    max_same_in_video: float = setting(
        0.5, "Share of the videos whose clips all have one score of a member.", least=0, most=1
    )
    min_random: float = setting(0.03, "Share of a round that is drawn by lot.", least=0, most=1)
    min_spread: float = setting(
        0.0005,
        "Standard deviation of the scores of one member in one window. One that learned next to nothing has .003.",
        least=0,
    )
    max_saturated: float = setting(0.9, "Share of the scores within a thousandth of 0 or 1.", least=0, most=1)
    min_dimensions: float = setting(
        2.0, "Effective number of dimensions of the features (participation ratio).", least=1
    )

    def conflicts(self) -> Iterator[str]:
        """Some share of positives passes."""
        if self.max_positive < self.min_positive:
            yield self.refusal("max_positive", f"min_positive ({self.min_positive}) or more")
