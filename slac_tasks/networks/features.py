"""Features that are kept beside the scores: what a backbone makes of a clip, in 64 numbers of 16 bits.

A backbone gives 60 to 2,048 numbers a clip. They are projected by random signs (Achlioptas 2003), which changes the
distance of two clips by an eighth or so. The signs are a fixed function of the backbone's length: features of one
backbone can be compared whenever and wherever they were made. A member's features of 40 million clips are 5 GB.
"""

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

LENGTH = 64
"""Numbers that are kept of a clip."""

Features = NDArray[np.float32]
"""(clips, LENGTH)."""

_STORED = np.dtype("<f2")
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """How the output of a backbone becomes LENGTH numbers."""

    matrix: NDArray[np.float32]
    """(length of the output, LENGTH)."""
    key: str
    """16 hex digits of the SHA-256 of the matrix: features with another key cannot be compared."""

    def packed(self, features: NDArray[np.float32]) -> list[bytes]:
        """Return what is stored of features (clips, length of the output), clip by clip."""
        # A product by BLAS wakes a thread for each processor, and waits for each: while others decode on all of them,
        # ten times as long as one thread takes.
        kept = np.einsum("nf,fl->nl", features, self.matrix).clip(-_LARGEST, _LARGEST).astype(_STORED)
        return [row.tobytes() for row in kept]


@cache
def projection(length: int) -> Projection:
    """Return the projection of a backbone's output of this length; a short one is padded with zeros."""
    if length <= LENGTH:
        matrix = np.eye(length, LENGTH, dtype="<f4")
    else:
        bits = np.frombuffer(hashlib.shake_256(f"slac features {length}".encode()).digest(length * LENGTH // 8), "u1")
        signs = np.unpackbits(bits).reshape(length, LENGTH).astype("<f4") * 2 - 1
        matrix = signs / np.float32(LENGTH**0.5)
    return Projection(matrix=matrix, key=hashlib.sha256(matrix.tobytes()).hexdigest()[:16])


def in_own_unit(features: Features) -> Features:
    """Return features around their mean and in the unit of their mean length, so that all members weigh the same."""
    centred = features - features.mean(axis=0, dtype=np.float64).astype(np.float32)
    lengths = np.einsum("ij,ij->i", centred, centred)
    centred /= max(float(np.sqrt(lengths.mean(dtype=np.float64))), 1e-9)
    return np.asarray(centred)


def unpacked(stored: pa.ChunkedArray) -> Features:
    """Return the features of clips, (clips, LENGTH), from the column in which they are stored."""
    parts = [
        np.frombuffer(chunk.buffers()[1], _STORED, len(chunk) * LENGTH, chunk.offset * LENGTH * _STORED.itemsize)
        for chunk in stored.chunks
    ]
    return np.concatenate([np.empty(0, _STORED), *parts]).reshape(-1, LENGTH).astype(np.float32)
