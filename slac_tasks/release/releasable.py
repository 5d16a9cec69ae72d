"""Which labels may be released.

People's: settled, of an accepted category, in a round that is answered whole. Of the other kinds: certified, of an
accepted category, and of a clip that people were not asked about.
"""

from collections.abc import Callable, Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from slac_tasks.admission.withdrawals import tombstones
from slac_tasks.model import Status
from slac_tasks.release.content import ORDER
from slac_tasks.storage.datasets import CARRIED, LABELS, RELEASES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.ballots import clip_key, joined_key, label_key
from slac_tasks.verification.carrying import PEOPLE, SETS
from slac_tasks.verification.versions import label_tables

Certified = Callable[[str, Sequence[str], Sequence[float]], NDArray[np.float64]]
"""Returns the bound with which each label is certified (NaN: it is not), from its kind, category and confidence."""

_COLUMNS = [name for name in LABELS.schema.names if name in RELEASES.schema.names]


def releasable(datasets: Datasets, ledger: Ledger, labels: str) -> pa.Table:
    """Return the labels of this version that a release may hold, with the columns of a release that labels have.

    Whole rounds only: a half-answered round would make a release depend on the hour at which it was cut (ours).
    """
    accepted = _accepted(ledger, labels)
    unfinished = pa.array([f"{row['category']} {row['round']}" for row in ledger.rows("open_rounds")], pa.string())
    gone = pa.array(sorted(tombstones(ledger)), pa.string())
    found = []
    for table in label_tables(datasets, labels, [*_COLUMNS, "status", "yes", "no"]):
        may = pc.equal(table["status"], Status.SETTLED.value)
        may = pc.and_(may, pc.is_in(table["category"], value_set=accepted))
        may = pc.and_not(may, pc.is_in(joined_key(table, "round"), value_set=unfinished))
        may = pc.and_not(may, pc.is_in(table["video_id"], value_set=gone))
        # The word of a lead is one, where people could not decide.
        support = pc.max_element_wise(pc.add(table["yes"], table["no"]), 1)
        table = table.append_column("kind", pa.repeat(PEOPLE, table.num_rows)).append_column("support", support)
        found.append(table.filter(may).select([*_COLUMNS, "kind", "support"]))
    return pa.concat_tables(found).sort_by(ORDER)


def releasable_of_others(
    datasets: Datasets, ledger: Ledger, labels: str, carried: Manifest, kinds: Collection[str], certified: Certified
) -> pa.Table:
    """Return the carried and the model's labels that a release may hold, with the columns that they have.

    Args:
        datasets: where they are.
        ledger: knows the verdicts and the tombstones.
        labels: version of people's labels, which overrule the others.
        carried: of labels of every kind.
        kinds: those that are wanted, people's not among them.
        certified: by which bound each of them is certified.

    """
    accepted, gone = _accepted(ledger, labels), pa.array(sorted(tombstones(ledger)), pa.string())
    asked = pa.concat_arrays([pa.array([], pa.string()), *(
        clip_key(table) for table in label_tables(datasets, labels, ["clip_id", "category"])
    )])  # fmt: skip
    columns = [name for name in CARRIED.schema.names if name in RELEASES.schema.names]
    found = [_with_bounds(pa.schema([CARRIED.schema.field(name) for name in columns]).empty_table(), certified)]
    for table in datasets.tables(carried, columns):
        may = pc.and_(pc.is_in(table["category"], value_set=accepted), pc.invert(pc.is_in(table["video_id"], gone)))
        may = pc.and_(may, pc.is_in(table["kind"], value_set=pa.array(sorted(kinds), pa.string())))
        may = pc.and_not(may, pc.is_in(clip_key(table), value_set=asked))
        table = _with_bounds(table.filter(may), certified)
        found.append(table.filter(table["certificate"].is_valid()))
    return pa.concat_tables(found).sort_by(ORDER)


def with_certificates(datasets: Datasets, labels: pa.Table, carried: Manifest | None, certified: Certified) -> pa.Table:
    """Return people's labels with the column `certificate`.

    What is certified is the probability that a label is right, which stands among the labels of every kind. A label of
    the other sign has no certificate, and one with answers from sets has the certificate of such labels.

    Args:
        datasets: where the labels of every kind are.
        labels: people's.
        carried: the labels of every kind that were made of this version; None: nothing is certified.
        certified: by which bound each label is certified.

    """
    bound = pa.nulls(labels.num_rows, pa.float64())
    if carried is not None:
        found = [
            _with_bounds(table.filter(pc.is_in(table["kind"], value_set=pa.array([PEOPLE, SETS]))), certified)
            for table in datasets.tables(carried, ["clip_id", "category", "kind", "label", "confidence"])
        ]
        every = pa.concat_tables(found)
        place = pc.index_in(label_key(labels), value_set=label_key(every))
        bound = every["certificate"].take(place)
    return labels.append_column("certificate", bound)


def _with_bounds(labels: pa.Table, certified: Certified) -> pa.Table:
    """Return labels of any kind with the column `certificate`; null: they are not certified."""
    bounds = np.full(labels.num_rows, np.nan)
    kinds = labels["kind"].to_pylist()
    for kind in set(kinds):
        own = np.flatnonzero(np.array(kinds) == kind)
        some = labels.take(pa.array(own))
        bounds[own] = certified(kind, some["category"].to_pylist(), some["confidence"].to_pylist())
    return labels.append_column("certificate", pa.array(bounds, pa.float64(), mask=np.isnan(bounds)))


def _accepted(ledger: Ledger, labels: str) -> pa.Array:
    return pa.array([row["category"] for row in ledger.rows("accepted_categories", labels=labels)], pa.string())
