"""List the videos that the sources offer for a category in a window.

Reads: the places of `collect.sources`; takedowns; ledger tables candidates and excluded_names.
Writes: ledger table candidates (undated ones: the window that saw them first), dataset candidates.
Safe to run again: the ledger remembers which window an undated candidate belongs to.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict

from slac_tasks.admission.exclusions.registry import EXCLUDED, excluded_by_name
from slac_tasks.admission.withdrawals import Takedowns
from slac_tasks.collect.sources import Candidate, Source, Unreadable, open_sources
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job
from slac_tasks.model import Window
from slac_tasks.storage.datasets import CANDIDATES
from slac_tasks.storage.manifests import Drop


def offered(sources: Sequence[Source], category: str, window: Window) -> tuple[list[Candidate], list[Drop]]:
    """Return all that the sources offer for a category, each candidate once, and the entries that are none.

    Raises:
        BrokenContract: no source has a video of it, and none could search for one.

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
        raise BrokenContract(f"category {category}: category without videos, no source offers one")
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
    window = job.key("window")
    sources: list[Source] = []

    def work(category: str) -> None:
        keys = {"category": category, "window": window}
        if job.finished(CANDIDATES, keys):
            return
        if not sources:
            sources.extend(open_sources(job.config.collect, job.config.fetch, job.environ))
        found, drops = offered(sources, category, Window.parse(window))
        undated = [{**keys, "candidate_id": c.candidate_id} for c in found if c.published_at is None]
        job.ledger.run_many("add_candidate", undated)
        mine = {row["candidate_id"] for row in job.ledger.rows("candidates_of_window", **keys)}
        takedowns = Takedowns.read(job.store)
        rows = [
            {**vars(candidate), "candidate_id": candidate.candidate_id}
            for candidate in of_window(found, Window.parse(window), mine)
        ]
        excluded = excluded_by_name(job.ledger, rows)
        records = []
        for row in rows:
            if takedowns.cover(row):
                drops.append(Drop(item=row["candidate_id"], reason="taken down"))
            elif row["candidate_id"] in excluded:
                drops.append(Drop(item=row["candidate_id"], reason=EXCLUDED, detail=str(excluded[row["candidate_id"]])))
            else:
                records.append(row)
        job.finish(CANDIDATES, [CANDIDATES.from_records(records)], keys, drops=drops)

    job.each_category(work)
