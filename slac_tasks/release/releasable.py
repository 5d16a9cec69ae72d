"""Which labels may be released: settled, of an accepted category, in a round that is answered whole."""

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.storage.datasets import LABELS
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets


def releasable(datasets: Datasets, ledger: Ledger, labels: str) -> pa.Table:
    """Return the rows of this version of the labels that a release may hold.

    Whole rounds only: a half-answered round would make a release depend on the hour at which it was cut (ours).
    """
    table = datasets.read(LABELS, labels=labels)
    accepted = [row["category"] for row in ledger.rows("accepted_categories", labels=labels)]
    unfinished = {(row["category"], row["round"]) for row in ledger.rows("open_rounds")}
    gone = [row["video_id"] for row in ledger.rows("tombstones")]
    whole = pa.array(
        [key not in unfinished for key in zip(table["category"].to_pylist(), table["round"].to_pylist(), strict=True)],
        type=pa.bool_(),
    )
    keep = pc.and_(pc.equal(table["status"], "settled"), pc.is_in(table["category"], pa.array(accepted, pa.string())))
    keep = pc.and_(pc.and_(keep, whole), pc.invert(pc.is_in(table["video_id"], pa.array(gone, pa.string()))))
    return table.filter(keep).sort_by(
        [("category", "ascending"), ("video_id", "ascending"), ("start_sec", "ascending"), ("round", "ascending")]
    )
