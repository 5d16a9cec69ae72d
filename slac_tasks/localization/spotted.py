"""Segments that a head found in one video, as columns."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Spotted:
    """Segments of one video, by falling score; all columns have shape (segments,)."""

    category: Ints
    start_sec: Floats
    end_sec: Floats
    score: Floats

    def __len__(self) -> int:
        return len(self.score)
