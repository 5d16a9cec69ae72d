"""What a demo leaves to its visitor: clips that want one more answer, a question, and where to look.

Simulated people answer everything, so that the loop closes by itself. Then they stop, and one more person is asked
about a few clips: the visitor. What was left is written down, so that a demo that is started again brings nobody back.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from slac_tasks.storage.ledger import Ledger

CLIPS = 24
"""So many clips wait for the visitor: two screens of twelve, a minute's work."""
_FILE = "left-to-visitor.json"


@dataclass(frozen=True, kw_only=True)
class Left:
    """What waits for the visitor."""

    category: str
    """Key of the category whose clips wait; empty: none had any."""
    name: str
    clips: int


def read(home: Path) -> Left | None:
    """Return what an earlier start of this demo has left; None: it has not come so far."""
    try:
        return Left(**json.loads((home / _FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def leave(home: Path, ledger: Ledger) -> Left:
    """Ask one more person about clips of the category with the most finished ones that was accepted, and note it.

    Nobody may answer meanwhile but the visitor. A start that is cut off here asks about as many others the next time.
    """
    names = {row["category"]: row["name"] for row in ledger.rows("web_quality") if row["standing"] == "accepted"}
    finished = {row["category"]: int(row["finished"]) for row in ledger.rows("queue_totals")}
    category = max(names, key=lambda one: (finished.get(one, 0), one), default="")
    clips = ledger.rows("ask_one_more", category=category, clips_most=CLIPS) if category else []
    left = Left(category=category, name=names.get(category, ""), clips=len(clips))
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


def lines(left: Left | None, url: str, refused: Sequence[Refused], asking: str | None, releases: bool) -> Iterator[str]:
    """Yield what the visitor can do now.

    Args:
        left: clips that wait; None: the whole queue does.
        url: address of Airflow, below which the pages are.
        refused: what waits for a decision.
        asking: address of Airflow's question about it; None: Airflow has not asked yet.
        releases: whether there is a release to look at.

    """
    pages = f"{url}/slac"
    yield "Your turn"
    if left is None:
        yield f"  Review:  {pages}/review"
        yield "           every clip waits for two people. Y is yes, N is no, ? shows all keys."
    elif left.clips:
        yield f"  Review:  {pages}/review?category={left.category}"
        yield f"           {left.clips} clips of “{left.name}” wait for one more person."
        yield "           Y is yes, N is no, ? shows all keys."
    for one in refused:
        yield f"  Decide:  {asking or f'{url}/required_actions'}"
        yield f"           “{one.name}” was refused: {one.reasons}."
        yield "           Approve or reject it with a reason; no answer decides nothing."
        yield f"           The same beside its clips: {pages}/desk?of={one.category}"
    yield f"  Report:  {pages}/quality"
    if releases:
        yield f"  Release: {pages}/releases"
