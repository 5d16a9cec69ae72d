"""Admitted videos, as the ledger knows them."""

from collections.abc import Iterable
from dataclasses import dataclass

from slac_tasks.admission.likeness.lookalikes import stored
from slac_tasks.storage.datasets.collecting import FetchedRow
from slac_tasks.storage.ledger import Ledger


@dataclass(frozen=True, kw_only=True, slots=True)
class AdmittedVideo:
    """An admitted video: its group, its split, and which windows hold it."""

    video_id: str
    group_id: str
    split: str
    categories: list[str]
    """The categories that it was admitted for ..."""
    windows: list[str]
    """... and the window of each."""


def with_groups(ledger: Ledger, videos: Iterable[str]) -> list[AdmittedVideo]:
    """Return those of the videos that were admitted, with all of their groups, in order of admission."""
    return ledger.all(AdmittedVideo, "known_videos", videos=sorted(set(videos)))


@dataclass(frozen=True, kw_only=True)
class AdmissionEntry:
    """A fetched video that was admitted for a category in a window."""

    fetched: FetchedRow
    group_id: str
    split: str
    category: str
    window: str


def record_admissions(ledger: Ledger, admissions: Iterable[AdmissionEntry]) -> None:
    """Write admissions into the ledger; what it knows already stays as it is."""
    admissions = list(admissions)
    ledger.run_many(
        "add_video",
        [
            {
                "video_id": one.fetched.video_id, "media_sha256": one.fetched.media_sha256, "group_id": one.group_id,
                "split": one.split, "proxy_256": one.fetched.proxy_256, **stored(one.fetched.frame_hashes),
            }
            for one in admissions
        ],
    )  # fmt: skip
    ledger.run_many(
        "add_admission",
        [
            {
                "candidate_id": one.fetched.candidate_id, "source": one.fetched.source,
                "source_id": one.fetched.source_id, "published_at": one.fetched.published_at,
                "video_id": one.fetched.video_id, "category": one.category, "window": one.window,
            }
            for one in admissions
        ],
    )  # fmt: skip
