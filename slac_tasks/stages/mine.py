"""Choose hard clips: for each category, the clips of one window on which the committee's votes teach the most.

Reads: committees, clips, scores and kept features of the round's window; segments that the newest release's network
found in its videos; the newest accounts where a referee divides the round; imported labels of the category, with the
window's videos; the queue, for clips asked before, and people's answers and pace.
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

from slac_tasks.admission.withdrawals import tombstones
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job, Partition
from slac_tasks.mining.alike import clusters
from slac_tasks.mining.choice import COVERINGS, DOUBTED, Choice, choose
from slac_tasks.mining.coverage import space
from slac_tasks.mining.measures import Floats, consensus
from slac_tasks.mining.plan import RoundPlan, plan_round, shares
from slac_tasks.mining.pool import Pool, make_pool
from slac_tasks.mining.referee import refereed
from slac_tasks.mining.segments import Stretches, available
from slac_tasks.model import Split, Strategy, parse_round_key
from slac_tasks.networks.committees import Panel, panels_of
from slac_tasks.networks.scored import Scored, kept_features, score_manifests, scored_clips
from slac_tasks.progress import counted, print_line
from slac_tasks.storage.datasets import ACCOUNTS, DETECTIONS, HARD_CLIPS, PEOPLE, VIDEOS
from slac_tasks.storage.datasets.scoring import HardClipRow, MemberScore
from slac_tasks.verification.ballots import read_ballots
from slac_tasks.verification.carrying import Abilities, as_clips, log_odds_of
from slac_tasks.verification.control import Answers
from slac_tasks.verification.given_labels import given_in, imported_labels, imported_of
from slac_tasks.verification.label_errors import doubted
from slac_tasks.verification.queue import CONTROLS, answers_per_clip
from slac_tasks.verification.sets import SET_LEAST, SET_MOST
from slac_tasks.verification.votes import queued_in, votes_in

_EVERY_BATCH = 2**31 - 1
"""All votes that are in a batch."""
_KEPT = ["clip_id", "video_id", "start_sec", "end_sec", "split", "proxy_256", "shot"]


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
    inputs = score_manifests(job.datasets, panel, window)
    with job.partition(HARD_CLIPS, keys, inputs=inputs) as made:
        if made.finished:
            return
        scored = scored_clips(job.datasets, inputs).without(tombstones(job.ledger))
        clips, scores = scored.clips, scored.scores
        plan = _plan(job, panel.category, clips, made)
        at = _features(job, panel, window, clips, made)
        if at is None:
            plan = plan.without(COVERINGS)
        doubt = _doubt(job, panel, window, scored, made)
        if doubt is not None:
            there = int((doubt > DOUBTED).sum())
            plan = plan.asking_first(Strategy.CONTRADICTION, there, job.config.mining.contradiction)
        pool = _pool(scored, at, doubt, seed=f"{panel.category} {window}")
        stretches = _stretches(job, panel.category, window, made)
        if stretches is not None:
            plan = plan.asking_first(Strategy.SEGMENT, available(pool, stretches), job.config.mining.segments)
        chosen = _choose(job, panel, pool, plan, stretches)
        made.write(rows(clips, scores, chosen, panel, alike(chosen, at)))
    print_line(
        f"mine: {panel.category} {keys['round']}: {made.manifest.rows} of "
        f"{counted(clips.num_rows, 'clip')}; planned {plan}"
    )


def _plan(job: Job, category: str, clips: pa.Table, made: Partition[HardClipRow]) -> RoundPlan:
    """Return what the round may ask, at the pace at which people answer about this category."""
    pace = job.ledger.one("answer_pace", category=category)
    seconds = pace["seconds"] if pace and pace["seconds"] else job.config.mining.seconds_per_answer
    share = _shares(job, category, made)
    answers = answers_per_clip(
        job.config.review,
        control=sum(share[strategy] for strategy in CONTROLS),
        judging=float(np.mean(clips["split"].to_numpy() != Split.TRAINING.value)) if clips.num_rows else 0.0,
    )
    return plan_round(job.config.mining, seconds_per_clip=seconds * answers, share=share)


def _shares(job: Job, category: str, made: Partition[HardClipRow]) -> dict[Strategy, float]:
    """Return each strategy's share: the settings', or the referee's by the newest accounts, which become an input."""
    knobs = job.config.mining
    (newest,) = job.ledger.rows("newest_labels", datasets=[ACCOUNTS.name], before=None)
    if not knobs.referee or newest["labels"] is None:
        return shares(knobs)
    manifest = job.datasets.need(ACCOUNTS, labels=newest["labels"])
    made.inputs.append(manifest)
    accounts = list(job.datasets.rows_of(ACCOUNTS, manifest))
    return refereed(knobs, accounts, category=category, round=job.key("round"))


def _features(
    job: Job, panel: Panel, window: str, clips: pa.Table, made: Partition[HardClipRow]
) -> NDArray[np.float32] | None:
    """Return where each clip lies in the space of the members whose features are kept; None where none are."""
    found, manifests, missing = kept_features(job.datasets, panel, window, clips)
    made.inputs += manifests
    if found:
        return space(list(found.values()))
    print_line(
        f"mine: {panel.category} {window}: {', '.join(missing)}; nothing is chosen by coverage, its share is drawn at "
        "random, and clips are asked together by shot. Features are kept when clips are scored: `slac score --remake`"
    )
    return None


def _doubt(job: Job, panel: Panel, window: str, scored: Scored, made: Partition[HardClipRow]) -> Floats | None:
    """Return how probable it is that each clip's imported label is wrong; None where nobody imported labels.

    People's answers overrule a label: a clip that they answered has none to doubt.
    """
    found = imported_of(imported_labels(job.datasets), panel.category)
    if not found:
        return None
    videos = job.datasets.need(VIDEOS, category=panel.category, window=window)
    features, _, _ = kept_features(job.datasets, panel, window, scored.clips)
    made.inputs += [*(manifest for manifest, _ in found), videos]
    ballots = read_ballots(votes_in(job.ledger, panel.category, until=_EVERY_BATCH))
    answers = Answers.of(ballots, queued_in(job.ledger, panel.category, until=_EVERY_BATCH), scored.clips["clip_id"])
    own = answers.own(Abilities.of(PEOPLE.table([])))
    given = given_in(job.datasets, (row for _, of_origin in found for row in of_origin), [videos], scored.clips)
    training = pc.equal(scored.clips["split"], Split.TRAINING.value).to_numpy()
    clips = as_clips(scored.clips, [features], log_odds_of(consensus(scored.scores)))
    said = doubted(clips, given, own, teaches=training)
    return np.asarray(np.where(own != 0, 0.0, said.wrong))


def _stretches(job: Job, category: str, window: str, made: Partition[HardClipRow]) -> Stretches | None:
    """Return the segments that the newest network found in the videos of the window, which becomes an input."""
    releases = [keys["release"] for keys in job.datasets.partitions(DETECTIONS, category=category)]
    if not releases or not job.config.mining.segments:
        return None
    manifest = job.datasets.need(DETECTIONS, category=category, release=max(releases))
    names = ["video_id", "window", "start_sec", "end_sec", "score"]
    found = job.datasets.read_all(DETECTIONS, [manifest], names).filter(pc.field("window") == window)
    if not found.num_rows:
        return None
    made.inputs.append(manifest)
    return Stretches(
        video_id=found["video_id"].to_pylist(), set_least=SET_LEAST, set_most=SET_MOST,
        **{name: found[name].to_numpy() for name in ("start_sec", "end_sec", "score")},
    )  # fmt: skip


def _pool(scored: Scored, at: NDArray[np.float32] | None, doubt: Floats | None, *, seed: str) -> Pool:
    """Return the clips that may be chosen."""
    clips = scored.clips
    return make_pool(
        clips["video_id"],
        clips["start_sec"].to_numpy(),
        clips["shot"].to_numpy(),
        scored.scores,
        seed=seed,
        at=at,
        doubt=doubt,
    )


def _choose(job: Job, panel: Panel, pool: Pool, plan: RoundPlan, stretches: Stretches | None) -> list[Choice]:
    knobs = job.config.mining
    members = [seat.member for seat in panel.seats]
    asked = job.ledger.rows("asked_clips", category=panel.category, round=job.key("round"))
    return choose(
        pool, plan.clips, knobs=knobs, asked=[row["clip_id"] for row in asked],
        drawn=[row["clip_id"] for row in asked if row["strategy"] == Strategy.RANDOM],
        entropy_of=members.index(knobs.entropy_of) if knobs.entropy_of in members else 0, stretches=stretches,
    )  # fmt: skip


def alike(chosen: Sequence[Choice], at: NDArray[np.float32] | None) -> list[int | None]:
    """Return which chosen clips are asked together, as numbers: those of one segment, and those that look alike.

    None for those that are drawn by lot, and where no features are kept.
    """
    found = [choice.of_segment for choice in chosen]
    others = [
        place for place, choice in enumerate(chosen) if choice.of_segment is None and choice.strategy not in CONTROLS
    ]
    if at is not None and others:
        begin = 1 + max((number for number in found if number is not None), default=-1)
        points = at[[chosen[place].index for place in others]]
        for place, cluster in zip(others, clusters(points, SET_MOST), strict=True):
            found[place] = begin + cluster
    return found


def rows(
    clips: pa.Table, scores: Floats, chosen: Sequence[Choice], panel: Panel, cluster: Sequence[int | None]
) -> list[HardClipRow]:
    """Return the chosen clips with everything that is known of why they were chosen, and which of them look alike."""
    taken = clips.select(_KEPT).take(pa.array([choice.index for choice in chosen], pa.int64())).to_pylist()
    return [
        HardClipRow(
            **clip,
            **asdict(choice.measures),
            strategy=choice.strategy.value,
            value=choice.value,
            cluster=group,
            scores=tuple(
                MemberScore(member=seat.member, weights=seat.weights, score=float(scores[choice.index, column]))
                for column, seat in enumerate(panel.seats)
            ),
        )
        for clip, choice, group in zip(taken, chosen, cluster, strict=True)
    ]
