"""A good platform in memory: every hand-over as its stage writes it, column by column, with what is known beside it.

Labels come from the product's own aggregation of the votes, so that a good hand-over is what the product calls good.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.harness.rows import filled
from bench.harness.segment_handovers import of_videos
from slac_tasks.model import Split, Strategy
from slac_tasks.networks.features import LENGTH, projection
from slac_tasks.quality.expectations.entries import Handover
from slac_tasks.quality.settings import Expectations
from slac_tasks.storage.datasets import (
    ALL,
    CANDIDATES,
    CLIPS,
    FEATURES,
    FETCHED,
    HARD_CLIPS,
    LABELS,
    RELEASES,
    SCORES,
    VIDEOS,
    VOTES,
)
from slac_tasks.verification.aggregation.majority import TwoOfThree
from slac_tasks.verification.ballots import ANSWERS, clip_key, label_table, read_ballots

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = "2026-01-05"
ROUND = f"{WINDOW}.p3f2a9c01"
CLIPS_OF_VIDEO = 7
ANSWERS_OF_CLIP = 3
ERROR = 0.06
"""Share of a person's answers that are wrong."""
KEYS = {
    "category": "judo", "window": WINDOW, "weights": "w0", "round": ROUND, "batch": "000012", "labels": "000012",
    "release": "r0002", "committee": "c0",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class World:
    """Good hand-overs, and the tables that expectations read beside them."""

    rows: Mapping[str, pa.Table]
    """By dataset."""
    beside: Mapping[str, pa.Table]
    knobs: Expectations = field(default_factory=Expectations)

    def handover(self, dataset: str, **changes: Any) -> Handover:
        """Return one of its hand-overs, with other fields."""
        declared = ALL[dataset]
        good: dict[str, Any] = {
            "dataset": declared,
            "keys": {key: KEYS[key] for key in declared.keys},
            "rows": self.rows[dataset],
            "knobs": self.knobs,
            "written_at": NOW - timedelta(days=1),
            "now": NOW,
            "beside": self.beside,
        }
        return Handover(**{**good, **changes})


def ids(count: int, what: str, seed: int, digits: int = 16) -> list[str]:
    """Return names of so many hex digits that all differ."""
    head = hashlib.sha256(f"{what} {seed}".encode()).hexdigest()[: digits - 8]
    return [f"{head}{number:08x}" for number in range(count)]


def good(*, labels: int, categories: int = 6, people: int = 12, seed: int = 0) -> World:
    """Make a platform with about so many labels; a tenth of them are of its one window."""
    chance = np.random.default_rng(seed)
    videos = _videos(max(categories, -(-labels // CLIPS_OF_VIDEO)), categories, seed, chance)
    asked = _asked(videos, labels, chance)
    votes, truth = _votes(asked, people, chance)
    found = _labels(asked, votes)
    first = pc.equal(videos["category"], _name(0))
    window = videos.filter(first).slice(0, 60)
    clips = _clips(window)
    candidates = _candidates(window)
    gold = chance.random(asked.num_rows) < 0.05
    answers = pa.array(np.where(truth[gold], "yes", "no").tolist(), pa.string())
    release = _release(found, videos, chance)
    rows = {
        CANDIDATES.name: candidates, FETCHED.name: _fetched(candidates, window), VIDEOS.name: _admitted(window),
        CLIPS.name: clips, SCORES.name: _scores(clips, chance), FEATURES.name: _features(clips, chance),
        HARD_CLIPS.name: _hard(clips, chance), VOTES.name: votes, LABELS.name: found, RELEASES.name: release,
        **of_videos(window),
    }  # fmt: skip
    beside = {
        "admitted": videos.select(["video_id", "group_id", "split"]),
        "videos": videos.select(["video_id", "duration_sec", "shots"]),
        "withdrawn": pa.table({"video_id": pa.array(["withdrawn0"], pa.string())}),
        "categories": pa.table({"category": [_name(number) for number in range(categories)],
                                "guideline_version": pa.array([1] * categories, pa.int64())}),
        "known": pa.table({"clip_id": asked["clip_id"].filter(gold), "category": asked["category"].filter(gold),
                           "answer": answers}),
        "asked": asked.select(["clip_id"]),
        "earlier": pa.table({"vote_id": pa.array([], pa.string())}),
        "votes": votes.select(["vote_id", "answer"]),
        "last_release": release.select(["clip_id", "category", "label", "video_id"]),
        "labels": found.select(["clip_id", "category", "label"]),
        "candidates": candidates.select(["candidate_id"]),
        "fetched": rows[FETCHED.name].select(["candidate_id"]),
        "scores_before": _scores(clips, chance).select(["score", "video_id"]),
        "clips": clips.select(["clip_id"]),
    }  # fmt: skip
    return World(rows=rows, beside=beside)


def _name(number: int) -> str:
    return f"category_{number}" if number else "judo"


def _videos(count: int, categories: int, seed: int, chance: np.random.Generator) -> pa.Table:
    """Return admitted videos of all categories; one in eleven looks like the one before it and shares its split."""
    names = pa.array(ids(count, "video", seed), pa.string())
    alike = (np.arange(count) % 11 == 10).astype(int)
    first = np.arange(count) - alike
    split = np.array([s.value for s in Split])[np.searchsorted([0.8, 0.9], chance.random(count), side="right")][first]
    duration = 2.5 * CLIPS_OF_VIDEO + 0.5 + chance.integers(0, 60, count) / 4
    shots = pa.StructArray.from_arrays([pa.array(np.zeros(count)), pa.array(duration)], names=["start_sec", "end_sec"])
    return pa.table(
        {
            "video_id": names,
            "group_id": names.take(pa.array(first)),
            "split": pa.array(split.tolist(), pa.string()),
            "duration_sec": duration,
            "shots": pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32)), shots),
            "category": pa.array([_name(number) for number in range(categories)]).take(
                pa.array(np.arange(count) % categories)
            ),
        }
    )


def _cut(videos: pa.Table, count: int) -> pa.Table:
    """Return clips of videos, in order: every 2.5 s."""
    video, place = np.divmod(np.arange(count), CLIPS_OF_VIDEO)
    start = place * 2.5
    table = videos.select(["video_id", "split", "category"]).take(pa.array(video))
    start_ms = pa.array((start * 1000).astype(np.int64)).cast(pa.string())
    ids_of = pc.binary_join_element_wise(table["video_id"].combine_chunks(), start_ms, ":")
    for name, column in (("clip_id", ids_of), ("start_sec", pa.array(start)), ("end_sec", pa.array(start + 2.0))):
        table = table.append_column(name, column)
    return table


def _asked(videos: pa.Table, count: int, chance: np.random.Generator) -> pa.Table:
    strategies = np.array([Strategy.DISAGREEMENT, Strategy.CONSENSUS, Strategy.RANDOM])
    table = _cut(videos, min(count, videos.num_rows * CLIPS_OF_VIDEO))
    chosen = strategies[np.searchsorted([0.6, 0.9], chance.random(table.num_rows), side="right")]
    table = table.append_column("strategy", pa.array(chosen.tolist(), pa.string()))
    return table.append_column("round", pa.repeat(ROUND, table.num_rows))


def _votes(asked: pa.Table, people: int, chance: np.random.Generator) -> tuple[pa.Table, np.ndarray]:
    """Return (three answers to each clip, one after the other; whether each clip holds the action)."""
    clips = asked.num_rows
    truth = chance.random(clips) < 0.45
    clip = np.tile(np.arange(clips), ANSWERS_OF_CLIP)
    count = len(clip)
    turn = np.repeat(np.arange(ANSWERS_OF_CLIP), clips)
    person = (clip * 5 + turn * 3 + clip // people) % people
    yes = truth[clip] ^ (chance.random(count) < ERROR)
    answer = np.where(chance.random(count) < 0.02, 2, np.where(yes, 0, 1))
    cast = np.datetime64("2026-02-01T00:00:00", "us") + np.arange(count).astype("timedelta64[ms]")
    head = f"{int(chance.integers(2**31)):08x}-0000-4000-8000-"
    rows = asked.select(["clip_id", "category", "round"]).take(pa.array(clip))
    return filled(
        VOTES,
        vote_id=pa.array([f"{head}{number:012x}" for number in range(count)], pa.string()),
        clip_id=rows["clip_id"], category=rows["category"], round=rows["round"],
        annotator=pa.array([f"person {number}" for number in range(people)]).take(pa.array(person)),
        answer=pa.array(ANSWERS).take(pa.array(answer)),
        seconds=np.clip(chance.lognormal(1.2, 0.4, count), 0.6, 60.0),
        guideline_version=pa.array(np.ones(count, np.int32)),
        cast_at=pa.array(cast).cast(pa.timestamp("us", tz="UTC")),
    ).select(VOTES.schema.names).cast(VOTES.schema), truth  # fmt: skip


def _labels(asked: pa.Table, votes: pa.Table) -> pa.Table:
    """Return what the product's own method makes of the votes."""
    found = label_table(TwoOfThree(votes_wanted=2, votes_most=ANSWERS_OF_CLIP)(read_ballots(votes)))
    place = pc.index_in(clip_key(found), value_set=clip_key(asked))
    for name in ("video_id", "start_sec", "end_sec", "split", "round", "strategy"):
        found = found.append_column(name, asked[name].take(place))
    return found.select(LABELS.schema.names).cast(LABELS.schema)


def _candidates(videos: pa.Table) -> pa.Table:
    count = videos.num_rows
    published = np.datetime64("2026-01-05T01:00:00", "us") + (np.arange(count) % 160).astype("timedelta64[h]")
    return filled(
        CANDIDATES,
        candidate_id=pa.array(ids(count, "candidate", 0), pa.string()),
        source=pa.repeat("list", count),
        source_id=pa.array([f"id{number}" for number in range(count)], pa.string()),
        title=pa.array([f"A title {number}" for number in range(count)], pa.string()),
        licence=pa.array(["CC BY 4.0" if number % 3 else None for number in range(count)], pa.string()),
        published_at=pa.array(published).cast(pa.timestamp("us", tz="UTC")),
        location=pa.array([f"file:{number}" for number in range(count)], pa.string()),
    ).select(CANDIDATES.schema.names).cast(CANDIDATES.schema)  # fmt: skip


def _rendered(candidates: pa.Table, videos: pa.Table) -> dict[str, Any]:
    """Return the columns of renditions."""
    names = videos["video_id"].to_pylist()
    found = {name: candidates[name] for name in ("candidate_id", "source", "source_id", "title", "licence")}
    return found | {
        "published_at": candidates["published_at"], "duration_sec": videos["duration_sec"],
        "fps": pa.repeat(25.0, len(names)), "shots": videos["shots"], "video_id": videos["video_id"],
        "proxy_256": pa.array([f"proxies/{name}.256.mp4" for name in names], pa.string()),
        "proxy_128": pa.array([f"proxies/{name}.128.mp4" for name in names], pa.string()),
        "proxy_sha256": pa.array([hashlib.sha256(name.encode()).hexdigest() for name in names], pa.string()),
    }  # fmt: skip


def _fetched(candidates: pa.Table, videos: pa.Table) -> pa.Table:
    count = videos.num_rows
    return filled(
        FETCHED,
        **_rendered(candidates, videos),
        media_sha256=pa.array([f"{name}{'0' * 48}" for name in videos["video_id"].to_pylist()], pa.string()),
        size_bytes=pa.repeat(1_000_000, count), codec=pa.repeat("h264", count),
        width=pa.array([640] * count, pa.int32()), height=pa.array([360] * count, pa.int32()),
        frame_hashes=pa.array([[1, 2, 3, 4]] * count, pa.list_(pa.uint64())), location=candidates["location"],
    ).select(FETCHED.schema.names).cast(FETCHED.schema)  # fmt: skip


def _admitted(videos: pa.Table) -> pa.Table:
    columns = _rendered(_candidates(videos), videos)
    table = filled(VIDEOS, **columns, group_id=videos["group_id"], split=videos["split"])
    return table.select(VIDEOS.schema.names).cast(VIDEOS.schema)


def _clips(videos: pa.Table) -> pa.Table:
    cut = _cut(videos, videos.num_rows * CLIPS_OF_VIDEO)
    proxies = {f"proxy_{size}": pa.array([f"proxies/{n}.{size}.mp4" for n in cut["video_id"].to_pylist()], pa.string())
               for size in (128, 256)}  # fmt: skip
    places = pa.array(np.zeros(cut.num_rows, np.int32))
    columns = {name: cut[name] for name in ("clip_id", "video_id", "start_sec", "end_sec", "split")}
    table = filled(CLIPS, **columns, **proxies, shot=places, people=pa.array(np.ones(cut.num_rows, np.int32)))
    return table.select(CLIPS.schema.names).cast(CLIPS.schema)


def _scores(clips: pa.Table, chance: np.random.Generator) -> pa.Table:
    score = pa.array(chance.beta(0.6, 0.8, clips.num_rows).astype(np.float32))
    table = filled(
        SCORES, clip_id=clips["clip_id"], video_id=clips["video_id"], member=pa.repeat("rgb", clips.num_rows),
        score=score,
    )  # fmt: skip
    return table.select(SCORES.schema.names).cast(SCORES.schema)


def _features(clips: pa.Table, chance: np.random.Generator) -> pa.Table:
    drawn = projection(LENGTH)
    found = drawn.packed(chance.normal(size=(clips.num_rows, LENGTH)).astype(np.float32))
    return filled(
        FEATURES, clip_id=clips["clip_id"], video_id=clips["video_id"], features=pa.array(found, pa.binary(128)),
        projection=pa.repeat(drawn.key, clips.num_rows),
    ).select(FEATURES.schema.names)  # fmt: skip


def _hard(clips: pa.Table, chance: np.random.Generator) -> pa.Table:
    some = clips.slice(0, min(200, clips.num_rows))
    count = some.num_rows
    scores = pa.array(
        [[{"member": member, "weights": f"w{place}", "score": float(score)} for place, (member, score) in
          enumerate(zip(("rgb", "flow"), pair, strict=True))] for pair in chance.beta(0.6, 0.8, (count, 2))],
        HARD_CLIPS.schema.field("scores").type,
    )  # fmt: skip
    strategy = np.where(np.arange(count) % 10 == 0, Strategy.RANDOM, Strategy.DISAGREEMENT)
    columns = {name: some[name] for name in ("clip_id", "video_id", "start_sec", "end_sec", "split", "proxy_256")}
    table = filled(
        HARD_CLIPS, **columns, strategy=pa.array(strategy.tolist(), pa.string()), disagreement=chance.random(count),
        consensus=chance.random(count), scores=scores,
    )  # fmt: skip
    return table.select(HARD_CLIPS.schema.names).cast(HARD_CLIPS.schema)


def _release(labels: pa.Table, videos: pa.Table, chance: np.random.Generator) -> pa.Table:
    """Return nine in ten of the settled labels."""
    chosen = labels["label"].is_valid().to_numpy() & (chance.random(labels.num_rows) < 0.9)
    kept = labels.filter(chosen)
    place = pc.index_in(kept["video_id"], value_set=videos["video_id"].combine_chunks())
    names = kept["video_id"]
    columns = {name: kept[name] for name in
               ("clip_id", "video_id", "start_sec", "end_sec", "split", "category", "label", "confidence", "strategy",
                "round")}  # fmt: skip
    table = filled(
        RELEASES, **columns, source=pa.repeat("list", kept.num_rows), source_id=names,
        duration_sec=videos["duration_sec"].take(place), proxy_128=pc.binary_join_element_wise("p/", names, ""),
        proxy_256=pc.binary_join_element_wise("p/", names, ""), kind=pa.repeat("people", kept.num_rows),
        name=names,
        group_id=videos["group_id"].take(place),
        support=pa.array(np.full(kept.num_rows, 3, np.int32)),
    )  # fmt: skip
    return table.select(RELEASES.schema.names).cast(RELEASES.schema)
