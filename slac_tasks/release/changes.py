"""How a release differs from the one before, and the number that it gets for it.

A number is MAJOR.MINOR.PATCH, as in semantic versioning. What was measured on the release before

* may no longer hold: MAJOR. A label changed its sign, or was withdrawn.
* holds on the labels that it was measured on: MINOR. Labels were added, and none changed.
* holds: PATCH. Another column differs, such as a title, a licence, a confidence or a certificate.

Equal rows have an equal number. The first release is 1.0.0.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.release.content import by_category, canonical
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

FIRST = "1.0.0"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """How many labels differ, by how they do."""

    added: int = 0
    """The release before does not hold them."""
    changed: int = 0
    """Their sign differs."""
    withdrawn: int = 0
    """The release before holds them, and this one does not."""
    corrected: int = 0
    """Their sign is the same, and another column differs."""

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(**{kind: getattr(self, kind) + getattr(other, kind) for kind in KINDS})


KINDS = tuple(field.name for field in fields(Changes))
"""How a label may differ."""


def next_version(previous: str | None, changes: Changes) -> str:
    """Return the number of the release after `previous`; None: it is the first."""
    if previous is None:
        return FIRST
    major, minor, patch = map(int, previous.split("."))
    if changes.changed or changes.withdrawn:
        return f"{major + 1}.0.0"
    if changes.added:
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + bool(changes.corrected)}"


def differing(before: pa.Table, now: pa.Table) -> pa.Table:
    """Return the labels of one category that differ: clip_id, change, before and now (their signs; null: not there).

    Args:
        before: rows of the release before.
        now: rows of this one.

    """
    place = pc.index_in(now["clip_id"], value_set=before["clip_id"])
    both = place.is_valid()
    old, new = before.take(place.drop_null()), now.filter(both)
    sign = pc.not_equal(old["label"], new["label"])
    other = pc.and_not(_differ(canonical(old), canonical(new)), sign)
    gone = before.filter(pc.invert(pc.is_in(before["clip_id"], value_set=now["clip_id"])))
    fresh = now.filter(pc.invert(both))
    return pa.concat_tables(
        [
            _part("added", fresh["clip_id"], None, fresh["label"]),
            _part("changed", new["clip_id"].filter(sign), old["label"].filter(sign), new["label"].filter(sign)),
            _part("withdrawn", gone["clip_id"], gone["label"], None),
            _part("corrected", new["clip_id"].filter(other), old["label"].filter(other), new["label"].filter(other)),
        ]
    )


def _differ(old: pa.Table, new: pa.Table) -> pa.Array:
    """Return which rows differ in any column; unknown equals unknown."""
    found = np.zeros(old.num_rows, dtype=bool)
    for name in old.column_names:
        one, other = old[name], new[name]
        found |= pc.fill_null(pc.not_equal(one, other), False).to_numpy()
        found |= pc.xor(one.is_null(), other.is_null()).to_numpy()
    return pa.array(found)


def _part(change: str, clips: pa.ChunkedArray, before: pa.ChunkedArray | None, now: pa.ChunkedArray | None) -> pa.Table:
    unknown = pa.nulls(len(clips), pa.int8())
    columns = {
        "clip_id": clips,
        "change": pa.repeat(change, len(clips)),
        "before": unknown if before is None else before,
        "now": unknown if now is None else now,
    }
    return pa.table(columns)


def differences(datasets: Datasets, before: Manifest, now: Manifest) -> Iterator[tuple[str, pa.Table]]:
    """Yield (category, what differs there) of two releases, in order; memory holds one category of each."""
    none = RELEASES.schema.empty_table()
    olds, news = (by_category(datasets, manifest) for manifest in (before, now))
    old, new = next(olds, None), next(news, None)
    while old or new:
        category = min(one[0] for one in (old, new) if one)
        mine = old[1] if old and old[0] == category else none
        yours = new[1] if new and new[0] == category else none
        yield category, differing(mine, yours)
        old = next(olds, None) if old and old[0] == category else old
        new = next(news, None) if new and new[0] == category else new


def count(difference: pa.Table) -> Changes:
    """Return how many labels differ, by how they do."""
    found: Mapping[str, int] = Counter(difference["change"].to_pylist())
    return Changes(**found)
