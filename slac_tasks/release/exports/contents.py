"""What an export is given: the rows of a release, and the names that others know its videos by."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from slac_tasks.storage.datasets.releasing import ReleaseRow

_YOUTUBE = re.compile(r"[A-Za-z0-9_-]{11}")


def public_ids(videos: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the name under which others know each video: its YouTube id, else its video_id.

    An id of eleven characters that two videos of a release share is no YouTube id: both keep their video_id, so that no
    two videos ever become one (ours).

    Args:
        videos: (video_id, source_id) of each video, repeated as often as one likes.

    """
    named = {video_id: source_id for video_id, source_id in sorted(set(videos), reverse=True)}
    uses = Counter(named.values())
    return {
        video_id: source_id if uses[source_id] == 1 and _YOUTUBE.fullmatch(source_id) else video_id
        for video_id, source_id in named.items()
    }


@dataclass(frozen=True, kw_only=True)
class Contents:
    """One release."""

    release: str
    rows: Callable[[], Iterator[ReleaseRow]]
    """Yields the rows in their fixed order, from the start at every call."""
    names: Mapping[str, str]
    """Display name of each category."""

    def public_ids(self) -> dict[str, str]:
        """Return the public name of each video, by video_id."""
        return public_ids((row.video_id, row.source_id) for row in self.rows())
