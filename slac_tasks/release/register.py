"""The register of released videos: what must stay of a video for ever, and what was released before.

A video has one name and one split, and so has a group of look-alikes. Both were fixed when the video was admitted; the
register proves that no release moved them (ours).
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.errors import BrokenContract
from slac_tasks.storage.datasets import RELEASED_VIDEOS, RELEASES
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

_ONE = (
    ("video_id", "split"), ("group_id", "split"), ("video_id", "group_id"), ("video_id", "name"), ("name", "video_id"),
)  # fmt: skip
"""(column, the column of which it has one value)."""
_COLUMNS = ["video_id", "name", "group_id", "split"]


def registered(datasets: Datasets, release: str | None) -> pa.Table:
    """Return every video of a release and all before it; none where there is no release.

    A release that was made before there was a register counts by its rows.
    """
    if release is None:
        return RELEASED_VIDEOS.schema.empty_table()
    written = datasets.manifest(RELEASED_VIDEOS, release=release)
    if written is not None:
        return datasets.read_all(RELEASED_VIDEOS, [written])
    return grown(
        RELEASED_VIDEOS.schema.empty_table(), _videos(datasets, datasets.need(RELEASES, release=release)), release
    )


def register(datasets: Datasets, before: str | None, rows: Manifest) -> pa.Table:
    """Return the register after a release.

    Args:
        datasets: where the releases are.
        before: the release before; None: there is none.
        rows: manifest of this release.

    Raises:
        BrokenContract: a video has another split, group or name than before, or two; or a group or name has.

    """
    return grown(registered(datasets, before), _videos(datasets, rows), rows.keys["release"])


def grown(before: pa.Table, videos: pa.Table, release: str) -> pa.Table:
    """Return the register with these videos.

    Args:
        before: rows of the register.
        videos: with the columns video_id, name, group_id and split; a video may stand in it several times.
        release: the release that holds them.

    Raises:
        BrokenContract: a video has another split, group or name than before, or two; or a group or name has.

    """
    new = videos.filter(pc.invert(pc.is_in(videos["video_id"], value_set=before["video_id"])))
    new = new.group_by(_COLUMNS, use_threads=False).aggregate([]).select(_COLUMNS)
    new = new.append_column("release", pa.repeat(release, new.num_rows))
    whole = pa.concat_tables([before, new.select(before.column_names).cast(before.schema)]).sort_by("video_id")
    known = pa.concat_tables([whole.select(_COLUMNS), videos.select(_COLUMNS).cast(whole.select(_COLUMNS).schema)])
    for key, value in _ONE:
        _check_one(known, key, value, release)
    return whole


def _check_one(videos: pa.Table, key: str, value: str, release: str) -> None:
    """Refuse two values of a column for one value of another; unknown values say nothing."""
    pairs = videos.filter(videos[key].is_valid()).group_by([key, value], use_threads=False).aggregate([])
    counted = pairs.group_by(key, use_threads=False).aggregate([(value, "count"), (value, "min"), (value, "max")])
    for one in counted.filter(pc.greater(counted[f"{value}_count"], 1)).slice(0, 1).to_pylist():
        found = f"{value} {one[f'{value}_min']} and {one[f'{value}_max']}"
        raise BrokenContract(f"release {release}: {key} {one[key]} has {found}, want one for ever")


def _videos(datasets: Datasets, rows: Manifest) -> pa.Table:
    def distinct() -> Iterator[pa.Table]:
        for table in datasets.tables(rows, _COLUMNS):
            yield table.group_by(_COLUMNS, use_threads=False).aggregate([]).select(_COLUMNS)

    return pa.concat_tables(distinct())
