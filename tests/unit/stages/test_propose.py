"""Renditions that are drawn by lot are decoded before clips are proposed from them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from learning_world import SECONDS, WINDOW, LearningWorld, draw

from slac_tasks.admission.withdrawals import write_withdrawal
from slac_tasks.networks.settings import Proposal
from slac_tasks.quality.expectations import EXPECTATIONS
from slac_tasks.quality.expectations.clips import BROKEN, DRAWN, drawn
from slac_tasks.quality.expectations.entries import Handover
from slac_tasks.quality.settings import Expectations
from slac_tasks.stages import propose
from slac_tasks.storage.datasets import CLIPS, VIDEOS
from slac_tasks.storage.datasets.collecting import Span, VideoRow
from slac_tasks.video.lost import MISSING
from slac_tasks.video.pieces import UNDECODABLE

KEYS = {"category": "wave", "window": WINDOW}


def video(name: str) -> VideoRow:
    return VideoRow(
        source="s", source_id=name, candidate_id=name, duration_sec=float(SECONDS), fps=24.0, proxy_256=name,
        proxy_128=name, proxy_sha256="0", shots=(Span(start_sec=0.0, end_sec=float(SECONDS)),), video_id=name,
        group_id=name, split="training",
    )  # fmt: skip


def world(folder: Path, broken: dict[str, bytes]) -> LearningWorld:
    """Two whole videos, and others whose rendition has these bytes."""
    made = LearningWorld(folder)
    draw(folder / "whole.mp4", colour=(200, 40, 40), speed=1)
    for name in ("a", "b"):
        made.store.put_file(name, folder / "whole.mp4")
    for name, data in broken.items():
        made.store.put(name, data)
    rows = [video(name) for name in ("a", "b", *broken, "gone")]
    made.datasets.write(VIDEOS, [VIDEOS.table(rows)], keys=KEYS, stage="test", settings={}, made_from={})
    return made


def test_a_drawn_video_whose_rendition_breaks_has_no_clips_and_is_named(tmp_path: Path) -> None:
    draw(tmp_path / "long.mp4", colour=(200, 40, 40), speed=1)
    half = (tmp_path / "long.mp4").read_bytes()
    made = world(tmp_path, {"words": b"no video, only words", "half": half[: len(half) // 2]})
    propose.run(made.job("propose", window=WINDOW, categories=("wave",)))
    manifest = made.datasets.need(CLIPS, **KEYS)
    assert {row.video_id for row in made.datasets.rows(CLIPS, **KEYS)} == {"a", "b"}
    assert {(drop.item, drop.reason) for drop in manifest.drops} == {
        (name, BROKEN) for name in ("words", "half", "gone")
    }

    videos = made.datasets.read(VIDEOS, ["video_id"], **KEYS)
    handover = Handover(
        dataset=CLIPS, keys=KEYS, rows=made.datasets.read(CLIPS, **KEYS), knobs=Expectations(),
        dropped=manifest.dropped, beside={"videos": videos, "withdrawn": videos.slice(0, 0)},
    )  # fmt: skip
    (one,) = [each for each in EXPECTATIONS[CLIPS.name] if each.name == "renditions_decoded"]
    (found,) = one.findings(handover)
    assert (found.value, found.count) == (0.4, 5)
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 0.4 < found.high < 1


def test_a_video_that_the_people_filter_cannot_read_stops_no_other(tmp_path: Path) -> None:
    made = world(tmp_path, {})
    made.store.put("words", b"no video, only words")
    whole = [video("a"), video("b")]
    rows = [*whole, *(replace(video("a"), video_id=name, proxy_256=name) for name in ("words", "gone"))]
    made.datasets.write(VIDEOS, [VIDEOS.table(rows)], keys=KEYS, stage="test", settings={}, made_from={})
    config = replace(made.config(), proposal=Proposal(people="hog"))
    propose.run(made.job("propose", config=config, window=WINDOW, categories=("wave",)))
    drops = made.datasets.need(CLIPS, **KEYS).drops
    assert {drop.item: drop.reason for drop in drops if drop.item in ("words", "gone")} == {
        "words": UNDECODABLE, "gone": MISSING,
    }  # fmt: skip
    assert {drop.item for drop in drops if drop.reason == "no people in the shot"} == {"a#0", "b#0"}


@pytest.mark.parametrize("people", ["none", "hog"])
def test_a_video_that_is_taken_down_while_clips_are_proposed_is_not_called_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, people: str
) -> None:
    made = world(tmp_path, {})

    def taken_down(rows: list[VideoRow], total: int, what: str) -> Iterator[VideoRow]:
        write_withdrawal(made.store, "gone", "asked", deletes=True)
        yield from rows

    monkeypatch.setattr(propose, "track", taken_down)
    if people != "none":
        # What the lot leaves out is read by the people filter alone.
        monkeypatch.setattr(propose, "drawn", lambda videos: frozenset())
    config = replace(made.config(), proposal=Proposal(people=people))
    propose.run(made.job("propose", config=config, window=WINDOW, categories=("wave",)))
    assert "gone" not in {drop.item for drop in made.datasets.need(CLIPS, **KEYS).drops}


def test_a_few_videos_are_drawn_the_same_at_every_call() -> None:
    names = [f"{number:016x}" for number in range(200)]
    assert len(drawn(names)) == DRAWN
    assert drawn(names) == drawn(reversed(names))
    # One more video changes the draw by one at most.
    assert len(drawn(names) - drawn([*names, "new"])) <= 1
    assert drawn(names[:7]) == set(names[:7])
