"""The names in the table of a transfer: who learns, what is measured, and what the paper found."""

from collections.abc import Mapping

PRETRAINED, SCRATCH, FROZEN = "pretrained", "scratch", "frozen"
SUBJECTS = (PRETRAINED, SCRATCH, FROZEN)

ACCURACY, TOP_5, MEAN_CLASS, VIDEO, GAIN, CONFUSION = (
    "transfer_accuracy",
    "transfer_top5",
    "transfer_mean_class",
    "transfer_video",
    "transfer_gain",
    "transfer_confusion",
)
"""Top-1 and top-5 by clip, top-1 with equal classes, top-1 by the mean over a video's clips, and the gain of top-1."""

PAPER: Mapping[str, float] = {"UCF-101": 20.1, "HMDB-51": 35.4}
"""Points of top-1 that pretraining gained over a start from nothing (SLAC v1, RGB), with all labels of the target."""

SUBJECT_WORDS: Mapping[str, str] = {
    PRETRAINED: "pretrained, then trained whole",
    SCRATCH: "from scratch",
    FROZEN: "pretrained and frozen, with a new head",
}
