"""The page of clips: a choice of clips, in an order, a page at a time.

A filter by strategy, split, verdict, kind or score is a choice of rows of `clip_facets`: a category has a few thousand
at most, also with millions of clips, and they hold the counts that the page shows. A page of tiles is the head of an
index for each of these. A round or a person is found by an index of their own, and the rest filters what is found
there: of `LOOKED_AT` answers or clips at a time, with a link to the others. So no page reads a large table from end to
end, whatever is asked for.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, nan
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import HTTPException

from slac_tasks.web.text import ANYBODY_MOST, is_plain

if TYPE_CHECKING:
    from slac_tasks.storage.ledger import Ledger

TILES = 24
"""Clips on one page."""
LOOKED_AT = 5_000
"""Answers of a person, or clips of a round, of which a page shows the best."""
CHOICES_MOST = 500
"""Rounds or people of a list, at most; where there are more, a name is typed, and these are suggested."""
_NUMBER_MOST = 1e11
"""Larger than any score, and as seconds since 1970 later than any clip; Postgres takes it for a time."""
ORDERS: Mapping[str, str] = {
    "disputed": "most disagreed", "unsure": "committee least sure", "newest": "newest",
}  # fmt: skip
"""Orders of the tiles, with what the page calls them."""
_NARROW = {"person": ("web_clips_of_person", "web_next_answers"), "round": ("web_clips_of_round", "web_next_clips")}
"""Filters whose clips are looked at some at a time: the query of a page, and that of what it leaves to the next one."""
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
    begin_at: float = inf
    begin: str = ""
    """From which answer of a person, by time and clip, or clip of a round the page looks on; empty: from the first."""

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "Choice":
        """Read the query of the address.

        Raises:
            HTTPException: a value is none.

        """
        for name, value in asked.items():
            if len(value) > ANYBODY_MOST or not is_plain(value):
                raise HTTPException(400, f"The value of {name} is no plain text of at most {ANYBODY_MOST} characters.")
        order = asked.get("order") or "disputed"
        if order not in ORDERS:
            raise HTTPException(400, f"The order is none of {', '.join(ORDERS)}.")
        return cls(
            category=asked.get("category", ""),
            wanted={name: asked[name] for name in _ALL if asked.get(name)},
            order=order,
            rank=_number(asked, "rank"),
            clip_id=asked.get("after", ""),
            begin_at=_number(asked, "begin_at"),
            begin=asked.get("begin", ""),
        )

    @property
    def narrow(self) -> str | None:
        """The filter whose clips are looked at some at a time; None: it is a choice of facets alone."""
        return next((name for name in _NARROW if name in self.wanted), None)

    def address(self, **changes: str) -> str:
        """Return the address of the same choice with other values; an empty one is no filter. It is a first page."""
        values = {"category": self.category, **self.wanted, "order": self.order, **changes}
        return "clips?" + urlencode({name: value for name, value in values.items() if value})

    def fits(self, facet: Facet) -> bool:
        """Return whether a facet is wanted."""
        return not self.misses(facet)

    def misses(self, facet: Facet) -> list[str]:
        """Return the filters that do not let a facet pass."""
        # Only those that are set are looked at: a category may have thousands of facets.
        return [name for name in SHARED if name in self.wanted and not self.wants(name, facet.value(name))]

    def wants(self, name: str, value: str) -> bool:
        """Return whether a filter that is set lets a value pass."""
        wanted = self.wanted[name]
        return value == wanted or (name == "verdict" and wanted == ANSWERED and value != "unanswered")


def _number(asked: Mapping[str, str], name: str) -> float:
    """Return a number of the address; one that is missing is as large as can be.

    Raises:
        HTTPException: it is none.

    """
    try:
        number = float(asked.get(name) or inf)
    except ValueError:
        number = nan
    if number != inf and not abs(number) < _NUMBER_MOST:
        raise HTTPException(400, f"The {name} is no number, or none that a page gives.")
    return number


def page(ledger: "Ledger", asked: Mapping[str, str]) -> Mapping[str, object]:
    """Return what the template of the clips shows."""
    choice = Choice.of(asked)
    categories = ledger.rows("web_clip_categories", person=choice.wanted.get("person"))
    if not choice.category and categories:
        choice = replace(choice, category=categories[0]["category"])
    facets = ledger.all(Facet, "clip_facets", category=choice.category)
    fitting = [one for one in facets if choice.fits(one)]
    found = _found(ledger, choice, [one.facet for one in fitting], TILES + 1)
    shown = found[:TILES]
    tiles = ledger.rows("web_tiles", clip_ids=[row["clip_id"] for row in shown], category=choice.category)
    rounds = [row["round"] for row in ledger.rows("web_clip_rounds", category=choice.category, most=CHOICES_MOST + 1)]
    named = {"round": (rounds[:CHOICES_MOST], len(rounds) > CHOICES_MOST), "person": people(ledger)}
    following = None
    if len(found) > TILES:
        last = {"rank": str(shown[-1]["rank"]), "after": shown[-1]["clip_id"]}
        following = choice.address(**{name: asked.get(name, "") for name in ("begin_at", "begin")}, **last)
    return {
        "choice": choice,
        "categories": categories,
        "filters": dict(_filters(choice, facets, named)),
        "typed": [name for name, (_, is_cut) in named.items() if is_cut],
        "orders": ORDERS,
        "count": None if choice.narrow else sum(one.clips for one in fitting),
        "tiles": tiles,
        "next": following,
        "others": _others(ledger, choice),
        "looked_at": LOOKED_AT,
    }


def people(ledger: "Ledger") -> tuple[list[str], bool]:
    """Return the first of all who may have answered, by name, and whether there are others."""
    names = [row["annotator"] for row in ledger.rows("web_clip_people", most=CHOICES_MOST + 1)]
    return names[:CHOICES_MOST], len(names) > CHOICES_MOST


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
    if choice.narrow is None:
        return ledger.rows(_QUERIES[choice.order], **where)
    where |= {"sort": choice.order, "round": choice.wanted.get("round"), **_looked_at(choice, choice.narrow)}
    return ledger.rows(_NARROW[choice.narrow][0], **where)


def _others(ledger: "Ledger", choice: Choice) -> str | None:
    """Return the address of the answers or clips after those that this page looks at; None: there are no others."""
    if choice.narrow is None:
        return None
    first = ledger.one(_NARROW[choice.narrow][1], **_looked_at(choice, choice.narrow))
    return choice.address(**{name: str(value) for name, value in first.items()}) if first else None


def _looked_at(choice: Choice, narrow: str) -> dict[str, object]:
    """Return the parameters that say which answers of a person, or clips of a round, a page looks at."""
    return {
        "category": choice.category, narrow: choice.wanted[narrow], "begin_at": choice.begin_at, "begin": choice.begin,
        "looked_at": LOOKED_AT,
    }  # fmt: skip


def _filters(
    choice: Choice, facets: Sequence[Facet], named: Mapping[str, tuple[list[str], bool]]
) -> Iterator[tuple[str, list[Option]]]:
    """Yield the choices of each filter. One that is set stays among them, also where no clip is left."""
    counts: Mapping[str, Counter[str]] = {name: Counter() for name in SHARED}
    for facet in facets:
        misses = choice.misses(facet)
        # A filter's own value does not count for its choices; every other one does.
        for name in misses if len(misses) == 1 else () if misses else SHARED:
            value = facet.value(name)
            counts[name][value] += facet.clips
            if name == "verdict" and value != "unanswered":
                counts[name][ANSWERED] += facet.clips
    for name, found in counts.items():
        if name in choice.wanted:
            found.setdefault(choice.wanted[name], 0)
        yield name, [Option(value=one, words=_words(name, one), clips=found[one]) for one in sorted(found)]
    for name, (known, _) in named.items():
        if name in choice.wanted and choice.wanted[name] not in known:
            known.append(choice.wanted[name])
        yield name, [Option(value=one, words=one, clips=None) for one in known]


def _words(name: str, value: str) -> str:
    """Return how a choice reads."""
    if name == "score" and value.isdecimal():
        return f"0.{value} to {(int(value) + 1) / 10:.1f}"
    return value.replace("_", " ")
