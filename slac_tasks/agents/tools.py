"""What agents may ask, one tool an entry of `TOOLS`. Each reads the ledger or the store, and the numbers of the pages.

To add a tool: its function, and its entry in `TOOLS`. None writes; none returns an address of media, a path or a
password.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.errors import WrongArguments
from slac_tasks.given.words import fault_of
from slac_tasks.reports import trends
from slac_tasks.reports.categories import Standing, categories
from slac_tasks.reports.funnel import METRICS, Facts
from slac_tasks.reports.measures import Judged, by_category
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.registered import check_registered
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification import versions
from slac_tasks.verification.answers import HASTY_SEC

CLIPS_MOST = 500
"""Clips of one answer: more fill what a model can read."""
RELEASES_MOST = 100
SIGNS = {"positive": 1, "negative": -1}

Given = Mapping[str, Any]
"""Arguments of a call, checked."""
Found = Mapping[str, Any]
"""An answer, as JSON can hold it."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """Where a tool reads."""

    datasets: Datasets
    ledger: Ledger


@dataclass(frozen=True, kw_only=True)
class Argument:
    """One argument of a tool: a text, or a whole number from 1 to `most`."""

    name: str
    help: str
    choices: tuple[str, ...] = ()
    required: bool = False
    most: int | None = None
    """None: it is a text."""

    @property
    def schema(self) -> Found:
        """Its JSON schema."""
        kind = {"type": "string"} if self.most is None else {"type": "integer", "minimum": 1, "maximum": self.most}
        return {**kind, "description": self.help, **({"enum": list(self.choices)} if self.choices else {})}

    def check(self, value: object) -> None:
        """Refuse a value that the schema does not allow.

        Raises:
            WrongArguments: as it says.

        """
        if self.most is not None:
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= self.most:
                raise WrongArguments(f"{self.name}: {value!r}, want a whole number from 1 to {self.most}")
        elif not isinstance(value, str) or fault_of(value) or (self.choices and value not in self.choices):
            raise WrongArguments(f"{self.name}: {value!r}, want {' or '.join(self.choices) or 'a text'}")


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One question that an agent may ask."""

    name: str
    description: str
    answer: Callable[[Platform, Given], Found]
    arguments: Sequence[Argument] = ()

    @property
    def schema(self) -> Found:
        """JSON schema of the arguments."""
        return {
            "type": "object",
            "properties": {argument.name: argument.schema for argument in self.arguments},
            "required": [argument.name for argument in self.arguments if argument.required],
            "additionalProperties": False,
        }

    def ask(self, platform: Platform, given: Given) -> Found:
        """Return the answer, as JSON can hold it.

        Raises:
            WrongArguments: an argument is unknown, missing, or of another kind, or a category is not registered.

        """
        known = {argument.name: argument for argument in self.arguments}
        for name, value in given.items():
            if name not in known:
                raise WrongArguments(f"{name}: is no argument of {self.name}, want {', '.join(known) or 'none'}")
            known[name].check(value)
        for argument in self.arguments:
            if argument.required and argument.name not in given:
                raise WrongArguments(f"{argument.name}: is missing, {self.name} needs it: {argument.help}")
        if "category" in given:
            check_registered(platform.ledger, [given["category"]])
        found: Found = plain(self.answer(platform, given))
        return found


def plain(value: Any) -> Any:
    """Return a value as JSON has it: times as ISO 8601, and what is no finite number as null."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() | Decimal():
            return float(value) if isfinite(value) else None
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(one) for key, one in value.items()}
        case Iterable():
            return [plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    raise TypeError(f"{type(value).__name__}: no JSON")


def _funnel(platform: Platform, given: Given) -> Found:
    (facts,) = platform.ledger.all(Facts, "funnel")
    metrics = [
        {
            "name": metric.name,
            "meaning": metric.meaning,
            "value": metric.value(facts),
            "whole": metric.whole and metric.whole(facts),
        }
        for metric in METRICS
    ]
    return {"metrics": metrics, "seconds_an_answer": facts.answer_sec, "categories": platform.ledger.rows("web_funnel")}


def _rounds(platform: Platform, given: Given) -> Found:
    category = given.get("category")
    waiting = {(row["category"], row["round"]) for row in platform.ledger.rows("open_rounds")}
    rounds = [
        {**row, "waits_for_answers": (row["category"], row["round"]) in waiting}
        for row in platform.ledger.rows("asked_rounds")
        if category in (None, row["category"])
    ]
    found = trends.read(platform.datasets.store)
    measures = [row for row in found.found if category in (None, row.category)] if found else []
    spent = [row for row in found.spent if category in (None, row.category)] if found else []
    return {"rounds": rounds, "labels": found and found.version, "measures": measures, "time_spent": spent}


def _quality(platform: Platform, given: Given) -> Found:
    category = given.get("category")
    standings = [
        row for row in platform.ledger.all(Standing, "web_quality") if category in (None, row.category)
    ]  # fmt: skip
    measures = by_category(platform.ledger.all(Judged, "web_measures", category=category))
    return {
        "categories": [
            {
                **asdict(one.standing),
                "decided_by": one.deciding and one.deciding.line,
                "measures": [row.line for row in one.measures],
            }
            for one in categories(standings, measures)
        ]
    }


def _people(platform: Platform, given: Given) -> Found:
    ledger = platform.ledger
    return {"people": ledger.rows("web_people", hasty_sec=HASTY_SEC), "agreement": ledger.rows("web_agreement")}


def _releases(platform: Platform, given: Given) -> Found:
    rows = platform.ledger.rows("web_releases", most=RELEASES_MOST)
    return {"releases": [{name: row[name] for name in row if name not in ("clips", "folder")} for row in rows]}


def _clips(platform: Platform, given: Given) -> Found:
    (newest,) = platform.ledger.rows("newest_labels", datasets=[form.name for form in versions.FORMS], before=None)
    if newest["labels"] is None:
        return {"labels": None, "matching": 0, "clips": []}
    wanted: dict[str, Any] = {name: given[name] for name in _CLIP_FILTERS if name in given}
    if "label" in wanted:
        wanted["label"] = SIGNS[wanted["label"]]
    gone = pa.array([row["video_id"] for row in platform.ledger.rows("tombstones")], pa.string())
    found = versions.read_labels(platform.datasets, newest["labels"], _CLIP_COLUMNS)
    keep = pc.invert(pc.is_in(found["video_id"], value_set=gone))
    for name, value in wanted.items():
        keep = pc.and_(keep, pc.fill_null(pc.equal(found[name], value), False))
    found = found.filter(keep).sort_by([("confidence", "ascending"), ("clip_id", "ascending")])
    shown = found.slice(0, given.get("most", 50)).to_pylist()
    return {"labels": newest["labels"], "matching": found.num_rows, "clips": shown}


_CLIP_FILTERS = ("category", "status", "label", "round", "strategy", "split")
_CLIP_COLUMNS = (
    *("clip_id", "video_id", "start_sec", "end_sec", *_CLIP_FILTERS),
    *("confidence", "yes", "no", "unsure", "broken"),
)
_CATEGORY = Argument(name="category", help="key of a registered category, e.g. judo; all without it")

TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            name="funnel", answer=_funnel,
            description="What became of everything that was found: videos, clips, scores, answers, labels, releases; "
            "and the same by category.",
        ),
        Tool(
            name="rounds", answer=_rounds, arguments=(_CATEGORY,),
            description="Rounds in which people were asked about hard clips, and which still wait for answers; what "
            "each strategy found, and what people's time bought.",
        ),
        Tool(
            name="quality", answer=_quality, arguments=(_CATEGORY,),
            description="The gate's verdict on each category with its reasons and measures, worst first, and what a "
            "person decided.",
        ),
        Tool(
            name="people", answer=_people,
            description="Reviewers by name: answers, sensitivity, specificity, gold, seconds, flags; and how far "
            "people agree, by category.",
        ),
        Tool(
            name="releases", answer=_releases,
            description="Releases, newest first: labels, what changed, and what became of the network that it taught.",
        ),
        Tool(
            name="clips", answer=_clips,
            description="Clips of the newest labels that match, the least certain first, with their answers counted. "
            "Videos that were taken down are left out.",
            arguments=(
                Argument(name="category", help="key of a registered category, e.g. judo", required=True),
                Argument(name="status", help="of the label", choices=("settled", "open", "unsettled", "broken")),
                Argument(name="label", help="the clip contains the action, or not", choices=tuple(SIGNS)),
                Argument(name="round", help="in which it was asked, e.g. 2026-01-05.c1a2b3c4"),
                Argument(name="strategy", help="why it was asked, e.g. random or disagreement"),
                Argument(name="split", help="of its video", choices=("training", "validation", "testing")),
                Argument(name="most", help="how many to return; 50 without it", most=CLIPS_MOST),
            ),
        ),
    )
}  # fmt: skip
"""Every tool, by name."""
