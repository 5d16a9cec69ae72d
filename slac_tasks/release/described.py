"""Labels with all that a release says of their videos: where they are from, under which licence, and where they lie."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.collect.locations import address_of, is_remote
from slac_tasks.storage.datasets import FETCHED, RELEASES, VIDEOS
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

OF_VIDEOS = tuple(
    name for name in RELEASES.schema.names if name in VIDEOS.schema.names and name not in ("video_id", "split")
)
"""Columns of a release that its videos know."""


def url_of(location: str | None) -> str | None:
    """Return a location as an address for people: without a password in it; a file of a machine has none."""
    if location is None or not is_remote(location):
        return None
    found = urlsplit(address_of(location))
    return urlunsplit(found._replace(netloc=found.netloc.rpartition("@")[2]))


def videos_of(datasets: Datasets, videos: Sequence[Manifest], fetched: Sequence[Manifest]) -> pa.Table:
    """Return the videos of a category, with video_id, `OF_VIDEOS` and url.

    Args:
        datasets: where they are.
        videos: manifests of the category's videos.
        fetched: of the same windows; of a window without one no address is known.

    """
    table = datasets.read_all(VIDEOS, videos, ["video_id", "candidate_id", *OF_VIDEOS])
    places = datasets.read_all(FETCHED, fetched, ["candidate_id", "location"])
    location = places["location"].take(pc.index_in(table["candidate_id"], value_set=places["candidate_id"]))
    urls = pa.array([url_of(one) for one in location.to_pylist()], pa.string())
    return table.drop_columns("candidate_id").append_column("url", urls)


def described(labels: pa.Table, videos: pa.Table, names: Mapping[str, str]) -> pa.Table:
    """Return the labels that are on these videos, as rows of a release.

    Args:
        labels: of one category, with the columns of a release that `videos` and `names` do not give.
        videos: as `videos_of`.
        names: of each video, by video_id.

    """
    place = pc.index_in(labels["video_id"], value_set=videos["video_id"])
    labels, place = labels.filter(place.is_valid()), place.drop_null()
    named = pa.array([names[one] for one in videos["video_id"].to_pylist()], pa.string())
    videos = videos.append_column("name", named)
    for name in (*OF_VIDEOS, "url", "name"):
        labels = labels.append_column(name, videos[name].take(place))
    return labels.select(RELEASES.schema.names).cast(RELEASES.schema)
