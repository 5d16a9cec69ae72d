"""Choose hard clips: for each category, the clips of one window on which the committee's votes teach the most.

Reads: committees, clips and scores of the round's window; the queue, for clips asked before.
Writes: hard_clips (category, round).
Safe to run again: a finished round is left alone.
"""

import numpy as np

from slac_tasks import mining
from slac_tasks.datasets import CLIPS, HARD_CLIPS, SCORES
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job
from slac_tasks.model import parse_round_key
from slac_tasks.panels import Panel, panels_of
from slac_tasks.shelf import Manifest

SECTIONS = ("mining",)


def run(job: Job) -> None:
    """Mine the round for every category of the job."""
    job.each_category(lambda category: _mine(job, category))


def _mine(job: Job, category: str) -> None:
    window, name = parse_round_key(job.need_round())
    keys = {"category": category, "round": job.need_round()}
    panel = _panel(job, category, name)
    clips_made = job.datasets.need(CLIPS, category=category, window=str(window))
    scores_made = {
        seat.weights: job.datasets.need(SCORES, category=category, window=str(window), weights=seat.weights)
        for seat in panel.seats
    }
    inputs = [clips_made, *scores_made.values()]
    if job.finished(HARD_CLIPS, keys, inputs=inputs, sections=SECTIONS):
        return
    clips = job.datasets.read(CLIPS, category=category, window=str(window)).to_pandas().set_index("clip_id")
    gone = {row["video_id"] for row in job.ledger.rows("tombstones")}
    clips = clips[~clips["video_id"].isin(gone)]
    scores = _scores(job, scores_made)
    clip_ids = sorted(clip for clip in clips.index if all(clip in member for member in scores.values()))
    matrix = np.array([[member[clip] for member in scores.values()] for clip in clip_ids], dtype=np.float64)
    matrix = matrix.reshape(len(clip_ids), len(scores))
    asked = frozenset(row["clip_id"] for row in job.ledger.rows("asked_clips", **keys))
    chosen = mining.choose(clip_ids, matrix, knobs=job.config.mining, seed=f"{category} {window}", asked=asked)
    spread, floor = mining.disagreement(matrix), mining.consensus(matrix)
    table = HARD_CLIPS.rows(
        {
            "clip_id": clip_ids[choice.index],
            **{
                name: clips.at[clip_ids[choice.index], name]
                for name in ("video_id", "start_sec", "end_sec", "split", "proxy_256")
            },
            "strategy": choice.strategy.value,
            "disagreement": float(spread[choice.index]),
            "consensus": float(floor[choice.index]),
            "scores": [
                {"member": seat.member, "weights": seat.weights, "score": float(matrix[choice.index, column])}
                for column, seat in enumerate(panel.seats)
            ],
        }
        for choice in chosen
    )
    job.finish(HARD_CLIPS, [table], keys, inputs=inputs, sections=SECTIONS)


def _panel(job: Job, category: str, name: str) -> Panel:
    """Return the panel that the round names, from the newest committee that seats it."""
    for row in job.ledger.rows("committees"):
        panel = panels_of(job.datasets, row["committee"]).get(category)
        if panel is not None and panel.name == name:
            return panel
    raise BrokenContract(f"round {job.round}: no committee seats panel {name} for category {category}")


def _scores(job: Job, made: dict[str, Manifest]) -> dict[str, dict[str, float]]:
    """Return, for each member's weights, the score of every clip by its id."""
    found = {}
    for weights, manifest in made.items():
        by_clip: dict[str, float] = {}
        for table in job.datasets.tables(manifest, ["clip_id", "score"]):
            by_clip.update(zip(table["clip_id"].to_pylist(), table["score"].to_pylist(), strict=True))
        found[weights] = by_clip
    return found
