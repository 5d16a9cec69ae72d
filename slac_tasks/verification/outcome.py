"""What a version of the labels changes in the ledger: the queue, the verdicts, what pages show of people and kinds."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.errors import NotMade
from slac_tasks.model import Answer, Status
from slac_tasks.storage.datasets import CARRIED, CERTIFICATES
from slac_tasks.storage.datasets.labelling import AgreementRow, MeasureRow, PersonRow, QualityRow
from slac_tasks.storage.datasets.scoring import HardClipRow
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.ballots import clip_key
from slac_tasks.verification.ruled import BY_A_LEAD

NEWEST_LABELS, NEWEST_VERDICTS, NEWEST_CERTIFICATES = "labels", "verdicts", "certificates"
"""What the ledger holds of the newest version alone. Who writes one of them has it alone (`Ledger.alone`) before asking
which version is the newest: of two at once, the one that ended later would write an older version over a newer one."""

_AT_ONCE = 500
"""Clips in one statement: their rows are locked until it ends, and people are answering meanwhile."""

_LISTED_AT_ONCE = 5_000
"""Clips in one statement that lists. Others who list wait for it."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A clip's new state in the queue."""

    clip_id: str
    category: str
    votes_wanted: int
    state: str
    was_again: bool
    """Whether somebody was asked again when the queue was read; what a lead has changed since stays."""
    again: bool
    """Whether somebody is asked once more, which holds up nothing."""


def queue_changes(labels: pa.Table, queued: pa.Table, control_most: int) -> list[Settled]:
    """Return what must change in the queue so that it agrees with labels.

    A clip whose label is open wants one answer more than it was given; one on which a side must lead wants as many more
    as that takes at least. Every other clip is finished, but for one that is asked again and waits for that answer.
    It is asked again until its label stands: one that falls meanwhile holds up its round no more than before. No clip
    wants fewer answers than before, and one that was withdrawn from the queue stays withdrawn.

    Args:
        labels: columns clip_id, category, status, yes and no.
        queued: what the queue holds of these clips, as `votes.QUEUED`; clips that only one of the tables has are left
            alone.
        control_most: answers after which nobody more is asked about a clip on which a side must lead.

    """
    place = pc.index_in(clip_key(queued), value_set=clip_key(labels))
    queued, place = queued.filter(place.is_valid()), place.drop_null()
    undecided = pc.equal(labels["status"].take(place), Status.OPEN.value).to_numpy(zero_copy_only=False)
    had, given = queued["votes_wanted"].to_numpy(), queued["given"].to_numpy()
    ahead = abs(pc.subtract(labels["yes"], labels["no"]).take(place).to_numpy())
    until_one_leads = np.minimum(queued["lead"].to_numpy() - ahead, control_most - given)
    wanted = np.where(undecided, np.maximum(had, given + np.maximum(until_one_leads, 1)), had)
    was_again = queued["again"].to_numpy()
    again = was_again & (given < wanted)
    waits = undecided | again
    is_open = pc.equal(queued["state"], "open").to_numpy(zero_copy_only=False)
    is_withdrawn = pc.equal(queued["state"], "withdrawn").to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(~is_withdrawn & ((wanted != had) | (waits != is_open) | (again != was_again)))
    changed = queued.select(["clip_id", "category"]).take(pa.array(rows)).to_pylist()
    return [
        Settled(
            **clip, votes_wanted=int(wanted[row]), state="open" if waits[row] else "finished",
            was_again=bool(was_again[row]), again=bool(again[row]),
        )
        for row, clip in zip(rows, changed, strict=True)
    ]  # fmt: skip


def settle(ledger: Ledger, changes: Sequence[Settled]) -> None:
    """Write the changes to the queue, a few hundred at a time; writing them again changes nothing."""
    for start in range(0, len(changes), _AT_ONCE):
        some = changes[start : start + _AT_ONCE]
        ledger.run(
            "settle_clips",
            clip_ids=[change.clip_id for change in some],
            categories=[change.category for change in some],
            votes_wanted=[change.votes_wanted for change in some],
            states=[change.state for change in some],
            were_again=[change.was_again for change in some],
            again=[change.again for change in some],
        )


def list_asked(ledger: Ledger, clips: Iterable[HardClipRow], *, category: str) -> None:
    """List the clips of a published round for the pages, with the committee's joint score; a known verdict stays."""
    scores = [(clip.clip_id, clip.consensus) for clip in clips]
    for start in range(0, len(scores), _LISTED_AT_ONCE):
        ids, values = zip(*scores[start : start + _LISTED_AT_ONCE], strict=True)
        unknown = [None] * len(ids)
        _list(
            ledger, clip_ids=list(ids), categories=[category] * len(ids), verdicts=unknown, kinds=unknown,
            disputes=unknown, scores=list(values),
        )  # fmt: skip


def list_labels(ledger: Ledger, labels: pa.Table) -> None:
    """List for the pages what a version of the labels says of its clips; what is listed so already is not written.

    Args:
        ledger: holds the queue; a clip that it has not is left out.
        labels: columns clip_id, category, status, label, method, yes and no.

    """
    word = pc.if_else(pc.equal(labels["label"], 1), Answer.YES.value, Answer.NO.value)
    verdicts = pc.if_else(pc.equal(labels["status"], Status.SETTLED.value), word, labels["status"])
    fewer = pc.min_element_wise(labels["yes"], labels["no"]).cast(pa.float64())
    answers = pc.max_element_wise(pc.add(labels["yes"], labels["no"]), 1)
    kinds = pc.if_else(pc.equal(labels["method"], BY_A_LEAD), "lead", "people")
    listed = labels.select(["clip_id", "category"]).append_column("verdict", verdicts).append_column("kind", kinds)
    listed = listed.append_column("dispute", pc.divide(fewer, answers))
    for start in range(0, listed.num_rows, _LISTED_AT_ONCE):
        some = listed.slice(start, _LISTED_AT_ONCE).to_pydict()
        _list(
            ledger, clip_ids=some["clip_id"], categories=some["category"], verdicts=some["verdict"],
            kinds=some["kind"], disputes=some["dispute"], scores=[None] * len(some["clip_id"]),
        )  # fmt: skip


def _list(ledger: Ledger, **columns: Sequence[object]) -> None:
    with ledger.transaction():
        ledger.rows("lock_listing")
        ledger.run("list_clips", **columns)


def record_verdicts(ledger: Ledger, labels: str, verdicts: Iterable[QualityRow]) -> None:
    """Record the gate's verdicts on the categories of a version of the labels; recorded again, the newer ones stand."""
    ledger.run_many(
        "add_verdict",
        [
            {
                "labels": labels, "category": row.category, "verdict": row.verdict, "reasons": list(row.reasons),
                "failed": list(row.failed), "shortfalls": list(row.shortfalls),
            }
            for row in verdicts
        ],
    )  # fmt: skip


def record_measures(ledger: Ledger, measures: Iterable[MeasureRow], *, labels: str, category: str) -> None:
    """Record what a category is judged by at a version of the labels; recorded again, the newer measures stand.

    The caller opens the transaction, so that readers see the old rows or the new ones.
    """
    ledger.run("clear_measures", labels=labels, category=category)
    ledger.run_many(
        "add_measure",
        [{**asdict(row), "place": place, "labels": labels, "category": category} for place, row in enumerate(measures)],
    )


def replace_people(ledger: Ledger, labels: str, people: Iterable[PersonRow], agreement: Iterable[AgreementRow]) -> None:
    """Replace the ledger's copy of the datasets `people` and `agreement` by this version's rows.

    The caller opens the transaction, so that readers see the old rows or the new ones.
    """
    ledger.run("clear_annotator_quality")
    ledger.run_many(
        "add_annotator_quality", [{**asdict(row), "flags": list(row.flags), "labels": labels} for row in people]
    )
    ledger.run_many("add_category_agreement", [{**asdict(row), "labels": labels} for row in agreement])


def replace_certificates(datasets: Datasets, ledger: Ledger, certificates: Manifest) -> int:
    """Replace the ledger's copy of the certificates, with the labels of each kind and what people gave for them.

    The caller opens the transaction, so that readers see the old rows or the new ones.

    Args:
        datasets: where the labels of every kind are.
        ledger: it holds the votes, which are counted up to the version of the labels.
        certificates: the newest ones.

    Returns: how many rows there are.

    """
    counts = _labels_of_kinds(datasets, certificates)
    rows = [
        {**asdict(row), **certificates.keys, "label_count": counts[row.category, row.kind]}
        for row in datasets.rows_of(CERTIFICATES, certificates)
    ]
    ledger.run("clear_label_kinds")
    ledger.run_many("add_label_kind", rows)
    ledger.run("add_label_costs", **certificates.keys)
    return len(rows)


def _labels_of_kinds(datasets: Datasets, certificates: Manifest) -> Counter[tuple[str | None, str]]:
    """Count the labels of which the certificates speak, by category (None: all together) and kind.

    Where that generation was deleted, the newest one is counted.
    """
    carried = None
    if mark := certificates.made_from.get(CARRIED.address(certificates.keys)):
        with suppress(NotMade):
            carried = datasets.generation(CARRIED, certificates.keys, mark)
    counts: Counter[tuple[str | None, str]] = Counter()
    for table in datasets.tables(carried or datasets.need(CARRIED, **certificates.keys), ["category", "kind"]):
        for row in table.group_by(["category", "kind"]).aggregate([([], "count_all")]).to_pylist():
            for category in (row["category"], None):
                counts[category, row["kind"]] += row["count_all"]
    return counts
