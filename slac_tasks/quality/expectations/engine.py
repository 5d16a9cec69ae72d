"""The adapter to Great Expectations: numbers in, verdicts out. Nothing else of the product imports it.

The numbers of one expectation are a column of one table, so a suite costs the same for a hundred rows and for a
million. Great Expectations has engines of its own for pandas and for Postgres, which run each expectation as a pass
over the rows. Here a measure is a pass over Arrow columns, or a described query where the rows are in Postgres. So one
vocabulary serves both, and the task image needs no SQLAlchemy.
"""

import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Column:
    """The numbers of one expectation, and the range in which each must lie."""

    values: Sequence[float | None]
    """None: there is nothing to judge."""
    low: float
    high: float
    severity: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What Great Expectations says of a table of numbers."""

    failed: Mapping[str, frozenset[int]]
    """By column: the places of the values that lie outside."""
    result: Any
    """Its own result, from which its pages are drawn; None: there was nothing to judge."""


def library() -> Any:
    """Import Great Expectations: it takes seconds, logs much and would tell its maker of every use."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations
        import great_expectations.expectations
    return great_expectations


def batch(table: pd.DataFrame, name: str = "table") -> Any:
    """Return a table as a batch of Great Expectations, in memory."""
    gx = library()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = gx.get_context(mode="ephemeral")
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    return asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table})


def judge(name: str, columns: Mapping[str, Column]) -> Verdicts:
    """Return which values lie outside the range of their column.

    Args:
        name: of the suite: what the numbers are about.
        columns: by name of the expectation; they may have different lengths.

    Raises:
        RuntimeError: an expectation could not be run: it would look like one that failed.

    """
    columns = {name: column for name, column in columns.items() if any(value is not None for value in column.values)}
    if not columns:
        return Verdicts(failed={}, result=None)
    gx = library()
    table = pd.DataFrame(
        {each: pd.Series(np.array(column.values, dtype=np.float64)) for each, column in columns.items()}
    )
    suite = gx.ExpectationSuite(
        name=name,
        expectations=[
            gx.expectations.ExpectColumnValuesToBeBetween(
                column=each,
                min_value=_finite(column.low),
                max_value=_finite(column.high),
                severity=column.severity,
                description=column.sentence,
            )
            for each, column in columns.items()
        ],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = batch(table, name).validate(suite, result_format={"result_format": "COMPLETE"})
    failed = {}
    for one in result.results:
        if raised(one):
            raise RuntimeError(f"expectation {one.expectation_config.kwargs}: {one.exception_info}")
        failed[one.expectation_config.kwargs["column"]] = frozenset(one.result.get("unexpected_index_list") or ())
    return Verdicts(failed=failed, result=result)


def raised(result: Any) -> bool:
    """Whether an expectation raised: it then looks like one that failed."""
    info = result.exception_info or {}
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(isinstance(one, dict) and one.get("raised_exception") for one in info.values())


def _finite(end: float) -> float | None:
    return None if end in (float("inf"), float("-inf")) else end
