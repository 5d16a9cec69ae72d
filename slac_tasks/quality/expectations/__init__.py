"""What is expected of every hand-over: one file for each dataset, and one list."""

from collections.abc import Mapping

from slac_tasks.quality.expectations import (
    candidates,
    clips,
    detections,
    features,
    fetched,
    hard_clips,
    labels,
    releases,
    scores,
    segment_labels,
    segment_votes,
    videos,
    votes,
)
from slac_tasks.quality.expectations.entries import Expectation
from slac_tasks.storage.datasets import (
    CANDIDATES,
    CLIPS,
    DETECTIONS,
    FEATURES,
    FETCHED,
    HARD_CLIPS,
    LABELS,
    RELEASES,
    SCORES,
    SEGMENT_LABELS,
    SEGMENT_VOTES,
    VIDEOS,
    VOTES,
)

EXPECTATIONS: Mapping[str, tuple[Expectation, ...]] = {
    CANDIDATES.name: candidates.EXPECTATIONS,
    FETCHED.name: fetched.EXPECTATIONS,
    VIDEOS.name: videos.EXPECTATIONS,
    CLIPS.name: clips.EXPECTATIONS,
    SCORES.name: scores.EXPECTATIONS,
    FEATURES.name: features.EXPECTATIONS,
    HARD_CLIPS.name: hard_clips.EXPECTATIONS,
    VOTES.name: votes.EXPECTATIONS,
    LABELS.name: labels.EXPECTATIONS,
    SEGMENT_VOTES.name: segment_votes.EXPECTATIONS,
    SEGMENT_LABELS.name: segment_labels.EXPECTATIONS,
    RELEASES.name: releases.EXPECTATIONS,
    DETECTIONS.name: detections.EXPECTATIONS,
}
"""The expectations of each dataset, by its name, in the order of the procedure."""
