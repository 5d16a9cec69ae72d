"""What may be wrong with segments: found ones, votes about them, and labels."""

from bench.harness.defects.planting import Defect, at, of, swapped
from slac_tasks.storage.datasets import DETECTIONS, SEGMENT_LABELS, SEGMENT_VOTES

DEFECTS: tuple[Defect, ...] = (
    *of(
        DETECTIONS.name,
        ("swapped ends", "ends_in_order", swapped("start_sec", "end_sec")),
        ("scores in per cent", "score_in_range", at("score", 97.0)),
        ("an unknown split", "split_registered", at("split", "train")),
        ("videos nobody admitted", "video_admitted", at("video_id", "0123456789abcdef")),
    ),
    *of(
        SEGMENT_VOTES.name,
        ("an unregistered category", "category_registered", at("category", "jodu")),
        ("ends before the video", "ends_in_order", at("start_sec", -1.0)),
        ("an answer about clips", "answer_registered", at("answer", "yes")),
        ("ends that nobody moved", "ends_where_moved", at("answer", "right")),
        ("negative seconds", "seconds_in_range", at("seconds", -3.0)),
    ),
    *of(
        SEGMENT_LABELS.name,
        ("an unregistered category", "category_registered", at("category", "jodu")),
        ("swapped ends of proposals", "ends_in_order", swapped("start_sec", "end_sec")),
        ("a status of clips", "status_registered", at("status", "broken")),
        ("settled without a word", "settled_says_something", at("present", None)),
        ("an action that ends before it begins", "ends_of_what_is_there", at("label_end_sec", 0.5)),
        ("agreement in per cent", "agreement_in_range", at("tiou", 88.0)),
        ("votes that nobody counted", "votes_counted", at("right", 9)),
    ),
)  # fmt: skip
