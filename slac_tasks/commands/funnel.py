"""Print what became of everything that was found: the funnel from retrieved videos to a pretrained model."""

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from slac_tasks import config
from slac_tasks.reports.hardness import pools, unlearned
from slac_tasks.storage.datasets import (
    CANDIDATES,
    CLIPS,
    EVALUATIONS,
    FETCHED,
    HARD_CLIPS,
    QUALITY,
    RELEASES,
    SCORES,
    VIDEOS,
    VOTES,
)
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification import versions
from slac_tasks.world.measure import TRIMMING_SEC, accuracy_of_labels, committee_error, error_by_agreement, saving
from slac_tasks.world.truth import FILE, Truth, read_truth

SHOWN = 8
"""Categories that the gate held back and that the funnel names."""


_OF_LABELS = ["clip_id", "video_id", "start_sec", "end_sec", "category", "strategy", "status", "label"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none: the store is SLAC_STORE."""


def main(arguments: argparse.Namespace) -> None:
    """Print the funnel."""
    settings = config.load()
    for line in lines(Datasets(open_store(settings.store_url)), settings):
        print(line)


def lines(datasets: Datasets, settings: config.Config) -> Iterator[str]:
    """Yield the funnel, a line at a time."""
    yield from _collected(datasets)
    yield from _verified(datasets, settings)
    yield from _learned(datasets)


def rows(datasets: Datasets, dataset: Dataset[Any]) -> int:
    """Return how many rows all current partitions of a dataset hold."""
    return sum(datasets.need(dataset, **keys).rows for keys in datasets.partitions(dataset))


def drops(datasets: Datasets, dataset: Dataset[Any]) -> Counter[str]:
    """Return how many items were dropped on the way to a dataset, by reason."""
    found: Counter[str] = Counter()
    for keys in datasets.partitions(dataset):
        found.update(datasets.need(dataset, **keys).dropped)
    return found


def table(datasets: Datasets, dataset: Dataset[Any]) -> pd.DataFrame:
    """Return all rows of all current partitions, with the partition's keys as columns."""
    frames = []
    for keys in datasets.partitions(dataset):
        frame = datasets.read(dataset, **keys).to_pandas()
        frames.append(frame.assign(**{key: value for key, value in keys.items() if key not in frame}))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=dataset.schema.names)


def newest_labels(datasets: Datasets) -> pd.DataFrame:
    """Return the newest version of the labels."""
    version = versions.newest_labels(datasets)
    if version is None:
        return pd.DataFrame(columns=_OF_LABELS)
    frame: pd.DataFrame = versions.read_labels(datasets, version, _OF_LABELS).to_pandas()
    return frame


def _line(name: str, count: int, more: str = "") -> str:
    return f"{name:<12} {count:>9,}  {more}".rstrip()


def _collected(datasets: Datasets) -> Iterator[str]:
    yield _line("found", rows(datasets, CANDIDATES), "videos that the sources offered")
    dropped = drops(datasets, FETCHED) + drops(datasets, VIDEOS)
    yield _line("kept", rows(datasets, VIDEOS), "videos admitted")
    for reason, count in dropped.most_common():
        yield _line("  dropped", count, reason)
    yield _line("clips", rows(datasets, CLIPS), "candidate clips of 2 seconds")
    scored = {(keys["category"], keys["window"]): datasets.need(SCORES, **keys).rows
              for keys in datasets.partitions(SCORES)}  # fmt: skip
    yield _line("scored", sum(scored.values()), f"clips scored; {rows(datasets, SCORES):,} scores by all members")
    hard = table(datasets, HARD_CLIPS)
    yield _line("hard", len(hard), "clips sent to people")
    for strategy, count in hard["strategy"].value_counts().items():
        yield _line("  by", int(count), str(strategy))


def _verified(datasets: Datasets, settings: config.Config) -> Iterator[str]:
    labels = newest_labels(datasets)
    settled = labels[labels["status"] == "settled"]
    yield _line("verified", len(settled), f"clips with a settled label; {len(labels) - len(settled):,} without")
    for strategy, group in settled.groupby("strategy"):
        yield f"  positive share of {strategy}: {(group['label'] == 1).mean():.3f} of {len(group):,}"
    yield from _judged(datasets)
    votes = table(datasets, VOTES)
    if settled.empty:
        return
    seconds = float(votes["seconds"].sum()) / len(settled)
    yield f"  human time: {seconds:.2f} s per label, {len(votes):,} votes of {votes['annotator'].nunique()} people"
    yield f"  saving against trimming by hand ({TRIMMING_SEC:.0f} s per clip): {saving(seconds):.1%} (modelled)"
    folder = next((Path(s).parent for s in settings.collect.sources if (Path(s).parent / FILE).is_file()), None)
    if folder is not None:
        yield from _against_truth(datasets, settled, read_truth(folder))


def _judged(datasets: Datasets) -> Iterator[str]:
    """Say what the gate thought of the newest labels that it judged, and why it held back what it held back."""
    judged = versions.newest(datasets, QUALITY)
    if judged is None:
        return
    found = datasets.read(QUALITY, labels=judged).to_pandas()
    counts = found["verdict"].value_counts()
    yield "  gate: " + ", ".join(f"{count} categories {verdict}" for verdict, count in counts.items())
    held = found[found["verdict"] != "accepted"].sort_values(["verdict", "category"], ascending=[False, True])
    for row in held.head(SHOWN).to_dict("records"):
        yield f"    {row['category']} is {row['verdict']}: {'; '.join(row['reasons'])}"
    if len(held) > SHOWN:
        yield f"    and {len(held) - SHOWN} more: `slac show quality`"


def _against_truth(datasets: Datasets, settled: pd.DataFrame, truth: Truth) -> Iterator[str]:
    """Only the synthetic world knows the truth."""
    named = table(datasets, VIDEOS)[["video_id", "category", "source_id"]]
    accuracy = accuracy_of_labels(settled.merge(named, on=["video_id", "category"]), truth)
    yield f"  accuracy of the labels against the world's truth: {accuracy:.3f}"
    hard = unlearned(datasets, table(datasets, HARD_CLIPS)).merge(named, on=["video_id", "category"])
    yield f"  on {len(hard):,} clips of videos that the committee did not learn from, its majority is wrong on"
    for strategy, share in committee_error(hard, truth).items():
        yield f"    {share:.3f} of {sum(hard['strategy'] == strategy):,} {strategy} clips"
    pool = unlearned(datasets, pools(datasets)).merge(named, on=["video_id", "category"])
    divided, agreed = error_by_agreement(pool, truth)
    yield f"  of all {len(pool):,} such clips, it is wrong on {divided:.3f} of the tenth on which it disagrees most,"
    yield f"    on {agreed:.3f} of the tenth on which it agrees most, on yes or on no"


def _learned(datasets: Datasets) -> Iterator[str]:
    yield _line("released", rows(datasets, RELEASES), f"labels in {len(datasets.partitions(RELEASES))} releases")
    for row in table(datasets, EVALUATIONS).to_dict("records"):
        interval = f"{row['value']:.3f} (95 %: {row['low']:.3f} to {row['high']:.3f})"
        name = f"{row['release']} {row['measure']} {row['subject']}"
        yield f"  {name}: {interval}; {row['repeats']} repeats; {row['budget']}"
