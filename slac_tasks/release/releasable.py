"""Which labels may be released: settled, of an accepted category, in a round that is answered whole."""

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.admission.withdrawals import tombstones
from slac_tasks.model import Status
from slac_tasks.storage.datasets import LABELS, RELEASES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.ballots import joined_key
from slac_tasks.verification.versions import label_tables

_COLUMNS = [name for name in LABELS.schema.names if name in RELEASES.schema.names]


def releasable(datasets: Datasets, ledger: Ledger, labels: str) -> pa.Table:
    """Return the labels of this version that a release may hold, with the columns of a release that labels have.

    Whole rounds only: a half-answered round would make a release depend on the hour at which it was cut (ours).
    """
    accepted = pa.array([row["category"] for row in ledger.rows("accepted_categories", labels=labels)], pa.string())
    unfinished = pa.array([f"{row['category']} {row['round']}" for row in ledger.rows("open_rounds")], pa.string())
    gone = pa.array(sorted(tombstones(ledger)), pa.string())
    found = []
    for table in label_tables(datasets, labels, [*_COLUMNS, "status"]):
        may = pc.equal(table["status"], Status.SETTLED.value)
        may = pc.and_(may, pc.is_in(table["category"], value_set=accepted))
        may = pc.and_not(may, pc.is_in(joined_key(table, "round"), value_set=unfinished))
        may = pc.and_not(may, pc.is_in(table["video_id"], value_set=gone))
        found.append(table.filter(may).select(_COLUMNS))
    return pa.concat_tables(found).sort_by(
        [("category", "ascending"), ("video_id", "ascending"), ("start_sec", "ascending"), ("round", "ascending")]
    )
