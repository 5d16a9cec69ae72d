"""Turn votes into labels: a full snapshot of what all votes so far add up to.

Reads: votes of all batches; the ledger's queue.
Writes: labels (version = the newest batch it contains); in the queue, which clips want more answers and which are done.
Safe to run again: finished when no batch is newer than the labels.
"""

from typing import Any

import pandas as pd
import pyarrow as pa

from slac_tasks.datasets import LABELS, VOTES
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job, say
from slac_tasks.labels import VOTE, Aggregator, TwoOfThree
from slac_tasks.shelf import Manifest

SECTIONS = ("review",)

_ASKED = ("video_id", "start_sec", "end_sec", "split", "round", "strategy")


def snapshot(votes: pd.DataFrame, asked: pd.DataFrame, aggregate: Aggregator) -> pd.DataFrame:
    """Return the labels of these votes with what the queue says about each clip, in the order of (category, clip).

    Raises:
        BrokenContract: a vote is about a clip that was never queued.

    """
    labels = aggregate(votes).merge(asked, on=["clip_id", "category"], how="left", indicator=True)
    strange = labels[labels["_merge"] != "both"]
    if len(strange):
        raise BrokenContract(
            f"votes: {len(strange)} clips, e.g. {strange['clip_id'].iloc[0]}, not in the queue; want them there"
        )
    return labels.drop(columns="_merge").sort_values(["category", "video_id", "start_sec"], ignore_index=True)


def settle(labels: pd.DataFrame, votes_most: int) -> list[dict[str, Any]]:
    """Return the changes to the queue: a decided clip is finished, an undecided one wants one more answer."""
    given = labels[["yes", "no", "unsure", "broken"]].sum(axis=1)
    waits = labels["status"] == "open"
    wanted = labels["votes_wanted"].where(~waits, (given + 1).clip(upper=votes_most))
    wanted = wanted.where(wanted > labels["votes_wanted"], labels["votes_wanted"])
    state = waits.map({True: "open", False: "finished"})
    changed = (labels["state"] != "withdrawn") & ((wanted != labels["votes_wanted"]) | (state != labels["state"]))
    return [
        {"clip_id": clip, "category": category, "votes_wanted": int(votes), "state": becomes}
        for clip, category, votes, becomes in zip(
            labels["clip_id"][changed], labels["category"][changed], wanted[changed], state[changed], strict=True
        )
    ]


def run(job: Job) -> None:
    """Aggregate every batch into one version of the labels."""
    batches = _batches(job)
    if not batches:
        say("aggregate: finished already, no votes yet")
        return
    keys = {"labels": batches[-1].keys["batch"]}
    if done := job.finished(LABELS, keys, inputs=batches, sections=SECTIONS):
        job.record(done)
        return
    review = job.config.review
    method = TwoOfThree(votes_wanted=review.votes_wanted, votes_most=review.votes_most)
    tables = [table for batch in batches for table in job.datasets.tables(batch, list(VOTE))]
    asked = pd.DataFrame(
        job.ledger.rows("voted_clips"), columns=["clip_id", "category", *_ASKED, "votes_wanted", "state"]
    )
    labels = snapshot(pa.concat_tables(tables).to_pandas(), asked, method)
    job.ledger.run_many("settle_clip", settle(labels, review.votes_most))
    rows = pa.Table.from_pandas(labels[LABELS.schema.names], preserve_index=False)
    job.record(job.finish(LABELS, [rows], keys, inputs=batches, sections=SECTIONS))


def _batches(job: Job) -> list[Manifest]:
    """Return the manifests of all batches, oldest first."""
    return [job.datasets.need(VOTES, **keys) for keys in job.datasets.partitions(VOTES)]
