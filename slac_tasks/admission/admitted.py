"""Admitted videos, as the ledger knows them."""

from collections.abc import Iterable
from dataclasses import dataclass

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
