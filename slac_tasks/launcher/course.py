"""How long a demo may still take: modelled from demos that were watched, and from the pace of this one (ours)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Course:
    """How demos of one kind went."""

    whole_sec: float
    """So long one took from its backfill to its end."""
    gone: Mapping[int, float]
    """Share of that time that was gone when so many steps were left for the first time, the most steps first."""

    def gone_at(self, steps: int) -> float:
        """Return the share of the time that is gone, at the least, when so many steps are left."""
        return max((share for left, share in self.gone.items() if left >= steps), default=0.0)

    def gone_after(self, share: float) -> float:
        """Return the share of the time that is gone when the next step is done that the course knows."""
        return min((later for later in self.gone.values() if later > share), default=1.0)


@dataclass(kw_only=True)
class Forecast:
    """The end of one demo. With each step that is done, its pace says more of how long all of it takes."""

    course: Course
    _begin: float | None = None
    """Share that was gone when the watch began: what an earlier run of the demo did."""
    _gone: float = 0.0
    _whole_sec: float = 0.0

    def left_sec(self, seconds: float, steps: int) -> float:
        """Return how many seconds are left, after so many, with so many steps to go."""
        gone = self.course.gone_at(steps)
        if self._begin is None:
            self._begin, self._gone, self._whole_sec = gone, gone, self.course.whole_sec
        elif gone > self._gone:
            self._gone, self._whole_sec = gone, seconds / (gone - self._begin)
        # A step that takes longer than it should puts off all that follow.
        least = 1 - self.course.gone_after(self._gone)
        return max(self._whole_sec * (1 - self._begin) - seconds, self._whole_sec * least)
