"""The model card of a network (Mitchell et al. 2019): how it is loaded, what taught it, and what it is worth.

`pretrain` writes it beside the weights; `evaluate` adds the figures.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks import __version__
from slac_tasks.model import Split
from slac_tasks.progress import counted
from slac_tasks.release.markdown import cell, table, template
from slac_tasks.release.tallies import UNKNOWN
from slac_tasks.reports.html import TEMPLATES
from slac_tasks.storage.datasets.releasing import EvaluationRow, ModelRow, ReleaseVersionRow

CARD = "MODEL_CARD.md"
"""Its name beside the page of the evaluation."""
COLUMNS = ("video_id", "split", "category", "label", "licence")
"""Columns of a release that are counted."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a network is, and what it is given."""

    torchvision: str
    """Name of torchvision's network that loads the weights; empty: there is none."""
    line: str
    """What happens to a clip before the network, in a line."""
    shape: tuple[int, ...]
    """(channels, frames, height, width)."""
    plan: str
    """How it was trained, in a line."""
    is_attentive: bool = False
    """A network of transformers is in it, frozen, under a pool and a head of ours."""


@dataclass(frozen=True, kw_only=True)
class Taught:
    """What of a release a network learned from."""

    signs: Counter[tuple[str, int]]
    """Labels by (category, sign)."""
    labels: Counter[str]
    """Labels by licence."""
    videos: Counter[str]
    """Videos by licence."""


def taught(tables: Iterable[pa.Table], withdrawn: Collection[str] = ()) -> Taught:
    """Count the training split of a release, without the videos that were withdrawn.

    Args:
        tables: its rows, with `COLUMNS`.
        withdrawn: ids of these videos.

    """
    found = Taught(signs=Counter(), labels=Counter(), videos=Counter())
    pairs: set[tuple[str, str]] = set()
    gone = pa.array(sorted(withdrawn), pa.string())
    for rows in tables:
        own = rows.filter(pc.equal(rows["split"], Split.TRAINING.value))
        own = own.filter(pc.invert(pc.is_in(own["video_id"], gone)))
        grouped = own.group_by(list(COLUMNS), use_threads=False).aggregate([([], "count_all")])
        for row in grouped.to_pylist():
            licence = row["licence"] or UNKNOWN
            found.signs[row["category"], row["label"]] += row["count_all"]
            found.labels[licence] += row["count_all"]
            pairs.add((row["video_id"], licence))
    found.videos.update(licence for _, licence in pairs)
    return found


def card(model: ModelRow, release: str, version: ReleaseVersionRow, known: Taught, seen: Seen) -> str:
    """Return the card of a network that nobody has evaluated yet."""
    return template(TEMPLATES, "model_card.md").render(
        model=model, release=release, version=version, seen=seen, code=__version__,
        counted=counted,
        licences=table(
            ("licence", "videos", "labels"),
            ((name, count, known.labels[name]) for name, count in sorted(known.videos.items(), key=_commonest)),
        ),
        unlicensed=known.videos[UNKNOWN],
        categories=table(
            ("output", "category", "yes", "no"),
            ((at, one, known.signs[one, 1], known.signs[one, -1]) for at, one in enumerate(model.categories)),
        ),
    )  # fmt: skip


def _commonest(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


_FIGURES = "## Figures\n"


def with_figures(text: str, rows: Sequence[EvaluationRow]) -> str:
    """Return a card with what an evaluation found, instead of what it said of that before."""
    shown = [row for row in rows if row.category is None]
    heads = ("measure", "of", "labels a class", "value", "95 % interval", "clips", "videos")
    found = table(heads, map(_figure, sorted(shown, key=lambda row: (row.measure, row.labels or 0, row.subject))))
    budgets = "\n".join(f"- {cell(budget)}" for budget in sorted({row.budget for row in shown}))
    before = text.partition(_FIGURES)[0]
    why = "Intervals resample videos, since the clips of one video resemble each other."
    return f"{before}{_FIGURES}\n{why}\n\n{found}\n\n{budgets}\n"


def _figure(row: EvaluationRow) -> tuple[object, ...]:
    unknown = "-"
    return (
        row.measure.replace("_", " "), row.subject, row.labels or unknown, f"{row.value:.3f}",
        f"{row.low:.3f} to {row.high:.3f}", unknown if row.clips is None else row.clips,
        unknown if row.videos is None else row.videos,
    )  # fmt: skip
