"""List the videos that the sources offer for a category in a window.

Reads: the places of `collect.sources`; withdrawals; ledger tables candidates and excluded_names.
Writes: ledger table candidates (undated ones: the window that saw them first), dataset candidates.
Safe to run again: the ledger remembers which window an undated candidate belongs to.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache

from slac_tasks.admission.exclusions.registry import EXCLUDED, excluded_by_name
from slac_tasks.admission.withdrawals import TAKEN_DOWN, Withdrawals
from slac_tasks.collect.names import Categories
from slac_tasks.collect.sources import Candidate, Source, Unreadable, open_sources, unplaced_lines
from slac_tasks.errors import BrokenContract, Temporary, WrongArguments
from slac_tasks.job import Job, Partition
from slac_tasks.model import Window
from slac_tasks.progress import print_line
from slac_tasks.storage.datasets import CANDIDATES
from slac_tasks.storage.datasets.collecting import CandidateRow
from slac_tasks.storage.manifests import Drop

NO_SOURCE = "no source offers the category"


def offered(sources: Sequence[Source], category: str, window: Window) -> tuple[list[Candidate], list[Drop]]:
    """Return all that the sources offer for a category, each candidate once, and the entries that are none.

    A category that no source has, and none could search for, is set aside itself: it has no videos, and holds up no
    other category, this week or in any later one.

    Raises:
        Temporary: nothing could be read that may be readable later.

    """
    found: dict[str, Candidate] = {}
    drops: list[Drop] = []
    for source in sources:
        for offer in source.candidates(category, window):
            if isinstance(offer, Unreadable):
                drops.append(Drop(**asdict(offer)))
            else:
                found.setdefault(offer.candidate_id, offer)
    if not found and not drops and all(source.categories() for source in sources):
        print_line(f"discover: category {category}: no source offers it, so it has no videos; `slac retire` ends it")
        drops.append(Drop(item=category, reason=NO_SOURCE))
    elif not found and drops and all(drop.retryable for drop in drops):
        # An empty dataset would stand as finished.
        first = drops[0]
        raise Temporary(f"category {category}: nothing could be read, {first.item}: {first.reason}: {first.detail}")
    return list(found.values()), drops


def of_window(candidates: Iterable[Candidate], window: Window, undated: Collection[str]) -> list[Candidate]:
    """Return the candidates published in the window, and the undated ones that belong to it."""
    return [
        candidate
        for candidate in candidates
        if (candidate.candidate_id in undated if candidate.published_at is None else candidate.published_at in window)
    ]


def run(job: Job) -> None:
    """Write the candidates of each category."""
    Window.parse(job.key("window")).need_ended(datetime.now(UTC))
    # Opened by the first category that has work: a finished one asks no source.
    opened = cache(lambda: _open(job))
    registered = {row["category"] for row in job.ledger.rows("categories")}

    def work(category: str) -> None:
        keys = {"category": category, "window": job.key("window")}
        with job.partition(CANDIDATES, keys) as made:
            if not made.finished:
                sources, names = opened()
                if category in names.clashes:
                    raise BrokenContract(f"category {category}: {names.clash(category)}")
                found, drops = offered(sources, category, Window.parse(keys["window"]))
                if category not in registered:
                    raise WrongArguments(f"category {category}: not registered, want `slac register` before")
                made.drops += drops
                _write(job, keys, found, made)

    job.each_category(work)


def _open(job: Job) -> tuple[list[Source], Categories]:
    """Open the sources and print what of them belongs to no category."""
    sources = open_sources(job.config.collect, job.config.fetch, job.environ)
    names = Categories.of(name for source in sources for name in source.categories())
    for line in unplaced_lines(sources, names):
        print_line(f"discover: {line}")
    return sources, names


@dataclass(frozen=True, kw_only=True)
class _Own:
    """An undated candidate that belongs to the window."""

    candidate_id: str


def _write(job: Job, keys: Mapping[str, str], found: Sequence[Candidate], made: Partition[CandidateRow]) -> None:
    """Write the candidates of the window that may join; those that may not are set aside."""
    undated = [
        {**keys, "candidate_id": candidate.candidate_id} for candidate in found if candidate.published_at is None
    ]
    job.ledger.run_many("add_candidate", undated)
    own = {found.candidate_id for found in job.ledger.all(_Own, "candidates_of_window", **keys)}
    rows = [
        CandidateRow(candidate_id=candidate.candidate_id, **vars(candidate))
        for candidate in of_window(found, Window.parse(keys["window"]), own)
    ]
    withdrawals = Withdrawals.read(job.store)
    excluded = excluded_by_name(job.ledger, rows)
    for row in rows:
        if withdrawals.covers(row):
            made.drops.append(Drop(item=row.candidate_id, reason=TAKEN_DOWN))
        elif row.candidate_id in excluded:
            detail = str(excluded[row.candidate_id])
            made.drops.append(Drop(item=row.candidate_id, reason=EXCLUDED, detail=detail))
        else:
            made.write([row])
