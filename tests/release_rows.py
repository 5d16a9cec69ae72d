"""Rows of a release, as hypothesis draws them: any split, any category, labels of both kinds."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from slac_tasks.release.exports.contents import Contents
from slac_tasks.storage.datasets.releasing import ReleaseRow

NAMES = {"high_jump": "High jump", "tai_chi": 'Tai chi, "slow"', "yoga": "Ioga — é"}


def release_row(
    video: int, start: float, label: int = 1, *, category: str = "high_jump", licence: str | None = "CC BY 4.0"
) -> ReleaseRow:
    """Return a label on a clip of the video with this number, whose split and name follow from it."""
    video_id = f"{video:016x}"
    return ReleaseRow(
        clip_id=f"{video_id}:{round(start * 1000)}", video_id=video_id, start_sec=start, end_sec=start + 2,
        split=("training", "validation", "testing")[video % 3], category=category, label=label, confidence=0.75,
        strategy="random", round="2026-01-05.p1", source="a.csv", source_id=f"source {video}", duration_sec=60.5,
        proxy_128=f"media/{video_id}/128.mp4", proxy_256=f"media/{video_id}/256.mp4", kind="people", support=2,
        certificate=None, benchmark=None, name=f"name_{video:06d}" if video % 2 else video_id, group_id=video_id,
        title=None, licence=licence, url=f"https://media.example/{video}" if video % 2 else None, published_at=None,
        proxy_sha256="0",
    )  # fmt: skip


def release_of(rows: Sequence[ReleaseRow], **more: Any) -> Contents:
    """Return a release with these rows, in the order of a release."""
    ordered = sorted(rows, key=lambda row: (row.category, row.video_id, row.start_sec))
    return Contents(release="r0001", number="1.0.0", rows=lambda: iter(ordered), names=NAMES, **more)


ROWS = st.lists(
    st.builds(
        release_row, st.integers(0, 8), st.integers(0, 100).map(lambda steps: steps / 2), st.sampled_from([1, -1]),
        category=st.sampled_from(sorted(NAMES)),
    ),
    unique_by=lambda row: (row.video_id, row.category, row.start_sec), min_size=1, max_size=30,
)  # fmt: skip
