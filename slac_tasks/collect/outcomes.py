"""What became of each candidate of a partition that is not finished: one note each in the store.

A run that follows one that was killed reads them and does only what is left.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from slac_tasks import __version__
from slac_tasks.model import content_hash
from slac_tasks.settings import Table
from slac_tasks.storage.datasets import FETCHED
from slac_tasks.storage.datasets.collecting import CandidateRow, FetchedRow, Span
from slac_tasks.storage.manifests import Drop
from slac_tasks.storage.store import Store

Outcome = FetchedRow | Drop
"""What became of a candidate."""


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """The notes of one partition of FETCHED."""

    store: Store
    partition: str
    """category/window."""
    limits: Table
    """Settings that decide what a candidate becomes: an outcome under other limits does not stand."""

    @property
    def _folder(self) -> str:
        return f"fetching/{self.partition}/"

    def _name(self, candidate: CandidateRow) -> str:
        return f"{self._folder}{candidate.candidate_id}.json"

    def _made_with(self, candidate: CandidateRow) -> str:
        return content_hash(candidate.location, candidate.sha256 or "", json.dumps(self.limits), __version__)

    def write(self, candidate: CandidateRow, outcome: Outcome) -> None:
        """Write an outcome that a later try would not change."""
        if isinstance(outcome, Drop):
            what = {"drop": asdict(outcome)}
        else:
            what = {"row": asdict(replace(outcome, published_at=None))}
        note = {"made_with": self._made_with(candidate), **what}
        self.store.put(self._name(candidate), json.dumps(note).encode())

    def read(self, candidates: Iterable[CandidateRow]) -> dict[str, Outcome]:
        """Return the outcomes that an earlier run wrote and that stand, by candidate_id; a damaged note is none."""
        names = set(self.store.names(self._folder))
        found: dict[str, Outcome] = {}
        for candidate in candidates:
            if self._name(candidate) not in names:
                continue
            with suppress(ValueError, TypeError, KeyError):
                note = json.loads(self.store.get(self._name(candidate)))
                if note["made_with"] != self._made_with(candidate):
                    continue
                if "drop" in note:
                    found[candidate.candidate_id] = Drop(**note["drop"])
                elif set(note["row"]) == set(FETCHED.schema.names):
                    found[candidate.candidate_id] = _row(note["row"], candidate)
        return found

    def delete(self) -> None:
        """Delete the notes: what they say is in the dataset."""
        for name in list(self.store.names(self._folder)):
            self.store.delete(name)


def _row(values: dict[str, Any], candidate: CandidateRow) -> FetchedRow:
    """Return the row that a note holds; JSON has no moments, so that one comes from the candidate."""
    read = {
        "shots": tuple(Span(**span) for span in values["shots"]),
        "frame_hashes": tuple(values["frame_hashes"]),
        "published_at": candidate.published_at,
    }
    return FetchedRow(**(values | read))
