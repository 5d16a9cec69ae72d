"""What is collected: candidates, fetched media, admitted videos, and their clips."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import pyarrow as pa

from slac_tasks.storage.columns import Int32
from slac_tasks.storage.declarations import Dataset, Upgrade

_HASHES = pa.list_(pa.uint64())
_SPANS = pa.list_(
    pa.struct([pa.field("start_sec", pa.float64(), nullable=False), pa.field("end_sec", pa.float64(), nullable=False)])
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of a video, in seconds on the proxy's clock."""

    start_sec: float
    end_sec: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceColumns:
    """Where a video was found."""

    candidate_id: Annotated[str, "16 hex digits of (source, source_id)"]
    source: Annotated[str, "where the video was found"]
    source_id: Annotated[str, "the source's own name of the video, e.g. a YouTube id"]
    title: Annotated[str | None, "title at the source"] = None
    licence: Annotated[str | None, "licence at the source"] = None
    published_at: Annotated[datetime | None, "publication at the source; null when the source does not say"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RenditionColumns(SourceColumns):
    """Where a video was found, and its renditions."""

    duration_sec: Annotated[float, "length of the proxy in seconds"]
    fps: Annotated[float, "frames per second of the proxy: 24, 25 or 30"]
    proxy_256: Annotated[str, "object name of the rendition with short side 256 at most"]
    proxy_128: Annotated[str, "object name of the rendition with short side 128 at most"]
    proxy_sha256: Annotated[str, "SHA-256 (hex) of the 256 rendition"]
    shots: Annotated[tuple[Span, ...], _SPANS, "shots on the proxy's clock, in order"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipColumns:
    """Which two seconds of which video."""

    clip_id: Annotated[str, "video_id:start_ms"]
    video_id: Annotated[str, "16 hex digits of the media's SHA-256"]
    start_sec: Annotated[float, "start on the proxy's clock, seconds"]
    end_sec: Annotated[float, "end on the proxy's clock, seconds"]
    split: Annotated[str, "training, validation or testing"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _CandidateRow1(SourceColumns):
    location: Annotated[str, "path or address of the bytes"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CandidateRow(_CandidateRow1):
    """A video that a source offers."""

    sha256: Annotated[str | None, "of the bytes, in hex, where the source knows it"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _FetchedRow2(RenditionColumns):
    video_id: Annotated[str, "16 hex digits of media_sha256"]
    media_sha256: Annotated[str, "SHA-256 (hex) of the downloaded bytes"]
    size_bytes: Annotated[int, "length of the downloaded bytes"]
    codec: Annotated[str, "video codec of the original"]
    width: Annotated[Int32, "pixels of the original as shown, rotation applied"]
    height: Annotated[Int32, "pixels of the original as shown, rotation applied"]
    frame_hashes: Annotated[
        tuple[int, ...], _HASHES, "fingerprint: 3 picture hashes and motion per 0.5 s; none: unknown"
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedRow(_FetchedRow2):
    """A candidate whose media was downloaded, checked and decoded to the end."""

    frame_hashes: Annotated[
        tuple[int, ...],
        _HASHES,
        "fingerprint: 3 picture hashes and motion per 0.5 s; to 20 s also details and the rows' number; none: unknown",
    ]
    location: Annotated[str | None, "path or address of the bytes; null in older versions"] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoRow(RenditionColumns):
    """A video that was admitted."""

    video_id: Annotated[str, "16 hex digits of the media's SHA-256"]
    group_id: Annotated[str, "near-duplicates across categories share it: the video_id of the first member"]
    split: Annotated[str, "training, validation or testing; fixed for the group"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipRow(ClipColumns):
    """A candidate clip."""

    proxy_128: Annotated[str, "object name of the rendition that 112-pixel models read"]
    proxy_256: Annotated[str, "object name of the rendition that people and 224-pixel models see"]
    shot: Annotated[Int32, "index of the shot in its video"]
    people: Annotated[Int32 | None, "people found in the shot; null when no detector looked"] = None


_CANDIDATES_1 = Dataset(
    name="candidates", version=1, keys=("category", "window"), unique=("candidate_id",), row=_CandidateRow1,
    meaning="Videos that a source offers for a category, published within a window.",
)  # fmt: skip
CANDIDATES = Dataset(
    name="candidates", version=2, keys=("category", "window"), unique=("candidate_id",), row=CandidateRow,
    meaning=_CANDIDATES_1.meaning, upgrade=Upgrade(previous=_CANDIDATES_1),
)  # fmt: skip
_FETCHED_2 = Dataset(
    name="fetched", version=2, keys=("category", "window"), unique=("candidate_id",), row=_FetchedRow2,
    meaning="Candidates whose media was downloaded, checked and decoded to the end, with their proxies.",
)  # fmt: skip
FETCHED = Dataset(
    name="fetched", version=3, keys=("category", "window"), unique=("candidate_id",), row=FetchedRow,
    meaning=_FETCHED_2.meaning, upgrade=Upgrade(previous=_FETCHED_2),
)  # fmt: skip
VIDEOS = Dataset(
    name="videos", version=1, keys=("category", "window"), unique=("video_id",), row=VideoRow,
    meaning="Videos admitted to the dataset: no duplicate inside it, none that another benchmark tests on.",
)  # fmt: skip
CLIPS = Dataset(
    name="clips", version=1, keys=("category", "window"), unique=("clip_id",), row=ClipRow,
    meaning="Candidate clips of 2 seconds on a 0.5 s grid, each inside one shot.",
)  # fmt: skip
