"""What is expected of the media that were fetched for a category and window.

Beside them: `candidates` (candidate_id).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from slac_tasks.quality.expectations.candidates import HEX_64
from slac_tasks.quality.expectations.declared import declared
from slac_tasks.quality.expectations.entries import CRITICAL, WARNING, Bools, Expectation, Finding, Handover, Wanted
from slac_tasks.quality.expectations.measures import not_in, not_like, outside, share, wrong_rows
from slac_tasks.quality.expectations.renditions import RENDITIONS
from slac_tasks.storage.datasets import FETCHED

_LARGEST = 2.0**46
"""Bytes."""
_WIDEST = 16_384
"""Pixels."""
UNDECODED = ("corrupt", "discontinuous clock", "no clock", "no video stream", "unsupported codec")
"""Reasons for which media that were downloaded are set aside: they cannot be decoded."""


def _other_id(handover: Handover) -> Bools:
    media = pc.utf8_slice_codeunits(handover.column("media_sha256"), 0, 16)
    same = pc.equal(media, handover.column("video_id"))
    return ~np.asarray(same.to_numpy(zero_copy_only=False), dtype=bool)


def _decoded(handover: Handover) -> Iterator[Finding]:
    failed = {reason: count for reason, count in handover.dropped.items() if reason in UNDECODED}
    rows = handover.rows.num_rows
    yield share(rows, rows + sum(failed.values()), examples=tuple(sorted(failed))[:3])


def _fingerprinted(handover: Handover) -> Iterator[Finding]:
    sizes = pc.list_value_length(handover.column("frame_hashes")).fill_null(0).to_numpy()
    yield share(int(np.count_nonzero(sizes)), len(sizes))


EXPECTATIONS: tuple[Expectation, ...] = (
    *declared(FETCHED),
    *RENDITIONS,
    Expectation(
        name="of_a_candidate", severity=CRITICAL, reads=("candidate_id",), needs=("candidates",),
        measure=not_in("candidate_id", "candidates"), sentence="Everything that was fetched was a candidate.",
    ),
    Expectation(
        name="id_of_media", severity=CRITICAL, reads=("media_sha256", "video_id"), measure=wrong_rows(_other_id),
        sentence="Every video_id begins the hash of its media.",
    ),
    Expectation(
        name="hash_of_media", severity=CRITICAL, reads=("media_sha256",), measure=not_like("media_sha256", HEX_64),
        sentence="The hash of all media is 64 hex digits.",
    ),
    Expectation(
        name="size_in_bytes", severity=CRITICAL, reads=("size_bytes",), measure=outside("size_bytes", 1, _LARGEST),
        sentence="All media have bytes, and not more than a disk holds.",
    ),
    Expectation(
        name="width_in_pixels", severity=CRITICAL, reads=("width",), measure=outside("width", 1, _WIDEST),
        sentence="Every original is some pixels wide.",
    ),
    Expectation(
        name="height_in_pixels", severity=CRITICAL, reads=("height",), measure=outside("height", 1, _WIDEST),
        sentence="Every original is some pixels high.",
    ),
    Expectation(
        name="media_decoded", severity=WARNING, reads=(), wanted=Wanted(low="min_decoded"), measure=_decoded,
        sentence="Most media that were downloaded could be decoded to the end.",
    ),
    Expectation(
        name="fingerprinted", severity=WARNING, reads=("frame_hashes",), wanted=Wanted(low="min_fingerprinted"),
        measure=_fingerprinted, sentence="Most media have a fingerprint, by which look-alikes are found.",
    ),
)  # fmt: skip
