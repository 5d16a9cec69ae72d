"""The page of clips: a choice of clips, in an order, a page at a time.

A filter by strategy, split, verdict, kind or score is a choice of rows of `clip_facets`: a category has at most a few
hundred, also with millions of clips, and they hold the counts that the page shows. A page of tiles is the head of an
index for each of these. A round or a person is found by an index of their own; the rest filters what is found there.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import HTTPException

from slac_tasks.web.text import is_plain

if TYPE_CHECKING:
    from slac_tasks.storage.ledger import Ledger

TILES = 24
"""Clips on one page."""
_ROUNDS_MOST, _PEOPLE_MOST = 500, 500
"""Choices of a filter, at most."""
_LONGEST = 100
"""Characters of a value."""
ORDERS: Mapping[str, str] = {
    "disputed": "most disagreed", "unsure": "committee least sure", "newest": "newest",
}  # fmt: skip
"""Orders of the tiles, with what the page calls them."""
_QUERIES = {"disputed": "web_clips_disputed", "unsure": "web_clips_unsure", "newest": "web_clips_newest"}
SHARED = ("strategy", "verdict", "kind", "split", "score")
"""What a facet has in common; a score is its tenth."""
ANSWERED = "answered"
"""Choice of the filter by verdict: every verdict that rests on an answer."""
_ALL = (*SHARED, "round", "person")


@dataclass(frozen=True, kw_only=True)
class Facet:
    """Clips that are alike; the columns of sql/queries/clip_facets.sql."""

    facet: int
    strategy: str
    split: str
    verdict: str
    kind: str
    tenth: int | None
    clips: int

    def value(self, name: str) -> str:
        """Return its value of one of `SHARED`, as the address has it."""
        if name == "score":
            return "unknown" if self.tenth is None else str(self.tenth)
        return str(getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class Option:
    """One choice of a filter."""

    value: str
    words: str
    clips: int | None
    """How many clips are left with it, beside the other filters of `SHARED`; None: nobody counts them."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a lead asks for."""

    category: str = ""
    """Empty: the first that there is."""
    wanted: Mapping[str, str]
    """Value by name of the filter, those that are set."""
    order: str = "disputed"
    rank: float = inf
    clip_id: str = ""
    """The last tile of the page before: its rank in the order, and its clip; empty: this is the first page."""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Choice":
        """Read the query of the address.

        Raises:
            HTTPException: a value is none.

        """
        for name, value in asked.items():
            if len(value) > _LONGEST or not is_plain(value):
                raise HTTPException(400, f"The value of {name} is no plain text of at most {_LONGEST} characters.")
        order = asked.get("order") or "disputed"
        if order not in ORDERS:
            raise HTTPException(400, f"The order is none of {', '.join(ORDERS)}.")
        try:
            rank = float(asked.get("rank") or inf)
        except ValueError:
            raise HTTPException(400, "The rank is no number.") from None
        if not isfinite(rank) and rank != inf:
            raise HTTPException(400, "The rank is no number.")
        wanted = {name: asked[name] for name in _ALL if asked.get(name)}
        return cls(
            category=asked.get("category", ""), wanted=wanted, order=order, rank=rank, clip_id=asked.get("after", "")
        )

    def address(self, **changes: str) -> str:
        """Return the address of the same choice with other values; an empty one is no filter. It is a first page."""
        values = {"category": self.category, **self.wanted, "order": self.order, **changes}
        return "clips?" + urlencode({name: value for name, value in values.items() if value})

    def fits(self, facet: Facet) -> bool:
        """Return whether a facet is wanted."""
        return all(self.wants(name, facet.value(name)) for name in SHARED)

    def wants(self, name: str, value: str) -> bool:
        """Return whether a filter lets a value pass."""
        wanted = self.wanted.get(name, value)
        return value == wanted or (name == "verdict" and wanted == ANSWERED and value != "unanswered")


def page(ledger: "Ledger", asked: Mapping[str, str]) -> Mapping[str, object]:
    """Return what the template of the clips shows."""
    choice = Choice.of(asked)
    categories = ledger.rows("web_clip_categories", person=choice.wanted.get("person"))
    if not choice.category and categories:
        choice = replace(choice, category=categories[0]["category"])
    facets = ledger.all(Facet, "clip_facets", category=choice.category)
    found = _found(ledger, choice, [one.facet for one in facets if choice.fits(one)], TILES + 1)
    shown = found[:TILES]
    tiles = ledger.rows("web_tiles", clip_ids=[row["clip_id"] for row in shown], category=choice.category)
    following = None
    if len(found) > TILES:
        following = f"{choice.address()}&{urlencode({'rank': repr(shown[-1]['rank']), 'after': shown[-1]['clip_id']})}"
    return {
        "choice": choice,
        "categories": categories,
        "filters": dict(_filters(ledger, choice, facets)),
        "orders": ORDERS,
        "count": _count(choice, facets),
        "tiles": tiles,
        "next": following,
    }


def disputed(ledger: "Ledger", category: str, most: int) -> list[Mapping[str, object]]:
    """Return tiles of answered clips of a category that no lead settled, those on which people disagree most first."""
    facets = [
        one.facet
        for one in ledger.all(Facet, "clip_facets", category=category)
        if one.kind != "lead" and one.verdict != "unanswered"
    ]
    found = _found(ledger, Choice(category=category, wanted={}), facets, most)
    return [*ledger.rows("web_tiles", clip_ids=[row["clip_id"] for row in found], category=category)]


def _found(ledger: "Ledger", choice: Choice, facets: Sequence[int], most: int) -> list[dict[str, Any]]:
    """Return (clip, rank) of the clips of a page, and whether more follow by one more."""
    if not facets:
        return []
    where: dict[str, object] = {
        "facets": list(facets), "rank": choice.rank, "clip_id": choice.clip_id, "most": most,
    }  # fmt: skip
    of_round, of_person = choice.wanted.get("round"), choice.wanted.get("person")
    if of_round is None and of_person is None:
        return ledger.rows(_QUERIES[choice.order], **where)
    where |= {"category": choice.category, "sort": choice.order, "round": of_round}
    if of_person is not None:
        return ledger.rows("web_clips_of_person", **where, person=of_person)
    return ledger.rows("web_clips_of_round", **where)


def _count(choice: Choice, facets: Sequence[Facet]) -> int | None:
    """Return how many clips fit; None where a round or a person is asked for, whose clips nobody counts."""
    if "round" in choice.wanted or "person" in choice.wanted:
        return None
    return sum(one.clips for one in facets if choice.fits(one))


def _filters(ledger: "Ledger", choice: Choice, facets: Sequence[Facet]) -> Iterator[tuple[str, list[Option]]]:
    """Yield the choices of each filter. One that is set stays among them, also where no clip is left."""
    counts: Mapping[str, Counter[str]] = {name: Counter() for name in SHARED}
    for facet in facets:
        values = {name: facet.value(name) for name in SHARED}
        wrong = [name for name in SHARED if not choice.wants(name, values[name])]
        # A filter's own value does not count for its choices; every other one does.
        for name in wrong if len(wrong) == 1 else () if wrong else SHARED:
            counts[name][values[name]] += facet.clips
            if name == "verdict" and values[name] != "unanswered":
                counts[name][ANSWERED] += facet.clips
    for name, found in counts.items():
        if name in choice.wanted:
            found.setdefault(choice.wanted[name], 0)
        yield name, [Option(value=one, words=_words(name, one), clips=found[one]) for one in sorted(found)]
    rounds = [row["round"] for row in ledger.rows("web_clip_rounds", category=choice.category, most=_ROUNDS_MOST)]
    people = [row["annotator"] for row in ledger.rows("web_clip_people", most=_PEOPLE_MOST)]
    for name, known in (("round", rounds), ("person", people)):
        if name in choice.wanted and choice.wanted[name] not in known:
            known.append(choice.wanted[name])
        yield name, [Option(value=one, words=one, clips=None) for one in known]


def _words(name: str, value: str) -> str:
    """Return how a choice reads."""
    if name == "score" and value.isdecimal():
        return f"0.{value} to {(int(value) + 1) / 10:.1f}"
    return value.replace("_", " ")
