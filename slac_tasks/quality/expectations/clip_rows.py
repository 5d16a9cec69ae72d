"""What is expected of every row that is about a clip, in whatever dataset it stands."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.model import CLIP_SEC, GRID_SEC, MISSING_FRAMES, Split
from slac_tasks.quality.expectations.entries import CRITICAL, Bools, Expectation, Handover
from slac_tasks.quality.expectations.measures import held_by, not_among, not_in, outside, several, wrong_rows

_SLACK_SEC = 1e-6
_SHORTER_SEC = MISSING_FRAMES / 24 + _SLACK_SEC
"""How far a clip may reach over the end of a video that is some frames shorter than a clip."""


SPLITS: tuple[Expectation, ...] = (
    Expectation(
        name="split_registered", severity=CRITICAL, reads=("split",),
        measure=not_among("split", [split.value for split in Split]),
        sentence="Every split is training, validation or testing.",
    ),
    Expectation(
        name="one_split_per_video", severity=CRITICAL, reads=("video_id", "split"),
        measure=wrong_rows(lambda handover: _splits_of_video(handover), "video_id"),
        sentence="All rows of a video are in one split.",
    ),
    Expectation(
        name="one_split_per_group", severity=CRITICAL, reads=("video_id", "split"), needs=("admitted",),
        measure=wrong_rows(lambda handover: _splits_of_group(handover), "video_id"),
        sentence="All videos of a look-alike group are in one split.",
    ),
    Expectation(
        name="split_of_admission", severity=CRITICAL, reads=("video_id", "split"), needs=("admitted",),
        measure=wrong_rows(lambda handover: _other_split(handover), "video_id"),
        sentence="The split of a video is the one that it was admitted to.",
    ),
    Expectation(
        name="video_admitted", severity=CRITICAL, reads=("video_id",), needs=("admitted",),
        measure=not_in("video_id", "admitted"), sentence="Every video was admitted.",
    ),
)  # fmt: skip
"""What rows with a video and its split must be."""


def of_clips(*, of_video: str = "") -> tuple[Expectation, ...]:
    """Return what rows about clips must be.

    Args:
        of_video: column with the length of the video, where the rows hold it; else the table `videos` is asked.

    """
    length = ("duration_sec",) if of_video else ()
    return (
        Expectation(
            name="start_on_grid", severity=CRITICAL, reads=("start_sec",), measure=wrong_rows(_off_grid),
            sentence=f"Every clip starts on the grid of {GRID_SEC:g} s, at 0 or later.",
        ),
        Expectation(
            name="length_of_a_clip", severity=CRITICAL, reads=("start_sec", "end_sec"),
            measure=wrong_rows(_other_length), sentence=f"Every clip is {CLIP_SEC:g} s long.",
        ),
        Expectation(
            name="clip_inside_video", severity=CRITICAL, reads=("video_id", "end_sec", *length),
            needs=() if of_video else ("videos",), measure=wrong_rows(_over_the_end if of_video else _over_video_end),
            sentence="Every clip ends before its video does.",
        ),
        *SPLITS,
    )  # fmt: skip


ID_OF_CLIP = Expectation(
    name="id_of_clip", severity=CRITICAL, reads=("clip_id", "video_id", "start_sec"),
    measure=wrong_rows(lambda handover: _other_id(handover)),
    sentence="Every clip_id is video_id:start in milliseconds.",
)  # fmt: skip

NOT_WITHDRAWN = Expectation(
    name="not_withdrawn", severity=CRITICAL, reads=("video_id",), needs=("withdrawn",),
    measure=held_by("video_id", "withdrawn"), sentence="No row is about a video that was withdrawn.",
)  # fmt: skip

CATEGORY_REGISTERED = Expectation(
    name="category_registered", severity=CRITICAL, reads=("category",), needs=("categories",),
    measure=not_in("category", "categories"), sentence="Every category is registered.",
)  # fmt: skip

LABEL_IS_A_SIGN = Expectation(
    name="label_is_a_sign", severity=CRITICAL, reads=("label",),
    measure=wrong_rows(lambda handover: handover.known("label") & (np.abs(handover.numbers("label")) != 1)),
    sentence="A label is +1 or -1.",
)  # fmt: skip

CONFIDENCE_IN_RANGE = Expectation(
    name="confidence_in_range", severity=CRITICAL, reads=("confidence",), measure=outside("confidence", 0, 1),
    sentence="A confidence lies between 0 and 1.",
)  # fmt: skip


def _off_grid(handover: Handover) -> Bools:
    start = handover.numbers("start_sec")
    places = start / GRID_SEC
    return handover.known("start_sec") & ~((start >= 0) & (np.abs(places - np.rint(places)) < _SLACK_SEC))


def _other_length(handover: Handover) -> Bools:
    length = handover.numbers("end_sec") - handover.numbers("start_sec")
    return ~(np.abs(length - CLIP_SEC) < _SLACK_SEC)


def _over_the_end(handover: Handover) -> Bools:
    return handover.numbers("end_sec") > handover.numbers("duration_sec") + _SHORTER_SEC


def _over_video_end(handover: Handover) -> Bools:
    """Return which clips end after their video; a clip of no video is another expectation's."""
    place = handover.place_in("video_id", "videos")
    lengths = handover.beside["videos"]["duration_sec"].to_numpy()
    ends = np.append(lengths, np.inf)[place]
    return np.asarray(handover.numbers("end_sec") > ends + _SHORTER_SEC)


def _other_id(handover: Handover) -> Bools:
    start = handover.numbers("start_sec") * 1000
    start_ms = pa.array(np.rint(np.where(np.isfinite(start), start, -1)).astype(np.int64)).cast(pa.string())
    video = handover.column("video_id").cast(pa.string())
    ids = pc.binary_join_element_wise(video, start_ms, ":")
    same = pc.equal(ids, handover.column("clip_id").cast(pa.string()))
    return ~np.asarray(same.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)


def _splits_of_video(handover: Handover) -> Bools:
    video = handover.places("video_id")
    mixed = np.append(several(video, handover.places("split")), False)
    return np.asarray(mixed[video])


def _splits_of_group(handover: Handover) -> Bools:
    """Return the rows of groups whose videos are in more than one split, in these rows and as they were admitted."""
    admitted = handover.beside["admitted"]
    groups = admitted["group_id"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    of_row = np.append(groups, -1)[handover.place_in("video_id", "admitted")]
    splits = pa.array(handover.codes("split")[0], pa.string())
    fixed = pc.index_in(admitted["split"].combine_chunks(), value_set=splits).fill_null(len(splits)).to_numpy()
    found = several(np.append(of_row, groups), np.append(handover.places("split"), fixed))
    return np.asarray(np.append(found, False)[of_row])


def _other_split(handover: Handover) -> Bools:
    place = handover.place_in("video_id", "admitted")
    if not handover.beside["admitted"].num_rows:
        return np.zeros(len(place), dtype=bool)
    own = handover.column("split").cast(pa.string())
    fixed = handover.beside["admitted"]["split"].combine_chunks().take(pa.array(np.maximum(place, 0)))
    equal = pc.equal(own, fixed).fill_null(True).to_numpy(zero_copy_only=False).astype(bool)
    return np.asarray((place >= 0) & ~equal)
