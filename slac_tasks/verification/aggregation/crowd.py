"""What a model has learnt of everybody who answers: enough to decide one clip without the votes on all others.

A model of people (`dawid_skene`, `with_committee`) learns from all votes. What it learnt is fixed until it learns
again; clips that get votes in between are decided under it. It is a small table: the dataset `crowd`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit

from slac_tasks.storage.datasets.labelling import CrowdRow
from slac_tasks.verification.aggregation.stopping import Asking, decide
from slac_tasks.verification.ballots import NO, YES, Ballots, Decisions, Floats, Ints

_NAMES = {YES: "yes", NO: "no"}


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What the committee says of each of some ballots' clips."""

    value: Floats
    """The panel's joint score, NaN where there is none, shape (clips,)."""
    panel: Ints
    """Index in `panels` of the panel that gave it; means nothing where there is no score, shape (clips,)."""
    panels: tuple[str, ...]

    @classmethod
    def joined(cls, parts: Sequence["Scores"]) -> "Scores":
        """Return the scores of the clips of several ballots, one after the other."""
        names = tuple(sorted({name for part in parts for name in part.panels}))
        codes = [np.array([names.index(name) for name in part.panels] or [0])[part.panel] for part in parts]
        return cls(
            value=np.concatenate([part.value for part in parts]), panel=np.concatenate(codes), panels=names
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A panel as a voter: its answer is the bin into which its score falls."""

    edges: Floats
    """Scores that part the bins, ascending, shape (bins - 1,)."""
    rates: Floats
    """Probability of each bin given (no action, action), shape (bins, 2)."""


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """What is known of those who answer. Whoever is not in it answers as the average person does."""

    people: Mapping[str, Floats]
    """Each person's rates: probability of (yes, no) given (no action, action), shape (2, 2)."""
    average: Floats
    """The rates of all people together, shape (2, 2)."""
    prior: Mapping[str, float]
    """Share of positives in each category."""
    share: float
    """Share of positives in all categories together: the prior of a category that is not in `prior`."""
    panels: Mapping[str, Panel] = field(default_factory=dict)
    """A panel that is not in it says nothing."""

    def posterior(self, ballots: Ballots, scores: Scores | None = None) -> Floats:
        """Return the probability that each clip contains the action, shape (clips,)."""
        rates = np.array([self.people.get(name, self.average) for name in ballots.people]).reshape(-1, 2, 2)
        weight = np.log(rates[:, :, 1]) - np.log(rates[:, :, 0])
        plain = ballots.answer <= NO
        said = weight[ballots.person[plain], ballots.answer[plain]]
        evidence = np.asarray(np.bincount(ballots.clip[plain], weights=said, minlength=ballots.clips), dtype=np.float64)
        if scores is not None:
            evidence += self._of_panels(scores)
        prior = np.array([self.prior.get(name, self.share) for name in ballots.categories])
        return np.asarray(expit((np.log(prior) - np.log1p(-prior))[ballots.category] + evidence))

    def _of_panels(self, scores: Scores) -> Floats:
        """Return what the panels add to each clip's log-odds, shape (clips,)."""
        found: Floats = np.zeros(len(scores.value))
        for index, name in enumerate(scores.panels):
            if (panel := self.panels.get(name)) is not None:
                rows = np.flatnonzero((scores.panel == index) & ~np.isnan(scores.value))
                rates = panel.rates[np.searchsorted(panel.edges, scores.value[rows], side="right")]
                found[rows] = np.log(rates[:, 1]) - np.log(rates[:, 0])
        return found

    def decide(self, ballots: Ballots, asking: Asking, method: str, scores: Scores | None = None) -> Decisions:
        """Return the decisions on clips under what is known of those who answer."""
        average = (float(self.average[YES, 1]), float(self.average[NO, 0]))
        return decide(ballots, self.posterior(ballots, scores), average, asking, method)

    def rows(self) -> list[CrowdRow]:
        """Return it as rows of the dataset `crowd`."""
        found = [CrowdRow(kind="all", positive=self.share)]
        found += [CrowdRow(kind="category", name=name, positive=prior) for name, prior in self.prior.items()]
        for kind, name, rates in [
            ("average", None, self.average),
            *(("person", name, rates) for name, rates in self.people.items()),
        ]:
            found += [
                CrowdRow(kind=kind, name=name, answer=answer, negative=rates[code, 0], positive=rates[code, 1])
                for code, answer in _NAMES.items()
            ]
        for name, panel in self.panels.items():
            edges = [None, *panel.edges.tolist()]
            found += [
                CrowdRow(kind="panel", name=name, bin=number, edge=edge, negative=rates[0], positive=rates[1])
                for number, (edge, rates) in enumerate(zip(edges, panel.rates.tolist(), strict=True))
            ]
        return found

    @classmethod
    def of(cls, rows: Iterable[CrowdRow]) -> "Crowd":
        """Return what `rows` wrote."""
        rates: dict[tuple[str, str | None], dict[int, tuple[float, float]]] = {}
        edges: dict[str | None, dict[int, float]] = {}
        prior: dict[str, float] = {}
        share = 0.5
        codes = {answer: code for code, answer in _NAMES.items()}
        for row in rows:
            if row.kind == "all":
                share = row.positive
            elif row.kind == "category":
                prior[str(row.name)] = row.positive
            else:
                place = row.bin if row.answer is None else codes[row.answer]
                assert place is not None
                assert row.negative is not None
                rates.setdefault((row.kind, row.name), {})[place] = (row.negative, row.positive)
                if row.edge is not None:
                    edges.setdefault(row.name, {})[place] = row.edge
        tables = {key: np.array([found[place] for place in sorted(found)]) for key, found in rates.items()}
        return cls(
            people={str(name): table for (kind, name), table in tables.items() if kind == "person"},
            average=tables["average", None],
            prior=prior,
            share=share,
            panels={
                str(name): Panel(edges=np.array([edge for _, edge in sorted(edges.get(name, {}).items())]), rates=table)
                for (kind, name), table in tables.items()
                if kind == "panel"
            },
        )
