"""What may be wrong with scores, features and the clips that were chosen for people."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from bench.harness.defects.planting import Defect, at, column, of, of_clips
from slac_tasks.networks.features import LENGTH
from slac_tasks.quality.expectations.entries import Handover
from slac_tasks.storage.datasets import FEATURES, HARD_CLIPS, SCORES


def half_lost(handover: Handover) -> Handover:
    """Lose every second row."""
    return replace(handover, rows=handover.rows.filter(np.arange(handover.rows.num_rows) % 2 == 0))


def saturated(handover: Handover) -> Handover:
    """Let a network be sure of everything."""
    return column(handover, "score", np.rint(handover.numbers("score")).astype(np.float32))


def of_video_alone(handover: Handover) -> Handover:
    """Let a network look at the video and never at the clip."""
    _, video = handover.codes("video_id")
    return column(handover, "score", ((video * 37 % 100 + 0.5) / 100).astype(np.float32))


def shifted(handover: Handover) -> Handover:
    """Let all scores be lower than they were in the window before."""
    return column(handover, "score", (handover.numbers("score") * 0.4).astype(np.float32))


def features(handover: Handover, found: np.ndarray) -> Handover:
    """Return it with these features, shape (clips, LENGTH)."""
    return column(handover, "features", pa.array([row.tobytes() for row in found.astype("<f2")], pa.binary(128)))


def collapsed(handover: Handover) -> Handover:
    """Let all features lie on a line."""
    along = np.random.default_rng(0).normal(size=(handover.rows.num_rows, 1))
    return features(handover, along * np.ones((1, LENGTH)))


def undefined(handover: Handover) -> Handover:
    """Let the features of a clip be no numbers."""
    found = np.random.default_rng(0).normal(size=(handover.rows.num_rows, LENGTH))
    found[3] = np.nan
    return features(handover, found)


def unscored(handover: Handover) -> Handover:
    """Choose a clip that no member has scored."""
    scores = handover.rows["scores"].to_pylist()
    scores[2] = []
    return column(handover, "scores", scores)


DEFECTS: tuple[Defect, ...] = (
    *of(
        SCORES.name,
        ("scores over 1", "score_in_range", at("score", 1.25)),
        ("scores of no clip", "of_a_clip", at("clip_id", "0123456789abcdef:0")),
        ("scores under another video", "video_of_clip", at("video_id", "0123456789abcdef")),
        ("clips that do not decode", "clips_decoded", half_lost),
        ("a committee gone constant", "scores_differ", at("score", 0.5, share=1.0)),
        ("a network that sees no clip", "scores_differ_in_video", of_video_alone),
        ("a network that is always sure", "few_saturated", saturated),
        ("scores that drifted", "score_drift", shifted),
        ("scores without a number", "numbers_finite", at("score", float("nan"))),
    ),
    *of(
        FEATURES.name,
        ("features of no clip", "of_a_clip", at("clip_id", "0123456789abcdef:0")),
        ("features under another video", "video_of_clip", at("video_id", "0123456789abcdef")),
        ("features without a number", "features_finite", undefined),
        ("two projections mixed", "one_projection", at("projection", "0123456789abcdef")),
        ("clips without features", "features_of_clips", half_lost),
        ("embeddings that collapsed", "features_not_collapsed", collapsed),
    ),
    *of_clips(HARD_CLIPS.name),
    *of(
        HARD_CLIPS.name,
        ("clips of no window", "of_a_clip", at("clip_id", "0123456789abcdef:0")),
        ("an unknown strategy", "strategy_registered", at("strategy", "luck")),
        ("disagreement over a bit", "disagreement_in_bits", at("disagreement", 1.7)),
        ("consensus below 0", "consensus_in_range", at("consensus", -0.2)),
        ("clips without scores", "scores_of_members", unscored),
        ("no control", "random_control", at("strategy", "disagreement", share=1.0)),
    ),
)  # fmt: skip
