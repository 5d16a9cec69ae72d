"""Record a person's decision on a category that the gate did not accept.

Reads: the gate's verdict in the ledger.
Writes: the ledger's decisions and rulings.
Safe to run again: the newest decision counts. It covers the reasons of the refusal that it is made on, and stands for
later versions of the labels while those give the person nothing new to see (the view `judgements` in sql/schema.sql).
An approved category is released although the gate refuses it; a rejected one is not. When something is new, or nobody
answered, the next run of `check_labels` asks again about a refused category. Nobody is asked about a pending one, which
waits for answers; where none will come, a person may decide on it by this command.
"""

from slac_tasks.job import Job
from slac_tasks.progress import print_line
from slac_tasks.verification.rulings import decide


def run(job: Job) -> None:
    """Record the decision for every category of the job."""
    job.each_category(lambda category: _decide(job, category))


def _decide(job: Job, category: str) -> None:
    labels, decision, reason, person = (job.key(name) for name in ("labels", "decision", "reason", "person"))
    failed = decide(job.ledger, category, labels=labels, decision=decision, reason=reason, person=person)
    print_line(f"approve: {category}: {decision} by {person} on {', '.join(failed)} of labels {labels}: {reason}")
