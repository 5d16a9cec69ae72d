"""Judge the labels of every category against the expectations, and say how good each person's answers are.

Reads: the newest labels and the measures of each category; what `inspect` found of the labels, where it was there
first; the ledger's votes up to their newest batch, and its known answers.
Writes: quality, people and agreement (labels); measures of categories that `judge` has not measured; the ledger's
verdicts, and its copy of measures and of what is said of people.
Safe to run again: finished when the newest labels are judged. A table that is not what labels must be ends the stage
with 65 and no verdict; a category that fails is refused, with reasons, and holds up no other. Of two at once one goes
on, and the other ends with 75.
"""

from collections.abc import Sequence

import numpy as np

from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job
from slac_tasks.model import Answer
from slac_tasks.procedure import STAGES
from slac_tasks.progress import counted, print_line
from slac_tasks.quality.expectations import EXPECTATIONS
from slac_tasks.quality.expectations.entries import Handover, Severity, in_one_piece
from slac_tasks.quality.expectations.judging import failures, judge
from slac_tasks.quality.gate import judged
from slac_tasks.quality.judging import Judging
from slac_tasks.quality.judging import judge as measure
from slac_tasks.storage.datasets import AGREEMENT, LABELS, MEASURES, PEOPLE, QUALITY
from slac_tasks.storage.datasets import EXPECTATIONS as INSPECTED
from slac_tasks.storage.datasets.judging import ExpectationRow
from slac_tasks.storage.datasets.labelling import PersonRow
from slac_tasks.storage.manifests import Manifest
from slac_tasks.verification.aggregation.dawid_skene import Model
from slac_tasks.verification.agreement import agreements
from slac_tasks.verification.annotators import qualities
from slac_tasks.verification.ballots import Ballots, Floats, read_ballots
from slac_tasks.verification.control import GOLD
from slac_tasks.verification.outcome import NEWEST_VERDICTS, record_measures, record_verdicts, replace_people
from slac_tasks.verification.versions import label_tables, need_labels, newest_labels
from slac_tasks.verification.votes import queued_in, votes_in


def run(job: Job) -> None:
    """Judge the newest version of the labels, and the people who made it."""
    # Of two at once the ledger would hold what each says of people, and one's measures under the other's verdicts.
    with job.alone(NEWEST_VERDICTS):
        version = newest_labels(job.datasets)
        if version is None:
            print_line("validate: finished already, no labels yet")
            return
        labels = need_labels(job.datasets, version)
        _judge_people(job, labels)
        _judge_categories(job, labels)


def _judge_categories(job: Job, labels: Manifest) -> None:
    """Write the verdict on every category, from its newest measures; what nobody has measured yet is measured here.

    Raises:
        BrokenContract: the table is not what labels must be.
        Exception: at the end, the failure of a category that could not be measured; the others have their verdicts.

    """
    version = labels.keys["labels"]
    judging = Judging.of(job, version)
    failure = _measure(job, judging)
    # What was measured above stands from now on.
    stands = judging.afterwards().measured
    measured = {one: job.datasets.need(MEASURES, labels=of, category=one) for one, of in sorted(stands.items())}
    with job.partition(QUALITY, labels.keys, inputs=[labels, *measured.values()]) as made:
        if not made.finished:
            _check_table(job, labels)
            made.write(judged(one, list(job.datasets.rows_of(MEASURES, of))) for one, of in measured.items())
    verdicts = list(job.datasets.rows_of(QUALITY, made.manifest))
    with job.ledger.transaction():
        for manifest in measured.values():
            record_measures(job.ledger, job.datasets.rows_of(MEASURES, manifest), **manifest.keys)
        record_verdicts(job.ledger, version, verdicts)
    if not made.finished:
        for verdict in verdicts:
            if verdict.reasons:
                print_line(f"validate: {verdict.category} {verdict.verdict}: {'; '.join(verdict.reasons)}")
    if failure is not None:
        raise failure


def _measure(job: Job, judging: Judging) -> Exception | None:
    """Measure the categories that are not measured; return the failure of one of them, if any."""
    try:
        measure(job, judging, judging.changed)
    except Exception as failure:
        return failure
    return None


def _check_table(job: Job, labels: Manifest) -> None:
    """Check the table as such.

    Raises:
        BrokenContract: it is not what labels must be.

    """
    wrong = failures(_inspected(job, labels) or _judged(job, labels), Severity.CRITICAL)
    if wrong:
        raise BrokenContract(
            f"labels {labels.keys['labels']}: "
            f"{counted(len(wrong), 'expectation fails', 'expectations fail')}: {'; '.join(wrong)}"
        )


_ASKED = [each for each in EXPECTATIONS[LABELS.name] if not each.needs]
"""What the table is asked by itself."""


def _inspected(job: Job, labels: Manifest) -> list[ExpectationRow]:
    """Return what `inspect` found of the same table under the same settings; none where it was not there yet.

    It saves the seconds in which Great Expectations is imported.
    """
    keys = {"judged": LABELS.name, "partition": labels.keys["labels"]}
    found = job.datasets.manifest(INSPECTED, **keys)
    settings = job.config.digest(STAGES["inspect"].writes[INSPECTED.name])
    if found is None or found.made_from.get(labels.address) != labels.mark or found.made_by.settings != settings:
        return []
    names = {each.name for each in _ASKED}
    return [row for row in job.datasets.rows_of(INSPECTED, found) if row.name in names]


def _judged(job: Job, labels: Manifest) -> Sequence[ExpectationRow]:
    handover = Handover(
        dataset=LABELS,
        keys=labels.keys,
        rows=in_one_piece(label_tables(job.datasets, labels.keys["labels"])),
        knobs=job.config.expectations,
    )
    return judge(handover, _ASKED)


def _judge_people(job: Job, labels: Manifest) -> None:
    """Write people and agreement of this version, agreement first: `people` says that both are there."""
    version = labels.keys["labels"]
    with job.partition(PEOPLE, labels.keys, inputs=[labels]) as people:
        if not people.finished:
            ballots, seconds = _ballots(job, int(version))
            with job.partition(AGREEMENT, labels.keys, inputs=[labels]) as agreed:
                if not agreed.finished:
                    agreed.write(agreements(ballots))
            people.write(_people(job, ballots, seconds))
    rows = list(job.datasets.rows_of(PEOPLE, people.manifest))
    with job.ledger.transaction():
        replace_people(job.ledger, version, rows, job.datasets.rows(AGREEMENT, **labels.keys))


def _people(job: Job, ballots: Ballots, seconds: Floats) -> list[PersonRow]:
    """Return how good each person's answers are, and print who is flagged."""
    known = {
        (row["category"], row["clip_id"]): row["answer"] == Answer.YES
        for row in job.ledger.rows("known_answers")
        if row["purpose"] == GOLD
    }
    rows = qualities(ballots, seconds, Model(pooling=job.config.aggregation.pooling), known)
    for row in rows:
        if row.category is None and row.flags:
            print_line(f"validate: {row.annotator} is flagged: {', '.join(row.flags)}; every answer is kept")
    return rows


def _ballots(job: Job, batch: int) -> tuple[Ballots, Floats]:
    """Return all votes up to a batch, without those on withdrawn videos, and the seconds that each took.

    One category is read at a time, and of each vote a few numbers stay in memory.
    """
    parts, seconds = [], [np.zeros(0)]
    for category in sorted(row["category"] for row in job.ledger.rows("categories")):
        votes = votes_in(job.ledger, category, until=batch)
        if votes.num_rows:
            queued = queued_in(job.ledger, category, until=batch)
            parts.append(read_ballots(votes).asked(queued).without_ids())
            seconds.append(votes["seconds"].to_numpy()[parts[-1].row])
    return Ballots.joined(parts), np.concatenate(seconds)
