"""What may be wrong with clips."""

from dataclasses import replace

from bench.harness.defects.planting import Defect, at, emptied, of, of_clips, without
from slac_tasks.quality.expectations.clips import BROKEN
from slac_tasks.storage.datasets import CLIPS

DEFECTS: tuple[Defect, ...] = (
    *of_clips(CLIPS.name),
    *of(
        CLIPS.name,
        ("a column lost", "schema", without("shot")),
        ("clips of no video of the window", "of_a_video", at("video_id", "0123456789abcdef")),
        ("clips over a cut", "clip_inside_shot", at("shot", 7)),
        ("fewer than no people", "people_counted", at("people", -1)),
        ("clips of few videos", "videos_with_clips", lambda h: replace(h, rows=h.rows.slice(0, 5))),
        ("renditions that break", "renditions_decoded", lambda h: replace(h, dropped={BROKEN: 10})),
        ("nothing written", "not_empty", emptied),
    ),
)  # fmt: skip
