"""Dense labels of a release: the segments on which people agree, in the videos that the release holds.

A dense label is released where its category is in the release, which the gate accepted, and where the release holds a
clip of its video, so that name, split and licence of the video are those of the release. People may have moved two
proposals to one action: it is released once, with the ends on which most people agree. They may also have moved one
into a stretch of which others say that the action is not there: no moment is released as both, and the action is kept.
What is settled and not released is set aside with its reason.
"""

from collections import defaultdict
from collections.abc import Iterable

from slac_tasks.storage.datasets.releasing import ReleasedSegmentRow, ReleaseRow
from slac_tasks.storage.datasets.segmenting import SegmentLabelRow
from slac_tasks.storage.manifests import Drop
from slac_tasks.verification.segments.deciding import tiou


def videos_of(rows: Iterable[ReleaseRow]) -> tuple[dict[str, ReleaseRow], set[str]]:
    """Return (one row of each video of a release, by video_id; the categories of the release)."""
    videos: dict[str, ReleaseRow] = {}
    categories = set()
    for row in rows:
        videos.setdefault(row.video_id, row)
        categories.add(row.category)
    return videos, categories


def dense_labels(
    labels: Iterable[SegmentLabelRow],
    rows: Iterable[ReleaseRow],
    withdrawn: frozenset[str],
    drops: list[Drop],
    *,
    tiou_same: float,
) -> list[ReleasedSegmentRow]:
    """Return the dense labels that a release may hold, in the order of category, video and start.

    Args:
        labels: of segments.
        rows: of the release.
        withdrawn: videos that were withdrawn.
        drops: gets what is settled and not released, with its reason.
        tiou_same: labels whose ends overlap so much are of one action.

    """
    videos, categories = videos_of(rows)
    found: list[ReleasedSegmentRow] = []
    shown: dict[tuple[str, str], list[ReleasedSegmentRow]] = defaultdict(list)
    for label in sorted(labels, key=_surest_first):
        if label.present is None:
            continue
        video = videos.get(label.video_id)
        if label.category not in categories:
            drops.append(Drop(item=label.segment_id, reason="category", detail=f"{label.category} is not released"))
        elif label.video_id in withdrawn:
            drops.append(Drop(item=label.segment_id, reason="withdrawn", detail=f"video {label.video_id}"))
        elif video is None:
            detail = f"the release holds no clip of video {label.video_id}"
            drops.append(Drop(item=label.segment_id, reason="video", detail=detail))
        else:
            row = _released(label, video)
            same = shown[row.category, row.video_id]
            if label.present:
                reason, met = "the same", [one for one in same if tiou(_ends(one), _ends(row)) >= tiou_same]
            else:
                reason, met = "contradicted", [one for one in same if tiou(_ends(one), _ends(row)) > 0]
            if met:
                detail = f"{row.start_sec:g} to {row.end_sec:g} meets the action of segment {met[0].segment_id}"
                drops.append(Drop(item=label.segment_id, reason=reason, detail=detail))
                continue
            found.append(row)
            if label.present:
                same.append(row)
    return sorted(found, key=lambda row: (row.category, row.video_id, *_ends(row), row.segment_id))


def _surest_first(label: SegmentLabelRow) -> tuple[bool, float, float, float, str]:
    """Return what sorts labels: actions first, by how many people saw them, how well they agree, and the score."""
    return not label.present, -(label.right + label.moved), -(label.tiou or 0.0), -label.score, label.segment_id


def _ends(row: ReleasedSegmentRow) -> tuple[float, float]:
    return row.start_sec, row.end_sec


def _released(label: SegmentLabelRow, video: ReleaseRow) -> ReleasedSegmentRow:
    start, end = label.label_start_sec, label.label_end_sec
    return ReleasedSegmentRow(
        segment_id=label.segment_id, video_id=label.video_id, name=video.name, split=video.split,
        category=label.category, label=1 if label.present else -1,
        start_sec=label.start_sec if start is None else start, end_sec=label.end_sec if end is None else end,
        duration_sec=video.duration_sec, kind=label.kind, tiou=label.tiou,
        support=label.right + label.moved if label.present else label.absent, origin=label.origin,
        method=label.method, source=video.source, source_id=video.source_id, licence=video.licence, url=video.url,
    )  # fmt: skip
