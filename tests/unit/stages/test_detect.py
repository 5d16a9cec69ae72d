"""`detect` looks at the newest videos of every category of a release, and goes on after a kill."""

import dataclasses

import pytest
from learning_world import WINDOW, LearningWorld

from slac_tasks.admission.withdrawals import TAKEN_DOWN, write_withdrawal
from slac_tasks.localization.settings import Localization
from slac_tasks.stages import detect, pretrain
from slac_tasks.storage.datasets import DETECTIONS, VIDEOS
from slac_tasks.video.pieces import UNDECODABLE

LATER = "2026-01-12"
CHEAP = Localization(steps=4, batch=2, width=8, videos=1, detect_videos=3, detect_least=0.0)


def add_videos(world: LearningWorld, category: str, clips: list[dict], window: str = WINDOW) -> list[str]:
    """Admit the videos of these clips."""
    names = {clip["video_id"]: clip["proxy_128"] for clip in clips}
    rows = [
        {
            "candidate_id": video, "source": "x", "source_id": f"{video}.mp4", "duration_sec": 6.0, "fps": 24.0,
            "proxy_256": name, "proxy_128": name, "proxy_sha256": "0", "shots": [{"start_sec": 0.0, "end_sec": 6.0}],
            "video_id": video, "group_id": video, "split": "training",
        }
        for video, name in names.items()
    ]  # fmt: skip
    keys = {"category": category, "window": window}
    made = {"stage": "deduplicate", "settings": {}, "made_from": {}}
    world.datasets.write(VIDEOS, [VIDEOS.from_records(rows)], keys=keys, **made)
    return sorted(names)


@pytest.fixture
def world(tmp_path):
    made = LearningWorld(tmp_path)
    clips = {category: made.add_category(category) for category in ("wave", "jump")}
    made.add_release(clips)
    for category, own in clips.items():
        add_videos(made, category, own)
    pretrain.run(made.job("pretrain", release="r0001"))
    return made


def job(world: LearningWorld, **settings: object):
    config = dataclasses.replace(world.config(), localization=dataclasses.replace(CHEAP, **settings))
    return world.job("detect", release="r0001", config=config)


def found(world: LearningWorld, category: str):
    return world.datasets.need(DETECTIONS, category=category, release="r0001")


def test_segments_lie_in_their_videos_and_do_not_overlap(world, capsys):
    detect.run(job(world))
    for category in ("wave", "jump"):
        rows = list(world.datasets.rows_of(DETECTIONS, found(world, category)))
        assert rows
        assert {row.window for row in rows} == {WINDOW}
        assert all(0 <= row.start_sec < row.end_sec <= 6.1 and 0 <= row.score <= 1 for row in rows)
        for one in rows:
            assert not [
                other for other in rows
                if other is not one and other.video_id == one.video_id
                and other.start_sec < one.end_sec and other.end_sec > one.start_sec
            ]  # fmt: skip
    page = world.store.get("reports/v1/release=r0001/detections.html").decode()
    assert '<th scope="row">jump</th><td class="n">2</td>' in page
    detect.run(job(world))
    assert capsys.readouterr().err.count("finished already") == 2


def test_the_newest_videos_are_looked_at_and_what_cannot_be_is_counted(world):
    clips = world.add_category("late", videos=3)
    broken, gone, _ = add_videos(world, "wave", clips, LATER)
    world.store.put(next(clip["proxy_128"] for clip in clips if clip["video_id"] == broken), b"no video")
    write_withdrawal(world.store, gone, "asked for")
    detect.run(job(world))
    made = found(world, "wave")
    assert made.dropped == {UNDECODABLE: 1, TAKEN_DOWN: 1}
    assert {row.window for row in world.datasets.rows_of(DETECTIONS, made)} == {LATER}


def test_without_a_video_no_head_is_taught(world, monkeypatch):
    monkeypatch.setattr(detect, "localizer_of_release", lambda *_: pytest.fail("a head was taught"))
    detect.run(job(world, detect_videos=0))
    assert found(world, "wave").rows == 0


def test_a_category_that_nothing_taught_has_no_segments_and_says_why(world, monkeypatch):
    localizer = detect.localizer_of_release(job(world).config, "r0001", {})
    shape = dataclasses.replace(localizer.head.shape, categories=("jump", "other"))
    localizer.head.shape = shape
    monkeypatch.setattr(detect, "localizer_of_release", lambda *_: localizer)
    detect.run(job(world))
    assert found(world, "wave").dropped == {detect.NOT_TAUGHT: 2}
    assert found(world, "jump").rows


def test_a_run_that_was_killed_goes_on_after_the_last_shard(world, monkeypatch):
    monkeypatch.setattr(detect, "_AT_ONCE", 1)
    whole, looked = detect._segments, []

    def dies(job, category, videos, *rest):
        looked.append(videos[0].video_id)
        if len(looked) == 2:
            raise KeyboardInterrupt
        return whole(job, category, videos, *rest)

    monkeypatch.setattr(detect, "_segments", dies)
    with pytest.raises(KeyboardInterrupt):
        detect.run(job(world))
    detect.run(job(world))
    assert len(looked) == 5  # of four videos one twice
    assert looked.count(looked[1]) == 2
