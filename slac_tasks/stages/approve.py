"""Record a person's decision on a refused category.

Reads: the gate's verdict in the ledger.
Writes: the ledger's decisions.
Safe to run again: the newest decision counts. It stands for later versions of the labels: an approved category is
released although the gate refuses it; a rejected one waits until the gate accepts it or a person approves it.
"""

from slac_tasks.errors import WrongArguments
from slac_tasks.job import Job, say


def run(job: Job) -> None:
    """Record the decision for every category of the job."""
    job.each_category(lambda category: _decide(job, category))


def _decide(job: Job, category: str) -> None:
    verdict = job.ledger.one("verdict", labels=job.labels, category=category)
    if verdict is None:
        raise WrongArguments(f"category {category}: labels {job.labels} were not judged, want judged ones")
    if verdict["verdict"] != "refused":
        raise WrongArguments(f"category {category}: is {verdict['verdict']} in labels {job.labels}, want a refused one")
    if not (job.reason or "").strip():
        raise WrongArguments(f"category {category}: --reason is empty, want why")
    job.ledger.run(
        "add_decision",
        category=category,
        labels=job.labels,
        decision=job.decision,
        reason=job.reason,
        person=job.person,
    )
    say(f"approve: {category}: {job.decision} by {job.person} for labels {job.labels} and later: {job.reason}")
