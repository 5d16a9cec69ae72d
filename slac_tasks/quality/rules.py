"""The rules of the table of labels, as expectations that run in Great Expectations.

They say what labels are. One failure means that a stage is broken, and nothing may be released.
"""

import logging
import os
import warnings
from collections.abc import Iterable
from typing import Any

import pandas as pd

from slac_tasks.model import CLIP_SEC, Split, Status, Strategy


def broken_rules(labels: pd.DataFrame, answers_least: int = 2) -> list[str]:
    """Return what is wrong with the table as such, one line per failed expectation; empty when it is sound.

    Args:
        labels: rows of the dataset; the column `votes` is not read.
        answers_least: answers that a settled label must have.

    """
    gxe = _engine().expectations
    table = labels.assign(
        length_sec=labels["end_sec"] - labels["start_sec"],
        answers=labels[["yes", "no", "unsure", "broken"]].sum(axis=1),
        label=labels["label"].astype("float64"),
        confidence=labels["confidence"].astype("float64"),
    )
    suite = [
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["clip_id", "category"], severity="critical"),
        gxe.ExpectColumnValuesToNotBeNull(column="video_id", severity="critical"),
        gxe.ExpectColumnValuesToBeInSet(column="status", value_set=[s.value for s in Status], severity="critical"),
        gxe.ExpectColumnValuesToBeInSet(column="split", value_set=[s.value for s in Split], severity="critical"),
        gxe.ExpectColumnValuesToBeInSet(column="strategy", value_set=[s.value for s in Strategy], severity="critical"),
        gxe.ExpectColumnValuesToBeBetween(
            column="length_sec", min_value=CLIP_SEC - 1e-6, max_value=CLIP_SEC + 1e-6, severity="critical"
        ),
        gxe.ExpectColumnValuesToBeBetween(column="start_sec", min_value=0, severity="critical"),
        gxe.ExpectColumnValuesToBeInSet(column="label", value_set=[-1.0, 1.0], severity="critical"),
        gxe.ExpectColumnValuesToBeBetween(column="confidence", min_value=0, max_value=1, severity="critical"),
    ]
    settled = [
        gxe.ExpectColumnValuesToNotBeNull(column="label", severity="critical"),
        gxe.ExpectColumnValuesToNotBeNull(column="confidence", severity="critical"),
        gxe.ExpectColumnValuesToBeBetween(column="answers", min_value=answers_least, severity="critical"),
    ]
    return _failures(table, suite) + _failures(table[table["status"] == "settled"], settled)


def _failures(table: pd.DataFrame, suite: Iterable[Any]) -> list[str]:
    """Run expectations and return the failed ones in words."""
    lines = []
    batch = _batch(table)
    for expectation in suite:
        result = batch.validate(expectation, result_format="SUMMARY")
        if result.success:
            continue
        kwargs = {
            k: v for k, v in result.expectation_config.kwargs.items() if k not in ("batch_id", "condition_parser")
        }
        want = f"{result.expectation_config.type} {kwargs}"
        if _raised(result):
            lines.append(f"{want}: could not be checked")
        else:
            found = result.result
            lines.append(
                f"{want}: {found.get('unexpected_count')} of {found.get('element_count')} rows fail, "
                f"e.g. {found.get('partial_unexpected_list', [])[:3]}"
            )
    return lines


def _raised(result: Any) -> bool:
    """Whether an expectation raised: it then looks like one that failed."""
    info = result.exception_info or {}
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(isinstance(one, dict) and one.get("raised_exception") for one in info.values())


def _engine() -> Any:
    """Import Great Expectations: it takes seconds, logs much and would tell its maker of every use."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations
        import great_expectations.expectations
    return great_expectations


def _batch(table: pd.DataFrame) -> Any:
    """Return the table as a batch of Great Expectations, in memory."""
    gx = _engine()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = gx.get_context(mode="ephemeral")
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("labels").add_dataframe_asset("labels")
    return asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table})
