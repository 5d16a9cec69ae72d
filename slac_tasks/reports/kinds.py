"""What people's time gave: labels a minute by category and kind, what is certified of them, and the answers saved."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from slac_tasks.progress import counted


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The labels of one kind in one category; the columns of sql/queries/label_kinds.sql."""

    category: str | None
    """None: all categories together."""
    name: str
    kind: str
    labels: str
    """Version of the labels."""
    label_count: int
    certified: int
    threshold: float | None
    """Labels of this confidence or more are certified; None: none are."""
    bound: float | None
    """Share of wrong labels, at most; None: unknown."""
    wanted: float
    level: float
    """Chance that the certificate is right."""
    answers_needed: int | None
    """Answers more, at least, before something is certified; None: something is, or no number is enough."""
    gold_needed: int | None
    answers: int
    """People's answers in the category. All kinds rest on the same ones."""
    seconds: float
    """People's time in the category."""
    twice: int
    """Clips drawn by lot with two answers of yes or no."""
    differ: int
    """Those of them whose first two answers differ."""

    @property
    def per_minute(self) -> float | None:
        """Labels for a minute of people's time; None before any time was spent."""
        return 60 * self.label_count / self.seconds if self.seconds else None

    @property
    def certificate(self) -> str:
        """What is certified, as a sentence."""
        if self.threshold is not None and self.bound is not None:
            sure = f" of confidence {self.threshold:g} or more" if self.threshold else ""
            certified = counted(self.certified, "label")
            return f"at most {_percent(self.bound)} of {certified}{sure} wrong ({_percent(self.level, 0)})"
        found = "an unknown share" if self.bound is None else f"up to {_percent(self.bound)}"
        needed = (
            "no number of answers would be enough"
            if self.answers_needed is None
            else f"at least {counted(self.answers_needed, 'answer')} more would be needed, "
            f"{self.gold_needed:,} of them to gold"
            f"{' in sets' if self.kind == 'sets' else ''}"
        )
        return f"nothing is certified; {found} may be wrong, want {_percent(self.wanted)}; {needed}"


@dataclass(frozen=True, kw_only=True)
class Worth:
    """All kinds of labels of one category, or of all categories together."""

    kinds: Sequence[Kind]
    """At least one."""

    @property
    def answers_a_label(self) -> float | None:
        """People's answers for each label of any kind; None without labels."""
        return _share(self.kinds[0].answers, sum(kind.label_count for kind in self.kinds))

    @property
    def answers_a_certified(self) -> float | None:
        """People's answers for each label that is certified; None while nothing is."""
        return _share(self.kinds[0].answers, sum(kind.certified for kind in self.kinds))

    @property
    def answers_by_rule(self) -> float | None:
        """Answers for each label if every clip were asked by the rule of HACS: two, and a third where they differ.

        Measured on clips drawn by lot, which stand for all; None before one of them has two answers.
        """
        differ = _share(self.kinds[0].differ, self.kinds[0].twice)
        return None if differ is None else 2 + differ

    @property
    def saving(self) -> float | None:
        """Share of the rule's answers that were not asked for the certified labels; negative: more were asked.

        None while nothing is certified, or the rule's answers are unknown: labels that promise nothing save nothing.
        """
        if self.answers_a_certified is None or self.answers_by_rule is None:
            return None
        return 1 - self.answers_a_certified / self.answers_by_rule

    @property
    def effort(self) -> str:
        """The answers, as a sentence."""
        one = self.kinds[0]
        parts = [counted(one.answers, "answer")]
        if self.answers_a_label is not None:
            parts.append(f"{self.answers_a_label:.2f} a label")
        if self.answers_a_certified is not None:
            parts.append(f"{self.answers_a_certified:.2f} a certified label")
        if self.answers_by_rule is not None:
            differ = f"the first two differ on {one.differ:,} of {counted(one.twice, 'clip')} drawn by lot"
            parts.append(f"by the rule of HACS {self.answers_by_rule:.2f} a label ({differ})")
        if self.saving is None:
            parts.append("no saving is measured yet")
        elif self.saving >= 0:
            parts.append(f"{_percent(self.saving, 0)} of the rule's answers are saved")
        else:
            parts.append(f"{_percent(-self.saving, 0)} more answers than by the rule")
        return "; ".join(parts)

    def lines(self) -> Iterator[str]:
        """Yield what a terminal shows: labels a minute, each certificate, the answers."""
        for kind in self.kinds:
            pace = "" if kind.per_minute is None else f", {kind.per_minute:.1f} a minute"
            yield f"{kind.kind}: {counted(kind.label_count, 'label')}{pace}; {kind.certificate}"
        yield self.effort


def worths(kinds: Sequence[Kind]) -> list[Worth]:
    """Return the kinds by category, in the order given."""
    return [Worth(kinds=tuple(some)) for _, some in groupby(kinds, key=lambda kind: kind.category)]


def _percent(share: float, places: int = 1) -> str:
    return f"{share:.{places}%}".replace("%", " %")


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
