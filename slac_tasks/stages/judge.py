"""Measure the labels of categories: agreement, shares, and precision, each with its interval and the range wanted.

Reads: a version of the labels; the ledger's votes up to its newest batch, and its known answers; the newest control.
Writes: measures (version of the labels, category).
Safe to run again: a category whose labels, control, gold and settings are those of older measures is left alone.
"""

from slac_tasks.job import Job
from slac_tasks.quality.judging import Judging, judge


def run(job: Job) -> None:
    """Measure every category of the job."""
    judge(job, Judging.of(job, job.key("labels")), job.categories)
