"""Labels on which a lead ruled. Pure functions."""

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.model import Answer, Status
from slac_tasks.verification.ballots import clip_key

BY_A_LEAD = "lead/1"
"""The method of a label that a lead settled."""


def ruled(labels: pa.Table, rulings: pa.Table) -> pa.Table:
    """Return the labels with those that a lead settled: status settled, confidence 1. The counts of answers stay.

    Args:
        labels: columns clip_id, category, status, label, confidence and method, and others that stay.
        rulings: columns clip_id, category and answer (yes or no); no clip and category stands twice. One that the
            labels have not has no answer yet, and no label.

    """
    if not rulings.num_rows:
        return labels
    place = pc.index_in(clip_key(labels), value_set=clip_key(rulings))
    answer = rulings["answer"].take(place)
    is_ruled = answer.is_valid()
    said = {
        "status": pa.scalar(Status.SETTLED.value),
        "label": pc.if_else(pc.equal(answer, Answer.YES.value), pa.scalar(1, pa.int8()), pa.scalar(-1, pa.int8())),
        "confidence": pa.scalar(1.0),
        "method": pa.scalar(BY_A_LEAD),
    }
    for name, value in said.items():
        index = labels.schema.get_field_index(name)
        labels = labels.set_column(index, labels.schema.field(index), pc.if_else(is_ruled, value, labels[name]))
    return labels
