"""Clips that a committee has scored, written into datasets and ledger: what mining and carrying start from."""

from typing import Any

import numpy as np

from slac_tasks.model import clip_id
from slac_tasks.networks.features import LENGTH, projection
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, FEATURES, SCORES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets

WINDOW, MEMBERS = "2026-01-05", ("frame", "motion", "video")
MADE: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}}


def prepare(ledger: Ledger, datasets: Datasets, category: str = "judo", *, unscored: int = 0) -> np.ndarray:
    """Write 200 clips of 10 videos and the scores of three members; return the scores by (clip, member)."""
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO categories (category, name) VALUES (%s, %s)", (category, category))
    places = [(f"{video:016x}", step * 0.5) for video in range(10) for step in range(20)]
    clips = [
        {"clip_id": clip_id(video, start), "video_id": video, "start_sec": start, "end_sec": start + 2,
         "split": "training", "proxy_128": "p128", "proxy_256": "p256", "shot": int(start > 5), "people": None}
        for video, start in places
    ]  # fmt: skip
    datasets.write(CLIPS, [CLIPS.from_records(clips)], keys={"category": category, "window": WINDOW}, **MADE)
    rng = np.random.default_rng(0)
    scores = rng.random((len(clips), 3)).astype(np.float32)
    for column, member in enumerate(MEMBERS):
        # Each member's rows lie in an order of their own, in two parts; some may lack the last clips.
        order = rng.permutation(len(clips) - unscored if member == "video" else len(clips))
        tables = [
            SCORES.from_records(
                {"clip_id": clips[i]["clip_id"], "video_id": clips[i]["video_id"], "member": member,
                 "score": scores[i, column]}
                for i in part
            )
            for part in (order[:70].tolist(), order[70:].tolist())
        ]  # fmt: skip
        datasets.write(SCORES, tables, keys={"category": category, "window": WINDOW, "weights": member}, **MADE)
    return scores


def seat(ledger: Ledger, datasets: Datasets, *categories: str) -> None:
    rows = [
        {"member": member, "architecture": member, "category": category, "backbone": "b", "head": "h", "output": 0,
         "weights": member, "origin": f"bootstrap:{WINDOW}"}
        for category in categories for member in MEMBERS
    ]  # fmt: skip
    datasets.write(COMMITTEES, [COMMITTEES.from_records(rows)], keys={"committee": "c1"}, **MADE)
    ledger.run("add_committee", committee="c1", origin=f"bootstrap:{WINDOW}", categories=list(categories))


def keep_features(datasets: Datasets, category: str, member: str, *, lacking: int = 0) -> None:
    """Write one member's features of the clips, in an order of its own; videos show one thing each."""
    rng = np.random.default_rng(1)
    clips = datasets.read(CLIPS, ["clip_id", "video_id"], category=category, window=WINDOW).to_pylist()
    shown = {video: rng.normal(size=LENGTH) for video in sorted({clip["video_id"] for clip in clips})}
    kept = projection(LENGTH)
    rows = [
        {**clip, "projection": kept.key,
         "features": kept.packed((shown[clip["video_id"]] + rng.normal(size=LENGTH) / 9)[None].astype(np.float32))[0]}
        for clip in clips
    ]  # fmt: skip
    some = [rows[place] for place in rng.permutation(len(rows) - lacking).tolist()]
    keys = {"category": category, "window": WINDOW, "weights": member}
    datasets.write(FEATURES, [FEATURES.from_records(some[:50]), FEATURES.from_records(some[50:])], keys=keys, **MADE)
