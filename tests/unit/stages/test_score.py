import dataclasses
import random

import numpy as np
import pytest
import torch
from learning_world import MEMBERS, WINDOW, LearningWorld

from slac_tasks.classifiers import architecture
from slac_tasks.datasets import CLIPS, COMMITTEES, SCORES
from slac_tasks.errors import NotMade
from slac_tasks.frames import read_clips
from slac_tasks.stages import bootstrap, score
from slac_tasks.training import features
from slac_tasks.weights import decode_classifier

COMMITTEE = "c0000001"


def trained(folder, **kwargs) -> LearningWorld:
    world = LearningWorld(folder)
    for category in ("wave", "jump"):
        world.add_category(category, **kwargs)
    bootstrap.run(world.job("bootstrap", window=WINDOW, committee=COMMITTEE, categories=("wave", "jump")))
    return world


def score_all(world: LearningWorld, *categories: str) -> None:
    score.run(world.job("score", window=WINDOW, committee=COMMITTEE, categories=categories))


def scores_of(world: LearningWorld, category: str, member: str) -> dict[str, float]:
    seat = next(row for row in seats(world) if (row["member"], row["category"]) == (member, category))
    rows = world.datasets.read(SCORES, category=category, window=WINDOW, weights=seat["weights"]).to_pylist()
    return {row["clip_id"]: row["score"] for row in rows}


def seats(world: LearningWorld) -> list[dict]:
    return world.datasets.read(COMMITTEES, committee=COMMITTEE).to_pylist()


def test_every_score_is_that_of_its_own_clip(tmp_path):
    world = trained(tmp_path)
    score_all(world, "wave", "jump")
    for seat in seats(world):
        entry = architecture(seat["architecture"])
        blobs = (world.store.get(f"weights/{seat[part]}.pt") for part in ("backbone", "head"))
        classifier, _ = decode_classifier(entry, *blobs)
        found = scores_of(world, seat["category"], seat["member"])
        clips = world.datasets.read(CLIPS, category=seat["category"], window=WINDOW).to_pylist()
        assert set(found) == {clip["clip_id"] for clip in clips}
        for clip in clips:
            with world.store.local(clip["proxy_128"]) as path:
                pixels = read_clips(path, [clip["start_sec"]], frames=entry.frames, size=entry.size)
            logit = classifier.head(features(classifier.backbone, entry, pixels, torch.device("cpu")))
            want = torch.sigmoid(logit)[0, seat["output"]].item()
            assert found[clip["clip_id"]] == pytest.approx(want, abs=1e-4)


def test_the_order_of_clips_changes_no_score(tmp_path):
    world = trained(tmp_path)
    score_all(world, "wave")
    before = {member: scores_of(world, "wave", member) for member in MEMBERS}
    rows = world.datasets.read(CLIPS, category="wave", window=WINDOW).to_pylist()
    random.Random(1).shuffle(rows)
    world.datasets.write(
        CLIPS,
        [CLIPS.rows(rows)],
        keys={"category": "wave", "window": WINDOW},
        stage="propose",
        settings={},
        made_from={},
    )
    job = world.job("score", window=WINDOW, committee=COMMITTEE, categories=("wave",))
    score.run(dataclasses.replace(job, remake=True))
    assert {member: scores_of(world, "wave", member) for member in MEMBERS} == before


def test_a_second_run_does_nothing(tmp_path, monkeypatch, capsys):
    world = trained(tmp_path)
    score_all(world, "wave")
    monkeypatch.setattr(score, "_score", lambda *_: pytest.fail("scored again"))
    capsys.readouterr()
    score_all(world, "wave")
    assert capsys.readouterr().err.count("finished already") == len(MEMBERS)


def test_a_video_that_cannot_be_read_is_dropped_with_its_reason(tmp_path):
    world = trained(tmp_path)
    rows = world.datasets.read(CLIPS, category="wave", window=WINDOW).to_pylist()
    broken, gone = sorted({row["video_id"] for row in rows})
    world.store.put(next(r["proxy_128"] for r in rows if r["video_id"] == broken), b"no video")
    score_all(world, "wave")
    assert {clip.split(":")[0] for clip in scores_of(world, "wave", "small_3d")} == {gone}
    manifest = world.datasets.need(SCORES, category="wave", window=WINDOW, weights=seats(world)[0]["weights"])
    assert [(drop["item"], drop["reason"]) for drop in manifest.drops] == [(broken, "undecodable")]


def test_one_bad_category_does_not_hold_up_the_others(tmp_path):
    world = trained(tmp_path)
    world.add_category("stranger")
    with pytest.raises(NotMade, match="scores no category stranger"):
        score_all(world, "stranger", "wave")
    values = np.array(list(scores_of(world, "wave", "small_motion").values()))
    assert ((values >= 0) & (values <= 1)).all()
