import dataclasses
import json
import random
import re
import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch
from learning_world import MEMBERS, WINDOW, LearningWorld

from slac_tasks import cli
from slac_tasks.errors import BrokenContract, NotMade, Temporary
from slac_tasks.networks import desk
from slac_tasks.networks.canaries import COUNT
from slac_tasks.networks.features import projection, unpacked
from slac_tasks.networks.inference import device_name, precision
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.settings import Scoring
from slac_tasks.networks.weights import decode_classifier
from slac_tasks.stages import bootstrap, score
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, FEATURES, SCORES
from slac_tasks.storage.shards import Shard
from slac_tasks.training.trainer import features
from slac_tasks.video import pool
from slac_tasks.video.frames import read_clips
from slac_tasks.video.lost import DIED, Lost


def trained(folder, **kwargs) -> LearningWorld:
    world = LearningWorld(folder)
    for category in ("wave", "jump"):
        world.add_category(category, **kwargs)
    bootstrap.run(world.job("bootstrap", window=WINDOW, committee=seated(world), categories=("wave", "jump")))
    return world


def seated(world: LearningWorld) -> str:
    return world.recipe("wave", "jump")


def score_all(world: LearningWorld, *categories: str) -> None:
    score.run(world.job("score", window=WINDOW, committee=seated(world), categories=categories))


def scores_of(world: LearningWorld, category: str, member: str) -> dict[str, float]:
    seat = next(row for row in seats(world) if (row["member"], row["category"]) == (member, category))
    rows = world.datasets.read(SCORES, category=category, window=WINDOW, weights=seat["weights"]).to_pylist()
    return {row["clip_id"]: row["score"] for row in rows}


def seats(world: LearningWorld) -> list[dict]:
    return world.datasets.read(COMMITTEES, committee=seated(world)).to_pylist()


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


def test_every_feature_is_that_of_its_own_clip(tmp_path):
    world = trained(tmp_path)
    score_all(world, "wave")
    for seat in seats(world):
        if seat["category"] != "wave":
            continue
        entry = architecture(seat["architecture"])
        blobs = (world.store.get(f"weights/{seat[part]}.pt") for part in ("backbone", "head"))
        classifier, _ = decode_classifier(entry, *blobs)
        kept = projection(entry.features)
        table = world.datasets.read(FEATURES, category="wave", window=WINDOW, weights=seat["weights"])
        assert table["clip_id"].to_pylist() == list(scores_of(world, "wave", seat["member"]))
        assert set(table["projection"].to_pylist()) == {kept.key}
        place = {
            clip["clip_id"]: clip for clip in world.datasets.read(CLIPS, category="wave", window=WINDOW).to_pylist()
        }
        for clip_id, found in zip(table["clip_id"].to_pylist(), unpacked(table["features"]), strict=True):
            with world.store.local(place[clip_id]["proxy_128"]) as path:
                pixels = read_clips(path, [place[clip_id]["start_sec"]], frames=entry.frames, size=entry.size)
            want = features(classifier.backbone, entry, pixels, torch.device("cpu")).numpy() @ kept.matrix
            assert found == pytest.approx(want[0], abs=0.03 * float(abs(want).max()))


def test_features_that_are_missing_are_made_and_scores_stay(tmp_path):
    world = trained(tmp_path)
    score_all(world, "wave")
    whole = {keys["weights"]: world.datasets.read(FEATURES, **keys) for keys in world.datasets.partitions(FEATURES)}
    before = {keys["weights"]: world.datasets.need(SCORES, **keys) for keys in world.datasets.partitions(SCORES)}
    for name in list(world.store.names("features/")):
        world.store.delete(name)
    score_all(world, "wave")
    for keys in world.datasets.partitions(SCORES):
        assert world.datasets.need(SCORES, **keys) == before[keys["weights"]]
        assert world.datasets.read(FEATURES, **keys) == whole[keys["weights"]]
    assert not [name for name in world.store.names("") if "/unfinished/" in name]


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
    job = world.job("score", window=WINDOW, committee=seated(world), categories=("wave",))
    score.run(dataclasses.replace(job, remake=True))
    for member in MEMBERS:
        assert scores_of(world, "wave", member) == pytest.approx(before[member], abs=1e-4)


def test_workers_decode_what_this_process_would(tmp_path):
    world = trained(tmp_path)
    score_all(world, "wave")
    before = {member: scores_of(world, "wave", member) for member in MEMBERS}
    job = world.job("score", window=WINDOW, committee=seated(world), categories=("wave",))
    config = dataclasses.replace(job.config, scoring=Scoring(workers=2, batch=3))
    score.run(dataclasses.replace(job, config=config, remake=True))
    for member in MEMBERS:
        assert scores_of(world, "wave", member) == pytest.approx(before[member], abs=0.02)


class Late:
    """A line whose results are asked for two batches later, and whose pixels are gone by then."""

    ahead = 2

    def __init__(self, line):
        self._line = line

    def give(self, pixels, backbones):
        copies = {view: clips.copy() for view, clips in pixels.items()}
        for clips in pixels.values():
            clips[:] = 0
        return LateResult(lambda: self._line.give(copies, backbones).features())

    def close(self):
        self._line.close()


@dataclasses.dataclass
class LateResult:
    features: Callable[[], object]


def test_batches_that_overlap_change_no_byte(tmp_path, monkeypatch):
    world = trained(tmp_path)
    config = dataclasses.replace(world.config(), scoring=Scoring(batch=3))
    monkeypatch.setattr(score, "SHARD_CLIPS", {"cpu": 4})

    def scored():
        job = world.job("score", config=config, window=WINDOW, committee=seated(world), categories=("jump", "wave"))
        score.run(dataclasses.replace(job, remake=True))
        found = world.datasets.partitions(SCORES)
        return {tuple(keys.values()): world.datasets.need(SCORES, **keys).parts for keys in found}

    before = scored()
    whole = score.line_of
    monkeypatch.setattr(score, "line_of", lambda *args: Late(whole(*args)))
    assert scored() == before
    assert len(before) == 2 * len(MEMBERS)


def test_a_video_that_loses_its_decoder_twice_is_dropped_and_may_be_tried_again(tmp_path, monkeypatch):
    world = trained(tmp_path)
    gone = min(row.video_id for row in world.datasets.rows(CLIPS, category="wave", window=WINDOW))

    def lose(decoded):
        rows = {at: Lost(DIED, "x.mp4: 2 processes") for at in range(1, 3)}
        return dataclasses.replace(decoded, lost=rows)

    monkeypatch.setattr(pool.Pool, "_decoded_here", lambda own, cuts, old=pool.Pool._decoded_here: lose(old(own, cuts)))
    score_all(world, "wave")
    manifest = world.datasets.need(SCORES, category="wave", window=WINDOW, weights=seats(world)[0]["weights"])
    assert [(drop.item, drop.reason, drop.retryable) for drop in manifest.drops] == [(gone, "decoder died", True)]
    assert gone not in {clip.split(":")[0] for clip in scores_of(world, "wave", "small_3d")}


def test_a_run_in_which_a_canary_scores_otherwise_writes_nothing(tmp_path):
    world = trained(tmp_path)
    score_all(world, "wave")
    weights = seats(world)[0]["weights"]
    name = f"canaries/2/{weights}.json"
    world.store.put(name, json.dumps({"canary:0": [0.0, 0.0], "canary:1": [1.0, 1.0]}).encode())
    with pytest.raises(BrokenContract, match="clips are mixed up, or this machine computes differently"):
        score_all(world, "jump")
    assert not world.datasets.partitions(SCORES, category="jump")


def test_a_store_that_fails_while_later_clips_are_scored_stops_the_run_with_its_own_failure(tmp_path, monkeypatch):
    world = trained(tmp_path)
    monkeypatch.setattr(score, "SHARD_CLIPS", {"cpu": 1})
    failure = Temporary("store: is full")
    begun = []

    def full(shard, rows, drops=()):
        begun.append(threading.current_thread().name)
        raise failure

    monkeypatch.setattr(Shard, "write", full)
    with pytest.raises(Temporary) as raised:
        score_all(world, "wave", "jump")
    assert raised.value is failure
    assert len(begun) == 1
    assert begun[0].startswith("writer")
    assert not world.datasets.partitions(SCORES)


def test_canaries_are_made_once_and_not_for_each_batch(tmp_path, monkeypatch):
    world = trained(tmp_path)
    made = []
    whole = desk.canary
    monkeypatch.setattr(desk, "canary", lambda index, views: made.append(views) or whole(index, views))
    config = dataclasses.replace(world.config(), scoring=Scoring(batch=2))
    score.run(world.job("score", config=config, window=WINDOW, committee=seated(world), categories=("wave",)))
    assert len([views for views in made if views]) == COUNT


def test_addresses_are_made_shard_by_shard_and_not_of_the_whole_job(tmp_path, monkeypatch):
    world = trained(tmp_path)
    monkeypatch.setattr(score, "SHARD_CLIPS", {"cpu": 4})
    begun, ahead = [], []
    batches, whole = desk.Piece.batches, desk.Desk.score
    monkeypatch.setattr(desk.Piece, "batches", lambda piece, size: begun.append(piece) or batches(piece, size))

    def scored(own, piece, *rest):
        ahead.append(any(one is piece for one in begun))
        whole(own, piece, *rest)

    monkeypatch.setattr(desk.Desk, "score", scored)
    score_all(world, "wave")
    assert len(ahead) > 1
    assert not any(ahead)  # one process, which decodes nothing ahead


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
    assert capsys.readouterr().err.count("finished already") == 2 * len(MEMBERS)


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


def rates_in(world: LearningWorld) -> list[dict]:
    return [json.loads(world.store.get(name)) for name in world.store.names("rates/")]


def estimate(world: LearningWorld, *categories: str) -> None:
    job = world.job("score", window=WINDOW, committee=seated(world), categories=categories)
    score.run(dataclasses.replace(job, estimate=True))


def test_a_run_leaves_its_rate_and_the_next_estimate_reads_it(tmp_path, capsys):
    world = trained(tmp_path)
    estimate(world, "wave", "jump")
    networks = " + ".join(sorted(MEMBERS))
    said = capsys.readouterr().out
    assert said.startswith(f"16 clips with {networks}; about ")
    assert f"unknown time on {device_name(torch.device('cpu'))}, where no run with {networks} was measured" in said
    assert not world.datasets.partitions(SCORES)
    score_all(world, "wave")
    (run,) = rates_in(world)
    assert (run["clips"], run["device"]) == (8, device_name(torch.device("cpu")))
    assert run["seconds"] > 0
    assert run["startup_sec"] > 0
    sizes = {
        row.proxy_128: world.store.get(row.proxy_128)
        for row in world.datasets.rows(CLIPS, category="wave", window=WINDOW)
    }
    assert run["size_bytes"] == sum(map(len, sizes.values()))
    capsys.readouterr()
    estimate(world, "wave", "jump")
    said = capsys.readouterr().out
    assert re.fullmatch(
        rf"8 clips with {re.escape(networks)}; about [\d.]+ KB of renditions; about \d+ s on .*, \d+ s of it to start; "
        r"measured: [\d.]+ clips/s over 8 clips of 1 run, last on 20\d\d-\d\d-\d\d\n",
        said,
    )
    score_all(world, "jump")
    capsys.readouterr()
    estimate(world, "wave", "jump")
    assert capsys.readouterr().out == "nothing to score: every member has scored every clip\n"


def test_the_command_says_what_it_would_take_and_scores_nothing(tmp_path, monkeypatch, capsys):
    world = trained(tmp_path)
    monkeypatch.setenv("SLAC_STORE", world.store.url)
    words = ["score", "--category=wave", f"--window={WINDOW}", f"--committee={seated(world)}", "--estimate"]
    assert cli.main(words) == 0
    assert capsys.readouterr().out.startswith("8 clips with ")
    assert not world.datasets.partitions(SCORES)
    assert not list(world.store.names("rates/"))


def test_a_run_of_several_kinds_of_work_leaves_no_rate(tmp_path):
    world = trained(tmp_path)
    score_all(world, "wave")
    (alone,) = [seat for seat in seats(world) if (seat["member"], seat["category"]) == ("small_3d", "wave")]
    for name in list(
        world.store.names(f"scores/v{SCORES.version}/category=wave/window={WINDOW}/weights={alone['weights']}/")
    ):
        world.store.delete(name)
    score_all(world, "jump", "wave")
    assert len(rates_in(world)) == 1
    assert len(world.datasets.partitions(SCORES)) == 2 * len(MEMBERS)


def test_only_one_network_is_asked_where_one_member_alone_lacks_its_scores(tmp_path, capsys):
    world = trained(tmp_path)
    score_all(world, "wave")
    (alone,) = [seat for seat in seats(world) if (seat["member"], seat["category"]) == ("small_3d", "wave")]
    for name in list(
        world.store.names(f"scores/v{SCORES.version}/category=wave/window={WINDOW}/weights={alone['weights']}/")
    ):
        world.store.delete(name)
    capsys.readouterr()
    estimate(world, "wave")
    assert capsys.readouterr().out.startswith("8 clips with small_3d; ")


def test_scores_from_originals_are_those_from_renditions(tmp_path, by_torchcodec):
    world = trained(tmp_path)
    score_all(world, "wave")
    before = {member: scores_of(world, "wave", member) for member in MEMBERS}
    # What the world draws as a rendition is taken for an original here, and no rendition is left.
    for name in list(world.store.names("media/")):
        world.store.put(f"{name.rpartition('/')[0]}/original", world.store.get(name))
        world.store.delete(name)
    job = world.job("score", window=WINDOW, committee=seated(world), categories=("wave",))
    for pixels in ("originals", "torchcodec"):
        config = dataclasses.replace(job.config, scoring=Scoring(pixels=pixels, batch=3))
        score.run(dataclasses.replace(job, config=config, remake=True))
        for member in MEMBERS:
            assert scores_of(world, "wave", member) == pytest.approx(before[member], abs=0.02)
    assert len({path.split("/")[1] for path in world.store.names("rates/")}) == 3, "each way has a rate of its own"
