"""Say how many of the labels of each kind are wrong at most, and from which confidence on they are good enough.

Reads: the newest labels that were carried, with their control; the certificates before, with the control that they saw;
clips; the ledger's votes, and its clips whose answer is known.
Writes: certificates (labels); the ledger's copy of them, with labels and people's time, which the pages show;
gold_judges (labels), by which `evaluate`, which holds no password of the ledger, judges networks.
Safe to run again: finished certificates are left alone. With --remake, what was certified before counts as a look.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.admission.withdrawals import tombstones
from slac_tasks.errors import NotMade
from slac_tasks.job import Job, Partition
from slac_tasks.model import Answer, parse_clip_id, round_window
from slac_tasks.progress import print_line
from slac_tasks.quality.certificate import CONTROL as COLUMNS
from slac_tasks.quality.certificate import Before, certify, waiting
from slac_tasks.quality.gold import Asking, judged_gold
from slac_tasks.reports.kinds import Kind, worths
from slac_tasks.storage.datasets import CARRIED, CERTIFICATES, CONTROL, GOLD_JUDGES
from slac_tasks.storage.datasets import CLIPS as CUT
from slac_tasks.storage.datasets.releasing import GoldJudgeRow
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.verification.ballots import Ballots, read_ballots
from slac_tasks.verification.control import GOLD
from slac_tasks.verification.outcome import NEWEST_CERTIFICATES, replace_certificates
from slac_tasks.verification.versions import newest
from slac_tasks.verification.votes import CLIPS, votes_on


def run(job: Job) -> None:
    """Certify the newest labels that were carried."""
    with job.alone(NEWEST_CERTIFICATES):
        version = newest(job.datasets, CONTROL)
        if version is None:
            print_line("certify: finished already, no labels were carried yet")
        else:
            _certify(job, version)


def _certify(job: Job, version: str) -> None:
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
    with job.partition(GOLD_JUDGES, keys) as judges:
        if not judges.finished:
            judges.write(_judges(job, judges))
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _GoldClip:
    """A clip whose answer is known, as the ledger has it."""

    category: str
    clip_id: str
    video_id: str
    round: str
    split: str
    start_sec: float
    end_sec: float
    contains: bool


def _judges(job: Job, made: Partition[GoldJudgeRow]) -> Iterator[GoldJudgeRow]:
    """Yield gold with its renditions; a clip that was cut otherwise since cannot be opened, and is left out."""
    gone = tombstones(job.ledger)
    found: dict[tuple[str, str], list[_GoldClip]] = {}
    for clip in job.ledger.all(_GoldClip, "gold_clips"):
        if clip.video_id not in gone:
            found.setdefault((clip.category, round_window(clip.round)), []).append(clip)
    for (category, window), clips in found.items():
        cut = job.datasets.manifest(CUT, category=category, window=window)
        made.inputs += [cut] if cut else []
        names = pa.array([clip.clip_id for clip in clips], pa.string())
        tables = job.datasets.tables(cut, ("clip_id", "proxy_128", "proxy_256")) if cut else ()
        renditions = {
            row.pop("clip_id"): row
            for table in tables
            for row in table.filter(pc.is_in(table["clip_id"], names)).to_pylist()
        }
        for clip in clips:
            if clip.clip_id not in renditions:
                made.drops.append(Drop(item=clip.clip_id, reason="cut otherwise since"))
                continue
            yield GoldJudgeRow(
                clip_id=clip.clip_id, video_id=clip.video_id, start_sec=clip.start_sec, end_sec=clip.end_sec,
                split=clip.split, category=category, label=1 if clip.contains else -1, window=window,
                **renditions[clip.clip_id],
            )  # fmt: skip
