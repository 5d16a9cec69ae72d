"""Every dataset that one stage hands to the next, declared once: name, keys, and rows with unit and meaning."""

from collections.abc import Mapping
from typing import Any

from slac_tasks.storage.datasets.collecting import CANDIDATES, CLIPS, FETCHED, VIDEOS
from slac_tasks.storage.datasets.judging import EXPECTATIONS
from slac_tasks.storage.datasets.labelling import (
    ACCOUNTS,
    AGREEMENT,
    CARRIED,
    CERTIFICATES,
    CONTROL,
    CORRECTIONS,
    CROWD,
    IMPORTED,
    LABEL_CHANGES,
    LABELS,
    MEASURES,
    PEOPLE,
    QUALITY,
    ROUNDS,
    VOTES,
)
from slac_tasks.storage.datasets.releasing import (
    EVALUATIONS,
    GOLD_JUDGES,
    JUDGED,
    MODELS,
    RELEASE_VERSIONS,
    RELEASED_SEGMENTS,
    RELEASED_VIDEOS,
    RELEASES,
)
from slac_tasks.storage.datasets.scoring import COMMITTEES, FEATURES, HARD_CLIPS, MAP, SCORES
from slac_tasks.storage.datasets.segmenting import (
    DETECTIONS,
    SEGMENT_LABELS,
    SEGMENT_PEOPLE,
    SEGMENT_VOTES,
    SEGMENTS,
)
from slac_tasks.storage.declarations import Dataset

__all__ = [
    "ACCOUNTS", "AGREEMENT", "ALL", "CANDIDATES", "CARRIED", "CERTIFICATES", "CLIPS", "COMMITTEES", "CONTROL",
    "CORRECTIONS", "CROWD", "DETECTIONS", "EVALUATIONS", "EXPECTATIONS", "FEATURES", "FETCHED", "GOLD_JUDGES",
    "HARD_CLIPS", "IMPORTED", "JUDGED", "LABELS", "LABEL_CHANGES", "MAP", "MEASURES", "MODELS", "PEOPLE", "QUALITY",
    "RELEASED_SEGMENTS", "RELEASED_VIDEOS", "RELEASES", "RELEASE_VERSIONS", "ROUNDS", "SCORES", "SEGMENTS",
    "SEGMENT_LABELS", "SEGMENT_PEOPLE", "SEGMENT_VOTES", "VIDEOS", "VOTES",
]  # fmt: skip

ALL: Mapping[str, Dataset[Any]] = {
    dataset.name: dataset
    for dataset in (
        CANDIDATES, FETCHED, VIDEOS, CLIPS, COMMITTEES, SCORES, FEATURES, HARD_CLIPS, MAP, IMPORTED, VOTES, LABELS,
        LABEL_CHANGES, CROWD, PEOPLE, AGREEMENT, MEASURES, QUALITY, ROUNDS, CARRIED, CONTROL, CORRECTIONS, ACCOUNTS,
        CERTIFICATES, GOLD_JUDGES, SEGMENTS, SEGMENT_VOTES, SEGMENT_LABELS, SEGMENT_PEOPLE, RELEASES, RELEASED_VIDEOS,
        RELEASED_SEGMENTS, RELEASE_VERSIONS, MODELS, JUDGED, EVALUATIONS, DETECTIONS, EXPECTATIONS,
    )
}  # fmt: skip
"""Every dataset by name, in the order of the procedure."""
