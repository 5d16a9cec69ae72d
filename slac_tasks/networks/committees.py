"""Committees as the stages see them: which weights score which category."""

from collections.abc import Mapping
from dataclasses import dataclass

from slac_tasks.model import content_hash, panel_key
from slac_tasks.storage.datasets import COMMITTEES, SCORES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One member of a panel."""

    member: str
    weights: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The members of a committee that score one category."""

    category: str
    seats: tuple[Seat, ...]

    @property
    def name(self) -> str:
        """The panel's key: the same seats have the same name in every committee."""
        return panel_key(seat.weights for seat in self.seats)


def panels_of(datasets: Datasets, committee: str) -> Mapping[str, Panel]:
    """Return the panel of every category that `committee` scores."""
    seats: dict[str, list[Seat]] = {}
    table = datasets.read(COMMITTEES, ["category", "member", "weights"], committee=committee)
    for row in table.to_pylist():
        seats.setdefault(row["category"], []).append(Seat(member=row["member"], weights=row["weights"]))
    return {
        category: Panel(category=category, seats=tuple(sorted(found, key=lambda seat: seat.member)))
        for category, found in seats.items()
    }


def is_scored(datasets: Datasets, panel: Panel, window: str) -> bool:
    """Return whether every member of the panel has scored the category's clips of `window`."""
    return all(
        datasets.manifest(SCORES, category=panel.category, window=window, weights=seat.weights) for seat in panel.seats
    )


def committee_key(parent: str | None, cause: str, categories: tuple[str, ...]) -> str:
    """Return the id of the committee that extends `parent` for this cause: the same inputs, the same id."""
    return "c" + content_hash(parent or "", cause, *sorted(categories))[:8]


def adopt_committees(datasets: Datasets, ledger: Ledger) -> str | None:
    """Register committees that a stage without a password has finished; return the current one's id, if any."""
    known = {row["committee"] for row in ledger.rows("committees")}
    found = [datasets.need(COMMITTEES, **keys) for keys in datasets.partitions(COMMITTEES)]
    for manifest in sorted(found, key=lambda manifest: manifest.written_at):
        committee = manifest.keys["committee"]
        if committee not in known:
            table = datasets.read(COMMITTEES, ["category", "origin"], committee=committee)
            ledger.run(
                "add_committee",
                committee=committee,
                origin=max(table["origin"].to_pylist()),
                categories=sorted(set(table["category"].to_pylist())),
            )
    current = ledger.rows("committees")
    return str(current[0]["committee"]) if current else None
