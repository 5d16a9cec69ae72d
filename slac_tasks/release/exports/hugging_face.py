"""A folder that the library `datasets` loads and the viewer of its hub shows: a card, and Parquet files by split.

README.md                           the card: which files are which split, and what the columns mean
data/train-00000-of-00003.parquet   all columns of the release; `label` is a class with two names, `name` a text
"""

import json
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from slac_tasks.model import Split
from slac_tasks.progress import counted
from slac_tasks.release.exports.contents import Contents
from slac_tasks.storage.datasets import RELEASES

_ROWS = 20_000
"""Rows of one row group: the viewer reads whole groups."""
_GROUPS = 50
"""Row groups of one file."""
_SPLITS = {Split.TRAINING: "train", Split.VALIDATION: "validation", Split.TESTING: "test"}
_VERDICTS = ("absent", "present")
_CLASSES = {-1: 0, 1: 1}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
          (10_000_000, "1M<n<10M"))  # fmt: skip


def write(release: Contents, path: Path) -> None:
    """Write the folder."""
    (path / "data").mkdir(parents=True)
    counts = {name: _write_split(release, split, name, path / "data") for split, name in _SPLITS.items()}
    (path / "README.md").write_text(_card(release, counts), encoding="utf-8")


def schema() -> pa.Schema:
    """Return the columns, with what the library `datasets` is told of them."""
    features: dict[str, Any] = {one.name: {"dtype": _dtype(one.dtype), "_type": "Value"} for one in RELEASES.columns}
    features["label"] = {"names": list(_VERDICTS), "_type": "ClassLabel"}
    # The library takes its own word for a column only where the column may be null.
    fields = [pa.field(one.name, pa.int64() if one.name == "label" else one.dtype) for one in RELEASES.columns]
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def _dtype(kind: pa.DataType) -> str:
    return {"double": "float64", "float": "float32"}.get(str(kind), str(kind))


def _write_split(release: Contents, split: str, name: str, folder: Path) -> int:
    """Write the files of a split; return its rows."""
    rows = (row for row in release.rows() if row.split == split)
    place = RELEASES.schema.names.index("label")
    parts: list[Path] = []
    count = 0
    groups = iter(lambda: list(islice(rows, _ROWS)), [])
    for first in groups:
        parts.append(folder / f"{name}-{len(parts):05d}")
        # Opened here, since the library opens no name that is not UTF-8.
        with parts[-1].open("wb") as file, pq.ParquetWriter(file, schema(), compression="zstd") as writer:
            for group in chain([first], islice(groups, _GROUPS - 1)):
                labels = pa.array([_CLASSES[row.label] for row in group], pa.int64())
                table = RELEASES.table(group).set_column(place, schema().field("label"), labels)
                writer.write_table(table.cast(schema()))
                count += len(group)
    for part in parts:
        part.rename(part.with_name(f"{part.name}-of-{len(parts):05d}.parquet"))
    return count


def _card(release: Contents, counts: dict[str, int]) -> str:
    total = sum(counts.values())
    size = next((words for most, words in _SIZES if total < most), "n>10M")
    lines = [
        "---", "license: other", f"pretty_name: {json.dumps('Sparse action labels, ' + release.release)}",
        "task_categories:", "- video-classification", "tags:", "- action-recognition", "size_categories:", f"- {size}",
        "configs:", "- config_name: default", "  data_files:",
    ]  # fmt: skip
    for name, count in counts.items():
        if count:
            lines += [f"  - split: {name}", f"    path: data/{name}-*.parquet"]
    lines += [
        "---", "", f"# Sparse action labels, release {release.release}", "",
        f"{counted(total, 'label')} of {counted(len(release.names), 'action')}. "
        "A label says whether a clip of two seconds contains the "
        "action under which its video was found.", "", "| split | labels |", "|---|---|",
        *(f"| {name} | {count:,} |" for name, count in counts.items()), "", "| column | meaning |", "|---|---|",
        *(f"| `{column.name}` | {column.meaning} |" for column in RELEASES.columns if column.name != "label"),
        "| `label` | `present`: the clip contains the action; `absent`: it does not |", "",
        "Media are not part of this folder. Each video has the licence of its own row.", "",
    ]  # fmt: skip
    return "\n".join(lines)
