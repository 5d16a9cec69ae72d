"""Names of videos: the one place that decides by which name others know a video, in every format and every release.

A video goes by its YouTube id, as in the lists that people have; else by its video_id. Many sources give names of their
own, such as `clip_000001`, which another source gives to another video. So a name of eleven characters that two videos
of a release share is no YouTube id, and both go by their video_id. A name that a video had in an earlier release stays,
and no other video gets it (ours).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

_YOUTUBE = re.compile(r"[A-Za-z0-9_-]{11}")


def names_of(videos: Iterable[tuple[str, str]], before: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the name of each video, by video_id; no two videos have one name.

    Args:
        videos: (video_id, source_id) of each video, repeated as often as one likes.
        before: names that videos had in earlier releases, by video_id.

    """
    known = before or {}
    own = {video_id: source_id for video_id, source_id in sorted(set(videos), reverse=True)}
    taken = Counter(known.values())
    wanted = Counter(own.values())

    def name(video_id: str, source_id: str) -> str:
        alone = wanted[source_id] == 1 and not taken[source_id]
        return source_id if alone and _YOUTUBE.fullmatch(source_id) else video_id

    return {video_id: known.get(video_id) or name(video_id, source_id) for video_id, source_id in own.items()}
