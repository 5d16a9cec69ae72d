"""How far the labels of an existing dataset were checked: asked, wrong, and how many of the rest are wrong (ours)."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from slac_tasks.quality.estimates import Estimate, of_strata
from slac_tasks.quality.precision import strata_of_kind
from slac_tasks.storage.datasets.labelling import ControlRow, CorrectionRow
from slac_tasks.verification.carrying import IMPORTED, KINDS, Said
from slac_tasks.verification.label_errors import Given


def correction(category: str, given: Given, said: Said, control: Sequence[ControlRow]) -> CorrectionRow:
    """Return what became of the imported labels of a category.

    Args:
        category: its key.
        given: the labels on its clips.
        said: what is known of each of these clips.
        control: of the category, every kind.

    """
    labelled, asked = given.label != 0, said.own != 0
    rest = labelled & (said.kind == KINDS.index(IMPORTED))
    drawn = pd.DataFrame([asdict(row) for row in control if row.kind == IMPORTED])
    right = of_strata(strata_of_kind(drawn)) if len(drawn) else Estimate(value=None)
    return CorrectionRow(
        category=category,
        labels=int(labelled.sum()),
        asked=int((labelled & asked).sum()),
        wrong=int((labelled & asked & (np.sign(said.own) != given.label)).sum()),
        doubted=int((labelled & ~asked & ~rest).sum()),
        rest=int(rest.sum()),
        control=right.count,
        error=None if right.value is None else 1 - right.value,
        error_low=None if right.value is None else 1 - right.high,
        error_high=None if right.value is None else 1 - right.low,
    )
