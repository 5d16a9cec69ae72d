import dataclasses
import json
import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from learning_world import MEMBERS, WINDOW, LearningWorld

from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.networks.inference import Extractor, precision
from slac_tasks.networks.registry import Stream, architecture
from slac_tasks.networks.settings import Scoring
from slac_tasks.networks.weights import decode_classifier
from slac_tasks.stages import bootstrap, score
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, SCORES
from slac_tasks.training.trainer import features
from slac_tasks.video.clips import ClipAddress, Footage, batched
from slac_tasks.video.frames import read_clips

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
            # bfloat16 keeps two to three digits
            assert found[clip["clip_id"]] == pytest.approx(want, abs=0.02)


def test_the_order_of_clips_changes_no_score(tmp_path):
    world = trained(tmp_path)
    score_all(world, "wave")
    before = {member: scores_of(world, "wave", member) for member in MEMBERS}
    rows = world.datasets.read(CLIPS, category="wave", window=WINDOW).to_pylist()
    random.Random(1).shuffle(rows)
    world.datasets.write(
        CLIPS,
        [CLIPS.from_records(rows)],
        keys={"category": "wave", "window": WINDOW},
        stage="propose",
        settings={},
        made_from={},
    )
    job = world.job("score", window=WINDOW, committee=COMMITTEE, categories=("wave",))
    score.run(dataclasses.replace(job, remake=True))
    for member in MEMBERS:
        assert scores_of(world, "wave", member) == pytest.approx(before[member], abs=1e-4)


class Mean(torch.nn.Module):
    """A backbone whose feature is how bright a clip is."""

    def forward(self, stream):
        return stream.mean((1, 2, 3, 4))[:, None]


BRIGHT = dataclasses.replace(architecture("small_3d"), name="bright", stream=Stream.RGB, features=1)


@given(data=st.data())
def test_no_score_lands_on_another_clip(data):
    """Each clip is as bright as its number says; videos come shuffled, some not at all, in batches of any size."""
    lengths = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=6))
    numbers = iter(data.draw(st.permutations(range(sum(lengths)))))
    bright: dict[str, int] = {}
    reels = []
    for video, length in enumerate(lengths):
        clips = tuple(
            ClipAddress(clip_id=f"v{video}:{i}", video_id=f"v{video}", start_sec=i, proxy_128="p", proxy_256="q")
            for i in range(length)
        )
        bright |= {clip.clip_id: 6 * next(numbers) for clip in clips}
        values = np.array([bright[clip.clip_id] for clip in clips], np.uint8)
        pixels = np.ones((length, 2, 4, 4, 3), np.uint8) * values[:, None, None, None, None]
        reels.append(Footage(clips=clips, pixels={BRIGHT.view: pixels}))
    wanted = data.draw(st.sets(st.sampled_from(sorted(bright))))
    arrived = data.draw(st.lists(st.sampled_from(reels), unique_by=id))
    addresses = {clip.clip_id: clip for reel in reels for clip in reel.clips}
    want = score.Want(
        category="c", member="m", entry=BRIGHT, backbone="b", head="h", output=1, weights="w", clips=None,
        wanted={clip_id: addresses[clip_id] for clip_id in wanted},
    )  # fmt: skip
    head = torch.nn.Linear(1, 2)
    torch.nn.init.ones_(head.weight)
    torch.nn.init.zeros_(head.bias)
    memory = data.draw(st.integers(1, 5))
    extractor = Extractor(entry=BRIGHT, backbone=Mean(), where=torch.device("cpu"), batch=memory, dtype=torch.float32)
    seat = score.Seat(extractor, {"h": head}, [want])
    for batch in batched(arrived, data.draw(st.integers(1, 9))):
        seat.score(batch)
    found = {row["clip_id"]: row["score"] for row in want.rows}
    assert set(found) == wanted & {clip.clip_id for reel in arrived for clip in reel.clips}
    for clip_id, value in found.items():
        assert value == pytest.approx(1 / (1 + np.exp(1 - bright[clip_id] / 127.5)), abs=1e-5)


def test_workers_decode_what_this_process_would(tmp_path):
    world = trained(tmp_path)
    score_all(world, "wave")
    before = {member: scores_of(world, "wave", member) for member in MEMBERS}
    job = world.job("score", window=WINDOW, committee=COMMITTEE, categories=("wave",))
    config = dataclasses.replace(job.config, scoring=Scoring(workers=2, batch=3))
    score.run(dataclasses.replace(job, config=config, remake=True))
    for member in MEMBERS:
        assert scores_of(world, "wave", member) == pytest.approx(before[member], abs=0.02)


def test_a_run_in_which_a_canary_sings_another_song_writes_nothing(tmp_path):
    world = trained(tmp_path)
    score_all(world, "wave")
    weights = seats(world)[0]["weights"]
    name = f"canaries/{weights}.json"
    world.store.put(name, json.dumps({"canary:0": [0.0, 0.0], "canary:1": [1.0, 1.0]}).encode())
    with pytest.raises(BrokenContract, match="clips are mixed up, or this machine computes differently"):
        score_all(world, "jump")
    assert not world.datasets.partitions(SCORES, category="jump")


def test_scores_say_what_was_done_to_the_clip(tmp_path):
    world = trained(tmp_path)
    score_all(world, "wave")
    tables = [world.datasets.read(SCORES, **keys) for keys in world.datasets.partitions(SCORES, category="wave")]
    said = {table["member"][0].as_py(): table["preprocessing"][0].as_py() for table in tables}
    assert said["small_motion"].startswith("8x56 rgb diff mean (0.5, 0.5, 0.5)")
    assert said["small_motion"].endswith(str(precision(torch.device("cpu"))).removeprefix("torch."))


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
    assert [(drop.item, drop.reason) for drop in manifest.drops] == [(broken, "undecodable")]


def test_one_bad_category_does_not_hold_up_the_others(tmp_path):
    world = trained(tmp_path)
    world.add_category("stranger")
    with pytest.raises(NotMade, match="scores no category stranger"):
        score_all(world, "stranger", "wave")
    values = np.array(list(scores_of(world, "wave", "small_motion").values()))
    assert ((values >= 0) & (values <= 1)).all()
