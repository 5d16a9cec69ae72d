"""Turn votes into labels: a full snapshot of what all votes so far add up to.

Reads: votes of all batches; the ledger's queue; people's quality as of older labels; where the committee votes, what it
said in hard_clips.
Writes: labels (version = the newest batch it contains); in the queue, which clips want more answers and which are done.
Safe to run again: finished when no batch is newer than the labels.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.config import Config
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job, say
from slac_tasks.model import Split, parse_round_key
from slac_tasks.storage.datasets import HARD_CLIPS, LABELS, PEOPLE, VOTES
from slac_tasks.storage.manifests import Manifest
from slac_tasks.verification.aggregation.dawid_skene import DawidSkene, Model
from slac_tasks.verification.aggregation.majority import TwoOfThree
from slac_tasks.verification.aggregation.stopping import Asking
from slac_tasks.verification.aggregation.with_committee import WithCommittee
from slac_tasks.verification.annotators import RANDOM
from slac_tasks.verification.ballots import VOTE, Aggregator, Ballots, Floats, Ints, clip_key, label_table, read_ballots
from slac_tasks.verification.outcome import Settled, settle
from slac_tasks.verification.versions import newest

SECTIONS = ("review", "aggregation")

_ASKED = ("video_id", "start_sec", "end_sec", "split", "round", "strategy", "votes_wanted", "state")
_READERS = 8
"""Batches read at the same time: most of reading a small one is waiting."""

Scores = tuple[Floats, Ints]
"""The committee's score of each clip (NaN: none), and the index of the panel that gave it."""


def method(settings: Config, set_aside: frozenset[str], scores: Scores | None) -> Aggregator:
    """Return the method that the settings name; `with_committee` needs the committee's scores."""
    review, knobs = settings.review, settings.aggregation
    asking = Asking(
        votes_wanted=review.votes_wanted, votes_most=review.votes_most, vote_price=knobs.vote_price,
        min_confidence=knobs.min_confidence,
    )  # fmt: skip
    model = Model(pooling=knobs.pooling)
    if knobs.method == "two_of_three":
        return TwoOfThree(votes_wanted=review.votes_wanted, votes_most=review.votes_most, set_aside=set_aside)
    if knobs.method == "dawid_skene":
        return DawidSkene(asking=asking, model=model)
    assert scores is not None
    return WithCommittee(score=scores[0], panel=scores[1], asking=asking, model=model)


def snapshot(labels: pa.Table, asked: pa.Table) -> pa.Table:
    """Return the labels with what the queue says about each clip, in the same order.

    Raises:
        BrokenContract: a vote is about a clip that was never queued.

    """
    rows = pc.index_in(clip_key(labels), clip_key(asked))
    if rows.null_count:
        strange = labels.filter(rows.is_null())
        raise BrokenContract(
            f"votes: {len(strange)} clips, e.g. {strange['clip_id'][0]}, not in the queue; want them there"
        )
    for name in _ASKED:
        labels = labels.append_column(name, asked[name].take(rows))
    return labels


def queue_changes(labels: pa.Table, given: Ints) -> list[Settled]:
    """Return what must change in the queue: a decided clip is finished, an open one wants one answer more than it has.

    Args:
        labels: a snapshot.
        given: answers that each clip was given, whether they were counted or not, shape (clips,).

    """
    waits = pc.equal(labels["status"], "open").to_numpy()
    had = labels["votes_wanted"].to_numpy()
    wanted = np.where(waits, np.maximum(had, given + 1), had)
    is_open = pc.equal(labels["state"], "open").to_numpy()
    withdrawn = pc.equal(labels["state"], "withdrawn").to_numpy()
    rows = np.flatnonzero(~withdrawn & ((wanted != had) | (waits != is_open)))
    changed = labels.select(["clip_id", "category"]).take(pa.array(rows)).to_pylist()
    return [
        Settled(**clip, votes_wanted=int(wanted[row]), state="open" if waits[row] else "finished")
        for row, clip in zip(rows, changed, strict=True)
    ]


def run(job: Job) -> None:
    """Aggregate every batch into one version of the labels."""
    batches = _batches(job)
    if not batches:
        say("aggregate: finished already, no votes yet")
        return
    keys = {"labels": batches[-1].keys["batch"]}
    judged = _judged_before(job, keys["labels"])
    inputs = [*batches, *judged]
    if done := job.finished(LABELS, keys, inputs=inputs, sections=SECTIONS):
        job.record(done)
        return
    ballots = read_ballots(_votes(job, batches))
    names = ["clip_id", "category", *_ASKED]
    rows = job.ledger.rows("voted_clips")
    asked = pa.table({name: [row[name] for row in rows] for name in names}) if rows else pa.table({})
    scores = _scores(job, ballots) if job.config.aggregation.method == "with_committee" else None
    decisions = method(job.config, _random(job, judged), scores)(ballots)
    labels = snapshot(label_table(decisions), asked)
    settle(job.ledger, queue_changes(labels, np.bincount(ballots.clip, minlength=ballots.clips)))
    gone = pa.array([row["video_id"] for row in job.ledger.rows("tombstones")], pa.string())
    labels = labels.filter(pc.invert(pc.is_in(labels["video_id"], gone)))
    labels = labels.select(LABELS.schema.names).sort_by(
        [("category", "ascending"), ("video_id", "ascending"), ("start_sec", "ascending")]
    )
    job.record(job.finish(LABELS, [labels], keys, inputs=inputs, sections=SECTIONS))


def _batches(job: Job) -> list[Manifest]:
    """Return the manifests of all batches, oldest first."""
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(lambda keys: job.datasets.need(VOTES, **keys), job.datasets.partitions(VOTES)))


def _votes(job: Job, batches: list[Manifest]) -> pa.Table:
    """Return the rows of all batches."""
    with ThreadPoolExecutor(_READERS) as readers:
        read = readers.map(lambda batch: list(job.datasets.tables(batch, list(VOTE))), batches)
        return pa.concat_tables([table for tables in read for table in tables])


def _judged_before(job: Job, version: str) -> list[Manifest]:
    """Return the newest word on people that is older than this version: what a version rests on never changes."""
    older = newest(job.datasets, PEOPLE, before=version)
    return [job.datasets.need(PEOPLE, labels=older)] if older else []


def _random(job: Job, judged: list[Manifest]) -> frozenset[str]:
    """Return the people who click at random, over all categories together."""
    tables = [
        table for manifest in judged for table in job.datasets.tables(manifest, ["annotator", "category", "flags"])
    ]
    return frozenset(
        row["annotator"]
        for table in tables
        for row in table.to_pylist()
        if row["category"] is None and RANDOM in row["flags"]
    )


def _scores(job: Job, ballots: Ballots) -> Scores:
    """Return what the committee said of the training clips; of others nothing, since their labels will judge it."""
    found: dict[tuple[str, str], tuple[float, str]] = {}
    for keys in job.datasets.partitions(HARD_CLIPS):
        table = job.datasets.read(HARD_CLIPS, ["clip_id", "split", "consensus"], **keys)
        for row in table.filter(pc.equal(table["split"], Split.TRAINING.value)).to_pylist():
            found[keys["category"], row["clip_id"]] = (row["consensus"], parse_round_key(keys["round"])[1])
    clips = zip(ballots.category.tolist(), ballots.clip_ids.to_pylist(), strict=True)
    said = [found.get((ballots.categories[category], clip), (np.nan, "")) for category, clip in clips]
    panels = sorted({panel for _, panel in said})
    return np.array([score for score, _ in said]), np.array([panels.index(panel) for _, panel in said], dtype=np.int64)
