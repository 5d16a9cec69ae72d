"""What a demo leaves to its visitor: clips that want one more answer, a question, and where to look.

Simulated people answer everything until there is a release, so that the loop closes by itself; what the release's own
network then asks is the visitor's. One more person is asked about a few clips of one category as soon as its first
round is answered: the visitor, who need not wait for the end. What was left is written down, so that a demo that is
started again brings nobody back.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from slac_tasks.progress import counted
from slac_tasks.storage.ledger import Ledger, Row

CLIPS = 24
"""So many clips wait for the visitor: two screens of twelve, a minute's work."""
PAGES = "/slac"
"""Where Airflow serves the pages."""
_FILE = "left-to-visitor.json"


@dataclass(frozen=True, kw_only=True)
class Left:
    """What waits for the visitor."""

    category: str
    """Key of the category whose clips that are asked again are the visitor's; empty: there is none."""
    name: str
    clips: int
    """So many of them wait."""
    closed: bool = True
    """Whether the loop is closed and the simulated people are gone."""


def begin(home: Path, ledger: Ledger) -> Left:
    """Return what an earlier start of this demo has left; the first one chooses the visitor's category."""
    try:
        left = Left(**json.loads((home / _FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        first = next(iter(ledger.rows("categories")), {"category": "", "name": ""})
        left = _noted(home, Left(category=first["category"], name=first["name"], clips=0, closed=False))
    return replace(left, clips=_waiting(ledger, left.category))


def ask(ledger: Ledger, left: Left) -> Left:
    """Ask the visitor about clips of the category once others have answered all that is asked of it.

    They are in the ledger, so a start that was cut off here finds them waiting.
    """
    waiting = ledger.rows("open_by_category")
    if left.clips or any(row["category"] == left.category and row["unlabelled"] for row in waiting):
        return left
    return replace(left, clips=len(ledger.rows("ask_one_more", category=left.category, clips_most=CLIPS)))


def close(home: Path, ledger: Ledger, left: Left) -> Left:
    """Note that the loop is closed; where no clip waits for the visitor, ask about some now.

    They are of the category with the most finished clips that was accepted. Nobody may answer any more but the visitor.
    """
    left = replace(left, clips=_waiting(ledger, left.category))
    if not left.clips:
        names = {row["category"]: row["name"] for row in ledger.rows("web_quality") if row["standing"] == "accepted"}
        finished = {row["category"]: int(row["finished"]) for row in ledger.rows("queue_totals")}
        category = max(names, key=lambda one: (finished.get(one, 0), one), default="")
        clips = ledger.rows("ask_one_more", category=category, clips_most=CLIPS) if category else []
        left = Left(category=category, name=names.get(category, ""), clips=len(clips))
    return _noted(home, replace(left, closed=True))


def unlabelled(waiting: Iterable[Row]) -> int:
    """Return how many clips have no label yet, of the rows of `open_by_category`."""
    return sum(int(row["unlabelled"]) for row in waiting)


def _waiting(ledger: Ledger, category: str) -> int:
    """Return how many clips of a category wait that are asked again."""
    waiting = {row["category"]: int(row["clips"] - row["unlabelled"]) for row in ledger.rows("open_by_category")}
    return waiting.get(category, 0)


def _noted(home: Path, left: Left) -> Left:
    part = home / f"{_FILE}.{os.getpid()}.part"
    part.write_text(json.dumps(asdict(left)), encoding="utf-8")
    part.replace(home / _FILE)
    return left


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A category that the gate refused and nobody has decided on."""

    category: str
    name: str
    reasons: str


def undecided(ledger: Ledger) -> list[Refused]:
    """Return the categories that wait for a decision."""
    return [
        Refused(category=row["category"], name=row["name"], reasons="; ".join(row["reasons"]))
        for row in ledger.rows("web_quality")
        if row["standing"] == "undecided"
    ]


def review_lines(left: Left | None, url: str) -> Iterator[str]:
    """Yield where clips wait, and how they are answered; nothing where none waits.

    Args:
        left: clips that wait; None: the whole queue does.
        url: address of Airflow, below which the pages are.

    """
    if left is None:
        yield f"  Review:  {url}{PAGES}/review"
        yield "           every clip waits for one answer. Y is yes, N is no, ? shows all keys."
    elif left.clips:
        yield f"  Review:  {url}{PAGES}/review?category={left.category}"
        waits = "waits" if left.clips == 1 else "wait"
        yield f"           {counted(left.clips, 'clip')} of “{left.name}” {waits} for one more person."
        yield "           Y is yes, N is no, ? shows all keys."


def lines(
    left: Left | None,
    url: str,
    refused: Sequence[Refused],
    asking: str | None,
    releases: bool,
    spare: str | None,
    fresh: int,
) -> Iterator[str]:
    """Yield what the visitor can do now.

    Args:
        left: clips that wait; None: the whole queue does.
        url: address of Airflow, below which the pages are.
        refused: what waits for a decision.
        asking: address of Airflow's question about it; None: Airflow has not asked yet.
        releases: whether there is a release to look at.
        spare: name of a category that the sources hold and nobody collects; None: there is none.
        fresh: so many clips nobody has answered: those that the pretrained network has chosen.

    """
    pages = f"{url}{PAGES}"
    yield "Your turn"
    yield from review_lines(left, url)
    if fresh:
        waits = "waits for its first answers" if fresh == 1 else "wait for their first answers"
        yield f"           {counted(fresh, 'clip')} of all categories {waits}, chosen by the new network."
    for one in refused:
        yield f"  Decide:  {asking or f'{url}/required_actions'}"
        yield f"           “{one.name}” was refused: {one.reasons}."
        yield "           Approve or reject it with a reason; no answer decides nothing."
        yield f"           The same beside its clips: {pages}/desk?of={one.category}"
    if refused:
        yield "           Approved labels join the next release. To have one at once, tick that box of the form of"
        yield f"           {url}/dags/pretrain, button “Trigger”."
    if spare:
        yield f"  Add:     {url}/dags/add_category, button “Trigger”"
        yield f"           The videos hold one more category, which nobody has asked for: “{spare}”."
    yield f"  Report:  {pages}/quality"
    if releases:
        yield f"  Release: {pages}/releases"
