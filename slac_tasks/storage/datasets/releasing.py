"""What goes out, and what is learned from it: releases, pretrained networks, and their evaluations."""

from dataclasses import dataclass
from typing import Annotated

import pyarrow as pa

from slac_tasks.storage.columns import Int8, Int32
from slac_tasks.storage.datasets.collecting import ClipColumns
from slac_tasks.storage.declarations import Dataset, Upgrade


@dataclass(frozen=True, kw_only=True, slots=True)
class _ReleasedColumns(ClipColumns):
    category: Annotated[str, "hypothesised action"]
    label: Annotated[Int8, "+1 contains the action, -1 does not"]
    confidence: Annotated[float, "people: share of the votes on its side; else the probability that it is right"]
    source: Annotated[str, "where the video was found"]
    source_id: Annotated[str, "the source's own name of the video"]
    duration_sec: Annotated[float, "length of the video in seconds"]
    proxy_128: Annotated[str, "object name of the rendition that 112-pixel models read"]
    proxy_256: Annotated[str, "object name of the rendition that 224-pixel models read"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _ReleaseRow1(_ReleasedColumns):
    strategy: Annotated[str, "why the clip was asked"]
    round: Annotated[str, "round in which the clip was asked"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseRow(_ReleasedColumns):
    """One released label."""

    strategy: Annotated[str | None, "why the clip was asked; null: it was not"]
    round: Annotated[str | None, "round in which the clip was asked; null: it was not"]
    kind: Annotated[str, "people (asked), carried (from its neighbours in the shot) or model (from the people's model)"]
    support: Annotated[Int32 | None, "answers that it rests on; null in version 1"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRow:
    """A network that was pretrained on a release."""

    architecture: Annotated[str, "name in the registry of slac_tasks.networks.registry"]
    backbone: Annotated[str, "content hash of the backbone: weights/<hash>.pt"]
    head: Annotated[str, "content hash of the head: weights/<hash>.pt"]
    categories: Annotated[tuple[str, ...], "categories in the order of the head's outputs"]
    steps: Annotated[int, "training steps"]
    clips: Annotated[int, "training clips"]
    loss: Annotated[float, "mean loss of the last tenth of the steps"]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationRow:
    """One measure of a pretrained network, or of what it is compared with."""

    measure: Annotated[str, "testing_accuracy, testing_best_guess or transfer_accuracy"]
    subject: Annotated[str, "pretrained, scratch or guess"]
    value: Annotated[float, "mean, 0 to 1"]
    low: Annotated[float, "lower end of the 95 % interval"]
    high: Annotated[float, "upper end of the 95 % interval"]
    repeats: Annotated[int, "seeds, or clips where there is one run"]
    budget: Annotated[str, "labels and steps that the subject was given"]


def _of_people(rows: pa.Table) -> pa.Table:
    """Say of what kind labels are that were released before there was another one."""
    rows = rows.append_column("kind", pa.repeat("people", rows.num_rows))
    return rows.append_column("support", pa.nulls(rows.num_rows, pa.int32()))


_RELEASES_1 = Dataset(
    name="release", version=1, keys=("release",), unique=("video_id", "category", "start_sec"), row=_ReleaseRow1,
    meaning="Validated sparse labels, ready for training.",
)  # fmt: skip
RELEASES = Dataset(
    name="release", version=2, keys=("release",), unique=("video_id", "category", "start_sec"), row=ReleaseRow,
    meaning=_RELEASES_1.meaning, upgrade=Upgrade(previous=_RELEASES_1, change=_of_people),
)  # fmt: skip
MODELS = Dataset(
    name="models", version=1, keys=("release",), unique=("backbone",), row=ModelRow,
    meaning="The network pretrained on a release.",
)  # fmt: skip
EVALUATIONS = Dataset(
    name="evaluations", version=1, keys=("release",), unique=("measure", "subject"), row=EvaluationRow,
    meaning="What the pretrained network is worth, with 95 % intervals.",
)  # fmt: skip
