"""What is counted of a release for its data sheet, in one pass over its rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.intervals import wilson, worth
from slac_tasks.release.content import by_category
from slac_tasks.storage.datasets import AGREEMENT, CARRIED, CORRECTIONS
from slac_tasks.storage.datasets.labelling import AgreementRow, CorrectionRow
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.versions import label_tables, labels_of

UNKNOWN = "not known"
_LABELS = ["category", "split", "label", "strategy", "kind", "licence", "benchmark"]
_VIDEOS = ["video_id", "split", "licence"]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How often the first two people who answered a clip said the same."""

    category: str
    agree: int
    clips: int
    size: float
    """As how many independent clips they count: those of one video resemble each other."""

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the share."""
        return wilson(self.agree, self.clips, size=self.size)


@dataclass(frozen=True, kw_only=True)
class Tallies:
    """Counts of a release."""

    labels: pa.Table
    """Columns `_LABELS`, count, certified, and bound (the largest, null where nothing is certified)."""
    videos: pa.Table
    """Each video and licence once: columns `_VIDEOS`."""
    agreement: Sequence[Agreement]
    """By category, in order."""
    alphas: Mapping[str, AgreementRow]
    """How far people agree beyond chance, by category; none where the labels were judged before that was counted."""
    corrections: Sequence[CorrectionRow] = ()
    """How far the imported labels were checked, by category; none where the release holds people's labels alone."""

    def by(self, *names: str) -> dict[tuple[str, ...], int]:
        """Return the number of labels for each value of these columns; null counts as "not known"."""
        return _counts(self.labels, names, "count")

    def videos_by(self, name: str) -> dict[str, int]:
        """Return the number of videos for each value of a column."""
        distinct = self.videos.group_by(["video_id", name], use_threads=False).aggregate([])
        found = distinct.append_column("count", pa.repeat(1, distinct.num_rows))
        return {key: count for (key,), count in _counts(found, (name,), "count").items()}

    def certified(self, kind: str) -> tuple[int, float | None]:
        """Return (certified labels of a kind, the largest share of wrong ones that was promised)."""
        own = self.labels.filter(pc.equal(self.labels["kind"], kind))
        return pc.sum(own["certified"]).as_py() or 0, pc.max(own["bound"]).as_py()


def _counts(table: pa.Table, names: Sequence[str], count: str) -> dict[tuple[str, ...], int]:
    grouped = table.group_by(list(names), use_threads=False).aggregate([(count, "sum")])
    found = {
        tuple(UNKNOWN if row[name] is None else str(row[name]) for name in names): row[f"{count}_sum"]
        for row in grouped.to_pylist()
    }
    return dict(sorted(found.items()))


def tallies(datasets: Datasets, rows: Manifest) -> Tallies:
    """Count a release, category by category.

    Args:
        datasets: where it is.
        rows: manifest of its rows.

    """
    labels, videos = [], []
    for _, table in by_category(datasets, rows, [*_LABELS, "video_id", "start_sec", "certificate"]):
        grouped = table.group_by(_LABELS, use_threads=False).aggregate(
            [([], "count_all"), ("certificate", "count"), ("certificate", "max")]
        )
        names = {"count_all": "count", "certificate_count": "certified", "certificate_max": "bound"}
        labels.append(grouped.rename_columns([names.get(name, name) for name in grouped.column_names]))
        videos.append(table.group_by(_VIDEOS, use_threads=False).aggregate([]))
    counted = pa.concat_tables(labels)
    categories = set(counted["category"].to_pylist())
    return Tallies(
        labels=counted, videos=pa.concat_tables(videos), agreement=tuple(_agreement(datasets, rows, categories)),
        alphas={row.category: row for row in _alphas(datasets, rows)},
        corrections=tuple(_corrections(datasets, rows, categories)),
    )  # fmt: skip


def _corrections(datasets: Datasets, rows: Manifest, categories: set[str]) -> Iterator[CorrectionRow]:
    """Yield what became of the imported labels of these categories, at the version that was certified last."""
    for keys in (found for address in sorted(rows.made_from) if (found := CARRIED.keys_at(address))):
        manifest = datasets.manifest(CORRECTIONS, **keys)
        if manifest is not None:
            yield from (row for row in datasets.rows_of(CORRECTIONS, manifest) if row.category in categories)


def _alphas(datasets: Datasets, rows: Manifest) -> Iterator[AgreementRow]:
    """Yield how far people agree on each category, as the report on the same labels says it."""
    manifest = datasets.manifest(AGREEMENT, labels=labels_of(rows))
    if manifest is not None:
        yield from datasets.rows_of(AGREEMENT, manifest)


def _agreement(datasets: Datasets, rows: Manifest, categories: set[str]) -> Iterator[Agreement]:
    """Yield how often people agreed on all clips of these categories that two of them answered, released or not."""
    parts = []
    for table in label_tables(datasets, labels_of(rows), ["category", "video_id", "first_two_agree"]):
        grouped = table.filter(table["first_two_agree"].is_valid()).group_by(["category", "video_id"])
        counts = grouped.aggregate([("first_two_agree", "count"), ("first_two_agree", "sum")])
        parts.append(counts.to_pandas())
    found = pd.concat(parts).groupby(["category", "video_id"]).sum() if parts else pd.DataFrame()
    for category, own in found.groupby("category"):
        if category in categories:
            agree, clips = (own[f"first_two_agree_{what}"].astype(int).tolist() for what in ("sum", "count"))
            yield Agreement(category=str(category), agree=sum(agree), clips=sum(clips), size=worth(agree, clips))
