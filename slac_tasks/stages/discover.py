"""List the videos that the sources offer for a category in a window.

Reads: the folders and manifests of `collect.sources`; ledger table candidates.
Writes: ledger table candidates (undated ones: the window that saw them first), dataset candidates.
Safe to run again: the ledger remembers which window an undated candidate belongs to.
"""

from collections.abc import Collection, Iterable

from slac_tasks.datasets import CANDIDATES
from slac_tasks.errors import BrokenContract
from slac_tasks.job import Job
from slac_tasks.model import Window
from slac_tasks.sources import Candidate, Source, open_sources


def offered(sources: Iterable[Source], category: str) -> list[Candidate]:
    """Return all that the sources offer for a category, each candidate once.

    Raises:
        BrokenContract: no source has a video of it.

    """
    found: dict[str, Candidate] = {}
    for source in sources:
        for candidate in source.candidates(category):
            found.setdefault(candidate.candidate_id, candidate)
    if not found:
        raise BrokenContract(f"category {category}: category without videos, no source offers one")
    return list(found.values())


def of_window(candidates: Iterable[Candidate], window: Window, undated: Collection[str]) -> list[Candidate]:
    """Return the candidates published in the window, and the undated ones that belong to it."""
    return [
        candidate
        for candidate in candidates
        if (candidate.candidate_id in undated if candidate.published_at is None else candidate.published_at in window)
    ]


def run(job: Job) -> None:
    """Write the candidates of each category."""
    window = job.need_window()
    sources: list[Source] = []

    def work(category: str) -> None:
        keys = {"category": category, "window": window}
        if job.finished(CANDIDATES, keys):
            return
        sources.extend(open_sources(job.config.collect.sources) if not sources else ())
        found = offered(sources, category)
        undated = [{**keys, "candidate_id": c.candidate_id} for c in found if c.published_at is None]
        job.ledger.run_many("add_candidate", undated)
        mine = {row["candidate_id"] for row in job.ledger.rows("candidates_of_window", **keys)}
        records = [
            {**vars(candidate), "candidate_id": candidate.candidate_id}
            for candidate in of_window(found, Window.parse(window), mine)
        ]
        job.finish(CANDIDATES, [CANDIDATES.rows(records)], keys)

    job.each_category(work)
