"""Whatever opens media leaves videos out: withdrawn ones, and with another reason those whose bytes are not there.

A video may be withdrawn since it was taken down, excluded, or leaked; the store says all alike.
"""

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from learning_world import WINDOW, LearningWorld, draw

from slac_tasks.admission.withdrawals import TAKEN_DOWN, write_withdrawal
from slac_tasks.localization.settings import Localization
from slac_tasks.procedure import STAGES
from slac_tasks.stages import bootstrap, detect, evaluate, fetch, pretrain, propose, score
from slac_tasks.storage.datasets import (
    CANDIDATES,
    CLIPS,
    COMMITTEES,
    DETECTIONS,
    FETCHED,
    JUDGED,
    MODELS,
    RELEASES,
    SCORES,
    VIDEOS,
)
from slac_tasks.storage.datasets.collecting import CandidateRow, Span, VideoRow
from slac_tasks.storage.manifests import Drop
from slac_tasks.video.lost import MISSING

KEYS = {"category": "wave", "window": WINDOW}


def write(world: LearningWorld, dataset, rows, **keys: str) -> None:
    world.datasets.write(dataset, [dataset.table(rows)], keys=keys, stage="test", settings={}, made_from={})


def withdraw(world: LearningWorld, video_id: str) -> str:
    """Withdraw a video and spoil its media: a stage that opens it says so."""
    write_withdrawal(world.store, video_id, "leak")
    for name in list(world.store.names(f"media/{video_id}/")):
        world.store.put(name, b"no video")
    return video_id


def lose(world: LearningWorld, video_id: str) -> str:
    """Delete the media of a video that nobody withdrew."""
    for name in list(world.store.names(f"media/{video_id}/")):
        world.store.delete(name)
    return video_id


def first_video(world: LearningWorld, category: str = "wave") -> str:
    return min(row.video_id for row in world.datasets.rows(CLIPS, category=category, window=WINDOW))


def case_fetch(world: LearningWorld):
    (world.folder / "a.mp4").write_bytes(b"no video")
    row = CandidateRow(candidate_id="c", source="folder", source_id="a", location=str(world.folder / "a.mp4"))
    write(world, CANDIDATES, [row], **KEYS)
    write_withdrawal(world.store, "a", "asked")
    fetch.run(world.job("fetch", window=WINDOW, categories=("wave",)))
    return world.datasets.need(FETCHED, **KEYS), "c"


def case_propose(world: LearningWorld):
    videos = [
        VideoRow(
            source="s", source_id=name, candidate_id=name, duration_sec=6.0, fps=24.0, proxy_256="p", proxy_128="p",
            proxy_sha256="0", shots=(Span(start_sec=0.0, end_sec=6.0),), video_id=name, group_id=name, split="training",
        )
        for name in ("stays", "leaves")
    ]  # fmt: skip
    write(world, VIDEOS, videos, **KEYS)
    draw(world.folder / "p.mp4", colour=(200, 40, 40), speed=1)
    world.store.put_file("p", world.folder / "p.mp4")
    write_withdrawal(world.store, "leaves", "excluded")
    propose.run(world.job("propose", window=WINDOW, categories=("wave",)))
    assert {row.video_id for row in world.datasets.rows(CLIPS, **KEYS)} == {"stays"}
    return world.datasets.need(CLIPS, **KEYS), None


def trained(world: LearningWorld) -> None:
    for category in ("wave", "jump"):
        world.add_category(category)
    job = world.job("bootstrap", window=WINDOW, committee=world.recipe("wave", "jump"), categories=("wave", "jump"))
    bootstrap.run(job)


def case_bootstrap(world: LearningWorld):
    for category in ("wave", "jump"):
        world.add_category(category)
    gone = withdraw(world, first_video(world))
    committee = world.recipe("wave", "jump")
    bootstrap.run(world.job("bootstrap", window=WINDOW, committee=committee, categories=("wave", "jump")))
    return world.datasets.need(COMMITTEES, committee=committee), gone


def case_score(world: LearningWorld):
    trained(world)
    gone = withdraw(world, first_video(world))
    score.run(world.job("score", window=WINDOW, committee=world.recipe("wave", "jump"), categories=("wave",)))
    (keys, *_) = world.datasets.partitions(SCORES)
    assert len(world.datasets.rows(SCORES, **keys)) == 4  # of the other video
    return world.datasets.need(SCORES, **keys), gone


def released(world: LearningWorld) -> None:
    world.add_release({category: world.add_category(category, videos=3) for category in ("wave", "jump")})


def case_pretrain(world: LearningWorld):
    released(world)
    gone = withdraw(world, first_video(world))
    pretrain.run(world.job("pretrain", release="r0001"))
    (model,) = world.datasets.rows(MODELS, release="r0001")
    assert model.clips == 12  # 2 categories x 2 training videos x 4 clips, less the video that is gone
    return world.datasets.need(MODELS, release="r0001"), gone


def case_evaluate(world: LearningWorld):
    released(world)
    world.add_transfer()
    pretrain.run(world.job("pretrain", release="r0001"))
    tested = {row.video_id for row in world.datasets.rows(RELEASES, release="r0001") if row.split == "testing"}
    gone = withdraw(world, min(tested))
    evaluate.run(world.job("evaluate", release="r0001"))
    return world.datasets.need(JUDGED, release="r0001"), gone


def case_detect(world: LearningWorld):
    released(world)
    pretrain.run(world.job("pretrain", release="r0001"))
    video = first_video(world)
    row = VideoRow(
        source="s", source_id="leaves", candidate_id="c", duration_sec=6.0, fps=24.0, proxy_256="p", proxy_128="p",
        proxy_sha256="0", shots=(Span(start_sec=0.0, end_sec=6.0),), video_id=video, group_id=video, split="training",
    )  # fmt: skip
    write(world, VIDEOS, [row], **KEYS)
    gone = withdraw(world, video)
    cheap = Localization(steps=2, batch=2, width=8, videos=1)
    detect.run(world.job("detect", release="r0001", config=replace(world.config(), localization=cheap)))
    return world.datasets.need(DETECTIONS, **{"category": KEYS["category"], "release": "r0001"}), gone


CASES: dict[str, Callable] = {name.removeprefix("case_"): case for name, case in globals().items() if "case_" in name}


def test_every_stage_that_opens_media_is_tried_here():
    assert set(CASES) == {stage.name for stage in STAGES.values() if not stage.ledger}


@pytest.mark.parametrize("stage", CASES)
def test_a_withdrawn_video_is_neither_opened_nor_taught(stage, tmp_path):
    manifest, gone = CASES[stage](LearningWorld(tmp_path))
    assert "undecodable" not in manifest.dropped
    if gone is not None:
        assert [drop.item for drop in manifest.drops if drop.reason == TAKEN_DOWN] == [gone]


@pytest.mark.parametrize("stage", ["bootstrap", "score", "evaluate", "detect"])
def test_a_video_whose_renditions_are_gone_is_set_aside_as_that(stage, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "withdraw", lose)
    manifest, gone = CASES[stage](LearningWorld(tmp_path))
    assert [replace(drop, detail="") for drop in manifest.drops if drop.item == gone] == [
        Drop(item=gone, reason=MISSING, retryable=True)
    ]
