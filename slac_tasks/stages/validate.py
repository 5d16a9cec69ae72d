"""Judge the labels of every category against the expectations.

Reads: the newest labels.
Writes: quality (labels); the ledger's verdicts.
Safe to run again: finished when the newest labels are judged. A table that is not what labels must be ends the stage
with 65 and nothing written; a category that fails is refused, with reasons, and holds up no other.
"""

from dataclasses import asdict

from slac_tasks import quality
from slac_tasks.datasets import LABELS, QUALITY
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job, say

SECTIONS = ("quality",)


def run(job: Job) -> None:
    """Judge the newest version of the labels."""
    versions = [keys["labels"] for keys in job.datasets.partitions(LABELS)]
    if not versions:
        say("validate: finished already, no labels yet")
        return
    keys = {"labels": max(versions)}
    made = job.datasets.need(LABELS, **keys)
    if done := job.finished(QUALITY, keys, inputs=[made], sections=SECTIONS):
        _remember(job, keys["labels"], job.datasets.read(QUALITY, **keys).to_pylist())
        job.record(done)
        return
    labels = job.datasets.read(LABELS, **keys).to_pandas()
    wrong = quality.broken_rules(labels)
    if wrong:
        raise BrokenContract(f"labels {keys['labels']}: {len(wrong)} expectations fail: {'; '.join(wrong)}")
    verdicts = [asdict(verdict) for verdict in quality.judge(labels, job.config.quality)]
    _remember(job, keys["labels"], verdicts)
    job.record(job.finish(QUALITY, [QUALITY.rows(verdicts)], keys, inputs=[made], sections=SECTIONS))
    for verdict in verdicts:
        if verdict["reasons"]:
            say(f"validate: {verdict['category']} {verdict['verdict']}: {'; '.join(verdict['reasons'])}")


def _remember(job: Job, labels: str, verdicts: list[dict[str, object]]) -> None:
    job.ledger.run_many(
        "add_verdict",
        [
            {"labels": labels, **{k: v for k, v in row.items() if k in ("category", "verdict")},
             "reasons": list(row["reasons"])}  # type: ignore[call-overload]
            for row in verdicts
        ],
    )  # fmt: skip
