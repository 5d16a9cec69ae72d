"""What is found of every hand-over: whether it is what the next stage may expect."""

from dataclasses import dataclass
from typing import Annotated

from slac_tasks.storage.declarations import Dataset


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectationRow:
    """One expectation of one hand-over, for one subject."""

    name: Annotated[str, "name of the expectation"]
    subject: Annotated[str, "category, strategy or person; empty: all rows together"]
    sentence: Annotated[str, "what is expected, for people"]
    severity: Annotated[str, "critical (nothing is made from such rows) or warning (it is shown)"]
    value: Annotated[float | None, "rows that are wrong, a share, or a distance; null: nothing to measure"]
    low: Annotated[float | None, "lower end of the value's 95 % interval; null: it is no estimate"]
    high: Annotated[float | None, "upper end of the value's 95 % interval; null: it is no estimate"]
    wanted_low: Annotated[float | None, "lowest value that is accepted; null: any"]
    wanted_high: Annotated[float | None, "highest value that is accepted; null: any"]
    verdict: Annotated[str, "met, failed (an estimate: surely, all subjects together), or unchecked"]
    count: Annotated[int, "rows that the value rests on"]
    examples: Annotated[tuple[str, ...], "a few of the rows that are wrong"]


EXPECTATIONS = Dataset(
    name="expectations", version=1, keys=("judged", "partition"), unique=("name", "subject"), row=ExpectationRow,
    meaning="What each expectation of one hand-over found, and its verdict, by dataset and its keys.",
)  # fmt: skip
