"""What a defect is, and the ways of planting one that several datasets share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.quality.expectations.entries import Bools, Handover

Plant = Callable[[Handover], Handover]


@dataclass(frozen=True, kw_only=True)
class Defect:
    """One way in which rows can be wrong."""

    name: str
    dataset: str
    caught_by: str
    """The expectation that is meant for it."""
    plant: Plant


def column(handover: Handover, name: str, values: Any) -> Handover:
    """Return it with another column."""
    rows = handover.rows
    place = rows.schema.get_field_index(name)
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        values = pa.array(values, rows.schema.field(name).type)
    return replace(handover, rows=rows.set_column(place, rows.schema.field(place), values))


def some(handover: Handover, share: float = 0.0, least: int = 3, among: Bools | None = None) -> Bools:
    """Return which rows are changed: a few, spread over the table; or a share of those that are named."""
    count = handover.rows.num_rows
    places = np.arange(count) if among is None else np.flatnonzero(among)
    wanted = min(len(places), max(least, round(share * len(places))))
    chosen = np.zeros(count, dtype=bool)
    chosen[places[np.linspace(0, len(places) - 1, wanted).astype(int)]] = True
    return chosen


def at(name: str, value: Any, **which: Any) -> Plant:
    """Return a plant that writes one value into some rows of a column."""

    def plant(handover: Handover) -> Handover:
        old = handover.rows[name].combine_chunks()
        chosen = some(handover, **which)
        return column(handover, name, pc.if_else(pa.array(chosen), pa.scalar(value, old.type), old))

    return plant


def moved(name: str, by: float, **which: Any) -> Plant:
    """Return a plant that adds a number to some rows of a column; a clip's end moves with its start."""

    def plant(handover: Handover) -> Handover:
        chosen = some(handover, **which) * by
        found = column(handover, name, handover.numbers(name) + chosen)
        return column(found, "end_sec", handover.numbers("end_sec") + chosen) if name == "start_sec" else found

    return plant


def without(name: str) -> Plant:
    """Return a plant that takes a column away."""
    return lambda handover: replace(handover, rows=handover.rows.drop_columns([name]))


def retyped(name: str, dtype: pa.DataType) -> Plant:
    """Return a plant that writes a column as another type."""

    def plant(handover: Handover) -> Handover:
        rows = handover.rows
        place = rows.schema.get_field_index(name)
        return replace(handover, rows=rows.set_column(place, name, rows[name].cast(dtype)))

    return plant


def doubled(handover: Handover) -> Handover:
    """Write some rows twice."""
    return replace(handover, rows=pa.concat_tables([handover.rows, handover.rows.slice(0, 3)]))


def emptied(handover: Handover) -> Handover:
    """Take all rows away."""
    return replace(handover, rows=handover.rows.slice(0, 0))


def swapped(first: str, second: str) -> Plant:
    """Return a plant that swaps two columns in some rows."""

    def plant(handover: Handover) -> Handover:
        chosen = pa.array(some(handover))
        one, other = (handover.rows[name].combine_chunks() for name in (first, second))
        found = column(handover, first, pc.if_else(chosen, other, one))
        return column(found, second, pc.if_else(chosen, one, other))

    return plant


def aged(handover: Handover) -> Handover:
    """Let it have been written long ago."""
    return replace(handover, written_at=handover.now - timedelta(days=400))


def in_category(handover: Handover, number: int = 0) -> Bools:
    """Return the rows of one category."""
    categories, codes = handover.codes("category")
    return np.asarray(codes == sorted(range(len(categories)), key=categories.__getitem__)[number])


def leaked(handover: Handover) -> Handover:
    """Put a video into another split than the one that it looks like."""
    admitted = handover.beside["admitted"]
    alike = pc.and_(
        pc.not_equal(admitted["video_id"], admitted["group_id"]),
        pc.is_in(admitted["video_id"], value_set=handover.rows["video_id"].combine_chunks()),
    )
    group = admitted.filter(alike)
    member, split = group["video_id"][0].as_py(), group["split"][0].as_py()
    return at("split", "testing" if split != "testing" else "training", least=10**9, among=of_video(handover, member))(
        handover
    )


def of_video(handover: Handover, video: str) -> Bools:
    """Return the rows of a video."""
    return np.asarray(pc.equal(handover.rows["video_id"].combine_chunks(), video).to_numpy(zero_copy_only=False))


def withdrawn(handover: Handover) -> Handover:
    """Withdraw a video whose rows stay."""
    gone = pa.table({"video_id": handover.rows["video_id"].slice(0, 1)})
    return replace(handover, beside={**handover.beside, "withdrawn": gone})


def of(dataset: str, *entries: tuple[str, str, Plant]) -> Sequence[Defect]:
    """Return the defects of a dataset, each from its name, the expectation that is meant for it, and its plant."""
    return [Defect(name=name, dataset=dataset, caught_by=caught_by, plant=plant) for name, caught_by, plant in entries]


def of_clips(dataset: str) -> Sequence[Defect]:
    """Return the defects of rows about clips."""
    return of(
        dataset,
        ("off-grid starts", "start_on_grid", moved("start_sec", 0.3)),
        ("swapped ends", "length_of_a_clip", swapped("start_sec", "end_sec")),
        ("clips of another length", "length_of_a_clip", moved("end_sec", 0.5)),
        ("clips outside the video", "clip_inside_video", moved("start_sec", 500.0)),
        ("an unknown split", "split_registered", at("split", "train")),
        ("a video in two splits", "one_split_per_video",
         lambda h: at("split", "validation" if h.rows["split"][0].as_py() != "validation" else "testing",
                      least=2, among=of_video(h, h.rows["video_id"][0].as_py()))(h)),
        ("leaked look-alikes", "one_split_per_group", leaked),
        ("a split that moved", "split_of_admission", leaked),
        ("a video that was never admitted", "video_admitted", at("video_id", "0123456789abcdef")),
        ("ids of other clips", "id_of_clip", moved("start_sec", 0.5)),
    )  # fmt: skip
