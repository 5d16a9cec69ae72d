"""Say how many of the labels of each kind are wrong at most, and from which confidence on they are good enough.

Reads: the newest labels that were carried, with their control; the certificates before, with the control that they saw;
the ledger's votes, and its clips whose answer is known.
Writes: certificates (labels); the ledger's copy of them, with labels and people's time, which the pages show.
Safe to run again: finished certificates are left alone. With --remake, what was certified before counts as a look.
"""

from contextlib import suppress

import pandas as pd
import pyarrow as pa

from slac_tasks.admission.withdrawals import tombstones
from slac_tasks.errors import NotMade
from slac_tasks.job import Job
from slac_tasks.model import Answer, parse_clip_id
from slac_tasks.progress import print_line
from slac_tasks.quality.certificate import CONTROL as COLUMNS
from slac_tasks.quality.certificate import Before, certify, waiting
from slac_tasks.quality.gold import Asking, judged_gold
from slac_tasks.reports.kinds import Kind, worths
from slac_tasks.storage.datasets import CARRIED, CERTIFICATES, CONTROL
from slac_tasks.storage.manifests import Manifest
from slac_tasks.verification.ballots import Ballots, read_ballots
from slac_tasks.verification.control import GOLD
from slac_tasks.verification.outcome import replace_certificates
from slac_tasks.verification.versions import newest
from slac_tasks.verification.votes import CLIPS, votes_on


def run(job: Job) -> None:
    """Certify the newest labels that were carried."""
    version = newest(job.datasets, CONTROL)
    if version is None:
        print_line("certify: finished already, no labels were carried yet")
        return
    keys = {"labels": version}
    review = job.config.review
    control, carried = job.datasets.need(CONTROL, **keys), job.datasets.need(CARRIED, **keys)
    with job.partition(CERTIFICATES, keys, inputs=[control, carried]) as made:
        if not made.finished:
            earlier = _earlier(job, version)
            rows = certify(
                _control(job, control),
                waiting(job.datasets.tables(carried, ["category", "kind", "confidence"])),
                judged_gold(
                    *_gold(job, until=int(version)), Asking(lead=review.control_lead, most=review.control_most)
                ),
                job.config.quality,
                _before(job, earlier) if earlier else None,
            )
            made.inputs += [earlier] if earlier else []
            made.write(rows)
    with job.ledger.transaction():
        replace_certificates(job.datasets, job.ledger, made.manifest)
    if not made.finished:
        for worth in worths(job.ledger.all(Kind, "label_kinds"))[:1]:
            for line in worth.lines():
                print_line(f"certify: {line}")


def _earlier(job: Job, version: str) -> Manifest | None:
    """Return the certificates before: of this version where it was certified already, else of an older one."""
    own = job.datasets.manifest(CERTIFICATES, labels=version)
    if own is not None:
        return own
    (found,) = job.ledger.rows("newest_labels", datasets=[CERTIFICATES.name], before=version)
    return None if found["labels"] is None else job.datasets.need(CERTIFICATES, labels=found["labels"])


def _before(job: Job, earlier: Manifest) -> Before:
    """Return a look, with the very control that it was at; None where that is no more: all may be new then."""
    control = None
    mark = earlier.made_from.get(CONTROL.address(earlier.keys))
    if mark is not None:
        with suppress(NotMade):
            control = _control(job, job.datasets.generation(CONTROL, earlier.keys, mark))
    return Before(rows=list(job.datasets.rows_of(CERTIFICATES, earlier)), control=control)


def _control(job: Job, manifest: Manifest) -> pd.DataFrame:
    rows: pd.DataFrame = job.datasets.read_all(CONTROL, [manifest], COLUMNS).to_pandas()
    return rows


def _gold(job: Job, until: int) -> tuple[Ballots, dict[tuple[str, str], bool]]:
    """Return the votes on gold up to a batch, and what is known of it, without withdrawn videos.

    The control is asked in no sets, so what people say of gold in sets says nothing of it.
    """
    gone = tombstones(job.ledger)
    known = {
        (row["category"], row["clip_id"]): row["answer"] == Answer.YES
        for row in job.ledger.rows("known_answers")
        if row["purpose"] == GOLD and parse_clip_id(row["clip_id"])[0] not in gone
    }
    clips = [{"category": category, "clip_id": clip} for category, clip in known]
    votes = votes_on(job.ledger, pa.Table.from_pylist(clips, schema=CLIPS), until=until)
    return read_ballots(votes).asked_alone(), known
