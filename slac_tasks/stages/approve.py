"""Record a person's decision on a category that the gate did not accept.

Reads: the gate's verdict in the ledger.
Writes: the ledger's decisions.
Safe to run again: the newest decision counts. It covers the reasons of the refusal that it is made on, and stands for
later versions of the labels while those give the person nothing new to see (the view `judgements` in sql/schema.sql).
An approved category is released although the gate refuses it; a rejected one is not. When something is new, or nobody
answered, the next run of `check_labels` asks again about a refused category. Nobody is asked about a pending one, which
waits for answers; where none will come, a person may decide on it by this command.
"""

from slac_tasks.errors import WrongArguments
from slac_tasks.job import Job
from slac_tasks.progress import print_line


def run(job: Job) -> None:
    """Record the decision for every category of the job."""
    job.each_category(lambda category: _decide(job, category))


def _decide(job: Job, category: str) -> None:
    labels, decision, reason, person = (job.key(name) for name in ("labels", "decision", "reason", "person"))
    verdict = job.ledger.one("verdict", labels=labels, category=category)
    if verdict is None:
        raise WrongArguments(f"category {category}: labels {labels} were not judged, want judged ones")
    if verdict["verdict"] == "accepted":
        raise WrongArguments(f"category {category}: is accepted in labels {labels}, want a refused or a pending one")
    if not reason.strip():
        raise WrongArguments(f"category {category}: --reason is empty, want why")
    job.ledger.run(
        "add_decision",
        category=category,
        labels=labels,
        decision=decision,
        reason=reason,
        person=person,
        covers=verdict["failed"],
        shortfalls=verdict["shortfalls"],
    )
    print_line(
        f"approve: {category}: {decision} by {person} on {', '.join(verdict['failed'])} of labels {labels}: {reason}"
    )
