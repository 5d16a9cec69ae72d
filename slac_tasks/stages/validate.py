"""Judge the labels of every category against the expectations, and say how good each person's answers are.

Reads: the newest labels and the votes that they were made from; the ledger's known answers.
Writes: quality, people and agreement (labels); the ledger's verdicts, and its copy of what is said of people.
Safe to run again: finished when the newest labels are judged. A table that is not what labels must be ends the stage
with 65 and nothing written; a category that fails is refused, with reasons, and holds up no other.
"""

from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job, say
from slac_tasks.model import Answer
from slac_tasks.quality import gate
from slac_tasks.storage.datasets import AGREEMENT, LABELS, PEOPLE, QUALITY, VOTES
from slac_tasks.storage.manifests import Manifest
from slac_tasks.verification.aggregation.dawid_skene import Model
from slac_tasks.verification.agreement import agreements
from slac_tasks.verification.annotators import qualities
from slac_tasks.verification.ballots import VOTE, clip_key, read_ballots
from slac_tasks.verification.outcome import remember_people
from slac_tasks.verification.versions import need_labels, newest_labels, read_labels

SECTIONS = ("quality",)
PEOPLE_SECTIONS = ("aggregation",)

_GATED = [name for name in LABELS.schema.names if name not in ("round", "method", "votes")]
"""Columns of the labels that the gate reads."""


def run(job: Job) -> None:
    """Judge the newest version of the labels, and the people who made it."""
    version = newest_labels(job.datasets)
    if version is None:
        say("validate: finished already, no labels yet")
        return
    made = need_labels(job.datasets, version)
    _judge_people(job, made)
    _judge_categories(job, made)


def _judge_categories(job: Job, made: Manifest) -> None:
    keys = made.keys
    if done := job.finished(QUALITY, keys, inputs=[made], sections=SECTIONS):
        _remember(job, keys["labels"], job.datasets.read(QUALITY, **keys).to_pylist())
        job.record(done)
        return
    labels = read_labels(job.datasets, keys["labels"], _GATED).to_pandas()
    wrong = gate.broken_rules(labels, answers_least=min(2, job.config.review.votes_wanted))
    if wrong:
        raise BrokenContract(f"labels {keys['labels']}: {len(wrong)} expectations fail: {'; '.join(wrong)}")
    verdicts = [asdict(verdict) for verdict in gate.judge(labels, job.config.quality)]
    _remember(job, keys["labels"], verdicts)
    job.record(job.finish(QUALITY, [QUALITY.from_records(verdicts)], keys, inputs=[made], sections=SECTIONS))
    for verdict in verdicts:
        if verdict["reasons"]:
            say(f"validate: {verdict['category']} {verdict['verdict']}: {'; '.join(verdict['reasons'])}")


def _judge_people(job: Job, made: Manifest) -> None:
    """Write people and agreement of this version, agreement first: `people` says that both are there."""
    keys = made.keys
    done = job.finished(PEOPLE, keys, inputs=[made], sections=PEOPLE_SECTIONS)
    if done is None:
        votes = _votes_of(job, made)
        ballots = read_ballots(votes)
        seconds = votes["seconds"].to_numpy()[ballots.row]
        known = {
            (row["category"], row["clip_id"]): row["answer"] == Answer.YES for row in job.ledger.rows("known_answers")
        }
        model = Model(pooling=job.config.aggregation.pooling)
        agreed = [asdict(row) for row in agreements(ballots)]
        people = [asdict(row) for row in qualities(ballots, np.asarray(seconds), model, known)]
        job.record(
            job.finish(AGREEMENT, [AGREEMENT.from_records(agreed)], keys, inputs=[made], sections=PEOPLE_SECTIONS)
        )
        done = job.finish(PEOPLE, [PEOPLE.from_records(people)], keys, inputs=[made], sections=PEOPLE_SECTIONS)
        for row in people:
            if row["category"] is None and row["flags"]:
                say(f"validate: {row['annotator']} is flagged: {', '.join(row['flags'])}; every answer is kept")
    rows, agreed = (job.datasets.read(dataset, **keys).to_pylist() for dataset in (PEOPLE, AGREEMENT))
    with job.ledger.transaction():
        remember_people(job.ledger, keys["labels"], rows, agreed)
    job.record(done)


def _votes_of(job: Job, made: Manifest) -> pa.Table:
    """Return the votes that a version of the labels rests on: those of its batches, less those on withdrawn videos."""
    columns = [*VOTE, "seconds"]
    batches = [
        keys for keys in job.datasets.partitions(VOTES)
        if keys["batch"] <= made.keys["labels"]
    ]  # fmt: skip
    votes = pa.concat_tables([job.datasets.read(VOTES, columns, **keys) for keys in batches])
    labels = read_labels(job.datasets, made.keys["labels"], ["category", "clip_id"])
    return votes.filter(pc.is_in(clip_key(votes), value_set=clip_key(labels)))


def _remember(job: Job, labels: str, verdicts: list[dict[str, object]]) -> None:
    job.ledger.run_many(
        "add_verdict",
        [
            {"labels": labels, "category": row["category"], "verdict": row["verdict"],
             **{name: list(row[name]) for name in ("reasons", "failed", "shortfalls")}}  # type: ignore[call-overload]
            for row in verdicts
        ],
    )  # fmt: skip
