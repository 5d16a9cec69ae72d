"""Committees: which weights score which category.

A committee is a set of rows, one for each member and category. It never changes. Two stages extend one, at the same
time if need be: `bootstrap` by members and categories that it lacks, `promote` by a pretrained network. Extensions of
one parent may finish in any order, so a committee that is finished is merged with the current one: for each member and
category the newest row stands, and the current committee never lacks what an earlier one gained.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from slac_tasks.model import content_hash, panel_key
from slac_tasks.networks.settings import Committee
from slac_tasks.storage.datasets import COMMITTEES
from slac_tasks.storage.datasets.releasing import ModelRow
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.records import Record, record
from slac_tasks.storage.tables import Datasets

PRETRAINED = "pretrained"
"""The member whose network was trained on a release. It joins by `promote`, and no setting names it."""


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

    @property
    def members(self) -> set[str]:
        """The names of its members."""
        return {seat.member for seat in self.seats}


def rows_by_category(datasets: Datasets, committee: str) -> dict[str, list[CommitteeRow]]:
    """Return the rows of a committee by the category that they score."""
    found: dict[str, list[CommitteeRow]] = {}
    for row in datasets.rows(COMMITTEES, committee=committee):
        found.setdefault(row.category, []).append(row)
    return found


def panels_of(datasets: Datasets, committee: str) -> Mapping[str, Panel]:
    """Return the panel of every category that `committee` scores."""
    panels = {}
    for category, rows in rows_by_category(datasets, committee).items():
        seats = (Seat(member=row.member, weights=row.weights) for row in rows)
        panels[category] = Panel(category=category, seats=tuple(sorted(seats, key=lambda seat: seat.member)))
    return panels


def uncovered(panels: Mapping[str, Panel], members: Collection[str], categories: Iterable[str]) -> set[str]:
    """Return the categories that some member of the settings does not score yet."""
    return {one for one in categories if one not in panels or not set(members) <= panels[one].members}


def changes(panels: Mapping[str, Panel], members: Collection[str]) -> list[str]:
    """Return, in words, how the members of the settings differ from those of the current committee."""
    if not panels:
        return []
    seated = set().union(*(panel.members for panel in panels.values()))
    joining, leaving = set(members) - seated, seated - set(members) - {PRETRAINED}
    return [f"{member} joins the committee: bootstrap trains it" for member in sorted(joining)] + [
        f"{member} is not in committee.members: it leaves with the next committee, in each category that all members "
        "of the settings score"
        for member in sorted(leaving)
    ]


def recency(row: CommitteeRow) -> tuple[bool, int, str, str]:
    """Return the key by which of two rows of one member and category the newest is chosen (ours).

    A network that learned from people's labels stands above one that learned from weak labels; among equals the later
    release or window. The hash of the weights decides the rest, so that the order never depends on when they finished.
    """
    cause, _, version = row.origin.partition(":")
    return cause == "release", len(version), version, row.weights


def merged(*committees: Iterable[CommitteeRow]) -> list[CommitteeRow]:
    """Return the committee that holds, for each member and category, the newest row of all these committees."""
    newest: dict[tuple[str, str], CommitteeRow] = {}
    for row in (row for rows in committees for row in rows):
        held = newest.setdefault((row.member, row.category), row)
        newest[row.member, row.category] = max(held, row, key=recency)
    return [newest[key] for key in sorted(newest)]


def settled(rows: Sequence[CommitteeRow], members: Collection[str]) -> list[CommitteeRow]:
    """Return the rows without members that left the settings.

    In a category such a member stays until all members of the settings score it: a panel never shrinks because the one
    who takes a seat has yet to learn.
    """
    panels: dict[str, set[str]] = {}
    for row in rows:
        panels.setdefault(row.category, set()).add(row.member)
    kept = {*members, PRETRAINED}
    return [row for row in rows if row.member in kept or not set(members) <= panels[row.category]]


def committee_key(
    parent: str | None, window: str, categories: Iterable[str], settings: Committee, words: str | None = None
) -> str:
    """Return the id of the committee that `bootstrap` trains by this recipe.

    Any other parent, window, set of categories or setting of the committee gives another id, and so do other words
    where a member reads them.
    """
    recipe = {
        "parent": parent, "window": window, "categories": sorted(set(categories)), "settings": asdict(settings),
        **({"words": words} if words else {}),
    }  # fmt: skip
    return "c" + content_hash(json.dumps(recipe, sort_keys=True))[:8]


def weights_of(model: ModelRow) -> str:
    """Return the key of the scores of a release's network."""
    return content_hash(model.architecture, model.backbone, model.head)


def committee_id(rows: Iterable[CommitteeRow]) -> str:
    """Return the id of a committee that is put together from weights that exist: a hash of its rows."""
    return "c" + content_hash(*sorted(json.dumps([row.member, row.category, row.weights]) for row in rows))[:8]


def adopt_committees(
    datasets: Datasets, ledger: Ledger, members: Collection[str] | None, also: Collection[str] = ()
) -> str | None:
    """Register the committees that other stages have finished, and return the id of the current one, if any.

    Args:
        datasets: where the committees are; a merged one is written there.
        ledger: where they are registered, the current one last.
        members: the members that the settings name; None: nobody leaves.
        also: committees to merge with the current one although they are registered.

    """
    finished = {keys["committee"] for keys in datasets.partitions(COMMITTEES)}
    known = [str(row["committee"]) for row in ledger.rows("committees")]
    if finished <= set(known) and not also:
        return known[0] if known else None
    with ledger.transaction():
        ledger.run("lock_committees")
        known = [str(row["committee"]) for row in ledger.rows("committees")]
        new = [datasets.need(COMMITTEES, committee=committee) for committee in finished - set(known) | set(also)]
        return _adopt(datasets, ledger, members, known, sorted(new, key=lambda manifest: manifest.written_at))


def _adopt(
    datasets: Datasets, ledger: Ledger, members: Collection[str] | None, known: Sequence[str], new: Sequence[Manifest]
) -> str | None:
    """Register these committees, and as the current one that which holds what all of them and the last one hold."""
    before = [datasets.need(COMMITTEES, committee=known[0])] if known else []
    rows = {one.keys["committee"]: list(datasets.rows_of(COMMITTEES, one)) for one in (*before, *new)}
    # Also what a call has written that was killed before it recorded it, and has nothing to do when it runs again.
    record(ledger, map(Record.of, new))
    for manifest in new:
        committee = manifest.keys["committee"]
        _register(ledger, committee, _cause(datasets, manifest, rows[committee]), rows[committee])
    if not rows:
        return None
    held = merged(*rows.values())
    held = held if members is None else settled(held, members)
    same = [committee for committee, found in rows.items() if committee_id(found) == committee_id(held)]
    # An extension that gained nothing does not become current: the next plan would extend it again, and so on.
    current = same[0] if same else committee_id(held)
    if not same:
        keys = {"committee": current}
        made_from = {one.address: one.mark for one in (*before, *new)}
        made = datasets.manifest(COMMITTEES, **keys) or datasets.write(
            COMMITTEES, [COMMITTEES.table(held)], keys=keys, stage="plan", settings={}, made_from=made_from
        )
        record(ledger, [Record.of(made)])
    if current != list(rows)[-1]:
        _register(ledger, current, f"from:{'+'.join(rows)}", held)
    return current


def _register(ledger: Ledger, committee: str, origin: str, rows: Iterable[CommitteeRow]) -> None:
    """Make a committee the current one in the ledger."""
    categories = sorted({row.category for row in rows})
    ledger.run("add_committee", committee=committee, origin=origin, categories=categories)


def _cause(datasets: Datasets, manifest: Manifest, rows: Sequence[CommitteeRow]) -> str:
    """Return why a committee was made: the origin of what it holds and none of its parents does."""
    ids = [address.rpartition("committee=")[2] for address in manifest.made_from if address.startswith("committees/")]
    parents = [one for committee in ids if (one := datasets.manifest(COMMITTEES, committee=committee))]
    inherited = {row for parent in parents for row in datasets.rows_of(COMMITTEES, parent)}
    gained = [row for row in rows if row not in inherited]
    return max(gained, key=recency).origin if gained else f"from:{'+'.join(ids)}"
