"""Whole datasets as frames, for reports and benchmarks that look at all partitions."""

from typing import Any

import pandas as pd

from slac_tasks.storage.datasets import LABELS
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification import versions


def all_rows(datasets: Datasets, dataset: Dataset[Any]) -> pd.DataFrame:
    """Return all rows of all current partitions, with the partition's keys as columns."""
    frames = []
    for keys in datasets.partitions(dataset):
        frame = datasets.read(dataset, **keys).to_pandas()
        frames.append(frame.assign(**{key: value for key, value in keys.items() if key not in frame}))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=dataset.schema.names)


def labels_frame(datasets: Datasets) -> pd.DataFrame:
    """Return the newest version of the labels as a frame; without labels, no rows."""
    version = versions.newest_labels(datasets)
    if version is None:
        return pd.DataFrame(columns=LABELS.schema.names)
    frame: pd.DataFrame = versions.read_labels(datasets, version).to_pandas()
    return frame
