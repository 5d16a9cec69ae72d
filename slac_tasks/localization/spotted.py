"""Segments that a head found in one video, as columns."""

from dataclasses import dataclass

from slac_tasks.evaluation.measures import Floats, Ints


@dataclass(frozen=True, kw_only=True, eq=False)
class Spotted:
    """Segments of one video, by falling score; all columns have shape (segments,)."""

    category: Ints
    start_sec: Floats
    end_sec: Floats
    score: Floats

    def __len__(self) -> int:
        return len(self.score)
