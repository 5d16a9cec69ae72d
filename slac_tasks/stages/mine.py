"""Choose hard clips: for each category, the clips of one window on which the committee's votes teach the most.

Reads: committees, clips and scores of the round's window, features where a strategy covers; the queue, for clips asked
before and the people's pace.
Writes: hard_clips (category, round).
Safe to run again: a finished round is left alone.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from slac_tasks.admission.withdrawals import withdrawn
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job, Partition
from slac_tasks.mining.choice import COVERINGS, Choice, choose
from slac_tasks.mining.coverage import space
from slac_tasks.mining.measures import Floats
from slac_tasks.mining.plan import RoundPlan, plan_round
from slac_tasks.mining.pool import make_pool
from slac_tasks.model import parse_round_key
from slac_tasks.networks.committees import Panel, panels_of
from slac_tasks.networks.features import unpacked
from slac_tasks.progress import print_line
from slac_tasks.storage.datasets import CLIPS, FEATURES, HARD_CLIPS, SCORES
from slac_tasks.storage.datasets.scoring import HardClipRow, MemberScore
from slac_tasks.storage.manifests import Manifest

_KEPT = ["clip_id", "video_id", "start_sec", "end_sec", "split", "proxy_256"]


def run(job: Job) -> None:
    """Mine the round for every category of the job, one at a time: memory holds the clips of one."""
    window, name = parse_round_key(job.key("round"))
    seated = cache(lambda committee: panels_of(job.datasets, committee))

    def panel(category: str) -> Panel:
        """The panel that the round names, from the newest committee that seats it."""
        for row in job.ledger.rows("committees"):
            found = seated(row["committee"]).get(category)
            if found is not None and found.name == name:
                return found
        raise BrokenContract(f"round {job.key('round')}: no committee seats panel {name} for category {category}")

    job.each_category(lambda category: _mine(job, panel(category), str(window)))


def _mine(job: Job, panel: Panel, window: str) -> None:
    keys = {"category": panel.category, "round": job.key("round")}
    clips_made = job.datasets.need(CLIPS, category=panel.category, window=window)
    scores_made = [
        job.datasets.need(SCORES, category=panel.category, window=window, weights=seat.weights) for seat in panel.seats
    ]
    with job.partition(HARD_CLIPS, keys, inputs=[clips_made, *scores_made]) as made:
        if made.finished:
            return
        clips, scores = _scored(job, clips_made, scores_made)
        plan = _plan(job, panel.category)
        at = None
        if any(plan.clips.get(strategy) for strategy in COVERINGS):
            at = _features(job, panel, window, clips, made)
            if at is None:
                plan = plan.without(COVERINGS)
        chosen = _choose(job, panel, clips, scores, plan, at, seed=f"{panel.category} {window}")
        made.write(rows(clips, scores, chosen, panel))
    print_line(
        f"mine: {panel.category} {keys['round']}: {made.manifest.rows} of {clips.num_rows:,} clips; planned {plan}"
    )


def _plan(job: Job, category: str) -> RoundPlan:
    """Return what the round may ask, at the pace at which people answer about this category."""
    pace = job.ledger.one("answer_pace", category=category)
    seconds = pace["seconds"] if pace and pace["seconds"] else job.config.mining.seconds_per_answer
    return plan_round(job.config.mining, seconds_per_clip=seconds * job.config.review.votes_wanted)


def _features(
    job: Job, panel: Panel, window: str, clips: pa.Table, made: Partition[HardClipRow]
) -> NDArray[np.float32] | None:
    """Return where each clip lies in the space of the members whose features are kept; None where none are."""
    members = []
    for seat in panel.seats:
        kept = job.datasets.manifest(FEATURES, category=panel.category, window=window, weights=seat.weights)
        if kept is None:
            continue
        table = job.datasets.read_all(FEATURES, [kept], ["clip_id", "features"])
        place = pc.index_in(clips["clip_id"], value_set=table["clip_id"].combine_chunks())
        if place.null_count:
            print_line(f"mine: {panel.category} {window}: {seat.member} kept no features of {place.null_count} clips")
            continue
        members.append(unpacked(table["features"])[place.to_numpy()])
        made.inputs.append(kept)
    if not members:
        print_line(
            f"mine: {panel.category} {window}: no member kept features, so nothing is chosen by coverage; its share is "
            "drawn at random. Features are kept since version 0.1.0 when clips are scored: `slac score --remake`"
        )
        return None
    return space(members)


def _choose(
    job: Job, panel: Panel, clips: pa.Table, scores: Floats, plan: RoundPlan, at: NDArray[np.float32] | None, *,
    seed: str,
) -> list[Choice]:  # fmt: skip
    knobs = job.config.mining
    members = [seat.member for seat in panel.seats]
    asked = job.ledger.rows("asked_clips", category=panel.category, round=job.key("round"))
    pool = make_pool(
        clips["video_id"], clips["start_sec"].to_numpy(), clips["shot"].to_numpy(), scores, seed=seed, at=at
    )
    return choose(
        pool, plan.clips, knobs=knobs, asked=[row["clip_id"] for row in asked],
        entropy_of=members.index(knobs.entropy_of) if knobs.entropy_of in members else 0,
    )  # fmt: skip


def _scored(job: Job, clips_made: Manifest, scores_made: Sequence[Manifest]) -> tuple[pa.Table, Floats]:
    """Return (the clips that every member has scored and that nobody took down; their scores, (clips, members))."""
    schema = pa.schema([CLIPS.schema.field(name) for name in [*_KEPT, "shot"]])
    clips = pa.Table.from_batches([], schema)
    clips = pa.concat_tables([clips, *job.datasets.tables(clips_made, schema.names)])
    scores = np.full((clips.num_rows, len(scores_made)), np.nan)
    for member, made in enumerate(scores_made):
        for table in job.datasets.tables(made, ["clip_id", "score"]):
            place = pc.index_in(table["clip_id"], value_set=clips["clip_id"])
            known = place.is_valid()
            scores[place.filter(known).to_numpy(), member] = table["score"].filter(known).to_numpy()
    whole = ~np.isnan(scores).any(axis=1) & ~withdrawn(job.ledger, clips["video_id"]).to_numpy()
    return clips.filter(pa.array(whole)), scores[whole]


def rows(clips: pa.Table, scores: Floats, chosen: Sequence[Choice], panel: Panel) -> list[HardClipRow]:
    """Return the chosen clips with everything that is known of why they were chosen."""
    taken = clips.select(_KEPT).take(pa.array([choice.index for choice in chosen], pa.int64())).to_pylist()
    return [
        HardClipRow(
            **clip,
            **asdict(choice.measures),
            strategy=choice.strategy.value,
            value=choice.value,
            scores=tuple(
                MemberScore(member=seat.member, weights=seat.weights, score=float(scores[choice.index, column]))
                for column, seat in enumerate(panel.seats)
            ),
        )
        for clip, choice in zip(taken, chosen, strict=True)
    ]
