"""The gate: what a version of the labels, and each category in it, must be. Expectations run in Great Expectations.

Two suites. The table's says what labels are; one failure means that a stage is broken, and nothing may be released. A
category's says what makes its labels worth training on (thresholds ours, see `settings.py`); a failure refuses that
category alone, until a person says otherwise.
"""

import logging
import math
import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from slac_tasks.model import CLIP_SEC, Split, Status, Strategy
from slac_tasks.quality.settings import Quality
from slac_tasks.storage.datasets.labelling import QualityRow


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One number of a category and the range that it must lie in."""

    name: str
    value: float | None
    low: float
    high: float = math.inf

    @property
    def reason(self) -> str:
        """Why the category is refused when this measure fails."""
        found = (
            "unknown"
            if self.value is None
            else f"{self.value:g}"
            if isinstance(self.value, int)
            else f"{self.value:.3f}"
        )
        wanted = f"at least {self.low:g}" if self.high == math.inf else f"{self.low:g} to {self.high:g}"
        return f"{self.name} is {found}, want {wanted}"

    @property
    def shortfall(self) -> float | None:
        """How far the value lies outside the range, in its own unit; None where it is unknown."""
        return None if self.value is None else max(self.low - self.value, self.value - self.high)


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


def measures(rows: pd.DataFrame, knobs: Quality) -> list[Measure]:
    """Return the numbers by which a category is judged, from its labels."""
    settled = rows[rows["status"] == "settled"]
    twice = rows["first_two_agree"].dropna()
    finished = int((rows["status"] != "open").sum())
    positive, unsettled = int((settled["label"] == 1).sum()), int((rows["status"] == "unsettled").sum())
    return [
        Measure(name="agreement", value=_share(int(twice.sum()), len(twice)), low=knobs.min_agreement, high=1.0),
        Measure(
            name="positive_share",
            value=_share(positive, len(settled)),
            low=knobs.min_positive_share,
            high=knobs.max_positive_share,
        ),
        Measure(name="unsettled_share", value=_share(unsettled, finished), low=0.0, high=knobs.max_unsettled_share),
    ]


def judge(labels: pd.DataFrame, knobs: Quality) -> list[QualityRow]:
    """Return the verdict on every category of the table, in order of their keys."""
    groups = [(str(category), rows) for category, rows in labels.groupby("category", sort=True)]
    numbers = {category: measures(rows, knobs) for category, rows in groups}
    failed = _judge_measures(numbers)
    found = []
    for category, rows in groups:
        settled = int((rows["status"] == "settled").sum())
        if settled < knobs.min_labels:
            verdict, wrong = "pending", [Measure(name="settled", value=settled, low=knobs.min_labels)]
        else:
            wrong = failed[category]
            verdict = "refused" if wrong else "accepted"
        found.append(
            QualityRow(
                category=category,
                verdict=verdict,
                reasons=tuple(measure.reason for measure in wrong),
                failed=tuple(measure.name for measure in wrong),
                shortfalls=tuple(measure.shortfall for measure in wrong),
                settled=settled,
                positive=int((rows["label"] == 1).sum()),
                agreement=numbers[category][0].value,
                unsettled=int((rows["status"] == "unsettled").sum()),
            )
        )
    return found


def _judge_measures(numbers: dict[str, list[Measure]]) -> dict[str, list[Measure]]:
    """Return, by category, the measures that lie outside their range: one suite over a row per category."""
    gxe = _engine().expectations
    table = pd.DataFrame({"category": list(numbers)})
    failed: dict[str, list[Measure]] = {category: [] for category in numbers}
    for index, name in enumerate([measure.name for measure in next(iter(numbers.values()), [])]):
        column = [found[index] for found in numbers.values()]
        table[name] = pd.Series([measure.value for measure in column], dtype="float64")
        expectation = gxe.ExpectColumnValuesToBeBetween(
            column=name, min_value=column[0].low, max_value=column[0].high, severity="critical"
        )
        outside = _unexpected_rows(table, expectation)
        for row, (category, measure) in enumerate(zip(numbers, column, strict=True)):
            if row in outside or measure.value is None:
                failed[category].append(measure)
    return failed


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


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


def _unexpected_rows(table: pd.DataFrame, expectation: Any) -> set[int]:
    """Return the row numbers that fail one expectation."""
    if table.empty:
        return set()
    result = _batch(table).validate(expectation, result_format={"result_format": "COMPLETE"})
    if _raised(result):
        raise RuntimeError(f"expectation {result.expectation_config.type}: {result.exception_info}")
    return {int(index) for index in result.result.get("unexpected_index_list") or []}


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
