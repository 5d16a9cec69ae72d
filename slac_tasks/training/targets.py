"""A release's rows as clips, and what people said of them."""

from collections.abc import Iterable

from slac_tasks.storage.datasets.releasing import GoldJudgeRow, ReleaseRow
from slac_tasks.video.clips import ClipAddress

Answers = dict[str, dict[str, int]]
"""clip_id -> category -> +1 or -1."""


def answers_of(rows: Iterable[ReleaseRow | GoldJudgeRow]) -> tuple[list[ClipAddress], Answers]:
    """Return (the clips of a release's rows, once each; what people said of them)."""
    clips: dict[str, ClipAddress] = {}
    answers: Answers = {}
    for row in rows:
        clips[row.clip_id] = ClipAddress.of(row)
        answers.setdefault(row.clip_id, {})[row.category] = row.label
    return list(clips.values()), answers
