"""The stage `map` on real datasets and a real ledger."""

from typing import Any

import numpy as np
import pytest
from scored_clips import MADE, WINDOW, keep_features, prepare

from slac_tasks.networks.features import LENGTH, projection
from slac_tasks.stages import map as stage
from slac_tasks.storage.datasets import CLIPS, FEATURES, HARD_CLIPS, MAP
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets

OLDER = "2025-12-29"


def choose(datasets: Datasets, window: str, panel: str = "p1", *, videos: range = range(10), start: float = 0) -> None:
    """Write a round: one clip of each video."""
    rows = [
        {"clip_id": f"{video:016x}:{round(start * 1000)}", "video_id": f"{video:016x}", "start_sec": start,
         "end_sec": start + 2, "split": "training", "proxy_256": "p256", "strategy": "random", "disagreement": 0.1,
         "consensus": 0.5, "scores": []}
        for video in videos
    ]  # fmt: skip
    keys = {"category": "judo", "round": f"{window}.{panel}"}
    datasets.write(HARD_CLIPS, [HARD_CLIPS.from_records(rows)], keys=keys, **MADE)


def places(datasets: Datasets) -> dict[str, tuple[float, float]]:
    return {row.clip_id: (row.x, row.y) for row in datasets.rows(MAP, category="judo")}


def test_clips_of_all_rounds_are_placed_and_a_new_round_draws_the_map_again(make_job: Any, ledger: Ledger) -> None:
    job = make_job("map", categories=("judo",), follow=True)
    prepare(ledger, job.datasets)
    for member in ("frame", "video"):
        keep_features(job.datasets, "judo", member)
    choose(job.datasets, WINDOW)
    stage.run(job)
    first = places(job.datasets)
    assert set(first) == {f"{video:016x}:0" for video in range(10)}
    stage.run(job)
    assert job.datasets.need(MAP, category="judo").generation == 1, "the same rounds are left alone"
    choose(job.datasets, WINDOW, "p2", start=0.5)
    stage.run(job)
    again = job.datasets.need(MAP, category="judo")
    assert (again.generation, again.rows) == (2, 20)
    at = np.array([places(job.datasets)[f"{video:016x}:{start}"] for start in (0, 500) for video in range(10)])
    # Videos show one thing each: of all other clips the nearest is the one of the same video.
    apart = np.linalg.norm(at[:, None] - at[None], axis=2) + np.eye(20)
    assert apart.argmin(axis=1).tolist() == [*range(10, 20), *range(10)]


def test_withdrawn_videos_are_left_out_and_what_lacks_features_is_set_aside_with_a_reason(
    make_job: Any, ledger: Ledger
) -> None:
    job = make_job("map", categories=("judo",))
    prepare(ledger, job.datasets)
    keep_features(job.datasets, "judo", "frame")
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO videos VALUES (%s, %s, %s, 'training', '{}')", (f"{3:016x}", "f" * 64, f"{3:016x}"))
    ledger.run("add_tombstone", video_id=f"{3:016x}", reason="taken down")
    choose(job.datasets, WINDOW, videos=range(12))  # of two videos no clip was scored
    choose(job.datasets, OLDER)
    stage.run(job)
    made = job.datasets.need(MAP, category="judo")
    assert set(places(job.datasets)) == {f"{video:016x}:0" for video in range(10) if video != 3}
    assert {drop.item for drop in made.drops} == {f"{10:016x}:0", f"{11:016x}:0", OLDER}
    assert made.dropped == {stage.NO_FEATURES: 3}


def test_the_members_that_saw_the_most_clips_place_them(
    make_job: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member that joined last week has seen no clip of the weeks before: it would leave all of them out."""
    job = make_job("map", categories=("judo",))
    prepare(ledger, job.datasets)
    kept = projection(LENGTH)
    features = kept.packed(np.random.default_rng(0).normal(size=(200, LENGTH)).astype(np.float32))
    clips = job.datasets.read(CLIPS, ["clip_id", "video_id"], category="judo", window=WINDOW).to_pylist()
    by_window = {}
    for weights, window in (("old", WINDOW), ("old", OLDER), ("new", WINDOW)):
        rows = [
            {**clip, "features": one, "projection": kept.key}
            for clip, one in zip(clips, features, strict=True)
            if (int(clip["video_id"], 16) < 5) == (window == WINDOW)
        ]
        by_window[window] = rows
        keys = {"category": "judo", "window": window, "weights": weights}
        job.datasets.write(FEATURES, [FEATURES.from_records(rows)], keys=keys, **MADE)
    choose(job.datasets, WINDOW, videos=range(5))
    choose(job.datasets, OLDER, videos=range(5, 10))
    stage.run(job)
    made = job.datasets.need(MAP, category="judo")
    assert (made.rows, made.dropped) == (10, {})
    assert {address for address in made.made_from if "weights=new" in address} == set()
    other = [{**row, "projection": "another"} for row in by_window[OLDER]]
    old = {"category": "judo", "window": OLDER, "weights": "old"}
    job.datasets.write(FEATURES, [FEATURES.from_records(other)], keys=old, **MADE)
    newest = {f"{video:016x}:0" for video in range(5)}
    for most in (10, 5):
        monkeypatch.setattr(stage, "MOST", most)
        stage.run(make_job("map", categories=("judo",), remake=True))
        assert set(places(job.datasets)) == newest, "what was projected otherwise cannot be compared"
        drops = job.datasets.need(MAP, category="judo").dropped
        assert drops == ({stage.NO_FEATURES: 5} if most == 10 else {}), "the newest round holds enough"


def test_without_features_the_map_is_empty_and_says_why(
    make_job: Any, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    job = make_job("map", categories=("judo", "polo"))
    prepare(ledger, job.datasets)
    choose(job.datasets, WINDOW)
    stage.run(job)
    made = job.datasets.need(MAP, category="judo")
    assert (made.rows, made.dropped) == (0, {stage.NO_FEATURES: 1})
    assert "polo: no clip was chosen yet" in "".join(capsys.readouterr())
