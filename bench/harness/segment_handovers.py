"""Good hand-overs about segments: found ones, three people's votes on each, and the labels of these votes."""

from datetime import UTC, datetime

import pyarrow as pa

from bench.harness.rows import filled
from slac_tasks.storage.datasets import DETECTIONS, SEGMENT_LABELS, SEGMENT_VOTES

_PEOPLE = 3


def of_videos(videos: pa.Table) -> dict[str, pa.Table]:
    """Return the rows of each dataset, of videos with the columns video_id, split and category: a segment in each."""
    names = videos["video_id"].to_pylist()
    split, category = videos["split"].to_pylist(), videos["category"].to_pylist()
    shared = {"start_sec": [2.0] * len(names), "end_sec": [6.0] * len(names), "score": [0.7] * len(names)}
    found = filled(
        DETECTIONS, **shared, video_id=names, source_id=names, split=split, window=["2026-01-05"] * len(names)
    )
    of_vote = [name for name in names for _ in range(_PEOPLE)]
    count = len(of_vote)
    ids = [f"00000000-0000-4000-8000-{number:012x}" for number in range(count)]
    votes = filled(
        SEGMENT_VOTES, vote_id=ids, segment_id=of_vote, category=[one for one in category for _ in range(_PEOPLE)],
        round=["net.1"] * count, annotator=[f"person {number % _PEOPLE}" for number in range(count)],
        answer=["moved"] * count, start_sec=[2.5] * count, end_sec=[5.5] * count, seconds=[6.0] * count,
        guideline_version=[1] * count, cast_at=[datetime(2026, 2, 1, tzinfo=UTC)] * count,
    )  # fmt: skip
    some = len(names)
    labels = filled(
        SEGMENT_LABELS, **shared, segment_id=names, category=category, video_id=names, split=split,
        origin=["net"] * some, round=["net.1"] * some, kind=["people"] * some, status=["settled"] * some,
        present=[True] * some, label_start_sec=[2.5] * some, label_end_sec=[5.5] * some, tiou=[1.0] * some,
        method=["two_agree.1"] * some, right=[0] * some, moved=[_PEOPLE] * some, absent=[0] * some,
        unsure=[0] * some, votes=[ids[place * _PEOPLE : (place + 1) * _PEOPLE] for place in range(some)],
    )  # fmt: skip
    return {
        dataset.name: rows.select(dataset.schema.names).cast(dataset.schema)
        for dataset, rows in ((DETECTIONS, found), (SEGMENT_VOTES, votes), (SEGMENT_LABELS, labels))
    }
