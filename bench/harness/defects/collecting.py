"""What may be wrong with candidates, fetched media and admitted videos."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from bench.harness.defects.planting import Defect, at, column, doubled, emptied, leaked, moved, of, retyped
from slac_tasks.quality.expectations.entries import Handover
from slac_tasks.storage.datasets import CANDIDATES, FETCHED, VIDEOS


def undecoded(handover: Handover) -> Handover:
    """Let as many media be corrupt as are good."""
    return replace(handover, dropped={"corrupt": handover.rows.num_rows})


def without_fingerprints(handover: Handover) -> Handover:
    """Take the fingerprint of every video away."""
    return column(handover, "frame_hashes", [[]] * handover.rows.num_rows)


def shots_swapped(handover: Handover) -> Handover:
    """Let the first shot of a video end before it starts."""
    shots = handover.rows["shots"].to_pylist()
    shots[0] = [{"start_sec": shots[0][0]["end_sec"], "end_sec": shots[0][0]["start_sec"]}]
    return column(handover, "shots", shots)


def in_two_splits(handover: Handover) -> Handover:
    """Admit a video twice, once for each of two splits."""
    again = at("split", "testing", least=10**9)(replace(handover, rows=handover.rows.slice(0, 20)))
    return replace(handover, rows=pa.concat_tables([handover.rows, again.rows]))


def joined_groups(handover: Handover) -> Handover:
    """Put two videos of different splits into one group."""
    _, codes = handover.codes("split")
    other = int(np.flatnonzero(codes != codes[0])[0])
    groups = handover.rows["group_id"].to_pylist()
    groups[other] = groups[0]
    return column(handover, "group_id", groups)


def all_testing(handover: Handover) -> Handover:
    """Let nearly no video be for training."""
    return at("split", "testing", share=0.95)(handover)


def _of_renditions(dataset: str) -> Sequence[Defect]:
    """Return the defects of rows about renditions."""
    return of(
        dataset,
        ("ids that are no hash", "id_of_video", at("video_id", "YOUTUBE-ID")),
        ("videos without a length", "length_of_video", at("duration_sec", 0.0)),
        ("a frame rate of its own", "frame_rate", moved("fps", 4.97)),
        ("shots backwards", "shots_in_order", shots_swapped),
        ("renditions without a hash", "hash_of_rendition", at("proxy_sha256", "")),
    )


DEFECTS: tuple[Defect, ...] = (
    *of(
        CANDIDATES.name,
        ("candidates listed twice", "rows_unique", doubled),
        ("ids of a counter", "id_of_candidate", at("candidate_id", "17")),
        ("no address", "location_named", at("location", " ")),
        ("a hash that is cut off", "hash_of_bytes", at("sha256", "abc123")),
        ("a window too wide", "published_in_window", at("published_at", datetime(2026, 1, 12, tzinfo=UTC))),
        ("no licences", "licence_known", at("licence", None, share=1.0)),
        ("one title for all", "few_repeated_titles", at("title", "A video", share=0.9)),
    ),
    *_of_renditions(FETCHED.name),
    *of(
        FETCHED.name,
        ("media of no candidate", "of_a_candidate", at("candidate_id", "0123456789abcdef")),
        ("ids of other bytes", "id_of_media", at("video_id", "0123456789abcdef")),
        ("media without a hash", "hash_of_media", at("media_sha256", "0123456789abcdef")),
        ("empty media", "size_in_bytes", at("size_bytes", 0)),
        ("no width", "width_in_pixels", at("width", 0)),
        ("no height", "height_in_pixels", at("height", -1)),
        ("half of it corrupt", "media_decoded", undecoded),
        ("no fingerprints", "fingerprinted", without_fingerprints),
        ("sizes as texts", "schema", retyped("size_bytes", pa.string())),
    ),
    *_of_renditions(VIDEOS.name),
    *of(
        VIDEOS.name,
        ("an unknown split", "split_registered", at("split", "train")),
        ("a video in two splits", "one_split_per_video", in_two_splits),
        ("leaked look-alikes", "one_split_per_group", leaked),
        ("a split that moved", "split_of_admission", leaked),
        ("a video that was never admitted", "video_admitted", at("video_id", "0123456789abcdef")),
        ("videos that nobody fetched", "of_fetched_media", at("candidate_id", "0123456789abcdef")),
        ("a group over two splits", "group_in_one_split", joined_groups),
        ("a group of no video", "group_exists", at("group_id", "0123456789abcdef")),
        ("another group", "group_of_admission", joined_groups),
        ("nothing to train on", "training_share", all_testing),
        ("no videos", "not_empty", emptied),
    ),
)  # fmt: skip
